"""A pipe, such as standard input, hands out the lines that have arrived."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from slomon.sources.source import OversizedLine, Source, open_source
from tests.sources.texts import (
    COMPRESS,
    SHORT,
    TEXT,
    pieces,
    whole,
)


class Pipe:
    """A pipe of the system, read by a source."""

    def __init__(self, said: bytes) -> None:
        end, self._begin = os.pipe()
        self.say(said)
        self.source = Source(io.FileIO(end), "pipe", max_line=SHORT)

    def say(self, said: bytes) -> None:
        os.write(self._begin, said)

    def hang_up(self) -> None:
        os.close(self._begin)


def test_a_pipe_hands_out_each_line_as_it_arrives() -> None:
    pipe = Pipe(b"a")
    with pipe.source as source:
        source_lines = pieces(source, 100)
        pipe.say(b"b\nc")
        assert next(source_lines) == b"ab\n"
        pipe.say(b"d\ne\n")
        assert next(source_lines) == b"cd\ne\n"
        pipe.say(b"f")
        pipe.hang_up()
        assert list(source_lines) == [b"f\n"]
        assert (source.size, source.progress, source.problem) == (None, 9, None)


def test_a_pipe_hands_out_the_lines_before_one_that_is_too_long() -> None:
    pipe = Pipe(b"a\n" + b"x" * 50)
    with pipe.source as source:
        source_lines = pieces(source, 100)
        assert next(source_lines) == b"a\n"
        pipe.say(b"x\nb\n")
        pipe.hang_up()
        reason = f"the line has 51 bytes; allowed: {SHORT}"
        assert list(source_lines) == [OversizedLine(b"x" * (SHORT + 1), 51, reason), b"b\n"]


def test_a_pipe_is_skipped_by_reading_it() -> None:
    pipe = Pipe(b"one\ntwo\n")
    pipe.hang_up()
    with pipe.source as source:
        source.skip(4)
        assert whole(source) == b"two\n"


def test_a_pipe_fills_from_another_thread_while_this_one_runs() -> None:
    pipe = Pipe(b"a")
    found: list[bytes | OversizedLine] = []
    with pipe.source as source:
        reader = threading.Thread(target=lambda: found.extend(pieces(source, 100)))
        reader.start()
        pipe.say(b"b\n")
        pipe.hang_up()
        reader.join(timeout=30)
    assert b"".join(piece for piece in found if isinstance(piece, bytes)) == b"ab\n"


@pytest.mark.parametrize("name", ["plain", *COMPRESS])
def test_a_named_pipe_is_read_like_standard_input(tmp_path: Path, name: str) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    compress = COMPRESS.get(name, bytes)
    writer = threading.Thread(target=path.write_bytes, args=[compress(TEXT)])
    writer.start()
    with open_source(path) as source:
        assert whole(source) == TEXT
        assert (source.name, source.size) == (str(path), None)
    writer.join(timeout=30)


@pytest.fixture
def stdin() -> Iterator[int]:
    """The writing end of a pipe whose reading end is standard input."""
    kept = os.dup(0)
    end, begin = os.pipe()
    os.dup2(end, 0)
    os.close(end)
    yield begin
    os.dup2(kept, 0)
    os.close(kept)


@pytest.mark.parametrize("path", ["-", "/dev/stdin"])
@pytest.mark.parametrize("name", ["plain", *COMPRESS])
def test_standard_input_may_be_compressed(stdin: int, name: str, path: str) -> None:
    os.write(stdin, COMPRESS.get(name, bytes)(TEXT))
    os.close(stdin)
    with open_source(path) as source:
        assert whole(source) == TEXT
        assert source.name == ("standard input" if path == "-" else path)
    os.fstat(0)  # is still open

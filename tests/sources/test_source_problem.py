"""A failure in a source is a problem, and loses nothing that was read before."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.sources.source import OversizedLine, Source, open_source
from tests.sources.texts import (
    COMPRESS,
    SHORT,
    TEXT,
    Raw,
    drain,
    small,
    whole,
)

EIO = OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_bytes(TEXT)
    return path


def test_a_read_error_loses_nothing_that_was_read_before() -> None:
    source = small(b"one\ntwo\nthr", error=EIO)
    problem = "[Errno 5] Input/output error, after 11 bytes of text"
    cut_off = OversizedLine(b"thr", 3, f"the line is cut off: {problem}")
    assert drain(source, 100) == [b"one\ntwo\n", cut_off]
    assert source.problem == problem
    assert source.fill(bytearray(100)) is None


def test_an_error_at_the_first_byte_is_a_problem_like_any_other() -> None:
    source = small(b"", error=EIO)
    assert drain(source) == []
    assert source.problem == "[Errno 5] Input/output error, after 0 bytes of text"


def test_an_error_in_an_oversized_line_is_a_problem_after_it() -> None:
    source = small(b"x" * 50, step=20, error=EIO)
    assert drain(source) == [
        OversizedLine(b"x" * (SHORT + 1), 50, "the line has 50 bytes; allowed: 8")
    ]
    assert source.problem == "[Errno 5] Input/output error, after 50 bytes of text"


def test_an_error_in_the_search_for_a_byte_order_mark_is_a_problem() -> None:
    data = COMPRESS["gzip"](TEXT)[:12]
    source = Source(Raw(data), "cut", len(data))
    assert drain(source) == []
    assert source.problem == "the gzip data is cut off, after 0 bytes of text"


@pytest.mark.parametrize("name", COMPRESS)
@given(data=st.data())
def test_a_compressed_file_that_is_cut_gives_the_lines_before_the_cut(
    name: str, data: st.DataObject
) -> None:
    compressed = COMPRESS[name](TEXT)
    cut = data.draw(st.integers(1, len(compressed) - 1))
    source = Source(Raw(compressed[:cut]), "cut", cut)

    *lines, last = [b"", *drain(source)]

    if isinstance(last, bytes):
        lines.append(last)
    else:
        assert last.reason == f"the line is cut off: {source.problem}"
    text = b"".join(piece for piece in lines if isinstance(piece, bytes))
    assert TEXT.startswith(text)
    assert text.endswith(b"\n") or not text
    assert source.problem == f"the {name} data is cut off, after {source.offset} bytes of text"


def test_damage_in_the_middle_is_one_problem_the_first(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    path.write_bytes(COMPRESS["gzip"](TEXT) + b"no member" + bytes(300_000))
    with open_source(path) as source:
        assert whole(source) == TEXT
        assert source.problem is not None
        assert source.problem.endswith(f"is not gzip, after {len(TEXT)} bytes of text")


def test_a_file_that_shrinks_while_it_is_read_is_a_problem(log: Path) -> None:
    with open_source(log) as source:
        os.truncate(log, 3)
        source.skip(0)
        log_begins = drain(source)
    problem = f"the file had {len(TEXT)} bytes and ends after 3, after 3 bytes of text"
    assert source.problem == problem
    assert log_begins == [OversizedLine(TEXT[:3], 3, f"the line is cut off: {problem}")]


def test_a_file_that_is_deleted_while_it_is_read_is_read_to_its_end(log: Path) -> None:
    with open_source(log) as source:
        log.unlink()
        assert whole(source) == TEXT
        assert source.problem is None


def test_a_file_that_grows_is_read_until_its_end_is_first_reached(log: Path) -> None:
    with open_source(log) as source, log.open("ab") as more:
        more.write(b"appended\n")
        more.flush()
        assert whole(source) == TEXT + b"appended\n"
        more.write(b"too late\n")
        more.flush()
        assert drain(source) == []
        assert source.progress == len(TEXT) + 9
        assert source.size == len(TEXT)


@pytest.mark.parametrize("name", ["plain", *COMPRESS])
def test_a_source_resumes_where_another_one_stopped(tmp_path: Path, name: str) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(COMPRESS.get(name, bytes)(TEXT))
    line = TEXT.index(b"\n", 5_000) + 1
    with open_source(path) as source:
        source.skip(line)
        assert source.offset == line
        assert whole(source) == TEXT[line:]
        assert (source.offset, source.problem) == (len(TEXT), None)


@pytest.mark.parametrize("name", ["plain", *COMPRESS])
def test_a_text_shorter_than_the_offset_to_skip_to_is_a_problem(tmp_path: Path, name: str) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(COMPRESS.get(name, bytes)(b"one\n"))
    with open_source(path) as source:
        source.skip(10)
        assert drain(source) == []
        assert source.problem == "the text has 4 bytes, 10 of them were to be skipped"


def test_damage_in_skipped_text_is_the_problem(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(COMPRESS["gzip"](TEXT)[:-1])
    with open_source(path) as source:
        source.skip(len(TEXT) + 1)
        assert drain(source) == []
        assert source.problem == f"the gzip data is cut off, after {len(TEXT)} bytes of text"

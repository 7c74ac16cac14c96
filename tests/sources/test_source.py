"""A log is handed out as whole lines, each byte once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.errors import ConfigurationError
from slomon.sources.source import MAX_LINE, SKIPPED_LINES, OversizedLine, Source, open_source
from tests.sources.texts import (
    COMPRESS,
    SHORT,
    TEXT,
    drain,
    pieces,
    small,
    whole,
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_bytes(TEXT)
    return path


def test_a_file_fills_the_buffer_as_far_as_it_can(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(TEXT * 500)  # five megabytes
    with open_source(path) as source:
        first, *_ = sizes = [len(piece) for piece in drain(source) if isinstance(piece, bytes)]
        assert first > 2 * MAX_LINE - len(TEXT)
        assert sum(sizes) == len(TEXT) * 500
        assert (source.name, source.problem) == (str(path), None)
        assert source.offset == source.progress == source.size == len(TEXT) * 500


@pytest.mark.parametrize("name", COMPRESS)
def test_a_compressed_file_is_its_text(tmp_path: Path, name: str) -> None:
    path = tmp_path / "no suffix"
    path.write_bytes(COMPRESS[name](TEXT))
    with open_source(path) as source:
        assert whole(source) == TEXT
        assert source.offset == len(TEXT)
        assert source.progress == source.size == path.stat().st_size


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.touch()
    with open_source(path) as source:
        assert drain(source) == []
        assert source.problem is None


def test_a_last_line_without_a_newline_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"one\r\ntwo")
    with open_source(path) as source:
        assert whole(source) == b"one\r\ntwo\n"
        assert source.offset == 8


LINES = st.lists(st.binary(max_size=SHORT).map(lambda line: line.replace(b"\n", b"")))


@given(LINES, st.booleans(), st.integers(1, 40), st.integers(SHORT + 1, 40))
def test_the_pieces_are_the_text_however_it_is_cut(
    lines: list[bytes], ended: bool, step: int, size: int
) -> None:
    text = b"1 GET /\n" + b"\n".join(lines) + b"\n" * ended
    source = small(text, step)
    assert whole(source, size) == text + b"\n" * (not text.endswith(b"\n"))
    assert (source.offset, source.problem) == (len(text), None)


LONG = st.integers(0, 5 * SHORT).map(lambda length: b"x" * length)


@given(st.lists(LONG), st.booleans(), st.integers(1, 60), st.integers(SHORT + 1, 60))
def test_an_oversized_line_is_reported_in_its_place(
    lines: list[bytes], ended: bool, step: int, size: int
) -> None:
    source = small(b"\n".join(lines) + b"\n" * ended, step)

    found: list[bytes | int] = []
    for piece in pieces(source, size):
        found += [piece.length] if isinstance(piece, OversizedLine) else piece.splitlines()

    text = b"\n".join(lines) + b"\n" * ended
    assert (
        found
        == [
            line if len(line) <= SHORT else len(line)
            for line in text.removesuffix(b"\n").split(b"\n")
        ][: None if text else 0]
    )
    assert source.offset == len(text)


def test_a_huge_line_takes_no_memory_and_loses_no_other_line(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"before\n" + bytes(5 * MAX_LINE) + b"\nafter\n")
    with open_source(path) as source:
        before, oversized, after = drain(source)
    assert (before, after) == (b"before\n", b"after\n")
    reason = f"the line has {5 * MAX_LINE} bytes; allowed: {MAX_LINE}"
    assert oversized == OversizedLine(bytes(1000), 5 * MAX_LINE, reason)


def test_a_file_of_zeros_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(bytes(3 * MAX_LINE))
    with open_source(path) as source:
        (oversized,) = drain(source)
        assert isinstance(oversized, OversizedLine)
        assert oversized.length == source.offset == 3 * MAX_LINE


def test_a_line_without_end_ends_the_reading() -> None:
    longest = b"x" * (SHORT * SKIPPED_LINES) + b"\n"
    source = small(longest + b"after\n")
    assert [piece for piece in pieces(source, 60) if piece == b"after\n"]

    source = small(b"x" * (SHORT * SKIPPED_LINES * 2) + b"\nafter\n")
    (oversized,) = pieces(source, 60)
    assert isinstance(oversized, OversizedLine)
    assert source.problem is not None
    assert source.problem.endswith(f"bytes; allowed: {SHORT}")


def test_the_longest_line_is_whole_and_a_longer_one_is_not() -> None:
    longest, longer = b"x" * SHORT, b"x" * (SHORT + 1)
    assert drain(small(longest)) == [longest + b"\n"]
    assert drain(small(longest + b"\n")) == [longest + b"\n"]
    reason = f"the line has {SHORT + 1} bytes; allowed: {SHORT}"
    assert drain(small(longer)) == [OversizedLine(longer, SHORT + 1, reason)]
    assert drain(small(longer + b"\n")) == [OversizedLine(longer, SHORT + 1, reason)]


def test_no_more_is_read_than_is_enough_unless_a_line_is_longer(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"a\n" * 4 + b"b" * 50 + b"\n" + b"c" * 101 + b"\nd\n")
    found: list[object] = []
    with open_source(path, 100) as source:
        buffer = bytearray(1000)
        while (filled := source.fill(buffer, enough=5)) is not None:
            found.append(filled.length if isinstance(filled, OversizedLine) else filled)
    assert found == [4, 4, 51, 101, 2]


def test_a_buffer_shorter_than_the_longest_line_is_rejected(log: Path) -> None:
    with open_source(log) as source, pytest.raises(ValueError, match="allowed: over 1048576"):
        source.fill(bytearray(MAX_LINE))


def test_a_byte_order_mark_of_utf8_is_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"\xef\xbb\xbfone\n")
    with open_source(path) as source:
        assert whole(source) == b"one\n"
        assert source.offset == 7


@pytest.mark.parametrize("compress", [bytes, *COMPRESS.values()], ids=["plain", *COMPRESS])
@pytest.mark.parametrize("encoding", ["UTF-16", "UTF-32"])
@pytest.mark.parametrize("order", ["LE", "BE"])
def test_another_encoding_is_a_problem_that_names_the_conversion(
    tmp_path: Path, encoding: str, order: str, compress: type[bytes]
) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(compress("\ufeffone\n".encode(encoding + order)))
    with open_source(path) as source:
        assert drain(source) == []
        assert drain(source) == []
        assert source.problem == f"it is {encoding}, not UTF-8: iconv -f {encoding} -t UTF-8"


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        open_source(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"missing\.log"):
        open_source(tmp_path / "missing.log")


def test_a_missing_library_is_named_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    path = tmp_path / "access.log"
    path.write_bytes(COMPRESS["zstd"](TEXT))
    with pytest.raises(ConfigurationError) as caught:
        open_source(path)
    needed = "pip install 'slomon[replay]'"
    assert str(caught.value) == f"{path}: it is compressed by zstd; needed: {needed}"


class StoppedError(Exception):
    """Raised by a check, to end the reading."""


def test_a_check_can_end_the_reading_of_an_endless_line() -> None:
    reads = 0

    def check() -> None:
        nonlocal reads
        reads += 1
        if reads > 10:
            raise StoppedError

    with Path("/dev/zero").open("rb", buffering=0) as endless:
        source = Source(endless, "zeros", None, check)
        with pytest.raises(StoppedError):
            source.fill(bytearray(2 * MAX_LINE))

"""The first lines of a log are the same however they arrive, and none of them is lost."""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.log_replay.detect import read_head
from slomon.sources.source import Fragment, Source
from tests.sources.texts import Raw, whole

LINES = [b"%d\n" % number for number in range(1000)]
LONG = 70_000  # bytes of the longest line: more than the 64 KiB of a head, as anywhere


def make_source(text: bytes, step: int = 2**20, error: OSError | None = None) -> Source:
    """A file that comes in reads of so many bytes, which a pipe's may be as well."""
    return Source(Raw(text, step, error), "log", len(text), max_line=LONG)


def test_it_is_the_first_hundred_lines_that_are_not_blank() -> None:
    text = b"".join(line + b" \r\n" * (line < b"5") for line in LINES)
    assert read_head(make_source(text)) == b"".join(LINES[:100])


def test_it_is_all_lines_where_there_are_fewer() -> None:
    assert read_head(make_source(b"one\ntwo\n")) == b"one\ntwo\n"
    assert read_head(make_source(b"one\ntwo")) == b"one\ntwo\n"
    assert read_head(make_source(b"")) == b""


def test_it_goes_no_further_than_64_kib() -> None:
    line = b"x" * 1000 + b"\n"
    assert read_head(make_source(line * 100)) == line * (65536 // 1001)


def test_a_first_line_that_is_longer_is_whole() -> None:
    line = b"x" * 500_000 + b"\n"
    for step in (2**20, 50_000):
        source = Source(Raw(line + b"y\n" * 100, step), "log", None)
        assert read_head(source) == line


def test_a_first_line_that_comes_as_a_fragment_is_looked_past() -> None:
    text = b"x" * 100_000 + b"\nafter\n"
    source = make_source(text, step=1000)
    assert read_head(source) == b""
    assert isinstance(source.fill(bytearray(2 * LONG)), Fragment)
    assert read_head(source) == b"after\n"


def test_blank_lines_come_first_and_alone() -> None:
    source = make_source(b"\n \r\n\t\none\n")
    assert read_head(source) == b"\n \r\n\t\n"
    buffer = bytearray(2 * LONG)
    assert source.fill(buffer, most=6) == 6
    assert read_head(source) == b"one\n"
    assert source.fill(buffer) == 4


def test_a_mark_of_the_byte_order_is_no_part_of_it() -> None:
    assert read_head(make_source(b"\xef\xbb\xbfone\n")) == b"one\n"


def test_a_last_line_that_is_cut_off_is_no_part_of_it() -> None:
    source = make_source(b"one\ntw", error=OSError("gone"))
    assert read_head(source) == b"one\n"
    assert source.problem == "gone, after 6 bytes of text"
    buffer = bytearray(2 * LONG)
    assert source.fill(buffer) == 4
    assert source.fill(buffer) == Fragment(b"tw", 2, f"the line is cut off: {source.problem}")
    assert source.fill(buffer) is None


TEXTS = st.lists(
    st.sampled_from(
        [b"\n", b" \n", b"a\n", b"bc\n" * 60, b"d" * 9000 + b"\n", b"e" * LONG + b"e\n"]
    )
).map(b"".join)


@given(TEXTS, st.sampled_from([1, 7, 1000, 70_000]), st.binary(max_size=3))
def test_how_the_bytes_arrive_makes_no_difference(text: bytes, step: int, last: bytes) -> None:
    def find_head(step: int) -> bytes | None:
        """What a log is known by, if by anything."""
        source, buffer = make_source(text + last, step), bytearray(2 * LONG)
        while not (head := read_head(source)).strip():
            if source.fill(buffer, most=len(head) or None) is None:
                return None
        return head

    step = max(step, len(text) // 500)
    assert find_head(step) == find_head(2**20)


@given(TEXTS, st.sampled_from([1000, 70_000]))
def test_nothing_that_was_looked_at_is_lost(text: bytes, step: int) -> None:
    text = text.replace(b"e" * LONG, b"")
    source = make_source(text, step)
    read_head(source)
    assert source.offset == 0
    assert whole(source) == text


@pytest.mark.parametrize("least", [1, 3])
def test_a_pipe_is_waited_for_until_as_many_lines_are_there_as_are_needed(least: int) -> None:
    end, begin = os.pipe()
    os.set_blocking(end, False)  # so that to wait is an error
    os.write(begin, b"one\ntwo\n")
    with Source(io.FileIO(end), "pipe") as source:
        head = read_head(source, least)
        assert (head, source.problem is None) == (b"one\ntwo\n", least == 1)
    os.close(begin)

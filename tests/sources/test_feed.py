"""Bytes come in order, whatever is peeked at, taken and put back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.sources.peekable import Feed
from tests.sources.texts import Raw

MARKS = (b"ab", b"abcd", b"x")


def read_all(feed: Feed, size: int = 1000) -> bytes:
    data = b""
    view = memoryview(bytearray(size))
    while count := feed.readinto(view):
        data += view[:count]
    return data


@given(st.binary(max_size=50), st.integers(1, 60), st.integers(1, 60), st.integers(0, 60))
def test_bytes_come_in_order_whatever_was_taken_before(
    data: bytes, step: int, size: int, count: int
) -> None:
    feed = Feed(Raw(data, step))

    taken = feed.take(count)

    assert taken == data[:count]
    assert feed.position == len(taken)
    assert taken + read_all(feed, size) == data
    assert feed.position == len(data)


@given(st.binary(min_size=1, max_size=50), st.integers(1, 60), st.data())
def test_what_is_put_back_comes_again(data: bytes, step: int, choice: st.DataObject) -> None:
    feed = Feed(Raw(data, step))
    taken = feed.take(choice.draw(st.integers(1, len(data))))
    count = choice.draw(st.integers(0, len(taken)))

    feed.put_back(taken[count:])

    assert feed.position == count
    assert read_all(feed) == data[count:]


@pytest.mark.parametrize("step", [1, 2, 100])
@pytest.mark.parametrize(
    ("data", "mark"),
    [
        (b"", None),
        (b"a", None),
        (b"b", None),
        (b"ab", b"ab"),
        (b"abc", b"ab"),
        (b"abce", b"ab"),
        (b"abcde", b"abcd"),
        (b"xab", b"x"),
    ],
)
def test_the_longest_mark_is_found_and_taken_by_nobody(
    data: bytes, mark: bytes | None, step: int
) -> None:
    feed = Feed(Raw(data, step))
    assert feed.find_mark(MARKS) == mark
    assert feed.position == 0
    assert read_all(feed) == data


def test_a_stream_that_has_told_its_mark_is_not_read_on() -> None:
    raw = Raw(b"xyz", step=1)
    assert Feed(raw).find_mark(MARKS) == b"x"
    assert raw.reads == 1


def test_a_stream_is_not_read_past_its_end() -> None:
    raw = Raw(b"a")
    feed = Feed(raw)
    assert read_all(feed) == b"a"
    assert (bytes(feed.peek()), feed.take(1), raw.reads) == (b"", b"", 2)


def test_an_error_is_raised_once_and_then_the_stream_has_ended() -> None:
    feed = Feed(Raw(b"", error=OSError("torn")))
    with pytest.raises(OSError, match="torn"):
        feed.peek()
    assert bytes(feed.peek()) == b""


def test_a_feed_that_was_ended_hands_out_nothing() -> None:
    feed = Feed(Raw(b"abc"))
    feed.peek()
    feed.end()
    assert read_all(feed) == b""


class Silent:
    """A stream that doesn't block, and to which nothing has come yet."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        return None if buffer else 0


def test_nothing_yet_is_no_end() -> None:
    with pytest.raises(BlockingIOError):
        Feed(Silent()).peek()

"""
Bytes come in order, whatever is peeked at, taken and put back.
A read of a pipe waits until bytes arrive, the writer leaves or the check raises.
"""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.sources.peekable import PeekableStream, Pipe, open_raw
from slomon.sources.source import MAX_LINE, open_source
from tests.sources.texts import Raw

MARKS = (b"ab", b"abcd", b"x")


def read_all(stream: PeekableStream, size: int = 1000) -> bytes:
    data = b""
    view = memoryview(bytearray(size))
    while count := stream.readinto(view):
        data += view[:count]
    return data


@given(st.binary(max_size=50), st.integers(1, 60), st.integers(1, 60), st.integers(0, 60))
def test_bytes_come_in_order_whatever_was_taken_before(
    data: bytes, step: int, size: int, count: int
) -> None:
    stream = PeekableStream(Raw(data, step))

    taken = stream.take(count)

    assert taken == data[:count]
    assert stream.position == len(taken)
    assert taken + read_all(stream, size) == data
    assert stream.position == len(data)


@given(st.binary(min_size=1, max_size=50), st.integers(1, 60), st.data())
def test_bytes_that_were_put_back_are_read_again(
    data: bytes, step: int, choice: st.DataObject
) -> None:
    stream = PeekableStream(Raw(data, step))
    taken = stream.take(choice.draw(st.integers(1, len(data))))
    count = choice.draw(st.integers(0, len(taken)))

    stream.put_back(taken[count:])

    assert stream.position == count
    assert read_all(stream) == data[count:]


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
def test_the_longest_prefix_is_found_and_not_taken(
    data: bytes, mark: bytes | None, step: int
) -> None:
    stream = PeekableStream(Raw(data, step))
    assert stream.find_prefix(MARKS) == mark
    assert stream.position == 0
    assert read_all(stream) == data


def test_a_stream_is_read_no_further_once_its_prefix_is_certain() -> None:
    raw = Raw(b"xyz", step=1)
    assert PeekableStream(raw).find_prefix(MARKS) == b"x"
    assert raw.reads == 1


def test_a_stream_is_not_read_past_its_end() -> None:
    raw = Raw(b"a")
    stream = PeekableStream(raw)
    assert read_all(stream) == b"a"
    assert (bytes(stream.peek()), stream.take(1), raw.reads) == (b"", b"", 2)


def test_an_error_is_raised_once_and_then_the_stream_has_ended() -> None:
    stream = PeekableStream(Raw(b"", error=OSError("torn")))
    with pytest.raises(OSError, match="torn"):
        stream.peek()
    assert bytes(stream.peek()) == b""


def test_a_stream_that_was_ended_hands_out_nothing() -> None:
    stream = PeekableStream(Raw(b"abc"))
    stream.peek()
    stream.end()
    assert read_all(stream) == b""


class Silent:
    """A non-blocking stream for which no bytes have arrived."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        return None if buffer else 0


def test_no_bytes_yet_is_not_the_end() -> None:
    with pytest.raises(BlockingIOError):
        PeekableStream(Silent()).peek()


class Stopped(Exception):  # noqa: N818 (no error: somebody wants no more)
    """Ends a wait."""


def stop() -> None:
    raise Stopped


def read(raw: io.FileIO, size: int = 100) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: raw.readinto(buffer)])


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_pipe_without_a_writer_opens_at_once_and_its_wait_can_be_ended(pipe: Path) -> None:
    with open_raw(pipe, stop) as raw, pytest.raises(Stopped):
        read(raw)


def test_a_pipe_does_not_end_before_its_first_writer_has_come_and_gone(pipe: Path) -> None:
    checks: list[int] = []

    def write_late() -> None:
        checks.append(1)
        if len(checks) == 2:
            pipe.write_bytes(b"late")

    with open_raw(pipe, write_late) as raw:
        assert read(raw) == b"late"
        assert read(raw) == b""
        assert len(checks) == 2


def test_a_pipe_ends_with_a_writer_that_writes_nothing(pipe: Path) -> None:
    with open_raw(pipe, lambda: pipe.write_bytes(b"")) as raw:
        assert read(raw) == b""


def test_bytes_that_have_arrived_are_read_without_a_wait(pipe: Path) -> None:
    with open_raw(pipe, stop) as raw, pipe.open("wb", buffering=0) as writer:
        writer.write(b"one")
        assert read(raw) == b"one"
        with pytest.raises(Stopped):
            read(raw)
        writer.write(b"two")
        assert read(raw) == b"two"


def test_bytes_that_another_process_took_are_not_the_end() -> None:
    end, begin = os.pipe()
    os.set_blocking(end, False)
    with Pipe(end, check=stop) as raw:
        writes = iter([b"", b"mine"])
        raw._poller = Always(lambda: os.write(begin, next(writes)))  # type: ignore[assignment]
        assert read(raw) == b"mine"
    os.close(begin)


class Always:
    """Reports that bytes have arrived, although another process has taken them."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._meanwhile = meanwhile

    def poll(self, _: int) -> bool:
        self._meanwhile()
        return True


def test_a_socket_can_be_read() -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs, Pipe(mine.fileno(), closefd=False, check=stop) as raw:
        with pytest.raises(Stopped):
            read(raw)
        theirs.sendall(b"said")
        assert read(raw) == b"said"
        theirs.close()
        assert read(raw) == b""


def test_a_file_is_a_plain_stream_and_a_device_is_never_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"one\n")
    with open_raw(path, stop) as raw:
        assert type(raw) is io.FileIO
        assert read(raw) == b"one\n"
    with open_raw("/dev/zero", stop) as raw:
        assert read(raw, 5) == bytes(5)
    with open_raw("/dev/null", stop) as raw:
        assert read(raw) == b""


@pytest.mark.parametrize("said", [b"", b"\x1f", b"\x1f\x8b\x08"])
def test_a_source_whose_first_bytes_never_arrive_is_closed(pipe: Path, said: bytes) -> None:
    """A file that stays open is a warning, which fails the test."""
    writer = os.open(pipe, os.O_RDWR)
    os.write(writer, said)
    with pytest.raises(Stopped), open_source(pipe, check=stop) as source:
        source.fill(bytearray(2 * MAX_LINE))
    os.close(writer)


def test_a_wait_in_another_thread_ends_within_a_moment(pipe: Path) -> None:
    stopped = threading.Event()

    def check() -> None:
        if stopped.is_set():
            raise Stopped

    def wait() -> None:
        with open_raw(pipe, check) as raw, pytest.raises(Stopped):
            read(raw)

    reader = threading.Thread(target=wait)
    reader.start()
    stopped.set()
    reader.join(timeout=30)
    assert not reader.is_alive()

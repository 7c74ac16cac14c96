"""
Byte streams: a stream that can be peeked at, and the raw files and pipes under it.

A read of a pipe waits until bytes arrive. Meanwhile it calls a `check`, which may end the wait.
"""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


CHUNK: Final = 128 * 1024
"""The bytes that a peek reads at once."""

Check: TypeAlias = Callable[[], object]
"""Called before each read, and several times a second while a pipe is silent. May raise."""

_CHECK_MILLISECONDS: Final = 50


class Stream(Protocol):
    """A source of bytes: a raw file, or the decompressed text of one."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read bytes into the buffer. Returns their number, which is 0 at the end."""
        ...


class PeekableStream:
    """
    A stream whose next bytes can be peeked at and put back. `position` is the offset of the next
    byte.

    The end is final, and so is an error: bytes that are appended to a file later are not read.
    Methods that read raise the OSError of the underlying stream, and what `check` raises, which is
    called before each read of the underlying stream.
    """

    def __init__(self, stream: Stream, position: int = 0, check: Check = int) -> None:
        self.position = position
        self._stream = stream
        self._check = check
        self._ahead = memoryview(b"")
        self._ended = False

    @property
    def reached(self) -> int:
        """The number of bytes that were read from the stream, taken or only peeked at."""
        return self.position + len(self._ahead)

    def readinto(self, view: memoryview) -> int:
        """Read bytes into `view`, with at most one read. Returns their number, 0 at the end."""
        count = min(len(self._ahead), len(view))
        if count:
            view[:count] = self._ahead[:count]
            self._ahead = self._ahead[count:]
        else:
            count = self._fetch(view)
        self.position += count
        return count

    def peek(self, least: int = 1) -> memoryview:
        """The next bytes, at least `least` of them; fewer if the stream ends before."""
        while len(self._ahead) < least and (more := self._fetch_chunk()):
            self._ahead = memoryview(b"".join((self._ahead, more))) if self._ahead else more
        return self._ahead

    def drop(self, count: int) -> None:
        """Take the first `count` bytes that were peeked at."""
        self._ahead = self._ahead[count:]
        self.position += count

    def take(self, count: int) -> bytes:
        """Take the next `count` bytes; fewer if the stream ends before."""
        taken = bytes(self.peek(count)[:count])
        self.drop(len(taken))
        return taken

    def put_back(self, taken: bytes) -> None:
        """Give back the bytes that were taken last, so that they are read again."""
        self._ahead = memoryview(taken + self._ahead)
        self.position -= len(taken)

    def find_prefix(self, prefixes: Collection[bytes]) -> bytes | None:
        """
        The longest of the prefixes with which the next bytes begin, or None. Stops reading as soon
        as the answer is certain, so that it never waits for a slow stream in vain.
        """
        longest = max(map(len, prefixes))
        while _is_undecided(head := bytes(self._ahead[:longest]), prefixes):
            if len(self.peek(len(head) + 1)) == len(head):
                break
        return max(filter(head.startswith, prefixes), key=len, default=None)

    def end(self) -> None:
        """End the stream here: nothing more is read."""
        self._ahead = memoryview(b"")
        self._ended = True

    def _fetch_chunk(self) -> memoryview:
        view = memoryview(bytearray(CHUNK))
        return view[: self._fetch(view)]

    def _fetch(self, view: memoryview) -> int:
        if self._ended:
            return 0
        self._check()
        self._ended = True  # unless the read succeeds, see below
        count = self._stream.readinto(view)
        if count is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self._ended = count == 0
        return count


def _is_undecided(head: bytes, prefixes: Collection[bytes]) -> bool:
    return any(prefix.startswith(head) and prefix != head for prefix in prefixes)


def open_raw(path: Path | str, check: Check) -> io.FileIO:
    """
    Open a file, a named pipe, a terminal, or standard input for `-`. Opening never blocks, not even
    for the writer of a pipe; reading does. Raises OSError.
    """
    standard = str(path) == "-"
    file, found = (0, os.fstat(0)) if standard else (os.fspath(path), Path(path).stat())
    # A read of a file never waits, and on Windows a pipe can't be polled.
    if sys.platform == "win32" or stat.S_ISREG(found.st_mode):
        return io.FileIO(file, closefd=not standard)
    return Pipe(file, closefd=not standard, check=check)


class Pipe(io.FileIO):
    """A pipe, terminal or socket. A read waits until bytes arrive or `check` raises."""

    def __init__(self, file: str | int, *, closefd: bool = True, check: Check) -> None:
        super().__init__(file, closefd=closefd, opener=_open_without_blocking)
        self._check = check
        self._poller = select.poll()
        self._poller.register(self.fileno(), select.POLLIN)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read bytes into the buffer. Returns their number, which is 0 at the end."""
        count: int | None = None
        while count is None:  # None if another process took the bytes that had arrived
            while not self._poller.poll(_CHECK_MILLISECONDS):
                self._check()
            count = super().readinto(buffer)
        return count


def _open_without_blocking(path: str, flags: int) -> int:
    # A pipe that was opened so does not end before its first writer comes: reads wait for it.
    return os.open(path, flags | os.O_NONBLOCK)

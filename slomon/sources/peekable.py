"""
Bytes in order, with a look ahead: what is read can be peeked at, counted and put back.

What a log is read from: a file as it is, or a pipe that may be waited for and given up.
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
"""Bytes of one look ahead."""


class Stream(Protocol):
    """Where bytes come from: a raw file, or what decompresses one."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Put bytes into the buffer and say how many; 0 at the end."""
        ...


class Feed:
    """
    A stream that is read on from `position`, the number of bytes taken so far. Its end is final,
    and so is an error: a file is not asked again for what was appended later.

    What reads raises the stream's own OSError.
    """

    def __init__(self, stream: Stream, position: int = 0) -> None:
        self.position = position
        self._stream = stream
        self._ahead = memoryview(b"")
        self._ended = False

    @property
    def reached(self) -> int:
        """How many bytes of the stream were read: those that were taken, and those ahead."""
        return self.position + len(self._ahead)

    def readinto(self, view: memoryview) -> int:
        """Put bytes into `view`, by one read at most, and say how many; 0 at the end."""
        count = min(len(self._ahead), len(view))
        if count:
            view[:count] = self._ahead[:count]
            self._ahead = self._ahead[count:]
        else:
            count = self._fetch(view)
        self.position += count
        return count

    def peek(self, least: int = 1) -> memoryview:
        """The bytes that come next, `least` of them or more; fewer where the stream ends before."""
        while len(self._ahead) < least and (more := self._fetch_chunk()):
            self._ahead = memoryview(b"".join((self._ahead, more))) if self._ahead else more
        return self._ahead

    def drop(self, count: int) -> None:
        """Take the first `count` of the bytes that were peeked at."""
        self._ahead = self._ahead[count:]
        self.position += count

    def take(self, count: int) -> bytes:
        """The next `count` bytes; fewer where the stream ends before."""
        taken = bytes(self.peek(count)[:count])
        self.drop(len(taken))
        return taken

    def put_back(self, taken: bytes) -> None:
        """Give back the bytes that were taken last."""
        self._ahead = memoryview(taken + self._ahead)
        self.position -= len(taken)

    def find_mark(self, marks: Collection[bytes]) -> bytes | None:
        """
        The longest of the marks that the next bytes begin with. A slow stream is not waited for
        once its bytes have told.
        """
        longest = max(map(len, marks))
        while _may_grow(head := bytes(self._ahead[:longest]), marks):
            if len(self.peek(len(head) + 1)) == len(head):
                break
        return max(filter(head.startswith, marks), key=len, default=None)

    def end(self) -> None:
        """Read no more."""
        self._ahead = memoryview(b"")
        self._ended = True

    def _fetch_chunk(self) -> memoryview:
        view = memoryview(bytearray(CHUNK))
        return view[: self._fetch(view)]

    def _fetch(self, view: memoryview) -> int:
        if self._ended:
            return 0
        self._ended = True  # unless bytes arrive
        count = self._stream.readinto(view)
        if count is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self._ended = count == 0
        return count


def _may_grow(head: bytes, marks: Collection[bytes]) -> bool:
    return any(mark.startswith(head) and mark != head for mark in marks)


Check: TypeAlias = Callable[[], object]
"""Called several times a second while a pipe is waited for; what it raises ends the wait."""

_CHECK_EVERY: Final = 50  # milliseconds


def open_raw(path: Path | str, check: Check) -> io.FileIO:
    """
    The bytes of a file, of a named pipe or a terminal, or of standard input for `-`. To open one
    waits for nothing, not even for a pipe's writer: reading does. Raises OSError.
    """
    standard = str(path) == "-"
    file, found = (0, os.fstat(0)) if standard else (os.fspath(path), Path(path).stat())
    # A file is never waited for, and on Windows a pipe can't be.
    if sys.platform == "win32" or stat.S_ISREG(found.st_mode):
        return io.FileIO(file, closefd=not standard)
    return Pipe(file, closefd=not standard, check=check)


class Pipe(io.FileIO):
    """A pipe, terminal or socket, of which a read waits until there are bytes or `check` raises."""

    def __init__(self, file: str | int, *, closefd: bool = True, check: Check) -> None:
        super().__init__(file, closefd=closefd, opener=_open_at_once)
        self._check = check
        self._arrival = select.poll()
        self._arrival.register(self.fileno(), select.POLLIN)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Put bytes into the buffer and say how many; 0 at the end."""
        count: int | None = None
        while count is None:  # where another process took what had arrived, too
            while not self._arrival.poll(_CHECK_EVERY):
                self._check()
            count = super().readinto(buffer)
        return count


def _open_at_once(path: str, flags: int) -> int:
    # A pipe that is opened so does not end before its first writer: that one is waited for.
    return os.open(path, flags | os.O_NONBLOCK)

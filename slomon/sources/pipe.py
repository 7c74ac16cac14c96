"""What a log is read from: a file as it is, or a pipe that may be waited for and given up."""

from __future__ import annotations

import io
import os
import select
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

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

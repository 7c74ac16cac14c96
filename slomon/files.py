"""
A file that a run writes: whole or not at all, and with errors that name it.

Who uses a file: one at a time, by the system's advisory locks, which end with the process, however
that ends. Where the system or the file system has none, nobody is kept out.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from errno import EAGAIN
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, TextIO


class OutputFile:
    """
    Opened when a run begins, so that a place where nothing can be written is told before hours of
    work; `save` puts it where it belongs, in place of what stood there. Left without that, it
    changes nothing. A device or a pipe is written to directly.

    Raises OSError, here and in `save`, which names the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft: Path | None = None
        self._target = path
        with naming(path):
            if path.is_file() or not path.exists():
                self._target = path.resolve()
                self._draft = temp_path(self._target)
            self._file = (self._draft or path).open("xb" if self._draft else "wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with naming(self._path):
            try:
                self._file.close()
            finally:
                if self._draft is not None:
                    self._draft.unlink(missing_ok=True)

    def save(self, lines: Iterable[str]) -> None:
        """Write all lines, of ASCII and each with its end, and put the file in its place."""
        self.fill(lambda file: file.writelines(f"{line}\n".encode("ascii") for line in lines))

    def fill(self, write: Callable[[BinaryIO], object]) -> None:
        """Let it be written to, and put the file in its place."""
        with naming(self._path):
            write(self._file)
            self._file.flush()
        if self._draft is None:
            return
        with naming(self._path):
            os.fsync(self._file.fileno())
            self._file.close()
            commit_file(self._draft, self._target)


def temp_path(target: Path) -> Path:
    """
    Where a file is written before it takes its place. What a killed run left there is removed: so
    there is never more than one, and whoever opens it anew ("x") follows nobody's link.
    """
    draft = target.with_name(f".{target.name}.slomon")
    draft.unlink(missing_ok=True)
    return draft


def commit_file(draft: Path, target: Path) -> None:
    """Let a draft that is whole take its place, with the mode of the file that stood there."""
    if target.exists():
        shutil.copymode(target, draft)
    draft.replace(target)


def write_lines(lines: Iterable[str], file: TextIO, name: object) -> None:
    """Write all lines, each with its end, to an open file, of which errors say the name."""
    with naming(name):
        file.writelines(f"{line}\n" for line in lines)
        file.flush()


@contextmanager
def naming(name: object) -> Iterator[None]:
    """Let the errors inside say which file they are about: the system's of a write don't."""
    try:
        yield
    except OSError as error:
        error.filename = str(name)
        raise


if sys.platform != "win32":
    import fcntl


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """
    Use a file that is replaced as it is written: the lock is that of an empty file beside it, which
    stays. Raises OSError, which names the file, where somebody else uses it.
    """
    lock = path.resolve().with_name(f"{path.resolve().name}.lock")
    with naming(lock):
        file = lock.open("ab")
    with file:
        lock_file(file, path)
        yield


def lock_file(file: BinaryIO, path: Path) -> None:
    """
    Use an open file until it is closed. Raises OSError, which names it by `path`, where somebody
    else uses it.
    """
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(EAGAIN, _IN_USE, str(path)) from None
    except OSError:
        pass  # of a file system that has no locks


_IN_USE: Final = "is in use by another process or monitor; allowed: a file of its own for each"

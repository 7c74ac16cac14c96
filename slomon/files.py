"""
Files that a run writes.

`AtomicFile` and `OutputFile` replace a file by a complete one or leave it unchanged. `in_use` and
`lock_file` give a file to one user at a time. Every OSError names the file that it is about.
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

if sys.platform != "win32":
    import fcntl

_IN_USE: Final = "is in use by another process or monitor; allowed: a file of its own for each"


class AtomicFile:
    """
    A temporary file, `file`, in the folder of `path`. `commit` replaces `path` by it. The context
    manager removes it if it was not committed.

    A symbolic link at `path` stays, and its target is replaced. The mode of a replaced file stays.
    There is one temporary file per path: a new one removes what a killed run left behind.

    `private` is for a path that several processes may replace at the same time: each has its own
    temporary file, only the user can read the new file, and a symbolic link is itself replaced.

    Raises OSError, here and in `commit`.
    """

    def __init__(self, path: Path, *, private: bool = False) -> None:
        self._path = path
        self._private = private
        with naming(path):
            if private:
                self._target = path
                self._temp = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
            else:
                self._target = path.resolve()
                self._temp = self._target.with_name(f".{self._target.name}.slomon")
                self._temp.unlink(missing_ok=True)
            # "x" follows no symbolic link that somebody else may have put there.
            opener = _open_private if private else None
            self.file: BinaryIO = open(self._temp, "xb", opener=opener)  # noqa: SIM115

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
                self.file.close()
            finally:
                self._temp.unlink(missing_ok=True)

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes to the temporary file. Raises OSError."""
        with naming(self._path):
            self.file.write(data)

    def commit(self, *, sync_file: bool = False, sync_folder: bool = False) -> None:
        """
        Replace the path by the temporary file, which can't be written to any more.

        After a crash of the system, `sync_file` guarantees that the path has either all of the old
        content or all of the new one, and `sync_folder` that it has the new one.
        """
        with naming(self._path):
            self.file.flush()
            if sync_file:
                os.fsync(self.file.fileno())
            self.file.close()
            if not self._private and self._target.exists():
                shutil.copymode(self._target, self._temp)
            self._temp.replace(self._target)
            if sync_folder:
                _sync_folder(self._target.parent)


class OutputFile:
    """
    A file for results, opened when a run begins: if nothing can be written there, the run fails
    before hours of work. `save` or `fill` replace the file. If neither is called, the file stays
    unchanged. A device or a pipe is written to directly.

    Raises OSError, here and in both methods.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with naming(path):
            replaceable = path.is_file() or not path.exists()
        self._atomic = AtomicFile(path) if replaceable else None
        with naming(path):
            self._file = path.open("wb") if self._atomic is None else self._atomic.file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._atomic is not None:
            self._atomic.__exit__(kind, error, traceback)
            return
        with naming(self._path):
            self._file.close()

    def save(self, lines: Iterable[str]) -> None:
        """Write lines of ASCII, given without their line ends, and replace the file."""
        self.fill(lambda file: file.writelines(f"{line}\n".encode("ascii") for line in lines))

    def fill(self, write: Callable[[BinaryIO], object]) -> None:
        """Call `write` with the open file, then replace the file."""
        with naming(self._path):
            write(self._file)
            self._file.flush()
        if self._atomic is not None:
            self._atomic.commit(sync_file=True)


def write_lines(lines: Iterable[str], file: TextIO, name: object) -> None:
    """Write lines, given without their line ends, to an open file. An OSError has the name."""
    with naming(name):
        file.writelines(f"{line}\n" for line in lines)
        file.flush()


@contextmanager
def naming(name: object) -> Iterator[None]:
    """Set the file name of an OSError raised inside: the system's error of a write has none."""
    try:
        yield
    except OSError as error:
        error.filename = str(name)
        raise


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """
    Lock a file that is replaced when it is written. The lock is held on an empty file beside it,
    `<name>.lock`, which is never removed. Raises OSError if another user holds the lock.
    """
    lock = path.resolve().with_name(f"{path.resolve().name}.lock")
    with naming(lock):
        file = lock.open("ab")
    with file:
        lock_file(file, path)
        yield


def lock_file(file: BinaryIO, path: Path) -> None:
    """
    Lock an open file until it is closed. Raises OSError, which names `path`, if another user holds
    the lock.

    The lock is an advisory one of the system: it ends with the process, however that ends. On
    Windows, and on a file system without locks, nothing is locked.
    """
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(EAGAIN, _IN_USE, str(path)) from None
    except OSError:
        pass  # the file system has no locks


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """Flush the folder's entries to the disk, on systems that can."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

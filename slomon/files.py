"""
Files that a run writes.

`AtomicFile` and `OutputFile` replace a file by a complete one or leave it unchanged. `in_use` and
`lock_file` give a file to one user at a time. Every OSError names the file that it is about.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EAGAIN, ELOOP
from pathlib import Path
from stat import S_ISVTX, S_IWOTH
from types import TracebackType
from typing import BinaryIO, Final, Self, TextIO
from weakref import WeakSet

from slomon.interrupts import interrupts
from slomon.text import excerpt

if sys.platform != "win32":
    import fcntl

_IN_USE: Final = "is in use by another process or monitor{}; allowed: a file of its own for each"
_LONGEST_STEM: Final = 200  # bytes; with a suffix, a name may have 255 on most file systems
_TOKEN_BYTES: Final = 8
_TEMPORARY: Final = ".slomon"
_locked: WeakSet[BinaryIO] = WeakSet()
"""The files that this process has locked."""


class AtomicFile:
    """
    A temporary file, `file`, in the folder of `path`. `commit` replaces `path` by it. The context
    manager removes it if it was not committed.

    Each temporary file has a name of its own, so several processes may replace `path` at the same
    time: the last one wins. A symbolic link at `path` stays, and its target is replaced. The
    temporary file has the mode of the replaced file from its first byte on, and its owner if root
    runs this. It is locked, so that `remove_abandoned` leaves it alone.

    If `private`, only the user can read the new file, and a symbolic link is itself replaced. With
    `rights_of`, the mode and the owner are those of that file.

    Raises OSError, here and in `commit`.
    """

    def __init__(self, path: Path, *, private: bool = False, rights_of: Path | None = None) -> None:
        self._path = path
        self._private = private
        self._kept = False
        with naming(path):
            self._target = path if private else _resolve(path)
            self._rights_of = rights_of or self._target
            self._temp, self.file = self._create()
        interrupts.temporary_files.add(self._temp)

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
                if not self._kept:
                    self._temp.unlink(missing_ok=True)
                interrupts.temporary_files.discard(self._temp)

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes to the temporary file. Raises OSError."""
        with naming(self._path):
            self.file.write(data)

    def commit(
        self, *, sync_file: bool = False, sync_folder: bool = False, keep: bool = False
    ) -> None:
        """
        Replace the path by the temporary file, which can't be written to any more.

        After a crash of the system, `sync_file` guarantees that the path has either all of the old
        content or all of the new one, and `sync_folder` that it has the new one.

        With `keep`, a file that can't be replaced, such as a mount point, is overwritten. If that
        fails too, the temporary file is kept under a visible name, which the OSError states.
        """
        with naming(self._path):
            self.file.flush()
            if sync_file:
                os.fsync(self.file.fileno())
            if status := self._imitated():
                _copy_rights(status, self.file, self._temp)
            if sys.platform == "win32":  # an open file can't be renamed there
                self.file.close()
            try:
                self._temp.replace(self._target)
            except OSError:
                if not keep:
                    raise
                self._overwrite()
            self.file.close()
            if sync_folder:
                sync_entries(self._target.parent)

    def _create(self) -> tuple[Path, BinaryIO]:
        status = self._imitated()
        # Not readable by more users than the replaced file, not even before it gets its mode.
        mode = 0o600 if self._private or status else 0o666
        while True:
            temp = _beside(self._target, f".{os.urandom(_TOKEN_BYTES).hex()}{_TEMPORARY}")
            # "x" follows no symbolic link that somebody else may have put there.
            file: BinaryIO = open(  # noqa: SIM115
                temp, "xb", opener=lambda name, flags: os.open(name, flags, mode)
            )
            if _hold(file, temp):
                break
            file.close()  # another run took it for abandoned before it was locked
            temp.unlink(missing_ok=True)
        if status:
            _copy_rights(status, file, temp)
        return temp, file

    def _imitated(self) -> os.stat_result | None:
        """The status of the file whose rights to copy; None if there is none or none matter."""
        if self._private:
            return None
        try:
            return self._rights_of.stat()
        except FileNotFoundError:
            return None

    def _overwrite(self) -> None:
        """Copy the temporary file over the target; keep it if the copy is not complete."""
        self._kept = True
        with suppress(OSError):  # `remove_abandoned` would remove the hidden name
            self._temp = self._temp.rename(self._temp.with_name(self._temp.name.removeprefix(".")))
        try:
            with self._temp.open("rb") as source, self._target.open("r+b") as target:
                _wait_for_lock(target)
                shutil.copyfileobj(source, target)
                target.truncate()
                target.flush()
                os.fsync(target.fileno())
        except OSError as error:
            kept = excerpt(str(self._temp), 1000)
            reason = f"{error.strerror}; the complete file is kept as '{kept}'"
            raise OSError(error.errno, reason) from None
        self._kept = False


class OutputFile:
    """
    A file for results, opened when a run begins: if nothing can be written there, the run fails
    before hours of work. `save` or `fill` replace the file. If neither is called, the file stays
    unchanged. A device or a pipe is written to directly, and so is a file that can't be replaced.

    Raises OSError, here and in both methods.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with naming(path):
            replaceable = path.is_file() or not path.exists()
        if replaceable:
            remove_abandoned(path)
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
            self._atomic.commit(sync_file=True, keep=True)


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
    Lock a file that is replaced when it is written. Raises OSError, which names the other process,
    if another user holds the lock.

    The lock is held on a hidden file beside it, which has the number of the process and is removed
    at the end. On Windows, and on a file system without locks, nothing is locked.
    """
    if sys.platform == "win32":
        yield
        return
    with naming(path):
        target = _resolve(path)
    lock = _beside(target, ".slomon.lock")
    with _open_lock(lock, path) as file:
        try:
            yield
        finally:
            with suppress(OSError):
                if _is_at(file, lock):
                    lock.unlink()


def lock_file(file: BinaryIO, path: Path) -> None:
    """
    Lock an open file until it is closed. Raises OSError, which names `path`, if another user holds
    the lock.

    The lock is an advisory one of the system: it ends with the process, however that ends. On
    Windows, and on a file system without locks, nothing is locked.
    """
    if not _lock(file):
        raise BlockingIOError(EAGAIN, _IN_USE.format(""), str(path))


def sync_entries(folder: Path) -> None:
    """Flush the folder's entries to the disk, on systems that can. Raises OSError."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_abandoned(path: Path) -> None:
    """
    Remove the temporary files of `path` that killed runs left behind: those that nobody has locked.
    """
    if sys.platform == "win32":
        return
    with suppress(OSError):
        target = _resolve(path)
        before, after = re.escape(_beside(target, ".").name), re.escape(_TEMPORARY)
        name = re.compile(f"{before}[0-9a-f]{{{2 * _TOKEN_BYTES}}}{after}")
        with os.scandir(target.parent) as entries:
            found = [one for one in entries if name.fullmatch(one.name)]
        for entry in found:
            if entry.is_file(follow_symlinks=False):
                _remove_unlocked(Path(entry.path))


def _remove_unlocked(path: Path) -> None:
    if sys.platform != "win32":
        # A file that can't be opened, locked or removed stays.
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _open_lock(lock: Path, path: Path) -> BinaryIO:
    """Open and lock the lock file of `path`, and write the number of this process to it."""
    while True:
        with naming(lock):
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            file = os.fdopen(os.open(lock, flags, 0o666), "r+b", buffering=0)
        if not _lock(file):
            with file:
                holder = file.read(20).decode("ascii", "replace").strip()
            shown = f" (process {holder})" if holder.isdecimal() else ""
            raise BlockingIOError(EAGAIN, _IN_USE.format(shown), str(path))
        if _is_at(file, lock):
            with suppress(OSError):  # the number only helps to read an error
                file.truncate(0)
                file.write(f"{os.getpid()}\n".encode())
            return file
        file.close()  # its last user has just removed it


def _hold(file: BinaryIO, path: Path) -> bool:
    """Lock a new file. False if another process was faster and has locked or removed it."""
    return _lock(file) and _is_at(file, path)


def _lock(file: BinaryIO) -> bool:
    """Lock an open file. False if another user holds the lock; True if there are no locks."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # the file system has no locks
        else:
            _locked.add(file)
    return True


def _release_locks() -> None:
    """
    Let go of the locks in a forked process: otherwise it would hold them when this one has ended.
    """
    null = os.open(os.devnull, os.O_RDWR)
    try:
        for file in list(_locked):
            if not file.closed:  # what is in its buffer must not be written a second time
                os.dup2(null, file.fileno(), inheritable=False)
    finally:
        os.close(null)


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_release_locks)


def _wait_for_lock(file: BinaryIO) -> None:
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Is an open file still the one at this path?"""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _resolve(path: Path) -> Path:
    """
    Follow symbolic links. Raises OSError if they form a loop, and if one of them must not be
    followed.
    """
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(ELOOP, os.strerror(ELOOP), str(path))
    link = path
    while link.is_symlink():
        _check_link(link)
        link = link.parent / link.readlink()
    return target


def _check_link(link: Path) -> None:
    """
    Refuse a link that another user has put into a folder such as /tmp, as Linux does with
    `fs.protected_symlinks`: that user could choose which of our files is replaced.
    """
    if sys.platform == "win32":
        return
    folder, owner = link.parent.stat(), link.lstat().st_uid
    is_shared = folder.st_mode & S_ISVTX and folder.st_mode & S_IWOTH
    if is_shared and owner not in (os.geteuid(), folder.st_uid):
        reason = "a link of another user in a folder to which all users may write"
        raise PermissionError(EACCES, reason, str(link))


def _beside(target: Path, suffix: str) -> Path:
    """A hidden file in the folder of `target`, whose name begins like that of `target`."""
    stem = target.name
    while len(os.fsencode(stem)) > _LONGEST_STEM:
        stem = stem[:-1]
    return target.with_name(f".{stem}{suffix}")


def _copy_rights(status: os.stat_result, file: BinaryIO, path: Path) -> None:
    """Give an open file the mode of another and, if root runs this, its owner."""
    with suppress(OSError):  # not every file system has modes and owners
        if sys.platform == "win32":
            path.chmod(stat.S_IMODE(status.st_mode))
            return
        if os.geteuid() == 0:
            os.fchown(file.fileno(), status.st_uid, status.st_gid)
        os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))

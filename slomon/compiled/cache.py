"""
The cache of compiled kernels: one file for each version of the code, of Numba and of the processor.

A cached file is machine code. It is loaded only if nobody but the user and root could have written
it. The check is that of OpenSSH for its own files: the file and each folder above it belong to the
user or to root, and no group and no other user can write to them.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from errno import ELOOP, EMLINK
from itertools import chain
from pathlib import Path
from typing import Any, Final

from slomon.files import AtomicFile

# The code that a cached file depends on: its sources, or the bytecode (.pyc) if there are none.
_SOURCES: Final = (
    *("compiled/build.py*", "compiled/cache.py*", "compiled/library.py*", "compiled/records.py*"),
    "kernels/*.py*",
)
_NUMBA: Final = "numba-*.dist-info"
_DIGEST: Final = 32  # bytes, at the beginning of a file
_LINK_ERRORS: Final = (ELOOP, EMLINK)  # of O_NOFOLLOW; FreeBSD has the second


class UntrustedError(Exception):
    """Another user could have written a file of the cache."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Image:
    """
    The content of a cached file: an object file, the symbol and the number of arguments of each
    kernel, and the names to which the object file refers. Numba needs these names for errors that
    no kernel raises.
    """

    code: bytes
    kernels: dict[str, tuple[str, int]]
    references: list[str]

    def pack(self) -> bytes:
        """The bytes of the file: a digest, a line of JSON, the code."""
        head = json.dumps({"kernels": self.kernels, "references": self.references})
        body = head.encode() + b"\n" + self.code
        return hashlib.sha256(body).digest() + body

    @classmethod
    def unpack(cls, data: bytes) -> Image | None:
        """The image in the bytes of a file; None if they are damaged."""
        digest, body = data[:_DIGEST], data[_DIGEST:]
        if hashlib.sha256(body).digest() != digest:
            return None
        head, _, code = body.partition(b"\n")
        return cls(code, **json.loads(head))


def machine() -> Any:
    """LLVM's target machine for this processor."""
    from llvmlite import binding as llvm  # noqa: PLC0415 (heavy: loaded when used)

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


def find_path() -> Path | None:
    """
    The path of the image for the present code, Numba and processor; it may not exist. None if
    nothing can be cached: the code can't be read, or the user has no home.
    """
    name = fingerprint(Path(__file__).parent.parent)
    folder = _cache_directory() if name else None
    return folder / f"{name}.kernels" if folder else None


def read(path: Path) -> Image | None:
    """
    The cached image; None if there is no valid one. Raises UntrustedError if another user could
    have written the file.
    """
    try:
        real = _check_folders(path.parent) / path.name
        # The open file is checked and read: the path could lead to another file by then.
        with open(real, "rb", opener=_open_nofollow) as file:
            _check_file(real, os.fstat(file.fileno()))
            return Image.unpack(file.read())
    except OSError:
        return None


def write(path: Path, image: Image) -> None:
    """
    Cache an image. If the folder can't be written to, or if another user can write to it, the next
    process compiles again.
    """
    with suppress(OSError, UntrustedError):
        real = _check_folders(path.parent, create=True) / path.name
        with AtomicFile(real, private=True) as file:
            file.write(image.pack())
            file.commit()


def fingerprint(package: Path) -> str | None:
    """The name of an image in the cache; None if the code can't be read, as in an archive."""
    import llvmlite  # noqa: PLC0415 (heavy: loaded when used)
    from llvmlite import binding as llvm  # noqa: PLC0415

    sources = [sorted(package.glob(pattern)) for pattern in _SOURCES]
    if not all(sources):
        return None
    digest = hashlib.sha256()
    for source in chain(*sources):
        digest.update(source.read_bytes())
    # Numba's version, by the name of its installed folder: to import Numba, or a module that reads
    # versions, takes too long.
    numba = sorted(path.name for path in Path(llvmlite.__file__).parent.parent.glob(_NUMBA))
    processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    made_by = llvmlite.__version__, numba, llvm.get_process_triple(), processor
    digest.update(repr(made_by).encode())
    return digest.hexdigest()[:32]


def _cache_directory() -> Path | None:
    """The folder of the images. A user without a home, as in some containers, has none."""
    if chosen := os.environ.get("SLOMON_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        base, name = _absolute(os.environ.get("LOCALAPPDATA")) or _home(), "slomon/cache"
    elif sys.platform == "darwin":
        base, name = _home("Library/Caches"), "slomon"
    else:
        base, name = _absolute(os.environ.get("XDG_CACHE_HOME")) or _home(".cache"), "slomon"
    return base / name if base else None


def _home(below: str = "") -> Path | None:
    try:
        return _absolute(Path.home() / below)
    except RuntimeError:
        return None


def _absolute(path: str | Path | None) -> Path | None:
    """The path; None if it is relative, which the XDG specification says to ignore."""
    return Path(path) if path and Path(path).is_absolute() else None


def _check_folders(folder: Path, *, create: bool = False) -> Path:
    """
    The real path of a folder to which only the user and root can write. Raises UntrustedError if
    another user can write to it or could replace it, and OSError if it is missing.

    With `create`, missing folders are made for the user alone.
    """
    real = Path(os.path.realpath(folder))
    if sys.platform == "win32":  # it has no such modes: a profile is its user's own by default
        if create:
            real.mkdir(parents=True, exist_ok=True)
        return real
    # From the root down: nobody else can replace what lies in a folder that was checked.
    for level in (*reversed(real.parents), real):
        try:
            status = level.lstat()
        except FileNotFoundError:
            if not create:
                raise
            with suppress(FileExistsError):  # another process was faster
                level.mkdir(0o700)
            status = level.lstat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(level)
        # In a sticky folder, such as /tmp, nobody can replace what belongs to another user.
        if level == real or not status.st_mode & stat.S_ISVTX:
            _check_mode(level, status)
        _check_owner(level, status)
    return real


def _check_file(path: Path, status: os.stat_result) -> None:
    if sys.platform == "win32":  # see `_check_folders`
        return
    if not stat.S_ISREG(status.st_mode):
        raise UntrustedError(path, "is no regular file")
    _check_mode(path, status)
    _check_owner(path, status)


def _check_mode(path: Path, status: os.stat_result) -> None:
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = stat.S_IMODE(status.st_mode)
        raise UntrustedError(path, f"has the mode {mode:o}; allowed: writable by its owner alone")


def _check_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in {0, os.geteuid()}:
        raise UntrustedError(
            path, f"belongs to the user {status.st_uid}; allowed: {os.geteuid()}, or 0 (root)"
        )


def _open_nofollow(path: str, flags: int) -> int:
    """Open a file, but follow no symbolic link and wait for no writer of a pipe."""
    if sys.platform == "win32":
        return os.open(path, flags)
    try:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in _LINK_ERRORS:
            raise UntrustedError(Path(path), "is a symbolic link; allowed: a file") from None
        raise

"""
A file that holds the state of a run, so that a later run can continue from it. A new state replaces
the old one only when it is complete and on the disk: there is always a valid one.

    slomon state 8\n
    {"name": ..., "type": ..., "bytes": ...}\n, then that many bytes, for each section
    the SHA-256 of everything before it

The type of a section is "json", or the type code of an array: "q", "d" or "B", little-endian.
"""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, cast

from slomon.concurrency import run_in_thread
from slomon.errors import StateFileError
from slomon.files import AtomicFile, in_use, remove_abandoned
from slomon.logging import get_logger
from slomon.text import excerpt, quote

T = TypeVar("T")

Section: TypeAlias = "object | array[int] | array[float]"
"""A column of numbers, or a value that JSON can hold."""

_NAME: Final = b"slomon state "
_MAGIC: Final = _NAME + b"8\n"
_DIGEST: Final = 32
_END: Final = b"\n"
_COLUMNS: Final = ("q", "d", "B")


def check_place(path: Path) -> None:
    """
    Raise what `write_state` would raise for this path, before there is anything to write: OSError,
    which names the file, or StateFileError if the path is not a file. Removes the temporary files
    that killed runs left behind.
    """
    check_kind(path)
    remove_abandoned(path)
    with AtomicFile(path):
        pass


def write_state(path: Path, sections: Iterable[tuple[str, Section]]) -> None:
    """
    Replace a file by these sections. Raises OSError, which names the file; the old file is
    unchanged then. A symbolic link stays, and so does the mode of the file. An error that a section
    raises while it is made comes out as it is.
    """
    with AtomicFile(path) as file:
        for part in _list_parts(sections):
            file.write(part)
        file.commit(sync_file=True, sync_folder=True)


def pack_state(sections: Iterable[tuple[str, Section]]) -> bytes:
    """The content of a state file, to be kept elsewhere."""
    return b"".join(_list_parts(sections))


def unpack_state(data: bytes, name: str) -> dict[str, Section]:
    """
    The sections in the content of a state file, by name. Raises StateFileError, which names the
    file, if it is damaged or not a state.
    """
    if not data.startswith(_MAGIC):
        raise StateFileError(f"{name} is no state of slomon's, or of another version of it")
    if hashlib.sha256(data[:-_DIGEST]).digest() != data[-_DIGEST:]:
        raise StateFileError(f"{name} is damaged: it is not what was written")
    try:
        return _read_sections(data)
    except (ValueError, RecursionError) as error:
        raise StateFileError(f"{name} was not written by slomon: {excerpt(str(error))}") from None


def read_state(path: Path) -> dict[str, Section] | None:
    """
    The sections of a file by name, or None if there is no file. Raises StateFileError if the file
    is damaged or not a state, and OSError if it can't be read.
    """
    check_kind(path)
    try:
        with path.open("rb") as file:
            data = file.read(len(_MAGIC))
            if data == _MAGIC:  # else it may be a large log
                data += file.read()
    except FileNotFoundError:
        return None
    return unpack_state(data, str(path))


def is_state(path: Path) -> bool:
    """
    Does a file begin like a state of any version, or is it too short to tell? Raises OSError.
    """
    with path.open("rb") as file:
        return _NAME.startswith(file.read(len(_NAME)))


def set_aside(path: Path, reason: str) -> None:
    """Rename a damaged file to a free name, so that it can be examined, and log that name."""
    names = (path.with_name(f"{path.name}.damaged-{number}") for number in count(1))
    aside, log = path.rename(next(name for name in names if not name.exists())), get_logger()
    log.error("state.damaged", file=str(path), kept_as=str(aside), reason=excerpt(reason, 400))


class PersistentFile:
    """
    The state file of an object that outlives its process. A damaged file is renamed and logged, so
    that the service can start. A file of another kind stays unchanged.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self._kind = kind

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Lock the file. Raises OSError if another user holds the lock, and what `load` raises if no
        file can be written there.
        """
        check_place(self.path)
        with in_use(self.path):
            yield

    async def load(self, restore: Callable[[Mapping[str, Any]], T]) -> T | None:
        """
        Return what `restore` makes of the saved sections; it runs in another thread. Return None if
        there is no file, or if the state is invalid, which is if the file is damaged or `restore`
        raises ValueError, LookupError or TypeError.

        Raises StateFileError if the file is of another kind, and OSError if it can't be read or no
        file can be written there.
        """
        return await run_in_thread(partial(self._load, restore))

    async def save(self, sections: Iterable[tuple[str, Section]]) -> None:
        """
        Replace the file by these sections; another thread iterates over them. Raises OSError, which
        names the file.
        """
        await run_in_thread(partial(write_state, self.path, self._with_kind(sections)))

    def _with_kind(self, sections: Iterable[tuple[str, Section]]) -> Iterable[tuple[str, Section]]:
        yield "kind", self._kind
        yield from sections

    def _load(self, restore: Callable[[Mapping[str, Any]], T]) -> T | None:
        check_place(self.path)
        if self.path.exists() and not is_state(self.path):
            raise StateFileError(f"{self.path} is no state of slomon's; allowed: one, or no file")
        try:
            saved = read_state(self.path)
        except StateFileError as error:
            set_aside(self.path, str(error))
            return None
        if saved is None:
            return None
        if saved.get("kind") != self._kind:
            raise StateFileError(
                f"{self.path} is no {self._kind}, but something else of slomon's; allowed: one, or "
                "no file"
            )
        try:
            return restore(saved)
        except (LookupError, TypeError, ValueError) as error:
            set_aside(self.path, f"{type(error).__name__}: {error}")
            return None


def check_kind(path: Path) -> None:
    """
    Raise StateFileError if a path is not a file: reading a device or a pipe may never end, and
    neither can be replaced.
    """
    if path.exists() and not path.is_file():
        raise StateFileError(f"{path} is no file; allowed: a file, or a place where none is yet")


def _list_parts(sections: Iterable[tuple[str, Section]]) -> Iterator[bytes | memoryview]:
    digest = hashlib.sha256()
    parts = (part for name, section in sections for part in _pack(name, section))
    for part in chain([_MAGIC], parts):
        digest.update(part)
        yield part
    yield digest.digest()


def _pack(name: str, section: Section) -> tuple[bytes, bytes | memoryview]:
    kind: str = "json"
    if isinstance(section, array):
        kind, body = section.typecode, memoryview(_little_endian(section)).cast("B")
    else:
        body = memoryview(json.dumps(section).encode())
    head = {"name": name, "type": kind, "bytes": len(body)}
    return json.dumps(head).encode() + _END, body


def _read_sections(data: bytes) -> dict[str, Section]:
    sections: dict[str, Section] = {}
    position, end = len(_MAGIC), len(data) - _DIGEST
    while position < end:
        body = data.index(_END, position) + 1
        match json.loads(data[position:body]):
            case {"name": str(name), "type": str(kind), "bytes": int(size)} if (
                0 <= size <= end - body
            ):
                position = body + size
                sections[name] = _unpack(kind, data[body:position])
            case head:
                raise ValueError(f"a section is {excerpt(head)}")
    return sections


def _unpack(kind: str, body: bytes) -> Section:
    if kind == "json":
        return cast(object, json.loads(body))
    if kind not in _COLUMNS:
        raise ValueError(f"a section's type is {quote(kind)}")
    column: array[int] = array(kind, body)
    return _little_endian(column)


def _little_endian(column: array[int] | array[float]) -> array[int] | array[float]:
    if sys.byteorder == "little":
        return column
    swapped = column[:]
    swapped.byteswap()
    return swapped

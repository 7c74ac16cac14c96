"""
A file that holds the state of a run, so that another one can go on with it. It is written beside
the one before and takes its place when it is whole and on the disk: there is a good one always.

    slomon state 5\n        then, section by section,
    {"name": ..., "type": "json" or "q", "d", "B" for columns, "bytes": ...}\n and so many bytes,
    and behind the last one the SHA-256 of all that.

A file in which something survives its process, and what happens where it is damaged.
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
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast

from slomon.concurrency import run_in_thread
from slomon.errors import StateFileError
from slomon.files import AtomicFile, in_use
from slomon.logging import get_logger
from slomon.text import excerpt, quote

T = TypeVar("T")

Section: TypeAlias = "object | array[int] | array[float]"
"""A column of numbers, or what JSON can hold."""

_NAME: Final = b"slomon state "
_MAGIC: Final = _NAME + b"5\n"
_DIGEST: Final = 32
_END: Final = b"\n"
_COLUMNS: Final = ("q", "d", "B")


def check_place(path: Path) -> None:
    """
    Raise what `write_state` would raise of this place, before there is anything to write: OSError,
    which names the file, or StateFileError where something is that is no file.
    """
    _check_kind(path)
    with AtomicFile(path):
        pass


def write_state(path: Path, sections: Iterable[tuple[str, Section]]) -> None:
    """
    Put the sections into a file, in place of the one that is there. Raises OSError, which names
    the file, where that fails; the one that is there is whole then. A link stays one, and who may
    read the file stays as well.
    """
    with AtomicFile(path) as file:
        _write(file, sections)
        file.commit(sync_file=True, sync_folder=True)


def read_state(path: Path) -> dict[str, Section] | None:
    """
    The sections of a file by their names; None where there is no file. Raises StateFileError
    where it is damaged or something else; OSError where it can't be read.
    """
    _check_kind(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if not data.startswith(_MAGIC):
        raise StateFileError(f"{path} is no state of slomon's, or of another version of it")
    if hashlib.sha256(data[:-_DIGEST]).digest() != data[-_DIGEST:]:
        raise StateFileError(f"{path} is damaged: it is not what was written")
    try:
        return _read_sections(data)
    except (ValueError, RecursionError) as error:
        raise StateFileError(f"{path} was not written by slomon: {excerpt(str(error))}") from None


def is_state(path: Path) -> bool:
    """
    Does a file begin as a state does, of this version or another, as far as it goes? Raises
    OSError.
    """
    with path.open("rb") as file:
        return _NAME.startswith(file.read(len(_NAME)))


def set_aside(path: Path) -> Path:
    """Give a damaged file a name of its own, under which it can be looked into; returns that."""
    names = (path.with_name(f"{path.name}.damaged-{number}") for number in count(1))
    aside = next(name for name in names if not name.exists())
    return path.rename(aside)


def _check_kind(path: Path) -> None:
    """A device may have no end, and a pipe no writer; neither can be replaced."""
    if path.exists() and not path.is_file():
        raise StateFileError(f"{path} is no file; allowed: a file, or a place where none is yet")


def _write(file: AtomicFile, sections: Iterable[tuple[str, Section]]) -> None:
    digest = hashlib.sha256()
    parts = (part for name, section in sections for part in _pack(name, section))
    for part in chain([_MAGIC], parts):
        digest.update(part)
        file.write(part)
    file.write(digest.digest())


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
    place, end = len(_MAGIC), len(data) - _DIGEST
    while place < end:
        body = data.index(_END, place) + 1
        match json.loads(data[place:body]):
            case {"name": str(name), "type": str(kind), "bytes": int(size)} if (
                0 <= size <= end - body
            ):
                place = body + size
                sections[name] = _unpack(kind, data[body:place])
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


class Persistable(Protocol):
    """An object whose state is saved to a file."""

    def save(self) -> Iterable[tuple[str, Section]]:
        """The whole state, as sections of a file. Another thread may iterate over them."""


class PersistentFile:
    """
    A file of a kind. A damaged one is kept aside, under a name of its own, and told: the service
    must come up. What is no file of that kind is left as it is.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self._kind = kind

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Keep others from it meanwhile. Raises OSError where one uses it, and, as `load` does, where
        no such file can be.
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

    async def save(self, persistable: Persistable) -> None:
        """Replace the file by the state of an object. Raises OSError, which names the file."""
        sections = persistable.save()
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
            self._set_aside(str(error))
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
            self._set_aside(f"{type(error).__name__}: {error}")
            return None

    def _set_aside(self, reason: str) -> None:
        aside, log = set_aside(self.path), get_logger()
        log.error(
            "state.damaged", file=str(self.path), kept_as=str(aside), reason=excerpt(reason, 400)
        )

"""A file that a run writes: whole or not at all, and with errors that name it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TextIO


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
                self._draft = new_draft(self._target)
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
            put_in_place(self._draft, self._target)


def new_draft(target: Path) -> Path:
    """
    Where a file is written before it takes its place. What a killed run left there is removed: so
    there is never more than one, and whoever opens it anew ("x") follows nobody's link.
    """
    draft = target.with_name(f".{target.name}.slomon")
    draft.unlink(missing_ok=True)
    return draft


def put_in_place(draft: Path, target: Path) -> None:
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

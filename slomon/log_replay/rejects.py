"""Malformed lines: hooks and a file get each of them, and the first are kept."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import astuple
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from slomon.core.events import RejectedLine, append_bounded
from slomon.errors import ConfigurationError
from slomon.files import lock_file, naming
from slomon.state.validation import check_counts, check_texts


class Rejections:
    """Keeps the first malformed lines, and passes each to the hooks and to the file."""

    def __init__(self) -> None:
        self.first: list[RejectedLine] = []
        self.hooks: list[Callable[[RejectedLine], object]] = []
        self.file: RejectsFile | None = None

    def add(self, rejected: RejectedLine) -> None:
        """Keep a line if it is one of the first, and pass it on."""
        append_bounded(self.first, rejected)
        for hook in self.hooks:
            hook(rejected)
        if self.file is not None:
            self.file.write(rejected)

    def save(self) -> dict[str, object]:
        """The first lines, and how many bytes of the file are on the disk, for `load`."""
        kept = self.file.sync() if self.file is not None else 0
        return {"first": [astuple(line) for line in self.first], "bytes": kept}

    def load(self, saved: Mapping[str, Any]) -> int:
        """Continue from what `save` returned. Returns how many bytes of the file to keep."""
        self.first = [RejectedLine(*fields) for fields in saved["first"]]
        kept: int = saved["bytes"]
        check_counts([kept, *(line.line for line in self.first)])
        check_texts(chain.from_iterable((one.file, one.text, one.reason) for one in self.first))
        return kept


class RejectsFile:
    """
    A file of malformed lines, one JSON object per line: `file`, `line` (from 1), `reason`, `text`.
    A context manager that closes it. One run at a time can write a file; a device may be shared.

    A resumed run keeps the first `keep` bytes of the file. Raises ConfigurationError if the file is
    shorter, and OSError, here and in the methods, which names the file, also if another run writes
    it.
    """

    def __init__(self, path: Path, keep: int = 0) -> None:
        self._path = path
        with naming(path):
            self._file: BinaryIO = open(  # noqa: SIM115
                path, "r+b" if keep else "wb", opener=_open_unchanged
            )
            if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                self._take(keep)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with naming(self._path):
            self._file.close()

    def write(self, rejected: RejectedLine) -> None:
        """Add a line. It may stay in the buffer until `sync` is called or the file is closed."""
        record = {
            "file": rejected.file,
            "line": rejected.line,
            "reason": rejected.reason,
            "text": rejected.text,
        }
        with naming(self._path):
            self._file.write(json.dumps(record).encode() + b"\n")

    def sync(self) -> int:
        """Flush everything to the disk. Returns the length of the file in bytes."""
        with naming(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            return self._file.tell()

    def _take(self, keep: int) -> None:
        """Lock the file and cut it to its first bytes."""
        with ExitStack() as failed:
            failed.callback(self._file.close)
            lock_file(self._file, self._path)
            found = self._file.seek(0, os.SEEK_END)
            if found < keep:
                raise ConfigurationError(
                    f"{self._path} has {found} bytes, {keep} of them are to be kept; allowed: the "
                    "file as the interrupted run left it"
                )
            self._file.truncate(keep)
            self._file.seek(keep)
            failed.pop_all()


def _open_unchanged(path: str, flags: int) -> int:
    """Open a file without removing its content: another run may be writing it."""
    return os.open(path, flags & ~os.O_TRUNC, 0o666)

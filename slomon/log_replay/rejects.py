"""Malformed lines: hooks and a file get each of them, and the first are kept."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import astuple
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from slomon.core.events import RejectedLine, append_bounded
from slomon.errors import ConfigurationError
from slomon.files import naming
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
    A context manager that closes it.

    A resumed run keeps the first `keep` bytes of the file. Raises ConfigurationError if the file is
    shorter, and OSError, here and in the methods, which names the file.
    """

    def __init__(self, path: Path, keep: int = 0) -> None:
        self._path = path
        with naming(path):
            self._file = path.open("r+b" if keep else "wb")
            if keep:
                self._cut(keep)

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

    def _cut(self, length: int) -> None:
        found = self._file.seek(0, os.SEEK_END)
        if found < length:
            self._file.close()
            raise ConfigurationError(
                f"{self._path} has {found} bytes, {length} of them are to be kept; allowed: the "
                "file as the interrupted run left it"
            )
        self._file.truncate(length)
        self._file.seek(length)

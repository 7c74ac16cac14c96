"""
The journal of a state file: what has happened since that state was saved, record after record. It
stands beside the state under a visible name, `<state>.journal`, because it is a part of it: who
copies or moves a state has to take both.

    slomon journal 1\n
    the length of a record and the CRC-32 of that length and of the record, 4 bytes each; the record

Numbers are little-endian. The first record is the name of the journal, which the state has as well:
a journal of another name is left over from another state. Of a record that was being written when
the process was killed, the last part is missing. Any other difference is damage.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final, NamedTuple
from zlib import crc32

from slomon.errors import StateFileError
from slomon.files import AtomicFile, naming, remove_abandoned, sync_entries
from slomon.state.file import check_kind

_NAME: Final = b"slomon journal "
_MAGIC: Final = _NAME + b"1\n"
_HEAD: Final = Struct("<III")
_LENGTH: Final = Struct("<I")


class Records(NamedTuple):
    """The records of a journal, and what is wrong after them, or ""."""

    records: Sequence[bytes]
    problem: str


class Journal:
    """
    The journal of the state file `state`. Whoever uses it holds the lock of the state.

    A record that was appended survives the end of the process, and after `sync` also a crash of the
    system. After a failure, nothing is appended until `replace`: a gap would be worse than an end.
    """

    def __init__(self, state: Path) -> None:
        self._state = Path(os.path.realpath(state))
        self.path: Final = self._state.with_name(f"{self._state.name}.journal")
        self._file: BinaryIO | None = None
        self._whole = False  # it has all records so far

    def check_place(self) -> None:
        """
        Raise StateFileError if there is something else than a journal, and OSError if that can't be
        read. Removes the temporary files that killed runs left behind.
        """
        check_kind(self.path)
        remove_abandoned(self.path)
        if self.path.exists():
            with self.path.open("rb") as file:
                begin = file.read(len(_NAME))
            if not _NAME.startswith(begin):
                raise StateFileError(
                    f"{self.path} is no journal of slomon's; allowed: one, or no file"
                )

    def read(self, name: bytes) -> Records:
        """
        The records of the file; none if there is no file, or if it has another name. Raises
        OSError.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return Records([], "")
        if not data.startswith(_MAGIC):
            return Records([], f"{self.path} is of another version of slomon's")
        found, problem = _split(data)
        if not found:
            return Records([], problem or f"{self.path} has no name")
        if found[0] != name:
            return Records([], "")
        return Records(found[1:], problem and f"{self.path} is damaged: {problem}")

    def append(self, record: bytes) -> None:
        """Append a record. Raises OSError, which names the file."""
        if self._file is None or not self._whole:
            return
        left = memoryview(_frame(record))
        self._whole = False
        with naming(self.path):
            while left:
                left = left[self._file.write(left) :]
        self._whole = True

    def sync(self) -> None:
        """Make the records durable. It may run in a thread while others are appended."""
        if self._file is not None:
            with naming(self.path):
                os.fsync(self._file.fileno())

    def prepare(self, name: bytes, records: Iterable[bytes]) -> AtomicFile:
        """
        A new journal, durable but not yet in its place; see `replace`. Its mode is that of the
        state. Raises OSError.
        """
        with ExitStack() as undo:
            new = undo.enter_context(AtomicFile(self.path, rights_of=self._state))
            new.write(b"".join([_MAGIC, _frame(name), *map(_frame, records)]))
            with naming(self.path):
                new.file.flush()
                os.fsync(new.file.fileno())
            undo.pop_all()
        return new

    def replace(self, new: AtomicFile, records: Iterable[bytes]) -> None:
        """
        Begin the journal anew with what was prepared and further records. `sync_place` makes that
        durable. Raises OSError, which names the file; the old journal stays then.
        """
        self.close()
        with new:
            new.write(b"".join(map(_frame, records)))
            new.commit()
        with naming(self.path):
            self._file = self.path.open("ab", buffering=0)
        self._whole = True

    def sync_place(self) -> None:
        """Make all of a new journal durable. Raises OSError."""
        self.sync()
        with naming(self.path):
            sync_entries(self.path.parent)

    def close(self) -> None:
        """Close the file; nothing is appended any more."""
        if self._file is not None:
            self._file.close()
        self._file, self._whole = None, False

    def remove(self) -> None:
        """Remove the file, because the state has everything. Raises OSError."""
        self.close()
        self.path.unlink(missing_ok=True)


def _frame(record: bytes) -> bytes:
    length = len(record)
    return _HEAD.pack(length, crc32(_LENGTH.pack(length)), crc32(record)) + record


def _split(data: bytes) -> tuple[list[bytes], str]:
    """The whole records of a journal, and what is wrong after them, or ""."""
    records: list[bytes] = []
    place = len(_MAGIC)
    while place + _HEAD.size <= len(data):
        length, of_length, of_record = _HEAD.unpack_from(data, place)
        place += _HEAD.size
        record = data[place : place + length]
        if crc32(_LENGTH.pack(length)) != of_length:
            return records, f"record {len(records)} is not what was written"
        if len(record) < length:
            break  # it was being written
        if crc32(record) != of_record:
            return records, f"record {len(records)} is not what was written"
        records.append(record)
        place += length
    return records, ""

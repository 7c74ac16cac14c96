"""Files of incidents, in the form that their name says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from pathlib import PurePath
from typing import BinaryIO, Final, TypeAlias

from slomon.core.records import IncidentRecord
from slomon.errors import ConfigurationError
from slomon.reporting.arrow import import_arrow, to_table
from slomon.reporting.document import incident_lines
from slomon.reporting.spreadsheet import csv_lines
from slomon.text import quote

Write: TypeAlias = Callable[[Sequence[IncidentRecord], BinaryIO], None]
"""Writes incidents to an open file. Raises OSError as the file does."""


def choose_form(path: str | PathLike[str]) -> Write:
    """
    How incidents are written to a file of this name: as JSON lines (`.jsonl`, `.ndjson`, and
    without any ending, as a pipe or a device is), CSV or Parquet.

    Raises ConfigurationError for other endings, and for Parquet without the extra
    `slomon[report]`: so before a run, not after it.
    """
    suffix = PurePath(path).suffix.lower()
    if suffix not in _FORMS:
        raise ConfigurationError(
            f"the file's name ends with {quote(suffix)}; allowed: {', '.join(filter(None, _FORMS))}"
        )
    if suffix == ".parquet":
        import_arrow()
    return _FORMS[suffix]


def _write_json(records: Sequence[IncidentRecord], file: BinaryIO) -> None:
    _write_lines(incident_lines(records), "\n", file)


def _write_csv(records: Sequence[IncidentRecord], file: BinaryIO) -> None:
    _write_lines(csv_lines(records), "\r\n", file)


def _write_parquet(records: Sequence[IncidentRecord], file: BinaryIO) -> None:
    table = to_table(records)
    from pyarrow import parquet  # noqa: PLC0415 (an extra, which `to_table` has asked for)

    parquet.write_table(table, file)


def _write_lines(lines: Iterable[str], end: str, file: BinaryIO) -> None:
    """In UTF-8; half a surrogate pair, which that can't hold, is escaped."""
    file.writelines(f"{line}{end}".encode("utf-8", "backslashreplace") for line in lines)


_FORMS: Final[dict[str, Write]] = {
    ".jsonl": _write_json,
    ".ndjson": _write_json,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    "": _write_json,
}

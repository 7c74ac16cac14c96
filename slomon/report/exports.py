"""
Files of incidents, in the form that their name says.

Incidents as an Arrow table: typed columns, for Parquet files and data frames.

Times are `timestamp[ns, UTC]`, slomon's own unit: each is the tick whose seconds the record has, so
what a log calls 1543443091.2745 is that here, too. Candidates are lists of structs, together is a
list of text.

Incidents as a data frame, of whichever library its user has.

Incidents as CSV (RFC 4180), which nothing can break and no spreadsheet takes for more than text.

Numbers and times are written as JSON has them, None as an empty cell. Lists are joined by `;`, the
candidates by their commits; a `;` or a backslash inside has a backslash before it.

A spreadsheet runs what begins with = + - @, a tab or a line's end as a formula, and commits and
names come from outside. So such text has an apostrophe before it, as OWASP advises
(https://owasp.org/www-community/attacks/CSV_Injection), also after spaces, as wide characters, and
where it begins with apostrophes already: whoever reads it back takes off one, and has the text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from os import PathLike
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, TypeAlias, overload

from slomon.core.attribution import Candidate
from slomon.core.records import SCHEMA, IncidentRecord
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.errors import ConfigurationError
from slomon.report.columns import COLUMNS, Column, Kind, incident_lines
from slomon.text import escape_surrogates, quote

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


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


def to_table(records: Sequence[IncidentRecord]) -> pa.Table:
    """
    A row an incident, with the columns of `slomon.reporting.column`; its metadata has `schema`.

    Raises ConfigurationError without the extra `slomon[report]`.
    """
    arrow = import_arrow()
    types = _types(arrow)
    schema = arrow.schema(
        [(column.name, types[column.kind]) for column in COLUMNS], {"schema": str(SCHEMA)}
    )
    columns = [
        arrow.array([_value(column, record) for record in records], types[column.kind])
        for column in COLUMNS
    ]
    return arrow.Table.from_arrays(columns, schema=schema)


def import_arrow() -> Any:
    """The module pyarrow. Raises ConfigurationError where it is not installed."""
    try:
        import pyarrow as pa  # noqa: PLC0415 (an extra, and slow to import)
    except ImportError:
        raise ConfigurationError(
            "Parquet files and data frames are made by pyarrow, which is not installed; needed: "
            "pip install 'slomon[report]'"
        ) from None
    return pa


def _types(arrow: Any) -> dict[Kind, object]:
    text, number = arrow.string(), arrow.float64()
    fields = [("commit", text), ("author", text), ("date", text), ("age", number)]
    return {
        Kind.TEXT: text,
        Kind.TIME: arrow.timestamp("ns", "UTC"),
        Kind.NUMBER: number,
        Kind.COUNT: arrow.int64(),
        Kind.NAMES: arrow.list_(text),
        Kind.CANDIDATES: arrow.list_(arrow.struct(fields)),
    }


def _value(column: Column, record: IncidentRecord) -> object:
    value = column.look(record)
    return None if value is None else _CONVERSIONS.get(column.kind, _same)(value)


def _tick(seconds: float) -> int:
    """By the shortest decimal that means this float: it is the one that was read, in any year."""
    return min(int(Decimal(repr(seconds)) * TICKS_PER_SECOND), LAST_TICK)


def _struct(one: Candidate) -> dict[str, object]:
    texts = {"commit": one.commit, "author": one.author, "date": one.date}
    return {**{name: escape_surrogates(text) for name, text in texts.items()}, "age": one.age}


def _same(value: object) -> object:
    return value


_CONVERSIONS: Final[dict[Kind, Callable[[Any], object]]] = {
    Kind.TEXT: escape_surrogates,
    Kind.TIME: _tick,
    Kind.NAMES: lambda names: list(map(escape_surrogates, names)),
    Kind.CANDIDATES: lambda candidates: list(map(_struct, candidates)),
}


Incidents: TypeAlias = ServiceMonitor | Sequence[IncidentRecord]
LIBRARIES: Final = ("pandas", "polars")


@overload
def to_frame(incidents: Incidents, library: Literal["pandas"]) -> pd.DataFrame: ...
@overload
def to_frame(incidents: Incidents, library: Literal["polars"]) -> pl.DataFrame: ...
@overload
def to_frame(incidents: Incidents, library: None = None) -> pd.DataFrame | pl.DataFrame: ...
def to_frame(incidents: Incidents, library: str | None = None) -> Any:
    """
    A row an incident of a monitor, or a record of those that it gives, with the columns of a
    Parquet file, as a frame of "pandas" or "polars"; of None, of the first of these that is
    installed. The columns of pandas are Arrow's, so a count that isn't known makes no floats of the
    others. Times are in UTC, durations and ages in seconds.

    Raises ConfigurationError for another library, one that is not installed, anything else
    than incidents, and without the extra `slomon[report]`.
    """
    name = _choose(library)
    table = to_table(_list_records(incidents))
    module = import_module(name)
    if name == "polars":
        return module.from_arrow(table)
    return table.to_pandas(types_mapper=module.ArrowDtype)


def _list_records(incidents: Incidents) -> Sequence[IncidentRecord]:
    if isinstance(incidents, ServiceMonitor):
        return incidents.records()
    if isinstance(incidents, Sequence) and all(
        isinstance(record, IncidentRecord) for record in incidents
    ):
        return incidents
    raise ConfigurationError(
        f"the incidents are {quote(incidents)}; allowed: a monitor, or a list of its records"
    )


def _choose(library: str | None) -> str:
    if library is not None and library not in LIBRARIES:
        raise ConfigurationError(
            f"the library of a data frame is {quote(library)}; allowed: "
            f"{', '.join(map(quote, LIBRARIES))}"
        )
    wanted = LIBRARIES if library is None else (library,)
    found = next((name for name in wanted if find_spec(name)), None)
    if found is None:
        raise ConfigurationError(
            f"a data frame is made by {' or '.join(wanted)}, which is not installed; needed: "
            f"pip install {wanted[0]}"
        )
    return found


FORMULA: Final = re.compile(r"'*(?:[\s\0]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0])")
"""How text begins that is written with one more apostrophe than it has."""


def csv_lines(records: Iterable[IncidentRecord]) -> Iterator[str]:
    """The columns' names, then a row an incident. Cells may hold line ends; rows lack theirs."""
    yield _write(column.name for column in COLUMNS)
    for record in records:
        yield _write(_cell(column.look(record)) for column in COLUMNS)


def _write(cells: Iterable[object]) -> str:
    row = StringIO()
    csv.writer(row).writerow(cells)  # ends rows with CRLF, so it quotes cells with either of them
    return row.getvalue().removesuffix("\r\n")


def _cell(value: object) -> object:
    match value:
        case str():
            return f"'{value}" if FORMULA.match(value) else str(value)
        case tuple():
            return _cell(";".join(map(_item, value)))
    return value


def _item(value: object) -> str:
    text = value.commit if isinstance(value, Candidate) else str(value)
    return re.sub(r"([;\\])", r"\\\1", text)

"""
Incidents as files (JSON lines, CSV, Parquet) and as data frames.

**Parquet and data frames** are made from an Arrow table with typed columns. Times are
`timestamp[ns, UTC]`, which is slomon's own unit: a log's 1543443091.2745 stays exactly that.
Candidates are a list of structs, `co_occurring` is a list of text.

**CSV** follows RFC 4180. Numbers and times are written as in JSON, None is an empty cell. Lists are
joined by `;`, candidates by their commits; a `;` or a backslash inside an item has a backslash
before it.

Commits and names come from outside, and a spreadsheet runs text that begins with = + - or @ as a
formula. It splits a line at commas, semicolons or tabs, as its locale says, and knows a quote only
at the beginning of a part. So text that contains a comma, `;`, tab, quote or line end is quoted,
and an apostrophe is inserted wherever a formula could begin, as OWASP advises
(https://owasp.org/www-community/attacks/CSV_Injection). The place is at the beginning of the text,
or after any of the characters just named, behind the apostrophes that are already there:

* before = + - @ or their full-width forms, also if spaces precede these;
* at the beginning of the text also before a tab, CR, LF or NUL.

A reader that removes one apostrophe at each of these places gets the original text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from os import PathLike
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, TypeAlias, overload

from slomon.core.attribution import Candidate
from slomon.core.incident_records import SCHEMA, IncidentRecord
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
"""Writes incidents to an open file. Raises OSError if the file does."""

Incidents: TypeAlias = ServiceMonitor | Sequence[IncidentRecord]

LIBRARIES: Final = ("pandas", "polars")
FORMULA: Final = re.compile(
    r"\A'*(?=[\t\r\n\0])"
    r"|(?:\A|[,;\t\r\n\"])'*(?=(?:[^\S\t\r\n]|\0)*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
"""Each match in text ends where one more apostrophe is written."""

_CACHED: Final = 4096  # texts of cells
_QUOTED: Final = re.compile(r"[,;\t\r\n\"]")


def choose_form(path: str | PathLike[str]) -> Write:
    """
    The function that writes incidents to a file of this name: as JSON lines (`.jsonl`, `.ndjson`,
    or no ending, as for a pipe or a device), as CSV or as Parquet.

    Raises ConfigurationError for any other ending, and for Parquet if the extra `slomon[report]` is
    not installed. Call it before a run, so that a wrong name is reported at once.
    """
    suffix = PurePath(path).suffix.lower()
    if suffix not in _WRITERS:
        allowed = ", ".join(filter(None, _WRITERS))
        raise ConfigurationError(f"the file's name ends with {quote(suffix)}; allowed: {allowed}")
    if suffix == ".parquet":
        import_arrow()
    return _WRITERS[suffix]


@overload
def to_frame(incidents: Incidents, library: Literal["pandas"]) -> pd.DataFrame: ...
@overload
def to_frame(incidents: Incidents, library: Literal["polars"]) -> pl.DataFrame: ...
@overload
def to_frame(incidents: Incidents, library: None = None) -> pd.DataFrame | pl.DataFrame: ...
def to_frame(incidents: Incidents, library: str | None = None) -> Any:
    """
    The incidents of a monitor, or a list of its records, as a data frame: a row for each incident,
    with the columns of a Parquet file. `library` is "pandas" or "polars"; None takes the first of
    these that is installed. A pandas frame has Arrow columns, so a count that is not known does not
    turn the other counts into floats. Times are in UTC, durations and ages in seconds.

    Raises ConfigurationError if `incidents` or `library` is anything else, if the library is not
    installed, or if the extra `slomon[report]` is not.
    """
    name = _choose_library(library)
    table = to_table(_list_records(incidents))
    module = import_module(name)
    if name == "polars":
        return module.from_arrow(table)
    return table.to_pandas(types_mapper=module.ArrowDtype)


def to_table(records: Sequence[IncidentRecord]) -> pa.Table:
    """
    An Arrow table with a row for each incident and the columns of `slomon.report.columns`. Its
    metadata contains `schema`, the version of the form.

    Raises ConfigurationError if the extra `slomon[report]` is not installed.
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
    """The module pyarrow. Raises ConfigurationError if it is not installed."""
    try:
        import pyarrow as pa  # noqa: PLC0415 (an extra, and slow to import)
    except ImportError:
        raise ConfigurationError(
            "Parquet files and data frames are made by pyarrow, which is not installed; needed: "
            "pip install 'slomon[report]'"
        ) from None
    return pa


def csv_lines(records: Iterable[IncidentRecord]) -> Iterator[str]:
    """
    The names of the columns, then a row for each incident. A row has no line end of its own, but a
    cell may contain line ends.
    """
    yield ",".join(column.name for column in COLUMNS)
    for record in records:
        yield ",".join(_cell(column.get(record)) for column in COLUMNS)


def _write_json(records: Sequence[IncidentRecord], file: BinaryIO) -> None:
    _write_lines(incident_lines(records), "\n", file)


def _write_csv(records: Sequence[IncidentRecord], file: BinaryIO) -> None:
    _write_lines(csv_lines(records), "\r\n", file)


def _write_parquet(records: Sequence[IncidentRecord], file: BinaryIO) -> None:
    table = to_table(records)
    from pyarrow import parquet  # noqa: PLC0415 (an extra; `to_table` checked it)

    parquet.write_table(table, file)


def _write_lines(lines: Iterable[str], end: str, file: BinaryIO) -> None:
    """Write the lines as UTF-8. A lone surrogate, which UTF-8 can't encode, is escaped."""
    file.writelines(f"{line}{end}".encode("utf-8", "backslashreplace") for line in lines)


_WRITERS: Final[dict[str, Write]] = {
    ".jsonl": _write_json,
    ".ndjson": _write_json,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    "": _write_json,
}


_NUMBERS: Final = ("age", "delay", "probability")
"""The numbers of a candidate."""


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


def _choose_library(library: str | None) -> str:
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


def _types(arrow: Any) -> dict[Kind, object]:
    text, number = arrow.string(), arrow.float64()
    fields = [("commit", text), ("author", text), ("date", text)]
    fields += [(name, number) for name in _NUMBERS]
    return {
        Kind.TEXT: text,
        Kind.TIME: arrow.timestamp("ns", "UTC"),
        Kind.NUMBER: number,
        Kind.COUNT: arrow.int64(),
        Kind.NAMES: arrow.list_(text),
        Kind.CANDIDATES: arrow.list_(arrow.struct(fields)),
    }


def _value(column: Column, record: IncidentRecord) -> object:
    value = column.get(record)
    return None if value is None else _CONVERSIONS.get(column.kind, _identity)(value)


def _tick(seconds: float) -> int:
    """Via the shortest decimal of the float, which is the one that was read, in any year."""
    return min(int(Decimal(repr(seconds)) * TICKS_PER_SECOND), LAST_TICK)


def _struct(candidate: Candidate) -> dict[str, object]:
    texts = {name: getattr(candidate, name) for name in ("commit", "author", "date")}
    numbers = {name: getattr(candidate, name) for name in _NUMBERS}
    return {**{name: escape_surrogates(text) for name, text in texts.items()}, **numbers}


def _identity(value: object) -> object:
    return value


_CONVERSIONS: Final[dict[Kind, Callable[[Any], object]]] = {
    Kind.TEXT: escape_surrogates,
    Kind.TIME: _tick,
    Kind.NAMES: lambda names: list(map(escape_surrogates, names)),
    Kind.CANDIDATES: lambda candidates: list(map(_struct, candidates)),
}


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case float() | int():
            return str(value)
        case tuple():
            return _text_cell(";".join(map(_item, value))) if value else ""
        case _:
            return _text_cell(str(value))


@lru_cache(_CACHED)  # names of services, endpoints and states stand in many rows
def _text_cell(text: str) -> str:
    text = FORMULA.sub(r"\g<0>'", text)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def _item(value: object) -> str:
    text = value.commit if isinstance(value, Candidate) else str(value)
    return text.replace("\\", "\\\\").replace(";", "\\;")

"""
Incidents as an Arrow table: typed columns, for Parquet files and data frames.

Times are `timestamp[ns, UTC]`, slomon's own unit: each is the tick whose seconds the record has, so
what a log calls 1543443091.2745 is that here, too. Candidates are lists of structs, together is a
list of text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from slomon.core.attribution import Candidate
from slomon.core.records import SCHEMA, IncidentRecord
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.errors import ConfigurationError
from slomon.reporting.column import COLUMNS, Column, Kind
from slomon.text import escape_surrogates

if TYPE_CHECKING:
    import pyarrow as pa


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

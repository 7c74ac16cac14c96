"""
A table of accesses, whatever it is stored as: Parquet, Iceberg, Delta, Kafka. Its columns are

* `time`: a timestamp, or a whole number of nanoseconds since the epoch
* `method`, `path` (with or without a query) and `status`, as in a log
* `host`: the virtual host, if the table has this column
* `order`: a whole number. It puts accesses at the same time in order. Without this column
  their order follows from a hash of their other values: it is arbitrary, but always the same

Other columns are not read.
"""

from __future__ import annotations

import hashlib
import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from slomon.core.events import (
    NO_STATUS,
    Access,
    Excluded,
    Malformed,
    RejectedLine,
    append_bounded,
)
from slomon.core.statuses import StatusTable
from slomon.core.ticks import LAST_TICK
from slomon.endpoints.discovery import FoundEndpoints, PythonEndpointNames
from slomon.endpoints.templates import Template, compile_templates, learn_templates, split_path
from slomon.errors import ConfigurationError
from slomon.formats.requests import read_target
from slomon.integrations.spark.packing import Column, Packer, Rows, Shards, pack_summary
from slomon.integrations.spark.summaries import NameList, SourceSummary
from slomon.kernels.codes import EXCLUDED, REJECTED, UNMATCHED, access_code
from slomon.log_replay.plan import Plan
from slomon.log_replay.requests import KnownRequests
from slomon.text import quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TABLE: Final = "DataFrame"
"""The name of the table in warnings."""

SOURCE: Final = 1
"""Its number among the sources."""

_UNLIMITED: Final = 1 << 62
_REQUIRED: Final = ("time", "method", "path", "status")
_ROWS: Final = 1 << 18  # that are packed together
_SAMPLE: Final = 5_000
_FIRST: Final = 500
_FEW_PATHS: Final = 20
_TEXTS: Final = ("method", "path", "status", "host")
_PLAIN: Final = {
    "string",
    "tinyint",
    "smallint",
    "int",
    "bigint",
}  # texts, or written as `str` does
_TIMES: Final = "a timestamp, or a whole number of nanoseconds since the epoch"


def select_accesses(table: DataFrame) -> DataFrame:
    """
    The columns of a table that are read. Raises ConfigurationError if a required one is missing or
    has another type.
    """
    from pyspark.sql import functions as F  # noqa: N812, PLC0415 (as all of Spark has it)

    missing = [name for name in _REQUIRED if name not in table.columns]
    if missing:
        raise ConfigurationError(
            f"the table has no column {quote(missing[0])}; allowed: {', '.join(_REQUIRED)}, and "
            "perhaps host and order"
        )
    kinds = dict(table.dtypes)
    if kinds["time"] not in {"timestamp", "timestamp_ntz", "bigint"}:
        raise ConfigurationError(f"the column 'time' is {kinds['time']}; allowed: {_TIMES}")
    if "order" in kinds and kinds["order"] not in {"tinyint", "smallint", "int", "bigint"}:
        raise ConfigurationError(f"the column 'order' is {kinds['order']}; allowed: a whole number")
    columns = [F.col("time")]
    for name in _TEXTS:
        if kinds.get(name) in _PLAIN:
            columns.append(F.col(name))
        elif name in kinds:
            columns.append(F.col(name).cast("string").alias(name))
    if "order" in kinds:
        columns.append(F.col("order").cast("long").alias("order"))
    return table.select(*columns)


def sample_table(accesses: DataFrame, plan: Plan) -> list[Template]:
    """The path templates of a table: of its first 5,000 accesses."""
    reader = _RequestReader(plan, ())
    order = (
        ["order"]
        if "order" in accesses.columns
        else [one for one in _TEXTS if one in accesses.columns]
    )
    earliest = accesses.where("time is not null").orderBy("time", *order).limit(_SAMPLE)
    rows = [
        {name: _show(value) for name, value in row.asDict().items()} for row in earliest.collect()
    ]
    first = reader.count_requests(rows[:_FIRST])
    is_small = len({split_path(request) for request, _ in first}) < _FEW_PATHS
    return learn_templates(first if is_small else reader.count_requests(rows))


@dataclass(frozen=True, slots=True)
class PackTable:
    """
    Packs the accesses of a table. Its input has the columns of `select_accesses`. The order of the
    rows is packed, too, unless the table is a stream, which has no positions.
    """

    plan: Plan
    shards: Shards
    templates: Sequence[Template] = ()
    is_stream: bool = False

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The packed rows of the accesses."""
        summary = SourceSummary(SOURCE)
        reader = _RequestReader(self.plan, self.templates)
        packer = Packer(SOURCE, self.shards)
        pack = packer.pack_accesses if self.is_stream else packer.pack
        for batch in _in_chunks(batches):
            rows = reader.read(batch, summary)
            summary.add(rows)
            yield from pack(rows, reader.names)
        if self.shards.finds:
            summary.capped = summary.unmatched  # their requests are too long for an endpoint
        yield pack_summary(SOURCE, pickle.dumps(summary))


class _RequestReader:
    """Reads the accesses of a table: each combination of method, path, status and host once."""

    def __init__(self, plan: Plan, templates: Sequence[Template]) -> None:
        self._plan = plan
        self._names = PythonEndpointNames(_UNLIMITED)
        self._names.templates = compile_templates(templates)
        found = FoundEndpoints(self._names, plan.defaults, plan.service_from)
        self._requests = KnownRequests(plan, found)(match_exactly=bool(plan.match_exactly))
        self._is_failure = StatusTable.from_rule(plan.is_failure).failed
        self.names = NameList(self._names)

    def read(self, batch: pa.RecordBatch, summary: SourceSummary) -> Rows:
        """The rows of a batch, in order of their places."""
        ticks = read_ticks(batch.column("time"))
        present = [name for name in _TEXTS if name in batch.schema.names]
        found, numbers = _combine([batch.column(name) for name in present])
        combinations = [
            [dict(zip(present, one, strict=True)).get(name) for name in _TEXTS] for one in found
        ]
        if "order" in batch.schema.names:
            ranks = batch.column("order").to_numpy()
        else:
            ranks = np.array([_hash(one) for one in combinations], np.int64)[numbers]
        outcomes = [self._read_request(*one) for one in combinations]
        codes = np.array([_find_code(one) for one in outcomes], np.int64)[numbers]
        is_dated = (ticks >= 0) & (ticks <= LAST_TICK)
        is_access = is_dated & (codes >= UNMATCHED)
        is_excluded = codes == EXCLUDED
        codes[is_access & ((ticks < self._plan.first) | (ticks > self._plan.last))] = EXCLUDED
        codes[~is_dated] = REJECTED
        for index in np.flatnonzero(codes == REJECTED).tolist():
            outcome = outcomes[numbers[index]] if is_dated[index] else _UNDATED
            reason = outcome.reason if isinstance(outcome, Malformed) else ""
            fields = batch.column("time")[index].as_py(), *combinations[numbers[index]]
            text = " ".join(map(str, (*fields, int(ranks[index]))))
            line = RejectedLine(TABLE, int(ranks[index]), text, reason)
            append_bounded(summary.first_rejected, line)
        summary.rejected += int((codes == REJECTED).sum())
        summary.reasons[NO_STATUS.reason] += int((is_excluded & is_dated).sum())
        summary.lines += len(ticks)
        summary.clock.rows += len(ticks)
        if is_dated.any():
            summary.widen(int(ticks[is_dated].min()), int(ticks[is_dated].max()))
        ticks = np.where(is_dated, ticks, 0)
        sorting = _sort(ticks, ranks)
        ticks = ticks[sorting]
        return Rows(ticks, ranks[sorting], ticks, codes[sorting], np.ones(len(ticks), np.int64))

    def count_requests(self, rows: Iterable[Any]) -> Counter[tuple[bytes, bool]]:
        """How many of the rows are to which endpoint, and failed or not."""
        codes = (self._read_request(*map(row.get, _TEXTS)) for row in rows)
        return Counter(
            (self._names.text(code >> 1), bool(code & 1))
            for code in codes
            if isinstance(code, int) and code >= 0
        )

    def _read_request(self, *fields: str | None) -> int | Excluded | Malformed:
        """The code of an access, or why it does not count."""
        read = self._parse(*fields)
        if not isinstance(read, Access):
            return read
        key = self._requests.key(read.verb, read.resource, read.host)
        return access_code(key, failed=read.failed)

    def _parse(
        self, method: str | None, path: str | None, status: str | None, host: str | None
    ) -> Access | Excluded | Malformed:
        request = method or "", path or ""
        return read_target("", 0, request, status or "", self._is_failure, host or "")


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A part of a Parquet file. `texts` are those of its columns that are strings."""

    path: str
    number: int
    columns: Sequence[str]
    texts: Sequence[str]

    def read(self) -> Iterator[pa.RecordBatch]:
        """The rows, with texts as dictionaries."""
        from pyarrow import parquet  # noqa: PLC0415 (only tasks that read files need it)

        with parquet.ParquetFile(self.path, read_dictionary=self.texts) as file:
            yield from file.read_row_group(self.number, columns=self.columns).to_batches()


@dataclass(frozen=True, slots=True)
class PackFiles:
    """
    Packs the accesses in Parquet files, which it reads by itself: Spark takes three times as long
    to pass them on row by row. Its input are indexes of row groups.
    """

    groups: Sequence[RowGroup]
    pack: PackTable

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The packed rows of the accesses."""
        indexes = (index for batch in batches for index in batch.column(0).to_pylist())
        yield from self.pack(part for index in indexes for part in self.groups[index].read())


def list_row_groups(accesses: DataFrame, paths: Sequence[str]) -> list[RowGroup] | None:
    """The row groups of Parquet files; None if only Spark reads their columns as a table needs."""
    from pyarrow import parquet  # noqa: PLC0415 (only replays of files need it)

    columns = list(accesses.columns)
    schemas = [parquet.read_schema(path) for path in paths]
    kinds = [
        [schema.field(name).type for name in columns if name in schema.names] for schema in schemas
    ]
    if len(kinds[0]) < len(columns) or any(one != kinds[0] for one in kinds):
        return None
    texts = [name for name, kind in zip(columns, kinds[0], strict=True) if pa.types.is_string(kind)]
    if not {kind for name, kind in accesses.dtypes if name in _TEXTS} <= _PLAIN:
        return None
    return [
        RowGroup(str(Path(path).absolute()), number, columns, texts)
        for path in paths
        for number in range(parquet.read_metadata(path).num_row_groups)
    ]


def _in_chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of batches, joined so that they are worth packing."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= _ROWS:
            yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
            waiting = []
    if any(one.num_rows for one in waiting):
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()


_UNDATED: Final = Malformed("", f"it has no time that can be counted; allowed: {_TIMES}")


def _show(value: Any) -> str | None:
    return None if value is None else str(value)


def _hash(fields: Sequence[str | None]) -> int:
    """A number. Accesses at the same time are sorted by it."""
    digest = hashlib.blake2b(repr(fields).encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "little", signed=True)


def _find_code(outcome: int | Excluded | Malformed) -> int:
    if isinstance(outcome, int):
        return outcome
    return EXCLUDED if isinstance(outcome, Excluded) else REJECTED


def read_ticks(times: pa.Array) -> Column:
    """Times as ticks; -1 if one is missing."""
    if pa.types.is_timestamp(times.type):
        times = times.cast(pa.timestamp("us", times.type.tz), safe=False).cast(pa.int64())
        ticks = times.fill_null(-1).to_numpy()
        return np.where(ticks < 0, -1, ticks * 1000)
    ticks = times.fill_null(-1).to_numpy().astype(np.int64)
    return np.where(ticks < 0, -1, ticks)


def _sort(ticks: Column, ranks: Column) -> Column:
    """The indexes of rows in the order of their ticks, then of their ranks."""
    sorting = np.argsort(ticks, kind="stable")  # fast if they are nearly in order
    ordered = ticks[sorting]
    is_equal = ordered[1:] == ordered[:-1]
    tied = np.flatnonzero(np.append(is_equal, False) | np.append(False, is_equal))
    if len(tied):
        rows = sorting[tied]
        sorting[tied] = rows[np.lexsort((ranks[rows], ticks[rows]))]
    return sorting


def _combine(columns: Sequence[pa.Array]) -> tuple[list[list[str | None]], Column]:
    """The different combinations of columns of text, and the number of that in each row."""
    numbers = np.zeros(len(columns[0]), np.int64)
    combinations: list[list[str | None]] = [[]]
    for column in columns:
        encoded = _encode(column)
        values = [*map(_show, encoded.dictionary.to_pylist())]
        numbers = numbers * len(values) + encoded.indices.to_numpy()
        used, numbers = _renumber(numbers, len(combinations) * len(values))
        combinations = [
            [*combinations[number // len(values)], values[number % len(values)]]
            for number in used.tolist()
        ]
    return combinations, numbers


def _encode(column: pa.Array) -> pa.DictionaryArray:
    """A column as a dictionary. A null is a value of it."""
    if pa.types.is_dictionary(column.type):
        if not column.null_count:
            return column
        column = column.cast(column.type.value_type)
    return column.dictionary_encode(null_encoding="encode")


def _renumber(numbers: Column, end: int) -> tuple[Column, Column]:
    """The distinct numbers, and the index of each number among them. All are below `end`."""
    if end > 4 * len(numbers):
        used, renumbered = np.unique(numbers, return_inverse=True)
        return used, renumbered
    is_used = np.zeros(end, bool)
    is_used[numbers] = True
    return np.flatnonzero(is_used), (np.cumsum(is_used) - 1)[numbers]

"""
A table of accesses, whatever it is stored as: Parquet, Iceberg, Delta, Kafka. Its columns are

* `time`: a timestamp, or a whole number of nanoseconds since the epoch
* `method`, `path` (with or without a query) and `status`, as in a log
* `host`: the virtual host, if the table has this column
* `order`: a whole number, by which accesses at the same time are put in order. Without this column
  their order follows from a hash of their other values: it is arbitrary, but always the same

Other columns are not read.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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
_TIMES: Final = "a timestamp, or a whole number of nanoseconds since the epoch"


def select_accesses(table: DataFrame) -> DataFrame:
    """
    The columns of a table that are read, all of which exist then. Raises ConfigurationError if a
    required one is missing or has another type.
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
    texts = [F.col(name).cast("string").alias(name) for name in ("method", "path", "status")]
    host = F.col("host").cast("string") if "host" in kinds else F.lit(None).cast("string")
    order = F.col("order").cast("long") if "order" in kinds else F.xxhash64(*texts, host)
    return table.select("time", *texts, host.alias("host"), order.alias("order"))


def sample_table(accesses: DataFrame, plan: Plan) -> list[Template]:
    """The path templates of a table: of its first 5,000 accesses."""
    rows = accesses.where("time is not null").orderBy("time", "order").limit(_SAMPLE).collect()
    reader = _RequestReader(plan, ())
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
        ticks, ranks = read_ticks(batch.column("time")), batch.column("order").to_numpy()
        fields = [batch.column(name) for name in ("method", "path", "status", "host")]
        combinations, numbers = _combine(fields)
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
            text = " ".join(map(str, batch.slice(index, 1).to_pylist()[0].values()))
            line = RejectedLine(TABLE, int(ranks[index]), text, reason)
            append_bounded(summary.first_rejected, line)
        summary.rejected += int((codes == REJECTED).sum())
        summary.reasons[NO_STATUS.reason] += int((is_excluded & is_dated).sum())
        summary.lines += len(ticks)
        summary.clock.rows += len(ticks)
        if is_dated.any():
            summary.widen(int(ticks[is_dated].min()), int(ticks[is_dated].max()))
        ticks = np.where(is_dated, ticks, 0)
        sorting = np.lexsort((ranks, ticks))
        ticks = ticks[sorting]
        return Rows(ticks, ranks[sorting], ticks, codes[sorting], np.ones(len(ticks), np.int64))

    def count_requests(self, rows: Iterable[Any]) -> Counter[tuple[bytes, bool]]:
        """How many of the rows are to which endpoint, and failed or not."""
        codes = (self._read_request(row.method, row.path, row.status, row.host) for row in rows)
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


def _find_code(outcome: int | Excluded | Malformed) -> int:
    if isinstance(outcome, int):
        return outcome
    return EXCLUDED if isinstance(outcome, Excluded) else REJECTED


def read_ticks(times: pa.Array) -> Column:
    """Times as ticks; -1 if one is missing."""
    if pa.types.is_timestamp(times.type):
        times = times.cast(pa.timestamp("us", times.type.tz)).cast(pa.int64())
        ticks = times.fill_null(-1).to_numpy()
        return np.where(ticks < 0, -1, ticks * 1000)
    ticks = times.fill_null(-1).to_numpy().astype(np.int64)
    return np.where(ticks < 0, -1, ticks)


def _combine(columns: Sequence[pa.Array]) -> tuple[list[list[str | None]], Column]:
    """The different combinations of columns of text, and the number of that in each row."""
    numbers = np.zeros(len(columns[0]), np.int64)
    combinations: list[list[str | None]] = [[]]
    for column in columns:
        encoded = column.dictionary_encode(null_encoding="encode")
        values = encoded.dictionary.to_pylist()
        numbers = numbers * len(values) + encoded.indices.to_numpy()
        used, numbers = _renumber(numbers, len(combinations) * len(values))
        combinations = [
            [*combinations[number // len(values)], values[number % len(values)]]
            for number in used.tolist()
        ]
    return combinations, numbers


def _renumber(numbers: Column, end: int) -> tuple[Column, Column]:
    """The distinct numbers, and the index of each number among them. All are below `end`."""
    if end > 4 * len(numbers):
        used, renumbered = np.unique(numbers, return_inverse=True)
        return used, renumbered
    is_used = np.zeros(end, bool)
    is_used[numbers] = True
    return np.flatnonzero(is_used), (np.cumsum(is_used) - 1)[numbers]

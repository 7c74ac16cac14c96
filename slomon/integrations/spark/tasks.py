"""
What Spark runs in its tasks: logs are scanned and packed, and the shards are counted. Each task is
a frozen object, which is called with batches of Arrow and returns batches of Arrow.
"""

from __future__ import annotations

import gc
import pickle
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

import numpy as np
import pyarrow as pa

from slomon.core.events import append_bounded
from slomon.endpoints.templates import Template
from slomon.integrations.spark.counting import Place, PlacedChange, ShardCounter
from slomon.integrations.spark.packing import (
    Column,
    Packer,
    Rows,
    Shards,
    count_before,
    make_rows,
    pack_summary,
)
from slomon.integrations.spark.summaries import NameList, SourceSummary
from slomon.kernels.codes import FIRST_CHANGE
from slomon.kernels.reorder import ROW
from slomon.log_replay.backend import Backend, choose_backend
from slomon.log_replay.plan import Plan
from slomon.log_replay.ranges import WHOLE, LogRange
from slomon.log_replay.scan import LogScan
from slomon.options import BackendName

COUNTED: Final = "blob binary"
"""The columns of what the shards have counted."""

_ROWS: Final = 1 << 18  # of a log that are packed together
_BLOB: Final = pa.schema([("blob", pa.binary())])


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """The arguments of `choose_backend`, for a task."""

    name: BackendName
    size: int | None

    def load(self) -> Backend:
        """The backend."""
        return choose_backend(self.name, self.size)

    def load_in_worker(self) -> Backend:
        """The backend, in a process of Spark that will run further tasks."""
        backend = self.load()
        _freeze_modules()
        return backend


@cache
def _freeze_modules() -> None:
    """
    Exclude what is loaded now from garbage collection, once in a process. Spark collects after each
    task, which takes as long as to read 50,000 lines if it looks at all modules.
    """
    gc.freeze()


@dataclass(frozen=True, slots=True)
class LogPart:
    """
    A part of a log, or all of it. `source` is its number among all parts of all logs, in their
    order; `began` is the first tick of its log; `size` is about how many bytes of text it has.
    """

    source: int
    path: str
    began: int
    size: int
    range: LogRange = WHOLE


@dataclass(frozen=True, slots=True)
class ScanLogs:
    """Scans groups of parts of logs and packs their rows. Its input are indexes of groups."""

    plan: Plan
    shards: Shards
    backend: BackendChoice
    templates: Sequence[Template]
    groups: Sequence[Sequence[LogPart]]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The packed rows of the logs."""
        for batch in batches:
            for index in batch.column(0).to_pylist():
                for part in self.groups[index]:
                    yield from self._scan(part)

    def _scan(self, part: LogPart) -> Iterator[pa.RecordBatch]:
        source = part.source
        summary = SourceSummary(source)
        scan = LogScan(
            self.plan,
            self.backend.load_in_worker(),
            self.templates,
            partial(append_bounded, summary.first_rejected),
            lambda *format_: summary.detected.append(format_),
        )
        packer, names = Packer(source, self.shards), NameList(scan.names)
        rank = 0
        for rows in _in_chunks(scan.rows(part.path, part.began, part.range)):
            packed, rank = make_rows(rows, rank)
            summary.add(packed)
            summary.changes += _list_changes(packed, source, scan)
            yield from packer.pack(packed, names)
        reference, order = scan.reference, scan.order
        (summary.clock,) = order.clocks
        summary.lines, summary.blank = scan.lines, order.blank
        summary.rejected, summary.missing = reference.rejected, reference.missing
        summary.reasons, summary.capped = reference.excluded, scan.names.capped
        summary.noted, summary.watched_until = reference.changes, order.watched_until
        summary.problem, summary.refusal = scan.problem, scan.refusal
        summary.newest_before, summary.is_stateless = scan.newest_before, scan.is_stateless
        yield pack_summary(source, pickle.dumps(summary))


@dataclass(frozen=True, slots=True)
class CountShards:
    """
    Counts shards: each partition of the packed rows that are its input is one. Its output is a
    pickled `ShardCount` for each.
    """

    plan: Plan
    shards: Shards
    backend: BackendChoice
    changes: Sequence[PlacedChange]
    newest: int
    admitted: frozenset[bytes] | None = None

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What the shards have counted."""
        blobs: dict[int, list[tuple[int, pa.Buffer]]] = {}
        for batch in batches:
            shards, sources = batch.column(1).to_pylist(), batch.column(2).to_pylist()
            for shard, source, blob in zip(shards, sources, batch.column(3), strict=True):
                blobs.setdefault(shard, []).append((source, blob.as_buffer()))
        counter = ShardCounter(
            *(self.plan, self.shards, self.backend.load_in_worker()),
            changes=self.changes,
            newest=self.newest,
            admitted=self.admitted,
        )
        for shard in sorted(blobs):
            yield make_blob(pickle.dumps(counter.count(shard, blobs.pop(shard))))


@dataclass(frozen=True, slots=True)
class CountBefore:
    """
    Counts the events that stand before some places. Its input are packed rows with the order of
    sources, its output a pickled column of numbers.
    """

    places: Sequence[Place]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """How many events of the input stand before each place."""
        table = np.array(self.places, np.int64).reshape(-1, 4)
        columns = [np.ascontiguousarray(table[:, index]) for index in range(3)]
        yield make_blob(pickle.dumps(count_before(_list_blobs(batches), columns)))


def read_blobs(rows: Iterable[Any]) -> Iterator[Any]:
    """What the tasks pickled, from the rows of a table that was collected."""
    for row in rows:
        yield pickle.loads(row.blob)  # noqa: S301 (written by a task of this very run)


def _list_blobs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.Buffer]]:
    for batch in batches:
        for source, blob in zip(batch.column(2).to_pylist(), batch.column(3), strict=True):
            yield source, blob.as_buffer()


def make_blob(blob: bytes) -> pa.RecordBatch:
    """A row of the table of what was counted."""
    return pa.RecordBatch.from_arrays([pa.array([blob], pa.binary())], schema=_BLOB)


def _in_chunks(parts: Iterable[array[int]]) -> Iterator[list[array[int]]]:
    """The rows of a log, as many together as are worth packing."""
    chunk: list[array[int]] = []
    for part in filter(None, parts):
        chunk.append(part)
        if sum(map(len, chunk)) >= ROW * _ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _list_changes(rows: Rows, source: int, scan: LogScan) -> list[PlacedChange]:
    indexes: Column = np.flatnonzero(rows.codes <= FIRST_CHANGE)
    return [
        PlacedChange(
            Place(int(rows.times[index]), source, int(rows.ranks[index])),
            int(rows.ticks[index]),
            scan.order.changes[int(rows.codes[index])],
        )
        for index in indexes.tolist()
    ]

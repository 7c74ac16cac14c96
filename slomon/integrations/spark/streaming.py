"""
`watch_spark(...)` counts a stream of accesses as it arrives, with Structured Streaming, and writes
each incident when it opens and when it ends. `read_spark(...)` reads what such a query, running or
stopped, has found.

    accesses ─▶ pack ─▶ shuffle by shard ─▶ wait for the watermark, order, count ─▶ output
                                            (state of the shard in the checkpoint)

Accesses count in the order of their times once the watermark has passed them, so the answer does
not depend on how Spark cuts the stream. Spark commits the state and the output of a micro-batch
together: if executors or the driver are killed, each incident is still in the output once.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pyarrow as pa

from slomon.core.events import Change, PositionedChange
from slomon.core.incident import Incident
from slomon.dates import show_instant
from slomon.errors import ConfigurationError, OptionError
from slomon.integrations.spark.batch import OF_LINES, complete_options, list_files
from slomon.integrations.spark.counting import Place, PlacedChange, ShardCount
from slomon.integrations.spark.engine import Engine, Restoration, lighten, list_first
from slomon.integrations.spark.packing import PACKED, Shards, pack_changes
from slomon.integrations.spark.shard_stream import ShardStream
from slomon.integrations.spark.summaries import SourceSummary
from slomon.integrations.spark.tables import SOURCE, TABLE, PackTable, read_ticks, select_accesses
from slomon.integrations.spark.tasks import COUNTED, BackendChoice, make_blob, read_blobs
from slomon.log_replay.files import check_files
from slomon.log_replay.job import add_changes, conclude
from slomon.log_replay.monitor import ReplayMonitor
from slomon.log_replay.plan import Plan, identify_inputs, make_plan
from slomon.log_replay.replay import read_replay_options, replay
from slomon.log_replay.survey import LogState
from slomon.options import AnyPath, Duration, identify_options, read_count, read_duration
from slomon.state.encoding import unpack_incidents

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming import StreamingQuery

Changes: TypeAlias = "DataFrame | AnyPath | Sequence[AnyPath]"

_PROVIDER: Final = "spark.sql.streaming.stateStore.providerClass"
_ROCKS: Final = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
_CHANGELOG: Final = "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled"
_PARTITIONS: Final = "spark.sql.shuffle.partitions"
_LONGEST_CHANGES: Final = ("time", "commit", "author", "service")


def watch_spark(
    spark: SparkSession,
    accesses: DataFrame,
    *,
    output: str,
    checkpoint: str,
    changes: Changes | None = None,
    lateness: Duration = "10s",
    shards: int = 16,
    trigger: Mapping[str, Any] | None = None,
    **options: Any,
) -> StreamingQuery:
    """
    Start to count a stream of accesses, and to write its incidents. Returns the query, which runs
    until it is stopped.

    * `accesses`: a streaming DataFrame, as `slomon.integrations.spark.tables` describes it
    * `output`: a folder of Parquet files, one row for each incident that opened and for each that
      ended. Read it with `spark.read.parquet`, which knows what is committed
    * `checkpoint`: the folder in which Spark keeps its position and the state. A query with the
      same checkpoint continues
    * `changes`: files of deploys, as in `replay`, which are read when the query starts; or a
      streaming DataFrame with the columns `time`, `commit`, `author` and `service`
    * `lateness`: how late accesses may be; incidents are found by as much later
    * `shards`: how many parts the endpoints are divided into; the same for a checkpoint
    * `trigger`: arguments of Spark's `trigger`, such as {"processingTime": "5 seconds"}

    All other options are those of `replay_spark`. Path templates are not learnt: group paths in the
    column `path`, or give the endpoints. Raises ConfigurationError or OSError as that does.
    """
    watch = _Watch.prepare(options, changes, shards)
    late_by = read_duration("lateness", lateness)
    rows = select_accesses(accesses)
    if dict(rows.dtypes)["time"] == "bigint":
        raise ConfigurationError("the column 'time' is bigint; allowed: a timestamp, if it streams")
    rows = rows.withWatermark("time", f"{late_by // 1_000_000} milliseconds")
    task = PackTable(lighten(watch.plan), watch.shards, is_stream=True)
    packed = rows.mapInArrow(task.__call__, PACKED)
    if watch.changes is not None:
        deploys = watch.changes.select(*_LONGEST_CHANGES)
        packed = packed.union(deploys.mapInArrow(PackChanges(shards).__call__, PACKED))
    # It imports Spark's classes, unlike all other modules of slomon.
    from slomon.integrations.spark.processor import OUTPUT, ShardProcessor  # noqa: PLC0415

    processor = ShardProcessor(watch.plan, watch.shards, watch.backend, watch.identity)
    with _configured(spark, {_PROVIDER: _ROCKS, _CHANGELOG: "true", _PARTITIONS: str(shards)}):
        incidents = packed.groupBy("shard").transformWithStateInPandas(
            processor, OUTPUT, "Append", "EventTime"
        )
        writer = incidents.writeStream.format("parquet").option("path", output)
        writer = writer.option("checkpointLocation", checkpoint).outputMode("append")
        return (writer.trigger(**trigger) if trigger else writer).start()


def read_spark(
    spark: SparkSession,
    *,
    output: str,
    checkpoint: str,
    changes: Changes | None = None,
    shards: int = 16,
    **options: Any,
) -> ReplayMonitor:
    """
    What a watch has found, given the `output`, the `checkpoint` and the options with which it was
    started, as `replay_spark` returns it. Accesses that wait for the watermark count, too.

    The identifiers of incidents are not those of a replay: they follow from numbers of accesses in
    their shards. They stay the same while the watch runs. Raises what `watch_spark` raises, and
    StateFileError if the checkpoint is of another watch.
    """
    from slomon.integrations.spark.processor import STATE  # noqa: PLC0415

    watch = _Watch.prepare(options, changes, shards)
    states = (
        spark.read.format("statestore")
        .option("path", checkpoint)
        .option("stateVarName", STATE)
        .load()
        .selectExpr("key.shard as shard", "value.blob as blob")
    )
    summaries = states.where("shard = 0").mapInArrow(watch.reader(None).__call__, COUNTED)
    summary = next(read_blobs(summaries.collect()), SourceSummary(SOURCE))
    rows = states.mapInArrow(watch.reader(summary.clock.newest).__call__, COUNTED).collect()
    found: list[FinishedShard] = sorted(read_blobs(rows), key=lambda one: one.shard)
    written: dict[int, list[str]] = {}
    incidents = spark.read.schema("shard int, incident string").parquet(output)
    for row in incidents.collect():
        written.setdefault(row.shard, []).append(row.incident)
    return watch.conclude(summary, [one.add(written.get(one.shard, ())) for one in found])


@dataclass(frozen=True, slots=True)
class FinishedShard:
    """A shard that was read from a checkpoint: its number, its count, and its changes."""

    shard: int
    count: ShardCount
    deploys: Sequence[PositionedChange]

    def add(self, written: Iterable[str]) -> FinishedShard:
        """The shard with the incidents in the output. A later state of one replaces the earlier."""
        incidents: dict[int, Incident] = {}
        packed = chain.from_iterable(unpack_incidents(json.loads(text)) for text in written)
        for one in chain(packed, self.count.incidents):
            before = incidents.get(one.start_position)
            if before is None or before.end is None:
                incidents[one.start_position] = one
        return replace(self, count=replace(self.count, incidents=list(incidents.values())))


@dataclass(frozen=True, slots=True)
class ReadShards:
    """
    Reads the states of shards, rows of `shard` and `blob`. Returns pickled summaries, or if
    `newest` is given a FinishedShard of each.
    """

    plan: Plan
    shards: Shards
    backend: BackendChoice
    identity: str
    newest: int | None

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What was read of each shard."""
        for batch in batches:
            for shard, blob in zip(batch.column(0).to_pylist(), batch.column(1), strict=True):
                stream = ShardStream(
                    *(self.plan, self.shards, self.backend.load(), shard),
                    identity=self.identity,
                    saved=blob.as_py(),
                )
                read: object = stream.summary
                if self.newest is not None:
                    count = stream.finish(self.newest)
                    read = FinishedShard(shard, count, stream.deploys)
                yield make_blob(pickle.dumps(read))


@dataclass(frozen=True, slots=True)
class PackChanges:
    """Packs changes for each of some shards. Its input has the columns of a stream of changes."""

    shards: int

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The packed rows."""
        for batch in batches:
            ticks = read_ticks(batch.column("time")).tolist()
            changes = [
                PlacedChange(
                    Place(tick, 0, 0),
                    tick,
                    Change(row["commit"], row["author"] or "", show_instant(tick), row["service"]),
                )
                for tick, row in zip(ticks, batch.to_pylist(), strict=True)
                if tick >= 0 and row["commit"]
            ]
            if changes:
                yield pack_changes(self.shards, pickle.dumps(changes))


@dataclass(frozen=True, slots=True)
class _Watch:
    """What is counted, and how. `changes` is a stream of changes, if there is one."""

    plan: Plan
    shards: Shards
    backend: BackendChoice
    identity: str
    changes: DataFrame | None
    given: Mapping[str, Any]

    @classmethod
    def prepare(cls, options: Mapping[str, Any], changes: Changes | None, shards: int) -> _Watch:
        """Read the options. Raises ConfigurationError or OSError."""
        is_stream = changes is not None and not isinstance(changes, AnyPath | Sequence)
        files = None if is_stream else changes
        raw = {**complete_options(options), "paths": TABLE, "changes": files}
        for name in OF_LINES:
            if raw[name] is not None:
                raise OptionError([name], " is given for a table, which has no lines")
        given = read_replay_options(raw)
        check_files([], given["changes"] or [], list_files(given), {})
        read_count("shards", shards, 1 << 16)
        plan, _ = add_changes(make_plan(given, [TABLE]), given)
        inputs = identify_inputs(replace(plan, changes=(), rejected_records=0, excluded_records={}))
        traits = {**inputs, **identify_options(replay, given)}
        text = json.dumps([shards, traits], sort_keys=True)
        identity = f"{shards} shards, {hashlib.sha256(text.encode()).hexdigest()[:16]}"
        return cls(
            replace(plan, logs=()),
            Shards(shards, plan.endpoints is None, ranked=True),
            BackendChoice(raw["backend"], None),
            identity,
            changes if is_stream else None,
            given,
        )

    def reader(self, newest: int | None) -> ReadShards:
        """The task that reads the checkpoint."""
        plan = lighten(self.plan)
        return ReadShards(plan, self.shards, self.backend, self.identity, newest)

    def conclude(self, summary: SourceSummary, found: Sequence[FinishedShard]) -> ReplayMonitor:
        """The result of all shards."""
        known = sorted(
            {(one.tick, one.change) for shard in found for one in shard.deploys}, key=_by_place
        )
        engine = Engine(
            replace(self.plan, changes=known),
            *(self.shards, self.backend, (), [(0, LogState(TABLE))]),
        )
        engine.use([summary])
        numbered = {
            (tick, change): PositionedChange((tick << _BITS) + number, tick, change)
            for number, (tick, change) in enumerate(known)
        }

        def restore(shard: FinishedShard) -> Restoration:
            def locate(tick: int, position: int) -> int:
                return (tick << _BITS) + _AFTER_CHANGES + position * self.shards.count + shard.shard

            deploys = {one.position: numbered[one.tick, one.change] for one in shard.deploys}
            return Restoration(locate, deploys)

        shards = {id(one.count): one for one in found}
        names = sorted(list_first(one.count for one in found))[: self.plan.max_endpoints]
        engine.admit(name for _, name in names)
        placed = [one for one in numbered.values() if engine.is_watched(one.change)]
        monitor = engine.finish(
            [one.count for one in found], placed, lambda count: restore(shards[id(count)])
        )
        return conclude(monitor, engine, engine.plan, self.given, summary.first_rejected)


_BITS: Final = 64
_AFTER_CHANGES: Final = 1 << 63
"""Positions are made of ticks. Below them, accesses come after changes at the same tick."""


def _by_place(one: tuple[int, Change]) -> tuple[int, str, str]:
    return one[0], one[1].commit, one[1].service


@contextmanager
def _configured(spark: SparkSession, wanted: Mapping[str, str]) -> Iterator[None]:
    """Give a session these settings while a query starts, which keeps them."""
    before = {name: spark.conf.get(name, None) for name in wanted}
    for name, value in wanted.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, old)

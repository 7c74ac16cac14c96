"""
`replay_spark(...)` replays logs, or a table of accesses, on a cluster of Apache Spark. The answer
is that of `replay` on one machine.

    logs ─▶ scan, pack ─▶ shuffle by shard ─▶ order, count ─▶ incidents ─▶ positions, causes
            (a task each)                     (a task each)              (on the driver)

What no single task can know is added on the driver: the numbers of the sources, in the order in
which the logs begin; the path templates; which endpoints are admitted; the positions of incidents
and changes in the stream of all logs; and the attribution of incidents to changes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pyarrow as pa

from slomon.core.events import RejectedLine, append_bounded
from slomon.core.service_monitor import ServiceMonitor
from slomon.endpoints.discovery import BY_FIELD, FoundEndpoints, PythonEndpointNames
from slomon.endpoints.templates import Template
from slomon.errors import ConfigurationError, OptionError
from slomon.integrations.spark.engine import Engine, keep, lighten, read_summaries
from slomon.integrations.spark.packing import PACKED, Shards
from slomon.integrations.spark.parts import choose_task_bytes, cut, group, number_parts, scan_parts
from slomon.integrations.spark.summaries import SourceSummary
from slomon.integrations.spark.tables import (
    SOURCE,
    TABLE,
    PackFiles,
    PackTable,
    list_row_groups,
    sample_table,
    select_accesses,
)
from slomon.integrations.spark.tasks import BackendChoice, LogPart, ScanLogs
from slomon.log_replay.detect import read_head
from slomon.log_replay.files import check_files, measure
from slomon.log_replay.job import add_changes, conclude, list_inputs
from slomon.log_replay.logging import ReplayLog
from slomon.log_replay.monitor import ReplayMonitor
from slomon.log_replay.parts import make_detector
from slomon.log_replay.plan import Plan, make_plan
from slomon.log_replay.ranges import is_divisible
from slomon.log_replay.replay import read_replay_options, replay
from slomon.log_replay.requests import KnownRequests
from slomon.log_replay.sample import PathGroups
from slomon.log_replay.survey import LogState, survey
from slomon.options import list_options, read_count
from slomon.report.exports import to_table
from slomon.sources.source import open_source

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Logs: TypeAlias = "str | Sequence[str] | DataFrame"

UNSUPPORTED: Final = (
    *("checkpoint", "checkpoint_every", "keep_checkpoint", "rejects", "strict", "on_rejected"),
    *("on_progress", "sli_series", "workers"),
)
"""The options of `replay` that a replay on a cluster does not have."""

OF_LINES: Final = ("format", "log_format", "regex", "json_keys", "lateness")
"""The options of `replay` that say how lines are read, which a table does not have."""

_SHARD_BYTES: Final = 512 << 20  # of plain text; a task needs about half as much memory
_PARQUET: Final = ".parquet"
_PER_CORE: Final = 4  # tasks that read Parquet files
_COMPRESSION: Final = 10  # how many bytes of text a byte of a compressed log is


def replay_spark(
    spark: SparkSession, logs: Logs, *, shards: int | None = None, **options: Any
) -> ReplayMonitor:
    """
    Replay access logs, or a table of accesses, on a cluster. The answer, with the identifiers of
    its incidents, is that of `replay`.

    * `logs`: the paths of logs, as in `replay`, which each executor can open; or a DataFrame of
      accesses, as `slomon.integrations.spark.tables` describes it, or the paths of Parquet files
      with such a table, whose names end with `.parquet`
    * `shards`: how many tasks share the endpoints; None chooses by the size of the logs. The answer
      is the same

    All other options are those of `replay`, except for checkpoints, rejected lines, progress and
    SLI series. Raises ConfigurationError or OSError as `replay` does, and ConfigurationError if the
    session is one of Spark Connect.
    """
    if type(spark).__module__.startswith("pyspark.sql.connect"):
        raise ConfigurationError(
            "the session is one of Spark Connect; allowed: a session of the driver itself, as "
            "SparkSession.builder.master(...).getOrCreate() makes it"
        )
    raw, cluster = complete_options(options), _Cluster(spark, shards)
    if isinstance(logs, str | os.PathLike | Sequence):
        files = [logs] if isinstance(logs, str | os.PathLike) else list(logs)
        if files and all(os.fspath(path).endswith(_PARQUET) for path in files):
            return _replay_table(cluster, files, {**raw, "paths": TABLE})
        return _replay_logs(cluster, {**raw, "paths": logs})
    return _replay_table(cluster, logs, {**raw, "paths": TABLE})


def to_spark(spark: SparkSession, monitor: ServiceMonitor) -> DataFrame:
    """
    A DataFrame with a row for each incident, with the columns of the Parquet file that `slomon
    replay --incidents` writes. Times are cut to microseconds, which is the unit of Spark.
    """
    table = to_table(monitor.records())
    kinds = [
        pa.timestamp("us", "UTC") if pa.types.is_timestamp(field.type) else field.type
        for field in table.schema
    ]
    schema = pa.schema(list(zip(table.schema.names, kinds, strict=True)))
    return spark.createDataFrame(table.cast(schema, safe=False))


def complete_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `replay`, those that are not given with their defaults."""
    declared = list_options(replay)
    for name in options:
        if name not in declared or name in UNSUPPORTED or name == "paths":
            allowed = ", ".join(name for name in declared if name not in UNSUPPORTED)
            raise OptionError([name], f" is no option of replay_spark; allowed: {allowed}")
    return {name: one.default for name, one in declared.items()} | dict(options)


@dataclass(frozen=True, slots=True)
class _Cluster:
    """A session of Spark, and the number of shards that the user wants."""

    spark: SparkSession
    shards: int | None

    def choose_shards(self, size: int | None) -> int:
        """How many shards to use for plain logs of this size."""
        if self.shards is not None:
            return read_count("shards", self.shards, 65_535)
        return min(max(2 * self.cores, (size or 0) // _SHARD_BYTES), 65_535)

    @property
    def cores(self) -> int:
        """How many tasks run at once."""
        cores: int = self.spark.sparkContext.defaultParallelism
        return cores


def _replay_logs(cluster: _Cluster, raw: Mapping[str, Any]) -> ReplayMonitor:
    given = read_replay_options(raw)
    paths = list_inputs(given)
    size = measure(paths)
    if size is None:
        raise OptionError(["logs"], " has standard input or a pipe; allowed: files")
    log, backend = ReplayLog(), BackendChoice(given["backend"], size)
    plan, rejected = add_changes(make_plan(given, paths), given)
    states, templates = _survey(plan, backend, log)
    logs = _list_logs(states)
    text = sum(one.size for one in logs)
    shards = Shards(cluster.choose_shards(text), plan.endpoints is None)
    task_bytes = choose_task_bytes(text, cluster.cores)
    parts = _list_parts(plan, logs, task_bytes)

    def scan(chosen: Sequence[LogPart]) -> DataFrame:
        groups = group(chosen, task_bytes)
        task = ScanLogs(lighten(plan), shards, backend, templates, groups)
        indexes = cluster.spark.range(0, len(groups), 1, len(groups))
        return indexes.mapInArrow(task.__call__, PACKED)

    engine = Engine(plan, shards, backend, templates, states)
    with ExitStack() as stack:
        packed, found = scan_parts(stack, parts, scan)
        numbers = (number for number, (_, state) in enumerate(states, 1) if not state.ended)
        summaries = [
            replace(one, source=number) for number, one in zip(numbers, found, strict=True)
        ]
        monitor = engine.run(packed, summaries)
    return _conclude(engine, monitor, rejected, given, log)


def _list_logs(states: Sequence[tuple[int, LogState]]) -> list[LogPart]:
    """The logs that are read."""
    logs = []
    for began, state in states:
        if not state.ended:
            path = Path(state.path).absolute()  # executors run elsewhere
            size = path.stat().st_size * (_COMPRESSION if state.is_compressed else 1)
            logs.append(LogPart(0, str(path), began, size))
    return logs


def _list_parts(plan: Plan, logs: Sequence[LogPart], task_bytes: int) -> list[list[LogPart]]:
    """The parts of logs."""
    names = PythonEndpointNames(0)
    found = FoundEndpoints(names, plan.defaults, plan.service_from)
    detect = make_detector(plan, KnownRequests(plan, found))

    def list_parts(log: LogPart) -> list[LogPart]:
        parts = cut(log, task_bytes)
        return parts if parts[1:] and is_divisible(log.path, detect, plan.max_line) else [log]

    return number_parts([list_parts(one) for one in logs])


def _survey(
    plan: Plan, backend: BackendChoice, log: ReplayLog
) -> tuple[list[tuple[int, LogState]], Sequence[Template]]:
    """The logs in the order in which they begin, and the path templates that are learnt of them."""
    names = PythonEndpointNames(plan.max_endpoints)
    found = FoundEndpoints(names, plan.defaults, plan.service_from)
    detect = make_detector(plan, KnownRequests(plan, found), log.format_detected)
    states = survey(plan.logs, detect, plan.max_line)
    groups = PathGroups(plan, backend.load(), names, log.paths_grouped)
    if plan.endpoints is not None or not plan.groups_paths:
        groups.use([])
    elif len(states) > 1:
        read = [state for _, state in states if state.copy_of is None]
        groups.learn_from_files({state.path: state.log for state in read if state.log is not None})
    else:
        # The only log is recognised when it is read, which its task reports.
        silent = make_detector(plan, KnownRequests(plan, found))
        with open_source(plan.logs[0], plan.max_line) as source:
            groups.learn(silent(source.name, read_head(source, silent.needed)), source)
    return states, groups.templates or ()


def _replay_table(
    cluster: _Cluster, source: DataFrame | list[str], raw: Mapping[str, Any]
) -> ReplayMonitor:
    check_table_options(raw)
    given = read_replay_options(raw)
    files = source if isinstance(source, list) else []
    check_files(files, given["changes"] or [], list_files(given), {})
    log = ReplayLog()
    plan, rejected = add_changes(make_plan(given, [TABLE]), given)
    spark = cluster.spark
    table = spark.read.parquet(*files) if isinstance(source, list) else source
    accesses = select_accesses(table)
    groups = list_row_groups(accesses, files) if files else None
    templates: Sequence[Template] = ()
    if plan.endpoints is None and plan.groups_paths:
        templates = sample_table(accesses, plan)
    log.paths_grouped(templates)
    shards = Shards(cluster.choose_shards(None), plan.endpoints is None, ranked=True)
    task = PackTable(lighten(plan), shards, templates)
    states = [(0, LogState(TABLE))]
    engine = Engine(plan, shards, BackendChoice(given["backend"], None), templates, states)
    packed = accesses.mapInArrow(task.__call__, PACKED)
    if groups:
        read = PackFiles(groups, task)
        indexes = spark.range(0, len(groups), 1, min(len(groups), _PER_CORE * cluster.cores))
        packed = indexes.mapInArrow(read.__call__, PACKED)
    with keep(packed) as packed:
        summary, *others = read_summaries(packed) or [SourceSummary(SOURCE)]
        for one in others:
            summary.merge(one)
        monitor = engine.run(packed, [summary])
    return _conclude(engine, monitor, rejected, given, log)


def _conclude(
    engine: Engine,
    monitor: ServiceMonitor,
    rejected: Sequence[RejectedLine],
    given: Mapping[str, Any],
    log: ReplayLog,
) -> ReplayMonitor:
    """Judge a run, and log it. `rejected` are the malformed records of deploys."""
    for summary in engine.summaries if len(engine.logs) == 1 else ():  # the others were surveyed
        for form in summary.detected:
            log.format_detected(*form)
    kept: list[RejectedLine] = []
    lines = (line for summary in engine.summaries for line in summary.first_rejected)
    for line in chain(rejected, lines):
        append_bounded(kept, line)
        log.line_rejected(line)
    result = conclude(monitor, engine, engine.plan, given, kept)
    log.finished(result.accounting, result.problems, result.warnings)
    return result


def check_table_options(raw: Mapping[str, Any]) -> None:
    """Raises OptionError if an option needs the lines of logs."""
    for name in OF_LINES:
        if raw[name] is not None:
            raise OptionError([name], " is given for a table, which has no lines; allowed: None")
    if raw["service_from"] == BY_FIELD:
        raise OptionError(["service_from"], " is 'field' for a table; allowed: host, endpoint")


def list_files(given: Mapping[str, Any]) -> list[Any]:
    """The file of the endpoints, if they are in a file."""
    return [given["endpoints"]] if isinstance(given["endpoints"], str) else []

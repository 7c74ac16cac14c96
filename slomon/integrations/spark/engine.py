"""
What the driver does with the packed rows of a run: it has them counted, and makes the result of one
machine of what the shards return.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from slomon.core.batching import TimeRange
from slomon.core.endpoints import Endpoint
from slomon.core.events import Change, PositionedChange
from slomon.core.incident import Candidates, Incident
from slomon.core.reorder import Order, PythonRowBuffer, SourceClock
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.totals import Totals
from slomon.endpoints.discovery import FoundEndpoints, PythonEndpointNames
from slomon.endpoints.templates import Template
from slomon.errors import ConfigurationError
from slomon.integrations.spark.counting import Place, PlacedChange, ShardCount
from slomon.integrations.spark.packing import ACCESSES, ORDER, SUMMARY, Shards
from slomon.integrations.spark.summaries import SourceSummary
from slomon.integrations.spark.tasks import (
    COUNTED,
    BackendChoice,
    CountBefore,
    CountShards,
    read_blobs,
)
from slomon.log_replay.accounts import Accounts
from slomon.log_replay.lines import ReferenceParser
from slomon.log_replay.plan import Plan
from slomon.log_replay.requests import KnownRequests
from slomon.log_replay.survey import LogState
from slomon.text import excerpt

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(slots=True)
class _Outcome:
    """How the reading of a log ended."""

    path: str
    problem: str | None
    refusal: ConfigurationError | None
    copy_of: str | None


class Engine:
    """
    A replay whose rows are packed and counted by Spark. `states` are the surveyed sources in their
    order, each with the tick at which it begins.
    """

    def __init__(
        self,
        plan: Plan,
        shards: Shards,
        backend: BackendChoice,
        templates: Sequence[Template],
        states: Sequence[tuple[int, LogState]],
    ) -> None:
        self.plan = plan
        self._shards = shards
        self._backend = backend
        self._templates = templates
        self._names = PythonEndpointNames(plan.max_endpoints)
        self._found = FoundEndpoints(self._names, plan.defaults, plan.service_from)
        self._requests = KnownRequests(plan, self._found)(match_exactly=True)
        self.summaries: list[SourceSummary] = []
        self.logs = [
            _Outcome(state.path, state.problem, state.refusal, state.copy_of) for _, state in states
        ]
        self._clocks = [SourceClock(0, tick, ended=state.ended) for tick, state in states]

    @property
    def sources(self) -> list[tuple[str, SourceClock]]:
        """The name and the clock of each source."""
        return [
            (excerpt(log.path), clock) for log, clock in zip(self.logs, self._clocks, strict=True)
        ]

    def is_watched(self, change: Change) -> bool:
        """Does the service of a change own an endpoint?"""
        return self._requests.watches(change.service)

    def list_services(self) -> list[str]:
        """The services that own endpoints, after the run; not those that each are an endpoint."""
        given = self.plan.endpoints
        return sorted({one.name for one in given.endpoints} if given else self._found.services)

    def run(self, packed: DataFrame, summaries: Sequence[SourceSummary]) -> ServiceMonitor:
        """
        Count the packed rows, given what is known of each source that was read. Raises
        ConfigurationError if no log was in a known format, as `Replay.run` does.
        """
        self.use(summaries)
        refusals = [log.refusal for log in self.logs if log.refusal is not None]
        if refusals and len(refusals) == len(self.logs):
            raise refusals[0]
        changes = self._place_changes()
        counted = [one for one in changes if one.tick <= self.plan.last]
        shards = self._count(packed, counted, None)
        names = sorted(list_first(shards))
        if len(names) > self.plan.max_endpoints:
            names = names[: self.plan.max_endpoints]
            shards = self._count(packed, counted, frozenset(name for _, name in names))
        self.admit(name for _, name in names)
        position = self._find_positions(packed, shards, changes)
        placed = [PositionedChange(position(at), tick, change) for at, tick, change in changes]
        known = [one for one in placed if one.tick <= self.plan.last]

        def restore(shard: ShardCount) -> Restoration:
            at = {local: position(place) for local, place in shard.places.items()}
            changes = dict(zip(shard.changes, known, strict=True))
            return Restoration(lambda _, local: at[local], changes)

        return self.finish(shards, placed, restore)

    def use(self, summaries: Sequence[SourceSummary]) -> None:
        """Take what is known of the sources, one summary of each that was read."""
        self.summaries = list(summaries)
        for summary in self.summaries:
            self._clocks[summary.source - 1] = summary.clock
            outcome = self.logs[summary.source - 1]
            outcome.problem, outcome.refusal = summary.problem, summary.refusal

    def _place_changes(self) -> list[PlacedChange]:
        """All changes to watched services, in the order of their places."""
        ticks = [tick for tick, _ in self.plan.changes]
        dated = [
            PlacedChange(Place(time, 0, rank), tick, change)
            for rank, (time, (tick, change)) in enumerate(
                zip(accumulate(ticks, max), self.plan.changes, strict=True)
            )
            if self.is_watched(change)
        ]
        in_logs = (one for summary in self.summaries for one in summary.changes)
        return sorted([*dated, *in_logs], key=lambda one: one.place)

    def _count(
        self,
        packed: DataFrame,
        changes: Sequence[PlacedChange],
        admitted: frozenset[bytes] | None,
    ) -> list[ShardCount]:
        plan, newest = lighten(self.plan), self._newest()
        task = CountShards(plan, self._shards, self._backend, changes, newest, admitted)
        rows = (
            packed.where(f"kind = {ACCESSES}")
            .repartitionById(self._shards.count, "shard")
            .mapInArrow(task.__call__, COUNTED)
            .collect()
        )
        return list(read_blobs(rows))

    def _newest(self) -> int:
        newest = [clock.newest for clock in self._clocks]
        newest += [summary.watched_until for summary in self.summaries]
        return min(max(newest, default=0), self.plan.last)

    def _find_positions(
        self, packed: DataFrame, shards: Iterable[ShardCount], changes: Iterable[PlacedChange]
    ) -> Callable[[Place], int]:
        """The positions of all places in the stream."""
        places = {place for shard in shards for place in shard.places.values()}
        ordered = sorted(places | {one.place for one in changes})
        if not ordered:
            return dict[Place, int]().__getitem__
        # What stands in a partition is counted in less time than a task takes to start.
        cores = packed.sparkSession.sparkContext.defaultParallelism
        order = packed.where(f"kind = {ORDER}").coalesce(cores)
        rows = order.mapInArrow(CountBefore(ordered).__call__, COUNTED).collect()
        before = sum(read_blobs(rows), start=np.zeros(len(ordered), np.int64))
        times = list(accumulate((tick for tick, _ in self.plan.changes), max))
        earlier = np.searchsorted(times, [place.time for place in ordered], "right").tolist()

        def count(place: Place, counted: int, changed: int) -> int:
            if not place.source:
                return counted + place.rank
            return counted + changed + place.equal + (0 if self._shards.ranked else place.rank)

        positions = map(count, ordered, before.tolist(), earlier)
        return dict(zip(ordered, positions, strict=True)).__getitem__

    def admit(self, names: Iterable[bytes]) -> None:
        """Admit the endpoints that were found, in the order of their first accesses."""
        for name in names:
            self._names.accept(self._names.key(name))

    def finish(
        self,
        shards: Sequence[ShardCount],
        placed: Sequence[PositionedChange],
        restore: Callable[[ShardCount], Restoration],
    ) -> ServiceMonitor:
        """
        The result of all shards, whose endpoints are admitted. `placed` are the changes to watched
        services, and `restore` says how positions in a shard become positions in the run.
        """
        plan, summaries = self.plan, self.summaries
        given = plan.endpoints
        endpoints: Sequence[Endpoint] = self._found if given is None else given.endpoints
        known = [one for one in placed if one.tick <= plan.last]
        if given is None:
            self._found.settle({one.change.service for one in known})
        incidents = [
            incident
            for shard in shards
            for incident in restore(shard).list_incidents(shard, self._list_keys(shard), endpoints)
        ]
        began = min((shard.began for shard in shards if shard.began), default=None)
        span = TimeRange(began and began[1], max((shard.newest for shard in shards), default=0))
        deploys = [one for one in known if self.is_watched(one.change)]
        totals = self._add_up(shards, endpoints, deploys, span)
        order = Order(1 + len(self._clocks), PythonRowBuffer(1))
        order.start([SourceClock(ended=True), *self._clocks])
        in_logs = sum(one.noted for one in summaries)
        unwatched = len(plan.changes) + in_logs - len(placed)
        dropped = sum(shard.dropped for shard in shards)
        order.position = len(plan.changes) + sum(one.events for one in summaries)
        order.accesses = sum(totals.requests)
        order.unmatched = unwatched + dropped + sum(one.unmatched for one in summaries)
        order.excluded_changes = len(placed) - len(known)
        order.excluded = sum(one.excluded for one in summaries)
        order.blank = sum(one.blank for one in summaries)
        reference = ReferenceParser(
            order,
            _ignore,
            changes=len(placed),
            rejected=sum(one.rejected for one in summaries),
            missing=sum(one.missing for one in summaries),
            excluded=sum((one.reasons for one in summaries), Counter[str]()),
        )
        self._names.capped = dropped + sum(one.capped for one in summaries)
        accounting = Accounts(plan, order, reference, self._names).sum_up(
            late=sum(shard.late for shard in shards),
            lines=sum(one.lines for one in summaries),
            deploys=len(deploys),
            grouped_paths=sum(one.replaced for one in self._templates),
        )
        return ServiceMonitor(incidents, accounting, (), totals)

    def _list_keys(self, shard: ShardCount) -> list[int]:
        """The keys of the endpoints that a shard has counted, in its order."""
        return [self._names.key(name) for name in shard.names] or list(shard.keys)

    def _add_up(
        self,
        shards: Iterable[ShardCount],
        endpoints: Sequence[Endpoint],
        deploys: Sequence[PositionedChange],
        span: TimeRange,
    ) -> Totals:
        totals = Totals(endpoints, deploys=deploys, span=span)
        for column in (totals.requests, totals.failures):
            column.frombytes(bytes(8 * len(endpoints)))
        for shard in shards:
            counts = zip(self._list_keys(shard), shard.requests, shard.failures, strict=True)
            for key, requests, failures in counts:
                totals.requests[key], totals.failures[key] = requests, failures
        return totals


def list_first(shards: Iterable[ShardCount]) -> Iterable[tuple[Place, bytes]]:
    """The places of the first accesses to all endpoints that were found, and their names."""
    for shard in shards:
        yield from zip(shard.first, shard.names, strict=False)


@dataclass(frozen=True, slots=True)
class Restoration:
    """
    How the incidents of a shard get the positions of the run. `locate` takes the tick and the
    position of an access in the shard, and `changes` are by their positions in the shard.
    """

    locate: Callable[[int, int], int]
    changes: Mapping[int, PositionedChange]

    def list_incidents(
        self, shard: ShardCount, keys: Sequence[int], endpoints: Sequence[Endpoint]
    ) -> Iterable[Incident]:
        """The incidents of a shard, with the keys and the positions of the run."""
        key_of = dict(zip(shard.keys, keys, strict=True))
        for one in shard.incidents:
            key, end, at = key_of.get(one.key), one.end, one.end_position
            if key is None:
                continue  # its endpoint is not admitted
            yield replace(
                one,
                key=key,
                endpoint=endpoints[key],
                start_position=self.locate(one.start, one.start_position),
                end_position=None if end is None or at is None else self.locate(end, at),
                breaking=self._restore(one.breaking),
                fixing=one.fixing and self._restore(one.fixing),
            )

    def _restore(self, candidates: Candidates) -> Candidates:
        known = tuple(self.changes[one.position] for one in candidates.changes)
        return replace(candidates, changes=known)


@contextmanager
def keep(packed: DataFrame) -> Iterator[DataFrame]:
    """Keep packed rows on the disks of the executors, so that they are packed once."""
    from pyspark import StorageLevel  # noqa: PLC0415 (an extra)

    kept = packed.persist(StorageLevel.DISK_ONLY)
    try:
        yield kept
    finally:
        kept.unpersist()


def read_summaries(packed: DataFrame) -> list[SourceSummary]:
    """All summaries among packed rows."""
    return list(read_blobs(packed.where(f"kind = {SUMMARY}").select("blob").collect()))


def _ignore(_: object) -> None:
    """The hook for malformed lines, which the tasks have counted."""


def lighten(plan: Plan) -> Plan:
    """The plan without what tasks do not need."""
    return replace(plan, logs=(), changes=())

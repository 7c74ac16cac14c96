"""
The machine of one shard: feed it batches, and it answers with the incidents that opened, closed or
expired.

    batch -> windows -> crossings -> incidents, with the candidates of their attribution
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from slomon.core.batching import Batch
from slomon.core.endpoints import Endpoint, ShardEndpoints
from slomon.core.events import EVERY_SERVICE, PositionedChange
from slomon.core.incident import NO_CANDIDATES, Candidates, ChangeLog, Incident, IncidentStats
from slomon.core.sli_series import SeriesRecorder
from slomon.core.statistics import Counts
from slomon.core.windows import Windows
from slomon.kernels.windows import EXPIRED, MARKS, OPENED, Crossing, EndpointTotals

_NO_MARKS: Final = array("q", bytes(8 * MARKS))
"""The marks of an endpoint before its first change."""


class AnyWindows(Protocol):
    """The windows of either backend: `core.windows.Windows` documents the methods."""

    marks: array[int]
    series: SeriesRecorder | None

    @property
    def late(self) -> int: ...
    @property
    def count(self) -> int: ...
    def columns(self) -> Iterator[tuple[str, array[int] | array[float]]]: ...
    def grow(self, count: int, defaults: Endpoint) -> None: ...
    def mark(self, slots: array[int]) -> None: ...
    def totals_of(self, slot: int) -> EndpointTotals: ...
    def deadline(self, slot: int) -> int | None: ...
    def expire(self, slot: int, tick: int) -> None: ...
    def totals(self) -> tuple[array[int], array[int]]: ...
    def advance(self, batch: Batch) -> list[Crossing]: ...


class Shard:
    """
    The windows, the changes and the open incidents of the endpoints that one worker owns. New
    endpoints may be found during the run, all with the same SLO and window.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        windows: AnyWindows | None = None,
        *,
        changes: Iterable[PositionedChange] = (),
        open_incidents: Mapping[int, Incident] | None = None,
    ) -> None:
        self.windows: AnyWindows = Windows(endpoints) if windows is None else windows
        self.changes = ChangeLog(changes)
        self.open: dict[int, Incident] = dict(open_incidents or {})
        self.members = (
            endpoints if isinstance(endpoints, ShardEndpoints) else ShardEndpoints(endpoints, 0, 1)
        )
        self._slots_of: dict[str, array[int]] = {}  # by service
        self._indexed = 0  # how many slots are in it
        self._indexes_all = False  # are services of one endpoint, named after it, in it as well?

    @property
    def late(self) -> int:
        """The number of accesses that were older than the newest one of their endpoint."""
        return self.windows.late

    def advance(self, batch: Batch) -> list[Incident]:
        """
        Feed the next batch. Return the incidents that opened or ended in it, in stream order. An
        incident that did both is in the list twice.
        """
        added = len(self.members) - self.windows.count
        if added > 0:
            self.windows.grow(added, self.members[self.windows.count])
        updated: list[Incident] = []
        start = 0
        for positioned in batch.changes:
            end = bisect_left(batch.positions, positioned.position, start)
            updated += self._feed(batch, start, end)
            self._record_change(positioned)
            start = end
        return updated + self._feed(batch, start, len(batch.slots))

    def next_expiry(self) -> int | None:
        """
        The tick at which the first open incident expires if its endpoint has no access until then;
        None if none expires.
        """
        return min(self._deadlines(), default=(None, 0))[0]

    def close_expired(self, now: int) -> list[Incident]:
        """
        Expire the incidents whose deadline is `now` or earlier. Return them in order of their ends,
        then of their slots. If an access to one of these endpoints arrives late, with an older
        time, it counts at the end of the incident.
        """
        due = sorted(one for one in self._deadlines() if one[0] <= now)
        return [self._expire(slot, deadline) for deadline, slot in due]

    def still_open(self) -> list[Incident]:
        """The open incidents, with their statistics up to now."""
        return [
            replace(incident, stats=_make_stats(incident.before, self.windows.totals_of(slot)))
            for slot, incident in self.open.items()
        ]

    def _feed(self, batch: Batch, start: int, end: int) -> list[Incident]:
        """Feed the rows from `start` to `end` of a batch, between which there is no change."""
        if start == end:
            return []
        if end - start < len(batch.slots):
            part = slice(start, end)
            slots, ticks = batch.slots[part], batch.ticks[part]
            batch = Batch(slots, ticks, batch.failures[part], batch.positions[part], [])
        return [self._cross(crossing) for crossing in self.windows.advance(batch)]

    def _record_change(self, positioned: PositionedChange) -> None:
        self.changes.record(positioned)
        self.windows.mark(self._find_slots(positioned.change.service))

    def _find_slots(self, service: str) -> array[int]:
        """The slots of the endpoints of a service that are known so far."""
        count = self.windows.count
        if service == EVERY_SERVICE:
            return array("q", range(count))
        if " " in service and not self._indexes_all:  # may be named after an endpoint
            self._slots_of, self._indexed, self._indexes_all = {}, 0, True
        services: Iterable[str] = self.members.list_services(self._indexed, count)
        if self._indexes_all:
            services = (self.members[slot].name for slot in range(self._indexed, count))
        for slot, one in enumerate(services, self._indexed):
            if one:
                self._slots_of.setdefault(one, array("q")).append(slot)
        self._indexed = count
        return self._slots_of.get(service, array("q"))

    def _deadlines(self) -> Iterator[tuple[int, int]]:
        """The deadline and the slot of each open incident that may expire."""
        for slot in self.open:
            deadline = self.windows.deadline(slot)
            if deadline is not None:
                yield deadline, slot

    def _expire(self, slot: int, deadline: int) -> Incident:
        incident = self.open.pop(slot)
        totals = self.windows.totals_of(slot)
        self.windows.expire(slot, deadline)
        stats = _make_stats(incident.before, totals)
        return replace(incident, stats=stats, end=deadline, recovery=totals.recovery_tick)

    def _cross(self, crossing: Crossing) -> Incident:
        """The incident that a crossing opened or ended."""
        if crossing.kind == OPENED:
            return self._open(crossing)
        incident = self.open.pop(crossing.slot)
        if crossing.kind == EXPIRED:
            stats = _make_stats(incident.before, crossing)
            return replace(
                incident, stats=stats, end=crossing.tick, recovery=crossing.recovery_tick
            )
        fixing = self._find_candidates(crossing, incident.endpoint, crossing.recovery_tick)
        return replace(
            incident,
            stats=_make_stats(incident.before, crossing),
            end=crossing.tick,
            end_position=crossing.position,
            fixing=fixing,
            recovery=crossing.recovery_tick,
        )

    def _open(self, crossing: Crossing) -> Incident:
        slot, endpoint = crossing.slot, self.members[crossing.slot]
        before = crossing.requests - 1, crossing.failures - crossing.failed
        incident = self.open[slot] = Incident(
            self.members.key(slot),
            endpoint,
            crossing.tick,
            crossing.position,
            crossing.onset_tick,
            (crossing.onset_requests, crossing.onset_failures),
            (crossing.surge_tick, crossing.surge_requests, crossing.surge_failures),
            before,
            self._find_candidates(crossing, endpoint, crossing.onset_tick),
            _make_stats(before, crossing),
        )
        return incident

    def _find_candidates(self, crossing: Crossing, endpoint: Endpoint, since: int) -> Candidates:
        """The changes that may explain a crossing: see `ChangeLog.list_candidates` for `since`."""
        changes, omitted = self.changes.list_candidates(endpoint.name, since)
        if not changes:
            return NO_CANDIDATES
        at = MARKS * crossing.slot
        requests, failures, requests_before, failures_before = (
            self.windows.marks[at : at + MARKS] or _NO_MARKS
        )
        return Candidates(
            changes,
            omitted,
            Counts(requests - requests_before, failures - failures_before),
            Counts(crossing.requests - requests, crossing.failures - failures),
        )


def _make_stats(before: tuple[int, int], now: EndpointTotals | Crossing) -> IncidentStats:
    """The statistics of an incident, from the totals of its endpoint before it and now."""
    return IncidentStats(
        now.requests - before[0],
        now.failures - before[1],
        now.last_failure_tick,
        now.min_sli_requests,
        now.min_sli_failures,
        now.min_sli_tick,
    )

"""One shard's whole machine: feed it batches, it answers with the incidents that moved."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from slomon.core.batching import Batch
from slomon.core.endpoints import Endpoint, ShardEndpoints
from slomon.core.events import EVERY_SERVICE, PositionedChange
from slomon.core.incident import NO_SUSPICION, Candidates, ChangeLog, Incident, IncidentStats
from slomon.core.sli_series import SeriesRecorder
from slomon.core.statistics import Counts
from slomon.core.windows import Windows
from slomon.kernels.window import EXPIRED, MARKS, OPENED, Crossing, EndpointTotals


class AnyWindows(Protocol):
    """Windows at either speed."""

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
    Windows, changes and open incidents of the endpoints that one worker owns. More endpoints may
    be found while it runs, all with the SLO and the window of the others.
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
        self._owned: dict[str, array[int]] = {}  # slots, by service
        self._sorted_out = 0  # slots

    @property
    def late(self) -> int:
        """How many accesses were older than the newest one of their endpoint."""
        return self.windows.late

    def advance(self, batch: Batch) -> list[Incident]:
        """Feed the next batch: the incidents that opened in it or ended, in stream order."""
        found = len(self.members) - self.windows.count
        if found > 0:
            self.windows.grow(found, self.members[0])
        moved: list[Incident] = []
        start = 0
        for positioned in batch.changes:
            end = bisect_left(batch.positions, positioned.position, start)
            moved += self._feed(batch, start, end)
            self._note(positioned)
            start = end
        return moved + self._feed(batch, start, len(batch.slots))

    def next_silence(self) -> int | None:
        """
        When the first open incident expires, if its endpoint has no access before; None
        where none does.
        """
        return min(self._deadlines(), default=(None, 0))[0]

    def close_expired(self, now: int) -> list[Incident]:
        """
        Return the incidents that expired by `now`, in order of their ends and then of their slots.
        No access that comes later counts before that tick.

        An access to one of these endpoints may come late nevertheless: it counts at that end.
        """
        due = sorted(found for found in self._deadlines() if found[0] <= now)
        return [self._fall_silent(slot, deadline) for deadline, slot in due]

    def still_open(self) -> list[Incident]:
        """The incidents that are open, each with its course until now."""
        return [
            replace(incident, stats=_follow(incident.before, self.windows.totals_of(slot)))
            for slot, incident in self.open.items()
        ]

    def _feed(self, batch: Batch, start: int, end: int) -> list[Incident]:
        """Count some accesses of a batch, between which no change came."""
        if start == end:
            return []
        if end - start < len(batch.slots):
            part = slice(start, end)
            slots, ticks = batch.slots[part], batch.ticks[part]
            batch = Batch(slots, ticks, batch.failures[part], batch.positions[part], [])
        return [self._cross(crossing) for crossing in self.windows.advance(batch)]

    def _note(self, positioned: PositionedChange) -> None:
        self.changes.record(positioned)
        self.windows.mark(self._find_owned(positioned.change.service))

    def _find_owned(self, service: str) -> array[int]:
        """The slots of the endpoints of a service, as far as there are any yet."""
        count = self.windows.count
        if service == EVERY_SERVICE:
            return array("q", range(count))
        for slot in range(self._sorted_out, count):
            self._owned.setdefault(self.members[slot].name, array("q")).append(slot)
        self._sorted_out = count
        return self._owned.get(service, array("q"))

    def _deadlines(self) -> Iterator[tuple[int, int]]:
        """When open incidents expire, and their slots."""
        for slot in self.open:
            deadline = self.windows.deadline(slot)
            if deadline is not None:
                yield deadline, slot

    def _fall_silent(self, slot: int, deadline: int) -> Incident:
        incident = self.open.pop(slot)
        stats = _follow(incident.before, self.windows.totals_of(slot))
        self.windows.expire(slot, deadline)
        return replace(incident, stats=stats, end=deadline)

    def _cross(self, crossing: Crossing) -> Incident:
        if crossing.kind == OPENED:
            return self._open(crossing)
        incident = self.open.pop(crossing.slot)
        if crossing.kind == EXPIRED:
            stats = _follow(incident.before, crossing)
            return replace(incident, stats=stats, end=crossing.tick)
        fixing = self._suspect(crossing, incident.endpoint, crossing.failed_position)
        return replace(
            incident,
            stats=_follow(incident.before, crossing),
            end=crossing.tick,
            end_position=crossing.position,
            fixing=fixing,
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
            before,
            self._suspect(crossing, endpoint, crossing.onset_position),
            _follow(before, crossing),
        )
        return incident

    def _suspect(self, crossing: Crossing, endpoint: Endpoint, since: int) -> Candidates:
        changes, omitted = self.changes.list_candidates(endpoint.name, since)
        if not changes:
            return NO_SUSPICION
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


def _follow(before: tuple[int, int], now: EndpointTotals | Crossing) -> IncidentStats:
    """The course of an incident until now, of an endpoint with these totals before it."""
    return IncidentStats(
        now.requests - before[0],
        now.failures - before[1],
        now.failed_tick,
        now.lowest_requests,
        now.lowest_failures,
        now.lowest_tick,
    )


_NO_MARKS: Final = array("q", bytes(8 * MARKS))

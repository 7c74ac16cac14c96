"""
What a live monitor runs on: the same parts as any run, fed in place. A request costs it a row in a
batch; queues between tasks would cost more than all that is done with it, and so there are none.
What it answers can be read between two batches, and from any thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, astuple, replace
from itertools import chain
from threading import Lock
from typing import Final, NamedTuple

from slomon.core.batching import TimeRange
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.events import Accounting, PositionedChange, Rejection, StatusRule, append_bounded
from slomon.core.incident import Incident
from slomon.core.records import IncidentRecord, list_services, make_record
from slomon.core.shard import Shard
from slomon.core.summary import add_up
from slomon.core.ticks import parse_seconds, show_tick
from slomon.core.windows import Windows, carry_marks, carry_over
from slomon.live_monitor.incident_history import History
from slomon.live_monitor.ingest import Deploy, LiveBatcher, RawEvent
from slomon.live_monitor.snapshot import LiveAccounting, Snapshot, SnapshotData
from slomon.state.encoding import (
    Saved,
    Sections,
    load_shard,
    pack_change,
    pack_incidents,
    save_changes,
    save_windows,
    series_state,
    unpack_change,
    unpack_incidents,
    window_state,
)

_RECENT: Final = 100
_PART: Final = 500  # incidents: no thread but one runs while a section is made JSON


class FeedResult(NamedTuple):
    """
    What came of some events: as they counted, the incidents that opened or ended, and what was
    rejected.
    """

    items: Sequence[RawEvent]
    moved: list[Incident]
    rejections: list[Rejection]


class Engine:
    """The endpoints of a catalogue, in one shard. Each method is one step that nothing divides."""

    def __init__(
        self,
        catalogue: Catalogue,
        is_failure: StatusRule,
        *,
        min_requests: int,
        no_traffic: int | None,
        sli_series: bool,
        stale_after: int,
        history: int,
        resolution: int,
    ) -> None:
        sharding = Sharding(catalogue, 1)
        self._lock = Lock()
        self._batcher = LiveBatcher(sharding, is_failure)
        members = sharding.members[0]
        self._windows = Windows(
            members,
            min_requests=min_requests,
            no_traffic=no_traffic,
            sli_series=sli_series,
            resolution=resolution,
        )
        self._shard = Shard(members, self._windows)
        self._history = History(len(members), history)
        self._bound = history
        self._stale_after = stale_after
        self._rejections: list[Rejection] = []
        self._told_until = 0
        self.removed_endpoints: list[str] = []
        """Endpoints of the state it went on from which it doesn't have: what they had is gone."""

    @property
    def ok_statuses(self) -> bool:
        """Is no incident open?"""
        return not self._shard.open

    def feed(self, items: Sequence[RawEvent]) -> FeedResult:
        """Count the next events."""
        with self._lock:
            if self._told_until:
                items = [_count_from(self._told_until, item) for item in items]
            cut = self._batcher.cut(items)
            moved = [one for _, batch in cut.batches for one in self._shard.advance(batch)]
            for incident in moved:
                self._history.note(incident)
            del self._batcher.deploys[: -self._bound]
            for rejection in cut.rejections:
                append_bounded(self._rejections, rejection)
            return FeedResult(items, moved, cut.rejections)

    @property
    def newest(self) -> int:
        """The newest tick of any access: one may be of a later time than the clock's."""
        return self._batcher.newest

    def next_silence(self) -> int | None:
        """When the first open incident ends, if its endpoint is asked no more before."""
        with self._lock:
            deadline = self._shard.next_expiry()
            return None if deadline is None else self._next_step(deadline)

    def close_expired(self, now: int) -> list[Incident]:
        """
        End the incidents that have expired by now. What was told stands: no event counts
        before it any more.
        """
        with self._lock:
            ended = self._shard.close_expired(now)
            self._told_until = max(
                [self._told_until, *(self._next_step(one.end or 0) for one in ended)]
            )
            for incident in ended:
                self._history.note(incident)
            return ended

    def describe(self, moved: Sequence[Incident]) -> list[IncidentRecord]:
        """The records of incidents which have just opened or ended, in their order."""
        with self._lock:
            near = self._history.recent(_RECENT)
            requests = [self._windows.totals_of(incident.key).requests for incident in moved]
            began = self._batcher.span.began or 0
        return [
            make_record(incident, count, self._stale_after, began, list_services(near, incident))
            for incident, count in zip(moved, requests, strict=True)
        ]

    def read(self, now: int, dropped: Mapping[str, int]) -> Snapshot:
        """Where everything stands."""
        with self._lock:
            reading = self._read(now, dropped)
        return Snapshot(reading, self._stale_after)

    def save(self) -> Sections:
        """All there is, as sections of a state; what takes long is done as they are taken."""
        with self._lock:
            # Copies, as the loop goes on with what these are of while they are written.
            windows = [(name, copy(section)) for name, section in save_windows(0, self._shard)]
            changes = save_changes(0, list(self._shard.changes), dict(self._shard.open))
            deploys = list(self._batcher.deploys)
            incidents = list(self._history.incidents.values())
            counts = {
                "endpoints": [[one.name, one.verb, one.resource] for one in self._shard.members],
                "accounting": astuple(self._batcher.accounting),
                "span": astuple(self._batcher.span),
                "newest": self._batcher.newest,
                "told until": self._told_until,
                "history": self._history.save(),
                "parts": len(range(0, len(incidents), _PART)),
            }
        return chain(counts.items(), windows, changes, _pack(deploys, incidents))

    def load(self, saved: Saved) -> None:
        """
        Go on from what was saved; endpoints are known again by service, verb and resource. Raises
        ValueError, LookupError or TypeError where it has not what an engine saves: this one is
        spoilt then.
        """
        with self._lock:
            self._load(saved)

    def _load(self, saved: Saved) -> None:
        then = {tuple(name): key for key, name in enumerate(saved["endpoints"])}
        members = self._shard.members
        places = {
            then[name]: slot
            for slot, one in enumerate(members)
            if (name := (one.name, one.verb, one.resource)) in then
        }
        self.removed_endpoints = [" ".join(name) for name, key in then.items() if key not in places]
        batcher, state = self._batcher, self._windows.state
        min_requests, no_traffic = state.min_requests, state.no_traffic
        batcher.accounting = Accounting(*saved["accounting"])
        batcher.span = TimeRange(*saved["span"])
        batcher.newest = saved["newest"]
        self._told_until = saved["told until"]
        batcher.deploys = [unpack_change(fields) for fields in saved["deploys"]]
        load_shard(0, self._shard, saved)
        self._windows.state = carry_over(window_state(0, saved), members, places)
        self._windows.state.min_requests[:], self._windows.state.no_traffic[:] = (
            min_requests,
            no_traffic,
        )
        self._go_on_with_trace(saved, places)
        self._windows.marks = carry_marks(self._windows.marks, len(members), places)
        self._shard.open = {
            places[slot]: replace(incident, key=places[slot])
            for slot, incident in self._shard.open.items()
            if slot in places
        }
        self._history.load(saved["history"], _unpack(saved), places)

    def _go_on_with_trace(self, saved: Saved, places: Mapping[int, int]) -> None:
        """A trace of other endpoints, or none, is no beginning: then it begins here."""
        series = self._windows.series
        if series is None:
            return
        then, now = len(saved["endpoints"]), len(series.state.current_index)
        if "shard 0 series current_index" in saved and _stay(places, then, now):
            series.state = series_state(0, saved)
        else:
            requests, failures = self._windows.totals()
            series.state.past_requests[:], series.state.past_failures[:] = requests, failures

    def _read(self, now: int, dropped: Mapping[str, int]) -> SnapshotData:
        shard, batcher, history = self._shard, self._batcher, self._history
        incidents = dict(history.incidents)
        incidents.update((incident.start_position, incident) for incident in shard.still_open())
        slots = range(len(shard.members))
        totals = add_up([shard], list(batcher.deploys), replace(batcher.span))
        return SnapshotData(
            now,
            list(incidents.values()),
            self._account(dropped),
            list(self._rejections),
            totals,
            [self._windows.peek(slot, now) for slot in slots],
            [history.tally(slot) for slot in slots],
            dict(history.services),
            *(history.repaired, history.ticks, history.forgotten),
        )

    def _next_step(self, tick: int) -> int:
        """The first tick that counts at none before this one."""
        step = self._windows.resolution
        return -(-tick // step) * step if step else tick

    def _account(self, dropped: Mapping[str, int]) -> LiveAccounting:
        counted = replace(self._batcher.accounting, late=self._shard.late)
        return LiveAccounting(**asdict(counted), dropped=dict(dropped))


def _count_from(tick: int, told: RawEvent) -> RawEvent:
    """A request that comes later than it should counts at that tick."""
    if isinstance(told, tuple) and not isinstance(told, Deploy):
        return max(told[0], tick), *told[1:]
    if not isinstance(told, str):
        return told
    stamp, space, request = told.partition(" ")
    at = parse_seconds(stamp)
    return told if at is None or at >= tick else f"{show_tick(tick)}{space}{request}"


def _pack(deploys: Iterable[PositionedChange], incidents: Sequence[Incident]) -> Sections:
    yield "deploys", [pack_change(positioned) for positioned in deploys]
    for number, first in enumerate(range(0, len(incidents), _PART)):
        yield f"incidents {number}", pack_incidents(incidents[first : first + _PART])


def _unpack(saved: Saved) -> Iterator[Incident]:
    for number in range(saved["parts"]):
        yield from unpack_incidents(saved[f"incidents {number}"])


def _stay(places: Mapping[int, int], then: int, now: int) -> bool:
    """Are the endpoints of then those of now, in their places?"""
    return then == now == len(places) and all(old == new for old, new in places.items())

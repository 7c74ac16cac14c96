"""
The engine of a live monitor: the same parts as in any run, called directly. A request costs a row
in a batch; queues between tasks would cost more than everything else that is done with a request.
Answers can be read between two batches, from any thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, astuple, replace
from itertools import chain
from threading import Lock
from typing import Final, NamedTuple

from slomon.core.batching import StreamState, TimeRange
from slomon.core.endpoints import Catalogue, Endpoint, Sharding
from slomon.core.events import Accounting, PositionedChange, Rejection, append_bounded
from slomon.core.incident import Incident
from slomon.core.incident_records import IncidentRecord, list_services, make_record
from slomon.core.shard import Shard
from slomon.core.statuses import StatusTable
from slomon.core.summary import add_up
from slomon.core.ticks import parse_seconds, show_tick
from slomon.core.windows import Windows, carry_marks, carry_over
from slomon.live_monitor.batching import Deploy, LiveBatcher, RawEvent
from slomon.live_monitor.incident_history import History
from slomon.live_monitor.snapshot import LiveAccounting, Snapshot, SnapshotData
from slomon.state.encoding import (
    Saved,
    Sections,
    ShardState,
    StreamBounds,
    load_shard,
    pack_change,
    pack_incidents,
    save_changes,
    save_windows,
    series_state,
    unpack_change,
    unpack_incidents,
)
from slomon.state.validation import check_counts, check_texts, demand

_RECENT: Final = 100
_PART: Final = 500  # incidents a section: making its JSON blocks all other threads


class FeedResult(NamedTuple):
    """
    The result of some events: the events with the times at which they were counted, the incidents
    that opened or ended, and the rejections.
    """

    items: Sequence[RawEvent]
    moved: list[Incident]
    rejections: list[Rejection]


class Engine:
    """
    Counts the events of the endpoints of a catalogue, in one shard. Each method is atomic.

    `saved` is a state that an engine saved: the new one continues from it. Endpoints are identified
    by service, verb and resource. Raises ValueError, LookupError or TypeError if it is invalid.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        statuses: StatusTable,
        *,
        min_requests: int,
        no_traffic: int | None,
        sli_series: bool,
        stale_after: int,
        history: int,
        resolution: int,
        saved: Saved | None = None,
    ) -> None:
        sharding = Sharding(catalogue, 1)
        self._lock = Lock()
        stream = None if saved is None else _restore_stream(saved)
        self._batcher = LiveBatcher(sharding, statuses, stream)
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
        self._closed_until = 0
        self.removed_endpoints: list[str] = []
        """Endpoints of the saved state that are no longer watched: their windows were dropped."""
        if saved is not None:
            self._restore(saved)

    @property
    def ok_statuses(self) -> bool:
        """Is no incident open?"""
        return not self._shard.open

    def feed(self, items: Sequence[RawEvent]) -> FeedResult:
        """Count the next events."""
        with self._lock:
            if self._closed_until:
                items = [_count_from(self._closed_until, item) for item in items]
            result = self._batcher.cut(items)
            moved = [one for _, batch in result.batches for one in self._shard.advance(batch)]
            for incident in moved:
                self._history.note(incident)
            del self._batcher.state.deploys[: -self._bound]
            for rejection in result.rejections:
                append_bounded(self._rejections, rejection)
            return FeedResult(items, moved, result.rejections)

    @property
    def newest(self) -> int:
        """The newest tick of any access, which may be later than the clock."""
        return self._batcher.state.newest

    def next_expiry(self) -> int | None:
        """When the first open incident expires if its endpoint has no request before, or None."""
        with self._lock:
            deadline = self._shard.next_expiry()
            return None if deadline is None else self._next_step(deadline)

    def close_expired(self, now: int) -> list[Incident]:
        """
        End the incidents that have expired by `now`. Their ends were reported and stay: later
        events never count before them.
        """
        with self._lock:
            ended = self._shard.close_expired(now)
            self._closed_until = max(
                [self._closed_until, *(self._next_step(one.end or 0) for one in ended)]
            )
            for incident in ended:
                self._history.note(incident)
            return ended

    def describe(self, moved: Sequence[Incident]) -> list[IncidentRecord]:
        """The records of incidents that have just opened or ended, in the same order."""
        with self._lock:
            near = self._history.recent(_RECENT)
            requests = [self._windows.totals_of(incident.key).requests for incident in moved]
            began = self._batcher.state.span.began or 0
        return [
            make_record(incident, count, self._stale_after, began, list_services(near, incident))
            for incident, count in zip(moved, requests, strict=True)
        ]

    def read(self, now: int, dropped: Mapping[str, int]) -> Snapshot:
        """A snapshot of the present state."""
        with self._lock:
            data = self._read(now, dropped)
        return Snapshot(data, self._stale_after)

    def save(self) -> Sections:
        """The whole state, as sections of a file. Slow parts are made during the iteration."""
        with self._lock:
            # Copies: the engine continues while the sections are written.
            windows = [(name, copy(section)) for name, section in save_windows(0, self._shard)]
            changes = save_changes(0, list(self._shard.changes), dict(self._shard.open))
            deploys = list(self._batcher.state.deploys)
            incidents = list(self._history.incidents.values())
            counts = {
                "endpoints": [[one.name, one.verb, one.resource] for one in self._shard.members],
                "accounting": _list_counts(self._batcher.state.accounting),
                "span": astuple(self._batcher.state.span),
                "newest": self._batcher.state.newest,
                "told until": self._closed_until,
                "history": self._history.save(),
                "parts": len(range(0, len(incidents), _PART)),
            }
        return chain(counts.items(), windows, changes, _pack(deploys, incidents))

    def _restore(self, saved: Saved) -> None:
        """Replace the parts by those that continue from the saved state."""
        members, then = self._shard.members, _saved_slots(saved)
        slots = {
            then[name]: slot
            for slot, one in enumerate(members)
            if (name := (one.name, one.verb, one.resource)) in then
        }
        self.removed_endpoints = [" ".join(name) for name, key in then.items() if key not in slots]
        self._closed_until = saved["told until"]
        check_counts([self._closed_until])
        stream = self._batcher.state
        newest = max(stream.span.ended, self._closed_until)
        state = load_shard(0, saved, StreamBounds(stream.accounting.events, newest))
        demand(len(then) == len(state.windows.width), "the windows are of other endpoints")
        self._windows = _restore_windows(saved, state, self._windows, members, slots)
        open_incidents = {
            slots[slot]: replace(incident, key=slots[slot])
            for slot, incident in state.open.items()
            if slot in slots
        }
        self._shard = Shard(
            members, self._windows, changes=state.changes, open_incidents=open_incidents
        )
        incidents = list(_unpack(saved))
        _check_history(saved, incidents, state, then)
        self._history = History.restore(
            *(saved["history"], incidents, slots),
            endpoints=len(members),
            bound=self._bound,
        )

    def _read(self, now: int, dropped: Mapping[str, int]) -> SnapshotData:
        shard, stream, history = self._shard, self._batcher.state, self._history
        incidents = dict(history.incidents)
        incidents.update((incident.start_position, incident) for incident in shard.still_open())
        slots = range(len(shard.members))
        totals = add_up([shard], list(stream.deploys), replace(stream.span))
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
        """The first tick of the resolution that is not before this one."""
        step = self._windows.resolution
        return -(-tick // step) * step if step else tick

    def _account(self, dropped: Mapping[str, int]) -> LiveAccounting:
        counted = replace(self._batcher.state.accounting, late=self._shard.late)
        return LiveAccounting(**asdict(counted), dropped=dict(dropped))


def _count_from(tick: int, event: RawEvent) -> RawEvent:
    """The event, at that tick if it is an access with an earlier one."""
    if isinstance(event, tuple) and not isinstance(event, Deploy):
        return max(event[0], tick), *event[1:]
    if not isinstance(event, str):
        return event
    stamp, space, request = event.partition(" ")
    at = parse_seconds(stamp)
    return event if at is None or at >= tick else f"{show_tick(tick)}{space}{request}"


def _pack(deploys: Iterable[PositionedChange], incidents: Sequence[Incident]) -> Sections:
    yield "deploys", [pack_change(positioned) for positioned in deploys]
    for number, first in enumerate(range(0, len(incidents), _PART)):
        yield f"incidents {number}", pack_incidents(incidents[first : first + _PART])


def _unpack(saved: Saved) -> Iterator[Incident]:
    for number in range(saved["parts"]):
        yield from unpack_incidents(saved[f"incidents {number}"])


def _list_counts(accounting: Accounting) -> list[int]:
    """The counts of a stream, which has no excluded events; the windows count the late ones."""
    counts = accounting.events, accounting.accesses, accounting.changes
    return [*counts, accounting.unmatched, accounting.rejected]


def _restore_stream(saved: Saved) -> StreamState:
    counts, newest, span = saved["accounting"], saved["newest"], saved["span"]
    check_counts([*counts, newest, *(tick for tick in span if tick is not None)])
    events, accesses, changes, unmatched, rejected = counts
    demand(events == accesses + changes + unmatched + rejected, "an event is missing")
    began, ended = span
    demand((began is not None) == (accesses > 0), "the time range is not that of accesses")
    demand(ended <= newest, "the time range ends after the newest access")
    return StreamState(
        accounting=Accounting(*counts),
        deploys=[unpack_change(fields) for fields in saved["deploys"]],
        span=TimeRange(*saved["span"]),
        newest=saved["newest"],
    )


def _saved_slots(saved: Saved) -> dict[tuple[str, ...], int]:
    """The slot of each saved endpoint, by service, verb and resource."""
    names: list[Sequence[str]] = saved["endpoints"]
    check_texts(chain.from_iterable(names))
    slots = {tuple(name): slot for slot, name in enumerate(names)}
    demand(len(slots) == len(names), "an endpoint is there twice")
    demand(all(len(name) == 3 for name in slots), "the name of an endpoint is not one")
    return slots


def _check_history(
    saved: Saved,
    incidents: Sequence[Incident],
    state: ShardState,
    slots: Mapping[tuple[str, ...], int],
) -> None:
    """Raise ValueError if a saved history can't be that of the windows and the endpoints."""
    history = saved["history"]
    check_counts([history["forgotten"], *history["repairs"]])
    check_counts(chain(*history["tallies"], (count for _, count in history["services"])))
    check_texts(service for service, _ in history["services"])
    demand(f"incidents {saved['parts']}" not in saved, "there are more incidents than were saved")
    for one in chain(incidents, state.open.values()):
        name = one.endpoint.name, one.endpoint.verb, one.endpoint.resource
        demand(slots.get(name) == one.key, "an incident is of no endpoint")
    kept = {one.start_position: one for one in incidents}
    demand(len(kept) == len(incidents), "two incidents begin at the same position")
    still_open = [one for one in incidents if one.end is None]
    demand(len(still_open) == len(state.open), "the open incidents are not those of the windows")
    for slot, one in state.open.items():
        agree = one.key == slot and kept.get(one.start_position) == one
        demand(agree, "the open incidents are not those of the windows")


def _restore_windows(
    saved: Saved,
    state: ShardState,
    blank: Windows,
    members: Sequence[Endpoint],
    slots: Mapping[int, int],
) -> Windows:
    """Windows that continue from the saved ones, with the options of blank ones."""
    carried = carry_over(state.windows, members, slots)._replace(
        min_requests=blank.state.min_requests, no_traffic=blank.state.no_traffic
    )
    marks = carry_marks(state.marks, len(members), slots)
    windows = Windows.from_state(carried, marks, resolution=blank.resolution)
    if blank.series is None:
        return windows
    then, now = len(saved["endpoints"]), len(members)
    if "shard 0 series current_index" in saved and _are_unchanged(slots, then, now):
        series = series_state(0, saved, state.windows, since_beginning=False)
    else:  # of other endpoints, or none was recorded: the series begin now
        requests, failures = windows.totals()
        series = blank.series.state._replace(past_requests=requests, past_failures=failures)
    return Windows.from_state(carried, marks, series, resolution=blank.resolution)


def _are_unchanged(slots: Mapping[int, int], then: int, now: int) -> bool:
    """Are the saved endpoints the present ones, in the same slots?"""
    return then == now == len(slots) and all(old == new for old, new in slots.items())

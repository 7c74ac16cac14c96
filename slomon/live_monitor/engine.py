"""
The engine of a live monitor: the same parts as in any run, called directly. A request costs a row
in a batch; queues between tasks would cost more than everything else that is done with a request.
Answers can be read between two batches, from any thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from threading import Lock
from typing import Final, NamedTuple

from slomon.core.batching import Batch
from slomon.core.endpoints import Catalogue
from slomon.core.events import Rejection, append_bounded
from slomon.core.incident import Incident
from slomon.core.incident_records import IncidentRecord, Run, make_records
from slomon.core.statuses import StatusTable
from slomon.core.ticks import parse_seconds, show_tick
from slomon.core.totals import add_up
from slomon.core.windows import Windows
from slomon.live_monitor.batching import Deploy, LiveBatcher, RawEvent, drop_repeated
from slomon.live_monitor.durations import DurationTable
from slomon.live_monitor.endpoints import Discovery, LiveEndpoints
from slomon.live_monitor.inputs import CountedBatch, Mark, Marks, Recorded, note_batch
from slomon.live_monitor.live_state import LiveState
from slomon.live_monitor.restoration import restore
from slomon.live_monitor.snapshot import LiveAccounting, Snapshot, SnapshotData
from slomon.live_monitor.window_copy import WindowCopy
from slomon.state.encoding import Saved, Sections

_RECENT: Final = 100


class FeedResult(NamedTuple):
    """
    The result of some events: the events with the times at which they were counted, the incidents
    that opened or ended, the rejections, and the input of the state.
    """

    items: Sequence[RawEvent]
    moved: list[Incident]
    rejections: list[Rejection]
    counted: CountedBatch


class Engine:
    """
    Counts the events of the endpoints of a catalogue, in one shard. Each method is atomic.

    `saved` is a state that an engine saved, and `records` are those of its journal: the new engine
    continues from there. Endpoints are identified by service, verb and resource. With a
    `discovery`, further ones are found in the requests. Raises ValueError, LookupError or TypeError
    if the state is invalid.
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
        records: Sequence[bytes] = (),
        discovery: Discovery | None = None,
    ) -> None:
        self._lock = Lock()
        self._endpoints = LiveEndpoints(catalogue.endpoints, discovery)
        members = self._endpoints.members
        windows = Windows(
            members,
            min_requests=min_requests,
            no_traffic=no_traffic,
            sli_series=sli_series,
            resolution=resolution,
        )
        self._stale_after = stale_after
        self._services = len(self._endpoints.services)
        self._rejections: list[Rejection] = []
        self.removed_endpoints: Sequence[str] = []
        """Endpoints of the saved state that are no longer watched: their windows were dropped."""
        self.invalid_record = ""
        """What is wrong with a record of the journal: neither it nor those after it were used."""
        if saved is None:
            self._state = LiveState.begin(members, windows, history)
        else:
            self._state, self.removed_endpoints, self.invalid_record = restore(
                saved, records, self._endpoints, windows, history
            )
        self._durations = DurationTable()
        self._batcher = LiveBatcher(self._endpoints, statuses, self._state.stream, self._durations)

    @property
    def ok_statuses(self) -> bool:
        """Is no incident open?"""
        return not self._state.shard.open

    def feed(self, items: Sequence[RawEvent], senders: Marks | None = None) -> FeedResult:
        """Count the next events, with the marks of the processes that sent them."""
        marks = senders or {}
        with self._lock:
            state = self._state
            items = drop_repeated(items, state.shard.changes.newest)
            if state.closed_until:
                items = [_count_from(state.closed_until, item) for item in items]
            before, known = state.stream.accounting.events, len(self._endpoints.members)
            result = self._batcher.cut(items)
            batch = result.batches[0][1] if result.batches else Batch([], [], [], [], [])
            moved = state.advance(batch)
            for rejection in result.rejections:
                append_bounded(self._rejections, rejection)
            state.note_senders(marks)
            counted = note_batch(
                before, batch, state.stream, marks, self._endpoints.members[known:]
            )
            return FeedResult(items, moved, result.rejections, counted)

    @property
    def recorded(self) -> Recorded:
        """How far the event log was with the last event; see `note_recorded`."""
        return self._state.recorded

    def note_recorded(self, recorded: Recorded) -> None:
        """The event log has all events so far."""
        with self._lock:
            self._state.recorded = recorded

    @property
    def events(self) -> int:
        """The number of events so far."""
        return self._state.stream.accounting.events

    @property
    def capped(self) -> int:
        """The number of requests to endpoints beyond the most that may be found."""
        return self._endpoints.capped

    @property
    def newest(self) -> int:
        """The newest tick of any access, which may be later than the clock."""
        return self._state.stream.newest

    def renew_lock(self) -> None:
        """Call this in a forked process: another thread of its parent may have held the lock."""
        self._lock = Lock()

    @property
    def resolution(self) -> int:
        """The length in ticks of a step of the windows; 0 if they move continuously."""
        return self._state.windows.resolution

    @property
    def window_entries(self) -> int:
        """How many entries there is room for in the windows; each takes about 70 bytes."""
        return len(self._state.windows.state.entry_tick)

    def next_expiry(self) -> int | None:
        """When the first open incident expires if its endpoint has no request before, or None."""
        with self._lock:
            deadline = self._state.shard.next_expiry()
            return None if deadline is None else self._state.next_step(deadline)

    def close_expired(self, now: int) -> list[Incident]:
        """
        End the incidents that have expired by `now`. Their ends were reported and stay: later
        events never count before them.
        """
        with self._lock:
            return self._state.close_expired(now)

    def describe(self, moved: Sequence[Incident]) -> list[IncidentRecord]:
        """
        The records of incidents that have just opened or ended, in the same order. They are judged
        by what is known now, among the hundred newest incidents.
        """
        with self._lock:
            state = self._state
            near = {one.start_position: one for one in state.history.recent(_RECENT)}
            near.update((one.start_position, one) for one in moved)
            ends = {one.start_position for one in moved if one.end is not None}
            requests = {one.key: state.windows.totals_of(one.key).requests for one in near.values()}
            span, deploys = state.stream.span, list(state.stream.deploys)
            run = Run(
                *(requests, deploys, self._services, span.began or 0, span.ended),
                self._stale_after,
            )
        ended = _judge(near, run)
        # An incident that ended in the same batch in which it opened is there twice.
        near.update((one.start_position, one) for one in moved if one.end is None)
        opened = _judge(near, run) if ends and len(ends) < len(moved) else ended
        return [(opened if one.end is None else ended)[one.start_position] for one in moved]

    def mark(self, sender: str) -> Mark:
        """What has been counted of a sender."""
        with self._lock:
            return self._state.senders.get(sender) or Mark(0, {})

    def read(self, now: int, dropped: Mapping[str, int], sender: str = "") -> Snapshot:
        """A snapshot of the present state; see `read_data`."""
        return self.show(self.read_data(now, dropped, sender))

    def show(self, data: SnapshotData) -> Snapshot:
        """The snapshot of some data, which may be of another process."""
        return Snapshot(data, self._stale_after)

    def read_data(self, now: int, dropped: Mapping[str, int], sender: str = "") -> SnapshotData:
        """
        The present state. `dropped` are the events that the process `sender` has dropped; those of
        all others are known.
        """
        with self._lock:
            counts = Counter(dropped)
            for name, mark in self._state.senders.items():
                if not sender or name != sender:
                    counts.update(mark.dropped)
            return self._read(now, counts)

    def copy_windows(self) -> WindowCopy:
        """
        Begin to copy the windows, for `save`. Events may be counted between the parts of the copy.
        """
        with self._lock:
            return self._state.copy_windows()

    def save(self, copied: WindowCopy | None = None) -> Sections:
        """
        The whole state of this moment, as sections of a file. Slow ones are made during the
        iteration. `copied` is a copy that has gone through its parts; by default all is copied now.
        """
        if copied is None:
            copied = self.copy_windows()
            for _ in copied.parts():
                pass
        with self._lock:
            return self._state.save(copied)

    def _read(self, now: int, dropped: Mapping[str, int]) -> SnapshotData:
        shard, stream, history = self._state.shard, self._state.stream, self._state.history
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
            [self._state.windows.peek(slot, now) for slot in slots],
            [history.tally(slot) for slot in slots],
            dict(history.services),
            *(history.repaired, history.ticks, history.forgotten),
            list(map(self._durations.read, slots)),
        )

    def _account(self, dropped: Mapping[str, int]) -> LiveAccounting:
        counted = replace(self._state.stream.accounting, late=self._state.shard.late)
        return LiveAccounting(**asdict(counted), dropped=dict(dropped))


def _judge(incidents: Mapping[int, Incident], run: Run) -> dict[int, IncidentRecord]:
    """The records of incidents, by the positions at which these opened."""
    positions = sorted(incidents)
    records = make_records([incidents[position] for position in positions], run)
    return dict(zip(positions, records, strict=True))


def _count_from(tick: int, event: RawEvent) -> RawEvent:
    """The event, at that tick if it is an access with an earlier one."""
    if isinstance(event, tuple) and not isinstance(event, Deploy):
        return max(event[0], tick), *event[1:]
    if not isinstance(event, str):
        return event
    stamp, space, request = event.partition(" ")
    at = parse_seconds(stamp)
    return event if at is None or at >= tick else f"{show_tick(tick)}{space}{request}"

"""The live monitor: it runs inside a service and reports incidents within milliseconds."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import ClassVar, Final
from weakref import WeakSet

from anyio import move_on_after, sleep
from anyio.lowlevel import checkpoint

from slomon.concurrency import Background, Task, background_tasks, run_in_thread
from slomon.core.endpoints import Catalogue
from slomon.core.service_monitor import IncidentDetail
from slomon.live_monitor.batching import MOST_COUNTED, RawEvent
from slomon.live_monitor.buffer import Buffer
from slomon.live_monitor.clock import (
    Clock,
    SystemClock,
    monotonic_now,
    warn_of_state,
)
from slomon.live_monitor.counting import Counting
from slomon.live_monitor.endpoints import Discovery
from slomon.live_monitor.engine import Engine, FeedResult
from slomon.live_monitor.event_log import EventLog
from slomon.live_monitor.group import Group, Host
from slomon.live_monitor.group_ends import COALESCE_SECONDS, IDLE_SECONDS
from slomon.live_monitor.inputs import Mark, Marks
from slomon.live_monitor.outgoing import Outgoing
from slomon.live_monitor.persistence import StateFile
from slomon.live_monitor.reporting import Reporter
from slomon.live_monitor.snapshot import Snapshot, SnapshotData
from slomon.live_monitor.subscription import Subscription
from slomon.options import check_kind, read_count

_MOST: Final = 2**24


_running: WeakSet[LiveMonitor] = WeakSet()
"""The monitors that run in this process."""


def check_monitor(value: object) -> None:
    """Raise ConfigurationError if a value is not a LiveMonitor."""
    check_kind("monitor", value, LiveMonitor, "what slomon.live(...) returned")


class LiveMonitor(Reporter, Background):
    """
    Watches the endpoints of a service from inside. `access`, `counter`, `change`, `fail` and the
    methods that read may be called from any thread; all others on the thread of the event loop.

    It runs inside an `async with`, or between `start` and `stop`; the two may be called by
    different tasks. Leaving counts all events in the buffer, saves the state and ends the
    subscriptions. That takes about 1 us per event and the time of a write, even if the task is
    cancelled. What the body of the `async with` raises comes out as itself.
    """

    _KIND: ClassVar = "live monitor"

    def __init__(
        self,
        catalogue: Catalogue,
        make_engine: Callable[..., Engine],
        buffer: Buffer,
        *,
        clock: Clock,
        max_ahead: int,
        state: StateFile | None,
        event_log: EventLog | None,
        versions: Mapping[str, str],
        failing_status: int,
        discovery: Discovery | None = None,
    ) -> None:
        Background.__init__(self)
        services = dict.fromkeys(one.name for one in catalogue.endpoints)
        if discovery is not None:
            services[discovery.defaults.name] = None
        Reporter.__init__(
            self,
            buffer,
            clock,
            max_ahead=max_ahead,
            services=list(services),
            failing_status=failing_status,
        )
        self.clock = clock
        self.catalogue = catalogue
        """The given endpoints."""
        self.discovery = discovery
        """How further endpoints are found; None if they are not."""
        self._outgoing = Outgoing(buffer)
        self._now = monotonic_now(clock)
        self._state, self._event_log = state, event_log
        self._versions = versions  # the commits that run, by service
        self._counting = Counting(
            make_engine, clock=clock, now=self._now, state=state, event_log=event_log
        )
        self._group = None if state is None else self._make_group(state)
        self._running = self._ended = False

    @property
    def running(self) -> bool:
        """Is the monitor entered, and not left?"""
        return self._running

    @property
    def leads(self) -> bool:
        """
        Does this process count the events? Without a group it does; in a group the leader does.
        """
        return self._group is None or self._group.leads

    async def leading(self) -> None:
        """Return when this process counts the events: the subscribers hear of incidents here."""
        if self._group is not None:
            await self._group.leading.wait()

    @property
    def files(self) -> dict[str, str | None]:
        """The files that the monitor writes, by option; None if the option was not given."""
        state, event_log = self._state, self._event_log
        return {
            "state": None if state is None else str(state.path),
            "event_log": None if event_log is None else str(event_log.path),
        }

    async def flush(self) -> None:
        """
        Count the events that are in the buffer now, and notify the subscribers. In a group, return
        when the leader has counted them, or after a second.
        """
        if self._group is not None and await self._group.flush():
            return
        waiting = len(self._outgoing)  # without those that arrive meanwhile: they may never end
        for _ in range(0, waiting, MOST_COUNTED):
            if self._count_next():
                await checkpoint()

    def subscribe(self, *, bound: int = 1000) -> Subscription:
        """
        The incidents that open or end from now on, for `async for`. At most `bound` events wait for
        a slow subscriber; beyond that the oldest are dropped and reported as IncidentsMissed. A
        subscription made before the monitor is entered begins then; one made after its end is
        empty.
        """
        subscription = Subscription(read_count("bound", bound, _MOST))
        if self._ended:
            subscription.close()
        else:
            self._counting.subscribers.add(subscription)
        return subscription

    def snapshot(self) -> Snapshot:
        """
        The present state, of the events that have been counted. In a group the leader answers, so
        that it is the same from each process. This blocks for about a millisecond if another
        process leads; `await read()` doesn't. Raises LeaderError if the leader does not answer
        within a second.
        """
        if self._group is not None and not self._group.counts:
            return self._counting.engine.show(self._group.ask())
        return self._counting.engine.show(self._read_data())

    async def read(self) -> Snapshot:
        """What `snapshot` returns, without blocking the event loop."""
        if self._group is None or self._group.counts:
            return self.snapshot()
        return await run_in_thread(self.snapshot)

    def mttr(self) -> float:
        """Mean seconds to repair over the closed incidents, to 2 decimals; 0.0 if none closed."""
        return self.snapshot().mttr()

    def api_histogram(self) -> dict[str, int]:
        """Incidents per API, open ones included, in the order in which the APIs first broke."""
        return self.snapshot().api_histogram()

    def incident_details(self) -> dict[str, list[IncidentDetail]]:
        """The incidents of each API that are kept; see ServiceMonitor."""
        return self.snapshot().incident_details()

    @asynccontextmanager
    async def _run(self) -> AsyncGenerator[None]:
        with nullcontext() if self._group is None else self._group.held():
            await self._begin()
            self._running, self._ended = True, False
            _running.add(self)
            for service, commit in self._versions.items():
                self.change(service=service, commit=commit, if_new=True)
            finish = None if self._group is None else self._group.settle
            async with background_tasks(self._tasks(), finish=finish, end=self._end):
                yield

    def _disown(self) -> None:
        """This is a forked process, in which the loop of the monitor does not run."""
        self._running, self._ended = False, True
        self._counting.engine.renew_lock()
        self._buffer.disown(os.getppid())

    async def _begin(self) -> None:
        if self.leads:
            await self._counting.load()
        self._begin_clock()
        self._counting.begin_log(self.catalogue)
        if self.leads:
            await self._counting.begin_files()
        self._buffer.open()

    def _begin_clock(self) -> None:
        """Set the clock, but never to a time before counted requests: later ones would be late."""
        saved_at = 0 if self._state is None else self._state.saved_at
        warn_of_state(self.clock, saved_at)
        if isinstance(self.clock, SystemClock):
            self.clock.begin(max(saved_at, self._now() if self._ended else 0))

    def _join_clock(self, now: int) -> None:
        """Take over the time of the leader: a step of the wall clock may have divided the two."""
        if isinstance(self.clock, SystemClock):
            self.clock.join(now)

    def _tasks(self) -> list[Task]:
        clock = [self.clock.keep_following] if isinstance(self.clock, SystemClock) else []
        counting = self._counting
        tasks: list[Task] = [self._count, partial(counting.watch_expiry, self.flush)]
        if self._group is None:
            return [*clock, *tasks]
        return [*clock, partial(self._group.run, [*tasks, counting.save_often])]

    def _make_group(self, state: StateFile) -> Group:
        return Group(
            state,
            self._buffer,
            self._outgoing,
            Host(
                now=self._now,
                set_clock=self._join_clock,
                mark=self._find_mark,
                count=self._count_events,
                begin_alone=self._counting.begin_alone,
                count_alone=self._counting.count_alone,
                read=self._read_data,
                take_over=self._counting.take_over,
            ),
        )

    def _find_mark(self, sender: str) -> Mark:
        return self._counting.engine.mark(sender)

    def _read_data(self) -> SnapshotData:
        sender = "" if self._group is None else self._group.sender
        return self._counting.engine.read_data(self._now(), self._buffer.dropped, sender)

    async def _end(self) -> None:
        self._buffer.close()
        if self._group is not None and not await self._group.leave():
            self._finish()
            return
        ended, counting = self._now(), self._counting
        try:
            while self._count_next():
                pass  # the rest at once, even if the task is cancelled
            # As a replay does at the end.
            counting.close_expired(max(ended, counting.engine.newest))
        finally:
            while self._feed():
                pass  # counted even if the notification above failed
            self._finish()
            await counting.end_files(ended)
        counting.end_log(self.snapshot().accounting)

    def _finish(self) -> None:
        self._buffer.freeze()
        _running.discard(self)
        self._running, self._ended = False, True
        self._counting.subscribers.close()

    async def _count(self) -> None:
        """Count events as they arrive, until cancelled."""
        while True:
            await self._buffer.arrival()
            if self._counting.engine.ok_statuses:
                with move_on_after(IDLE_SECONDS):
                    await self._buffer.urgency()
            await sleep(COALESCE_SECONDS)
            await self.flush()

    def _count_next(self) -> bool:
        """Count the next events and report the results; False if there are no events."""
        result = self._feed()
        if result is not None:
            self._counting.report(result)
        return result is not None

    def _feed(self) -> FeedResult | None:
        """Count the next events, on the loop's thread; None if there are no events."""
        items = self._outgoing.take(MOST_COUNTED)
        return self._feed_events(items, len(items), {}) if items else None

    def _feed_events(self, items: Sequence[RawEvent], own: int, marks: Marks) -> FeedResult:
        """Count events; the next `own` ones of this process are among them."""
        number = self._outgoing.number + own
        if self._group is not None:
            marks = self._group.add_mark(marks, number)
        result = self._counting.feed(items, marks)
        self._outgoing.drop(number)
        return result

    def _count_events(self, items: Sequence[RawEvent], own: int, marks: Marks) -> None:
        self._counting.report(self._feed_events(items, own, marks))


def _disown_all() -> None:
    for monitor in list(_running):
        monitor._disown()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown_all)

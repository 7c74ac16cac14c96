"""`live(...)`: a monitor inside a running service, which tells it within milliseconds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import Final, Self
from weakref import WeakSet

from anyio import (
    AsyncContextManagerMixin,
    CancelScope,
    move_on_after,
    sleep,
    sleep_forever,
)
from anyio.lowlevel import checkpoint

from slomon.concurrency import Task, background_tasks
from slomon.core.endpoints import Catalogue
from slomon.core.incident import Incident
from slomon.core.service_monitor import IncidentDetail
from slomon.live_monitor.buffer import Buffer
from slomon.live_monitor.clock import Clock, monotonic_now, safe_now
from slomon.live_monitor.engine import Engine, FeedResult
from slomon.live_monitor.event_log import EventLog
from slomon.live_monitor.ingest import Deploy, read_stamp
from slomon.live_monitor.persistence import StateFile
from slomon.live_monitor.snapshot import Snapshot
from slomon.live_monitor.subscription import IncidentClosed, IncidentOpened, Subscription
from slomon.logging import LogListener
from slomon.options import check_kind, read_count
from slomon.state.encoding import Saved

_BATCH: Final = 512  # events: they keep the loop for about a millisecond
# Seconds in which what comes is counted together: to be woken costs more than to count. What may
# open an incident, or end one, can't wait long, all else can.
COALESCE_SECONDS: Final = 0.004
IDLE_SECONDS: Final = 0.1
_MOST: Final = 2**24


def check_monitor(value: object) -> None:
    """Is it what `live` makes? Raises ConfigurationError where not."""
    check_kind("monitor", value, LiveMonitor, "what slomon.live(...) returned")


class LiveMonitor(AsyncContextManagerMixin):
    """
    Watches the endpoints of a service from inside. `access`, `change` and all that reads may be
    called from any thread; the rest is the loop's.

    Leaving counts all that is in the buffer, saves the state and ends the subscriptions: that
    takes about 1 us an event and the time of a write, a cancellation notwithstanding. Whatever the
    body of the `async with` raises comes out as it is.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        make_engine: Callable[[Saved | None], Engine],
        buffer: Buffer,
        *,
        clock: Clock,
        state: StateFile | None,
        event_log: EventLog | None,
    ) -> None:
        self.clock = clock
        self.catalogue = catalogue
        self._make_engine = make_engine
        self._engine = make_engine(None)
        self._buffer = buffer
        self._put, self._now, self._ask = buffer.put, monotonic_now(clock), safe_now(clock)
        self._state, self._event_log = state, event_log
        self._subscriptions: WeakSet[Subscription] = WeakSet()
        self._waiting: CancelScope | None = None
        self._resting: CancelScope | None = None
        self._unsaved = False  # incidents opened or ended since the state was saved
        self._entered = self._begun = False
        self._running = self._ended = False

    @property
    def running(self) -> bool:
        """Has it begun, and not ended?"""
        return self._running

    @property
    def files(self) -> dict[str, str | None]:
        """Those that it writes, by their options."""
        state, event_log = self._state, self._event_log
        return {
            "state": None if state is None else str(state.path),
            "event_log": None if event_log is None else str(event_log.path),
        }

    def access(self, verb: str, resource: str, status: int, at: float | str | None = None) -> bool:
        """
        A request was answered, now or at that many seconds since the epoch. Never waits and never
        raises; False where it was dropped, which is counted. `resource` is an endpoint's, as its
        entry has it: anything else is unmatched.
        """
        return self._put(self._ask() if at is None else read_stamp(at), verb, resource, status)

    def counter(self, verb: str, resource: str) -> Callable[[int], bool]:
        """`access` of one endpoint, now, as a function of the status: it takes less time."""
        return self._buffer.counter(verb, resource, self._ask)

    async def send(
        self, verb: str, resource: str, status: int, at: float | str | None = None
    ) -> bool:
        """`access` that waits for room in a full buffer; False where the monitor doesn't run."""
        await self._buffer.room()
        when = self._ask() if at is None else read_stamp(at)
        return self._put(when, verb, resource, status, overflow=True)

    def change(self, *, service: str, commit: str, author: str = "", date: str = "") -> bool:
        """
        A service was deployed: what is counted from here on comes after it. Never waits and never
        raises; False where it was dropped. `date` is shown as it is, and by default the clock's.
        """
        return self._buffer.put_change(Deploy(self._ask(), service, commit, author, date))

    async def flush(self) -> None:
        """Count what is in the buffer by now, and tell the subscribers."""
        there = len(self._buffer.items)  # not what comes meanwhile: of that there is no end
        for _ in range(0, there, _BATCH):
            if self._step():
                await checkpoint()

    def subscribe(self, *, bound: int = 1000) -> Subscription:
        """
        The incidents that open or end from now on, for `async for`. At most `bound` of them wait
        for a slow subscriber; then the oldest are dropped, and it is told how many. Before the
        monitor is entered this waits for that; once it has ended there are none.
        """
        subscription = Subscription(read_count("bound", bound, _MOST))
        if self._ended:
            subscription.close()
        else:
            self._subscriptions.add(subscription)
        return subscription

    def snapshot(self) -> Snapshot:
        """Everything as it stands at this moment, of what has been counted."""
        return self._engine.read(self._now(), self._buffer.dropped)

    def mttr(self) -> float:
        """Mean seconds to repair over the closed incidents, to 2 decimals; 0.0 if none closed."""
        return self.snapshot().mttr()

    def api_histogram(self) -> dict[str, int]:
        """Incidents per API, open ones included, in the order in which the APIs first broke."""
        return self.snapshot().api_histogram()

    def incident_details(self) -> dict[str, list[IncidentDetail]]:
        """The incidents of each API, as far as they are kept; see ServiceMonitor."""
        return self.snapshot().incident_details()

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        if self._entered:
            raise RuntimeError("this live monitor is running; allowed: one `async with` at a time")
        self._entered = True
        try:
            with nullcontext() if self._state is None else self._state.held():
                await self._begin()
                self._running, self._ended = True, False
                async with background_tasks(self._tasks(), end=self._end):
                    yield self
        finally:
            self._entered = False

    async def _begin(self) -> None:
        if self._state is not None and not self._begun:
            self._engine = await self._state.load(self._make_engine) or self._engine
            self._begun = True
        self._listener = LogListener()  # as the program has set up its log by now
        self._listener.started(self.catalogue)
        if self._event_log is not None:
            self._event_log.begin()
        self._buffer.open()

    def _tasks(self) -> list[Task]:
        tasks: list[Task] = [self._count, self._watch_silence]
        if self._state is not None:
            tasks.append(partial(self._save_often, self._state))
        return tasks

    async def _end(self) -> None:
        self._buffer.close()
        ended = self._now()
        try:
            while self._step():
                pass  # the rest at once, whoever is cancelled
            self._end_silent(max(ended, self._engine.newest))  # as a replay does at the end
        finally:
            while self._feed():
                pass  # nor does whoever can't be told of it lose it
            self._buffer.freeze()
            self._running, self._ended = False, True
            for subscription in list(self._subscriptions):
                subscription.close()
            self._subscriptions.clear()
            if self._event_log is not None:
                self._event_log.end(ended)
            with CancelScope(shield=True):
                if self._state is not None:
                    await self._state.save(self._engine)
        self._listener.finished(self.snapshot().accounting)

    async def _count(self) -> None:
        """Count what comes, until cancelled."""
        while True:
            await self._buffer.arrival()
            if self._engine.ok_statuses:
                with move_on_after(IDLE_SECONDS):
                    await self._buffer.urgency()
            await sleep(COALESCE_SECONDS)
            await self.flush()

    async def _watch_silence(self) -> None:
        """Expire incidents when their time has come, until cancelled."""
        while True:
            with CancelScope() as self._waiting:  # cancelled when there is another to wait for
                deadline = self._engine.next_silence()
                await (sleep_forever() if deadline is None else self.clock.sleep_until(deadline))
                await self.flush()
                self._end_silent(self._now())

    def _end_silent(self, now: int) -> None:
        self._tell(self._engine.close_expired(now))

    async def _save_often(self, state: StateFile) -> None:
        while True:
            with CancelScope() as self._resting:  # cancelled when incidents have moved
                if not self._unsaved:  # nor did any during the last save
                    await self.clock.sleep_until(self._now() + state.every)
            self._unsaved = False
            await state.save(self._engine)

    def _save_soon(self) -> None:
        self._unsaved = True
        if self._resting is not None:
            self._resting.cancel()

    def _step(self) -> bool:
        """Count the next events and tell of them; False where there are none."""
        step = self._feed()
        if step is None:
            return False
        for rejection in step.rejections:
            self._listener.event_rejected(rejection)
        self._tell(step.moved)
        return True

    def _feed(self) -> FeedResult | None:
        """Count the next events, on the loop's thread; None where there are none."""
        items = self._buffer.take(_BATCH)
        if not items:
            return None
        step = self._engine.feed(items)
        if self._event_log is not None:
            self._event_log.write(step.items)
        return step

    def _tell(self, moved: list[Incident]) -> None:
        if not moved:
            return
        for incident in moved:
            self._listener.incident_moved(incident)
        if self._waiting is not None and any(incident.end is None for incident in moved):
            self._waiting.cancel()
        self._save_soon()
        subscriptions = list(self._subscriptions)
        records = self._engine.describe(moved) if subscriptions else []
        for record in records:
            event = (IncidentOpened if record.end is None else IncidentClosed)(record)
            for subscription in subscriptions:
                subscription.put(event)

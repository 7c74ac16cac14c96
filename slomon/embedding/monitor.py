"""`live(...)`: a monitor inside a running service, which tells it within milliseconds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Final, Self
from weakref import WeakSet

from anyio import (
    AsyncContextManagerMixin,
    CancelScope,
    create_task_group,
    get_cancelled_exc_class,
    move_on_after,
    sleep,
    sleep_forever,
)
from anyio.lowlevel import checkpoint

from slomon.core.endpoints import Catalogue
from slomon.core.events import StatusRule, ask_rule, server_errors_fail
from slomon.core.incident import Incident
from slomon.core.service_monitor import STALE_AFTER, IncidentDetail
from slomon.embedding.buffer import Buffer
from slomon.embedding.clock import Clock, SystemClock, ask_clock, trust_clock
from slomon.embedding.engine import Engine, Step
from slomon.embedding.event import IncidentClosed, IncidentOpened
from slomon.embedding.recording import Recording
from slomon.embedding.saving import StateFile
from slomon.embedding.snapshot import Snapshot
from slomon.embedding.subscription import Subscription
from slomon.embedding.told import Deploy, read_stamp
from slomon.endpoints.config import Endpoints, read_catalogue
from slomon.errors import OptionError
from slomon.logging import LogListener
from slomon.options import (
    AnyPath,
    Duration,
    check_apart,
    check_choice,
    check_function,
    check_kind,
    check_methods,
    read_count,
    read_duration,
    read_path,
    read_resolution,
    read_silence,
)
from slomon.text import excerpt

_BATCH: Final = 512  # events: they keep the loop for about a millisecond
# Seconds in which what comes is counted together: to be woken costs more than to count. What may
# open an incident, or end one, can't wait long, all else can.
_GATHER: Final = 0.004
_PATIENCE: Final = 0.1
_MOST: Final = 2**24


def live(
    endpoints: Endpoints,
    *,
    is_failure: StatusRule = server_errors_fail,
    min_requests: int = 1,
    resolution: Duration | None = None,
    close_after_silence: Duration | None = None,
    stale_after: Duration = STALE_AFTER,
    trace: bool = False,
    state: AnyPath | None = None,
    save_every: Duration = "10s",
    record: AnyPath | None = None,
    buffer: int = 65_536,
    history: int = 10_000,
    clock: Clock | None = None,
) -> LiveMonitor:
    """
    A monitor of these endpoints, which runs while it is entered: `get_info()` entries, or a file of
    them, in which windows may be text such as "5m", as for `replay`.

    * `is_failure(status)`: did a request with this status fail? None where there is no such status;
      it is asked of each at the start, and no more, and must not raise of any of 100 to 599
    * `min_requests`: a window with fewer is not judged; `resolution`: windows move in such steps,
      and so need memory for so many of these at most as go into one; otherwise for each request
    * `close_after_silence`: an incident ends as silent once its endpoint had no request for so
      long, and its window has emptied: told when the clock says so. By default none does
    * `stale_after`: a change that is older than this as an endpoint breaks is taken for stale
    * `trace`: the summary of a snapshot has how each endpoint's SLI went over time, for its report
    * `state`: a file in which windows, incidents and counts survive a restart; it is written
      `save_every` so long, as soon as incidents have opened or ended, and at the end. So a killed
      process loses counts of no longer than `save_every`, and of incidents those that moved while
      it was last written. A damaged one is kept aside
    * `record`: a file to which every event that is counted is added, to be replayed; written on the
      loop's thread
    * `buffer`: how many events may wait to be counted; `history`: how many incidents that have
      ended are kept (and changes, for the figures of deploys); all are counted
    * `clock`: another one than the machine's

    Raises ConfigurationError where an endpoint or an option is wrong. Entering raises OSError
    where a file can't be used, as one that another process uses, and StateFileError where one is a
    file of something else.
    """
    check_function("is_failure", is_failure, "a status")
    state, record = read_path("state", state), read_path("record", record)
    check_apart(state=state, record=record)
    catalogue = read_catalogue(endpoints)
    least = read_count("min_requests", min_requests, _MOST)
    step = read_resolution(resolution, (one.window for one in catalogue.endpoints))
    silence = read_silence(close_after_silence)
    check_choice("trace", trace, [True, False])
    stale = read_duration("stale_after", stale_after)
    kept = read_count("history", history, _MOST)
    judged = _judge(is_failure)
    rule, calm = judged.__getitem__, frozenset(n for n, failed in enumerate(judged) if not failed)

    def make_engine() -> Engine:
        return Engine(
            catalogue,
            rule,
            least=least,
            silence=silence,
            trace=trace,
            stale_after=stale,
            history=kept,
            resolution=step,
        )

    every = read_duration("save_every", save_every, 1)
    if clock is not None:
        check_methods("clock", clock, ["now", "sleep_until"], "an object with now and sleep_until")
    return LiveMonitor(
        catalogue,
        make_engine,
        Buffer(read_count("buffer", buffer, _MOST), calm),
        clock=SystemClock() if clock is None else clock,
        state=None if state is None else StateFile(Path(state), every),
        recording=None if record is None else Recording(Path(record)),
    )


def _judge(is_failure: StatusRule) -> list[bool | None]:
    """What a rule says of each status; it may raise only where there is hardly any."""
    for status in range(100, 600):
        try:
            is_failure(status)
        except Exception as error:
            reason = f"{type(error).__name__}: {excerpt(str(error), 200)}"
            fault = f" raises {reason}, of {status}; allowed: a rule for each of 100 to 599"
            raise OptionError(["is_failure"], fault) from error
    return [ask_rule(is_failure, status) for status in range(1000)]


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
        make_engine: Callable[[], Engine],
        buffer: Buffer,
        *,
        clock: Clock,
        state: StateFile | None,
        recording: Recording | None,
    ) -> None:
        self.clock = clock
        self.catalogue = catalogue
        self._make_engine = make_engine
        self._engine = make_engine()
        self._buffer = buffer
        self._put, self._now, self._ask = buffer.put, trust_clock(clock), ask_clock(clock)
        self._state, self._recording = state, recording
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
        state, recording = self._state, self._recording
        return {
            "state": None if state is None else str(state.path),
            "record": None if recording is None else str(recording.path),
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
        return self._put(when, verb, resource, status, squeeze=True)

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

    def incidents(self, *, bound: int = 1000) -> Subscription:
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
                async with self._run():
                    yield self
        finally:
            self._entered = False

    @asynccontextmanager
    async def _run(self) -> AsyncGenerator[None]:
        failure: BaseException | None = None
        try:
            async with create_task_group() as tasks:
                tasks.start_soon(self._count)
                tasks.start_soon(self._watch_silence)
                if self._state is not None:
                    tasks.start_soon(self._save_often, self._state)
                try:
                    yield
                except BaseException as error:  # noqa: BLE001 (the host's own comes out as itself)
                    failure = error
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            if failure is None or isinstance(failure, get_cancelled_exc_class()):
                failure = failures.exceptions[0]  # the first: the body was cancelled because of it
        finally:
            try:
                await self._end()
            finally:
                if failure is not None:
                    raise failure

    async def _begin(self) -> None:
        if self._state is not None and not self._begun:
            if not await self._state.load(self._engine):
                self._engine = self._make_engine()
            self._begun = True
        self._listener = LogListener()  # as the program has set up its log by now
        self._listener.started(self.catalogue)
        if self._recording is not None:
            self._recording.begin()
        self._buffer.open()

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
            self._buffer.seal()
            self._running, self._ended = False, True
            for subscription in list(self._subscriptions):
                subscription.close()
            self._subscriptions.clear()
            if self._recording is not None:
                self._recording.end(ended)
            with CancelScope(shield=True):
                if self._state is not None:
                    await self._state.save(self._engine)
        self._listener.finished(self.snapshot().accounting)

    async def _count(self) -> None:
        """Count what comes, until cancelled."""
        while True:
            await self._buffer.arrival()
            if self._engine.calm:
                with move_on_after(_PATIENCE):
                    await self._buffer.urgency()
            await sleep(_GATHER)
            await self.flush()

    async def _watch_silence(self) -> None:
        """End incidents in silence when their time has come, until cancelled."""
        while True:
            with CancelScope() as self._waiting:  # cancelled when there is another to wait for
                deadline = self._engine.next_silence()
                await (sleep_forever() if deadline is None else self.clock.sleep_until(deadline))
                await self.flush()
                self._end_silent(self._now())

    def _end_silent(self, now: int) -> None:
        self._tell(self._engine.close_silent(now))

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

    def _feed(self) -> Step | None:
        """Count the next events, on the loop's thread; None where there are none."""
        items = self._buffer.take(_BATCH)
        if not items:
            return None
        step = self._engine.feed(items)
        if self._recording is not None:
            self._recording.write(step.items)
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

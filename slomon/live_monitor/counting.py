"""
What a live monitor does with events: it counts them in its engine, writes them to the event log and
to the journal of the state, and then reports the incidents that opened or ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from anyio import CancelScope, sleep_forever

from slomon.core.endpoints import Catalogue, Endpoint
from slomon.core.events import Accounting
from slomon.core.incident import Incident
from slomon.errors import StateFileError
from slomon.live_monitor.batching import RawEvent
from slomon.live_monitor.clock import Clock
from slomon.live_monitor.engine import Engine, FeedResult
from slomon.live_monitor.event_log import EventLog
from slomon.live_monitor.inputs import NOT_RECORDED, Expiry, Marks
from slomon.live_monitor.persistence import Saver, StateFile
from slomon.live_monitor.subscription import Subscribers
from slomon.logging import LogListener, get_logger, list_some

_LARGE: Final = 1_000_000  # entries of windows: 70 MB


class Counting:
    """
    Counts events, on the loop's thread. `state` and `event_log` are the files that it writes, and
    `now` is the time in ticks.
    """

    def __init__(
        self,
        make_engine: Callable[..., Engine],
        *,
        clock: Clock,
        now: Callable[[], int],
        state: StateFile | None,
        event_log: EventLog | None,
    ) -> None:
        self.engine = make_engine(None)
        self.subscribers = Subscribers()
        self._make_engine = make_engine
        self._clock, self._now = clock, now
        self._state, self._event_log = state, event_log
        self._saver = None if state is None else Saver(state, clock)
        self._waiting: CancelScope | None = None
        self._is_capped = False  # it was logged that there are more endpoints than may be found
        self._is_large = False  # it was logged that the windows are

    async def load(self) -> None:
        """Continue from the saved state, if there is one. Raises OSError or StateFileError."""
        if self._state is not None:
            self.engine = await self._state.load(self._make_engine) or self.engine

    def begin_log(self, catalogue: Catalogue) -> None:
        """Begin to log, because the program has configured its logging by now."""
        self._listener = LogListener()
        self._listener.started(catalogue)

    async def begin_files(self) -> None:
        """Open the event log, and save the state, with which the journal begins."""
        if self._event_log is not None:
            self._begin_event_log(self._event_log)
        await self.save()

    def begin_alone(self) -> None:
        """Begin anew, without a state."""
        self.engine = self._make_engine(None)

    async def take_over(self) -> None:
        """Continue from the saved state and its journal. Raises OSError or StateFileError."""
        self.begin_alone()
        await self.load()
        if self._event_log is not None:
            with suppress(OSError, StateFileError):  # it is tried again with the next events
                self._begin_event_log(self._event_log)
        await self.save()

    def _begin_event_log(self, event_log: EventLog) -> None:
        event_log.begin(self.engine.recorded)
        self.engine.note_recorded(event_log.recorded)

    async def save(self, *, last: bool = False) -> None:
        """Save the state, if it has a file."""
        if self._state is not None:
            await self._state.save(self.engine, last=last)

    async def save_often(self) -> None:
        """Make incidents durable soon, and save the state from time to time, until cancelled."""
        if self._saver is not None:
            await self._saver.run(lambda: self.engine)

    async def watch_expiry(self, flush: Callable[[], Awaitable[None]]) -> None:
        """End incidents when they expire, until cancelled. `flush` counts what was reported."""
        while True:
            with CancelScope() as self._waiting:  # cancelled when an incident opens
                deadline = self.engine.next_expiry()
                await (sleep_forever() if deadline is None else self._clock.sleep_until(deadline))
                await flush()
                self.close_expired(self._now())

    def close_expired(self, now: int) -> None:
        """End the incidents that have expired by `now`."""
        ended = self.engine.close_expired(now)
        if ended and self._state is not None:
            self._state.append(Expiry(self.engine.events, now))
        self._notify(ended)

    def feed(self, items: Sequence[RawEvent], marks: Marks) -> FeedResult:
        """Count events, with the marks of the processes that sent them, before `report`."""
        result = self.engine.feed(items, marks)
        if result.counted.found:
            self._log_found(result.counted.found)
        if self.engine.capped and not self._is_capped:
            self._warn_of_cap()
        if not self._is_large and self.engine.window_entries > _LARGE:
            self._warn_of_windows()
        recorded = NOT_RECORDED
        if self._event_log is not None:  # first: whatever a state has counted is in the log
            self._event_log.write(result.items, self._now())
            recorded = self._event_log.recorded
        if self._state is not None:
            self.engine.note_recorded(recorded)
            self._state.append(replace(result.counted, recorded=recorded))
        return result

    def report(self, result: FeedResult) -> None:
        """Log and publish what was found in events."""
        for rejection in result.rejections:
            self._listener.event_rejected(rejection)
        self._notify(result.moved)

    def count_alone(self, items: Sequence[RawEvent]) -> None:
        """Count events that will be counted again, from the state of another process."""
        self.report(self.engine.feed(items))
        self._notify(self.engine.close_expired(self._now()))

    async def end_files(self, ended: int) -> None:
        """End the event log at a tick, and save the state for the last time."""
        if self._event_log is not None:
            self._event_log.end(ended)
        await self.save(last=True)

    def end_log(self, accounting: Accounting) -> None:
        """Log how every event was counted."""
        self._listener.finished(accounting)

    def _log_found(self, found: Sequence[Endpoint]) -> None:
        named, more = list_some([f"{one.verb} {one.resource}" for one in found])
        get_logger().info("endpoints.found", endpoints=named, more=more)

    def _warn_of_cap(self) -> None:
        self._is_capped = True
        get_logger().warning(
            "endpoints.capped",
            hint="there are more endpoints than max_endpoints=; requests to the others are "
            "unmatched",
        )

    def _warn_of_windows(self) -> None:
        self._is_large = True
        if self.engine.resolution == 0:
            get_logger().warning(
                "windows.large",
                requests=self.engine.window_entries,
                hint="a request in a window takes about 70 bytes; with resolution= a step does",
            )

    def _notify(self, moved: list[Incident]) -> None:
        if not moved:
            return
        for incident in moved:
            self._listener.incident_moved(incident)
        if self._waiting is not None and any(incident.end is None for incident in moved):
            self._waiting.cancel()
        if self._saver is not None:
            self._saver.sync_soon()
        if self.subscribers:
            self.subscribers.publish(self.engine.describe(moved))

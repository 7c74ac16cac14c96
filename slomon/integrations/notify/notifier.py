"""The base of all notifiers: it listens to a live monitor and runs the delivery beside it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial
from typing import ClassVar, Final

from anyio import Event

from slomon.concurrency import Background, Task, background_tasks, first_completed, run_in_thread
from slomon.core.incident_records import IncidentRecord
from slomon.integrations.notify.delivery import Counts, Sender, Url
from slomon.live_monitor.monitor import LiveMonitor, check_monitor
from slomon.live_monitor.subscription import (
    IncidentClosed,
    IncidentOpened,
    IncidentsMissed,
    Subscription,
)
from slomon.logging import RateLimitedLog
from slomon.options import Duration, read_count, read_duration
from slomon.text import excerpt

_MOST: Final = 2**20


class Notifier(Background):
    """
    Notifies one receiver of the incidents of a monitor, inside an `async with` or between `start`
    and `stop`. A failure of the receiver never affects the monitor or the body of the `async with`.

    Leaving waits until everything is delivered, for `linger` at most; if the body was cancelled, it
    does not wait. Entering raises RuntimeError if the monitor is not running: then it is not known
    which incidents are open.
    """

    _KIND: ClassVar = "notifier"

    def __init__(
        self, monitor: LiveMonitor, receiver: str, *, queue_bound: int, linger: Duration
    ) -> None:
        super().__init__()
        check_monitor(monitor)
        self._monitor = monitor
        self._clock = monitor.clock
        self._bound = read_count("queue_bound", queue_bound, _MOST)
        self._linger = read_duration("linger", linger)
        self._counts = Counts()
        self._receiver = receiver
        self._log = RateLimitedLog(self._clock.now, receiver=receiver)

    @property
    def delivered(self) -> int:
        """How many requests the receiver accepted."""
        return self._counts.delivered

    @property
    def failed(self) -> int:
        """How many requests failed. Each is retried, unless the receiver rejected it."""
        return self._counts.failed

    @property
    def dropped(self) -> int:
        """How many notifications were given up and will never be delivered."""
        return self._counts.dropped

    @abstractmethod
    def _take(self, event: IncidentOpened | IncidentClosed) -> None:
        """Take in that an incident opened or ended."""

    @abstractmethod
    def _catch_up(self, records: Sequence[IncidentRecord]) -> None:
        """Take in the monitor's whole history, at the beginning and after events were missed."""

    @abstractmethod
    def _senders(self) -> Sequence[Sender]:
        """The senders that deliver the notifications."""

    @abstractmethod
    def _tasks(self) -> Sequence[Task]:
        """The tasks that run until the notifier is left."""

    @abstractmethod
    async def _drain(self) -> None:
        """Return when everything is delivered."""

    def _held(self) -> AbstractContextManager[None]:
        """A lock that is held while the notifier is entered."""
        return nullcontext()

    async def _begin(self) -> None:
        """Reset everything on entering. What this raises comes out of the `async with`."""
        self._listened = Event()
        for sender in self._senders():
            sender.open()

    async def _caught_up(self) -> None:
        """Called before the body, with the monitor's history taken in."""

    async def _end(self) -> None:
        """Called at the very end, even if the task is cancelled."""

    @asynccontextmanager
    async def _run(self) -> AsyncGenerator[None]:
        if not self._monitor.running:
            raise RuntimeError("its monitor doesn't run; allowed: to enter the monitor first")
        with self._held():
            await self._begin()
            subscription = self._monitor.subscribe(bound=self._bound)
            self._catch_up(await self._read_history())
            await self._caught_up()
            running: list[Task] = [partial(self._listen, subscription), *self._tasks()]
            async with background_tasks(
                [partial(self._guard, task) for task in running],
                finish=partial(self._guard, partial(self._linger_for, subscription)),
                end=partial(self._close, subscription),
            ):
                yield

    def _make_sender(self, url: Url, headers: Mapping[str, str]) -> Sender:
        log = RateLimitedLog(self._clock.now, receiver=self._receiver, to=url.shown)
        return Sender(url, headers, self._clock, self._counts, log)

    async def _close(self, subscription: Subscription) -> None:
        subscription.close()
        await self._guard(self._end_and_disconnect)

    async def _end_and_disconnect(self) -> None:
        await self._end()
        for sender in self._senders():
            await sender.close()

    async def _guard(self, task: Task) -> None:
        """Run a task and log what it raises: the host must not fail if its notifications do."""
        try:
            await task()
        except Exception as error:  # noqa: BLE001
            reason = f"{type(error).__name__}: {excerpt(str(error), 200)}"
            self._log.error("notifier.ended", reason=reason)

    async def _listen(self, subscription: Subscription) -> None:
        async for event in subscription:
            if isinstance(event, IncidentsMissed):
                self._log.warn("incidents.missed", count=event.count)
                self._catch_up(await self._read_history())
            else:
                self._take(event)
        self._listened.set()

    async def _read_history(self) -> list[IncidentRecord]:
        """The history may be long, so it is read in another thread."""
        return await run_in_thread(self._monitor.snapshot().records)

    async def _linger_for(self, subscription: Subscription) -> None:
        end = self._clock.now() + self._linger
        finish = partial(self._finish, subscription)
        await first_completed(finish, partial(self._clock.sleep_until, end))

    async def _finish(self, subscription: Subscription) -> None:
        await self._monitor.flush()
        subscription.close()
        for sender in self._senders():
            sender.hurry()
        await self._listened.wait()
        await self._drain()

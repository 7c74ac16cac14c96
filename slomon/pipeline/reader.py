"""
The reader: moves the events of a stream, as batches, to the queues of their shards.

A producer calls `generate_event()`: in a thread if it is a plain function, which may block, or in a
task if it is `async`. The events wait in a bounded buffer, the intake. The reader takes all events
that have arrived, so an event never waits for the next one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Final

from anyio import BrokenResourceError, Event, get_cancelled_exc_class
from anyio.streams.memory import MemoryObjectSendStream

from slomon.concurrency import run_in_thread
from slomon.core.batching import AnyBatcher, Item
from slomon.core.events import End, Gap, Rejection, append_bounded, read_event
from slomon.errors import MalformedEventError
from slomon.pipeline.stream import EventStream, Listener
from slomon.pipeline.worker import BackendUpgrade, SwitchBackend, WorkerInput

BATCHES: Final = 4
"""
The number of batches that the intake holds.

A producer that waits for room continues once the intake is empty, and not after each batch: to wake
a thread on another core costs as much as to read hundreds of events.
"""

_TIMES_LARGER: Final = 8  # batches, once a compiled backend makes them


class Intake:
    """
    The buffer between one producer and the reader.

    The producer, in any thread, only appends to it, and the reader only removes from its front.
    Either is one atomic list operation, so no lock is needed.
    """

    def __init__(self, batch_bound: int) -> None:
        self.items: list[Item] = []
        self.waiting = False  # the reader waits for an item, or has finished: see `still_open`
        self.open = True  # False once the reader has finished
        self.failure: BaseException | None = None
        self.watched_until: int | None = None  # a tick, if the end of the stream says it
        self.missing = 0  # events, as a recorded stream says
        self.batch_bound = batch_bound
        self._bound = BATCHES * batch_bound
        self._ended = False
        self._arrival = Event()
        self._room: Event | threading.Event = Event()

    async def take(self) -> list[Item]:
        """Wait for items, and return at most a batch of them; none once the stream has ended."""
        if not self.items:
            self._room.set()
        while not self.items and not self._ended:
            self._arrival = Event()
            self.waiting = True
            if not self.items:
                await self._arrival.wait()
            self.waiting = False
        taken = self.items[: self.batch_bound]
        del self.items[: len(taken)]
        return taken

    def grow(self, times: int) -> None:
        """Make the buffer and its batches larger by a factor."""
        self.batch_bound *= times
        self._bound *= times

    def close(self) -> None:
        """Note that the reader has finished, and wake a producer that waits for room."""
        self.open = False
        self.waiting = True
        self._room.set()

    def wake(self) -> None:
        """Wake the reader, as there is an item to take. Call it in the event loop's thread."""
        self._arrival.set()

    def still_open(self) -> bool:
        """Return whether the reader still reads. A producer asks this if `waiting` is set."""
        self.waiting = False
        return self.open

    def end(self, failure: BaseException | None = None) -> None:
        """Note that no item will follow those in the buffer."""
        self.failure = failure
        self._ended = True
        self.wake()

    def room(self) -> int:
        """Return the number of items that fit in. The reader may make more room at any time."""
        return self._bound - len(self.items)

    def block_while_full(self) -> None:
        """Wait for room, in a producer's thread."""
        # The event is replaced before the buffer is looked at, so no room made since is missed.
        self._room = room = threading.Event()
        if self.room() <= 0 and self.open:
            room.wait()

    async def wait_while_full(self) -> None:
        """Wait for room, in a producer's task."""
        self._room = room = Event()
        if self.room() <= 0 and self.open:
            await room.wait()


async def pump(stream: EventStream, intake: Intake) -> None:
    """Move the stream's events into the intake, until the stream ends or the reader finishes."""
    try:
        pending, is_async = None, iscoroutinefunction(stream.generate_event)
        if not is_async:
            # anyio's calls from a thread wait until the loop has run them; this one does not.
            call_soon = asyncio.get_running_loop().call_soon_threadsafe
            pending = await run_in_thread(partial(_pull_in_thread, stream, intake, call_soon))
        if is_async or pending is not None:
            await _pull_in_task(stream, intake, pending)
    except get_cancelled_exc_class() as error:
        # The stream may have raised it, as of a task that it awaits; a task group would hide it.
        intake.end(error)
        raise
    intake.end()


def _pull_in_thread(
    stream: EventStream, intake: Intake, call_soon: Callable[[Callable[[], None]], object]
) -> Awaitable[object] | None:
    """Return the first event if it is awaitable: then the stream is async. Otherwise None."""
    generate_event: Callable[[], Any] = stream.generate_event
    put = intake.items.append
    while intake.open:
        for _ in range(intake.room()):
            event = generate_event()
            try:  # `read_event` for nearly every event, written again to save the call
                item = event["value"] if event["type"] == "access" else None
            except (TypeError, LookupError):
                item = None
            if type(item) is not str or type(event) is not dict:
                item = read_event(event)
                if isinstance(item, End):
                    intake.watched_until = item.tick
                    return None
                if isinstance(item, Gap):
                    intake.missing += item.events
                    continue
                if isawaitable(event):
                    return event
            put(item)
            if intake.waiting:
                if not intake.still_open():
                    return None
                call_soon(intake.wake)  # without waiting: a busy stream goes on filling the buffer
        intake.block_while_full()
    return None


async def _pull_in_task(
    stream: EventStream, intake: Intake, pending: Awaitable[object] | None
) -> None:
    generate_event: Callable[[], object] = stream.generate_event
    while intake.open:
        for _ in range(intake.room()):
            event = pending or generate_event()
            pending = None
            item = read_event(await event if isawaitable(event) else event)
            if isinstance(item, End):
                intake.watched_until = item.tick
                return
            if isinstance(item, Gap):
                intake.missing += item.events
                continue
            intake.items.append(item)
            if intake.waiting and intake.still_open():
                intake.wake()
        await intake.wait_while_full()


class Reader:
    """Reads a stream to its end or, if `strict`, to its first malformed event."""

    def __init__(
        self,
        intake: Intake,
        batcher: AnyBatcher,
        listeners: Sequence[Listener],
        *,
        strict: bool,
        upgrade: BackendUpgrade | None = None,
    ) -> None:
        self._intake = intake
        self._batcher = batcher
        self._upgrade = upgrade
        self._listeners = listeners
        self._strict = strict
        self.rejections: list[Rejection] = []
        """The first 100 malformed events, with the first 1000 characters of their text."""

    async def read(self, queues: Sequence[MemoryObjectSendStream[WorkerInput]]) -> None:
        """
        Fill the queues, one per shard, and close them at the end.

        A full queue makes the reader wait, and so the stream. Raises MalformedEventError if strict.
        """
        try:
            while items := await self._intake.take():
                cut = self._batcher.cut(items)
                for rejection in cut.rejections:
                    self._reject(rejection)
                for shard, batch in cut.batches:
                    await queues[shard].send(batch)
                await self._upgrade_if_due(queues, busy=len(items) == self._intake.batch_bound)
        except BrokenResourceError:
            pass  # a worker has failed, and its own error ends the run
        finally:
            if self._upgrade is not None:
                self._upgrade.stop()
            self._intake.close()
            for queue in queues:
                queue.close()

    async def _upgrade_if_due(
        self, queues: Sequence[MemoryObjectSendStream[WorkerInput]], *, busy: bool
    ) -> None:
        if self._upgrade is None or not self._upgrade.is_due(self.events, busy=busy):
            return
        backend = await run_in_thread(self._upgrade.load)
        if backend is not None:
            self._upgrade = None
            self._batcher = backend.batcher(self._batcher)
            self._intake.grow(_TIMES_LARGER)
            for queue in queues:
                await queue.send(SwitchBackend(backend))

    @property
    def events(self) -> int:
        """The number of events that were read."""
        return self._batcher.state.accounting.events

    @property
    def newest(self) -> int:
        """The newest tick of any access, watched or not."""
        return self._batcher.state.newest

    def _reject(self, rejection: Rejection) -> None:
        if self._strict:
            raise MalformedEventError(rejection.position, rejection.text, rejection.reason)
        append_bounded(self.rejections, rejection)
        for listener in self._listeners:
            listener.event_rejected(rejection)

"""
Events come off the stream here: in a thread where `generate_event()` is a plain function and may
block, in a task where it is `async`. They wait in a bounded buffer for the reader, which takes all
that has arrived: an event that was read never waits for the next one to come.

The reader: one task that cuts what has arrived into batches, for the queues of their shards.
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
from slomon.core.batching import Batcher, Item
from slomon.core.events import End, Rejection, append_bounded, read_event
from slomon.errors import MalformedEventError
from slomon.pipeline.stream import EventStream, Listener
from slomon.pipeline.worker import BackendUpgrade, SwitchBackend, WorkerInput

# How many batches the buffer holds. A producer that was held up reads on once the buffer is empty,
# not at each batch: to wake a thread on another core costs as much as to read hundreds of events.
BATCHES: Final = 4


class Intake:
    """
    The buffer between one producer and the reader. The producer, in whatever thread, only adds at
    its end and the reader only takes from its front, each in one atomic list operation.
    """

    def __init__(self, batch_bound: int) -> None:
        self.items: list[Item] = []
        self.waiting = False  # look up after this item: the reader waits for one, or has gone
        self.open = True  # False once the reader has gone
        self.failure: BaseException | None = None
        self.watched_until: int | None = None  # a tick, where the end of the stream says it
        self.batch_bound = batch_bound
        self._bound = BATCHES * batch_bound
        self._ended = False
        self._arrival = Event()
        self._room: Event | threading.Event = Event()

    async def take(self) -> list[Item]:
        """What has arrived, waiting until something has; nothing once the stream has ended."""
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
        """Hold and hand out so many times more: whoever takes has become as much faster."""
        self.batch_bound *= times
        self._bound *= times

    def close(self) -> None:
        """The reader goes: a producer that waits for room must not wait for ever."""
        self.open = False
        self.waiting = True
        self._room.set()

    def wake(self) -> None:
        """Tell the reader that there is something to take; on the event loop's thread."""
        self._arrival.set()

    def still_open(self) -> bool:
        """What a producer asks that was told to look up."""
        self.waiting = False
        return self.open

    def end(self, failure: BaseException | None = None) -> None:
        """Nothing will follow what is in the buffer."""
        self.failure = failure
        self._ended = True
        self.wake()

    def room(self) -> int:
        """How many items fit in for sure: the reader may make more room meanwhile."""
        return self._bound - len(self.items)

    def block_while_full(self) -> None:
        """What a producer in a thread does before it reads on."""
        # The new event stands before the buffer is looked at, so no room made since is missed.
        self._room = room = threading.Event()
        if self.room() <= 0 and self.open:
            room.wait()

    async def wait_while_full(self) -> None:
        """What a producer in a task does before it reads on."""
        self._room = room = Event()
        if self.room() <= 0 and self.open:
            await room.wait()


async def pump(stream: EventStream, intake: Intake) -> None:
    """Move the stream's events into the intake until the stream ends or nobody wants them."""
    try:
        pending, is_async = None, iscoroutinefunction(stream.generate_event)
        if not is_async:
            # anyio's own calls from a thread wait until the loop takes them up; this one doesn't.
            call_soon = asyncio.get_running_loop().call_soon_threadsafe
            pending = await run_in_thread(partial(_pull_in_thread, stream, intake, call_soon))
        if is_async or pending is not None:
            await _pull_in_task(stream, intake, pending)
    except get_cancelled_exc_class() as error:
        # It may be the stream's own, as of a task it waited for: a task group would hush it up.
        intake.end(error)
        raise
    intake.end()


def _pull_in_thread(
    stream: EventStream, intake: Intake, call_soon: Callable[[Callable[[], None]], object]
) -> Awaitable[object] | None:
    """Returns the first event where it is awaitable: the stream turned out to be async."""
    generate_event: Callable[[], Any] = stream.generate_event
    put = intake.items.append
    while intake.open:
        for _ in range(intake.room()):
            event = generate_event()
            try:  # what read_event does with nearly every event, without the call
                item = event["value"] if event["type"] == "access" else None
            except (TypeError, LookupError):
                item = None
            if type(item) is not str or type(event) is not dict:
                item = read_event(event)
                if isinstance(item, End):
                    intake.watched_until = item.tick
                    return None
                if isawaitable(event):
                    return event
            put(item)
            if intake.waiting:
                if not intake.still_open():
                    return None
                call_soon(intake.wake)  # not waited for: a busy stream fills the buffer meanwhile
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
            intake.items.append(item)
            if intake.waiting and intake.still_open():
                intake.wake()
        await intake.wait_while_full()


_TIMES_FASTER: Final = 8


class Reader:
    """Reads a stream to its end, or, if `strict`, to its first malformed event."""

    def __init__(
        self,
        intake: Intake,
        batcher: Batcher,
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
        Fill the queues, one a shard, and close them. A full queue holds the reader up, and with it
        the stream. Raises MalformedEventError if strict.
        """
        try:
            while items := await self._intake.take():
                cut = self._batcher.cut(items)
                for rejection in cut.rejections:
                    self._reject(rejection)
                for shard, batch in cut.batches:
                    await queues[shard].send(batch)
                await self._hand_over(queues, busy=len(items) == self._intake.batch_bound)
        except BrokenResourceError:
            pass  # a worker has failed: its own error ends the run
        finally:
            self._intake.close()
            for queue in queues:
                queue.close()

    async def _hand_over(
        self, queues: Sequence[MemoryObjectSendStream[WorkerInput]], *, busy: bool
    ) -> None:
        if self._upgrade is None or not self._upgrade.is_due(self.events, busy=busy):
            return
        backend = await run_in_thread(self._upgrade.load)
        if backend is not None:
            self._upgrade = None
            self._batcher = backend.batcher(self._batcher)
            self._intake.grow(_TIMES_FASTER)
            for queue in queues:
                await queue.send(SwitchBackend(backend))

    @property
    def events(self) -> int:
        """How many were read."""
        return self._batcher.accounting.events

    @property
    def newest(self) -> int:
        """The newest tick of any access, watched or not."""
        return self._batcher.newest

    def _reject(self, rejection: Rejection) -> None:
        if self._strict:
            raise MalformedEventError(rejection.position, rejection.text, rejection.reason)
        append_bounded(self.rejections, rejection)
        for listener in self._listeners:
            listener.event_rejected(rejection)

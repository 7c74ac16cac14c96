"""
The workers: one task per shard, which feeds the batches of its queue to the shard.

Beside batches, a queue carries barriers and switches to another backend.
"""

from __future__ import annotations

from array import array
from functools import partial
from typing import Final, Protocol, TypeAlias

from anyio import Event
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from slomon.concurrency import CallThread
from slomon.core.batching import AnyBatcher, Batch
from slomon.core.incident import Incident
from slomon.core.shard import AnyWindows, Shard


class Barrier:
    """
    Marks a place in the stream, and waits until all shards have reached it.

    The barrier is sent to the queue of every shard, and every worker passes it on. Once it has
    arrived at the collector from all shards, everything before it has been processed.
    """

    def __init__(self, shards: int) -> None:
        self._missing = shards
        self._passed = Event()

    def arrive(self) -> None:
        """Note that one more shard has processed everything before the barrier."""
        self._missing -= 1
        if self._missing == 0:
            self._passed.set()

    async def wait(self) -> None:
        """Wait until all shards have."""
        await self._passed.wait()


class StreamBackend(Protocol):
    """Makes the parts of a run that exist for two backends."""

    def batcher(self, batcher: AnyBatcher) -> AnyBatcher:
        """Return a batcher of this backend that continues from another one."""

    def windows(self, windows: AnyWindows) -> AnyWindows:
        """Return windows of this backend that continue from others."""


class BackendUpgrade(Protocol):
    """Decides when a run switches to another backend, and loads that backend."""

    def is_due(self, events: int, *, busy: bool) -> bool:
        """Return whether to try now, after this many events. A busy stream fills whole batches."""

    def load(self) -> StreamBackend | None:
        """Return the backend, or None if there is none. It may block: it is called in a thread."""

    def stop(self) -> None:
        """End what it has begun, as the stream has ended."""


class SwitchBackend:
    """Sent to the queue of every shard before the first batch of the new backend."""

    def __init__(self, backend: StreamBackend) -> None:
        self.windows = backend.windows


WorkerInput: TypeAlias = Batch | Barrier | SwitchBackend
WorkerOutput: TypeAlias = list[Incident] | Barrier

_WORTH_A_THREAD: Final = 10_000  # rows: a kernel needs longer for them than a call in a thread


async def work(
    shard: Shard,
    batches: MemoryObjectReceiveStream[WorkerInput],
    moved: MemoryObjectSendStream[WorkerOutput],
) -> None:
    """Feed a shard all its batches, and send the incidents that opened, closed or expired."""
    with batches, moved, CallThread() as thread:
        async for batch in batches:
            if isinstance(batch, Barrier):
                await moved.send(batch)
            elif isinstance(batch, SwitchBackend):
                shard.windows = batch.windows(shard.windows)
            elif incidents := await _advance(shard, batch, thread):
                await moved.send(incidents)


async def _advance(shard: Shard, batch: Batch, thread: CallThread) -> list[Incident]:
    # A thread helps only a compiled kernel, which releases the GIL. Its batches are arrays.
    if isinstance(batch.slots, array) and len(batch.slots) >= _WORTH_A_THREAD:
        return await thread.call(partial(shard.advance, batch))
    return shard.advance(batch)

"""
A mark that flows through the pipeline behind all that came before it.

What may take over a run that turns out to be long, at another speed and with the same answer.

The workers: one task a shard, from its queue through its windows to its incidents.
"""

from __future__ import annotations

from array import array
from functools import partial
from typing import Final, Protocol, TypeAlias

from anyio import Event
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from slomon.concurrency import run_in_thread
from slomon.core.batching import Batch, Batcher
from slomon.core.incident import Incident
from slomon.core.shard import AnyWindows, Shard


class Barrier:
    """
    Sent to every shard's queue and passed on by every worker: once it has passed the collector as
    often as there are shards, whatever came before it is done.
    """

    def __init__(self, shards: int) -> None:
        self._missing = shards
        self._passed = Event()

    def arrive(self) -> None:
        """One more shard has done all before it."""
        self._missing -= 1
        if self._missing == 0:
            self._passed.set()

    async def wait(self) -> None:
        """Wait until all have."""
        await self._passed.wait()


class StreamBackend(Protocol):
    """The parts of a run that come at two speeds."""

    def batcher(self, batcher: Batcher) -> Batcher:
        """One that goes on from that one."""

    def windows(self, windows: AnyWindows) -> AnyWindows:
        """Those that go on from these."""


class BackendUpgrade(Protocol):
    """Knows other parts, and when it is worth it to go on with them."""

    def is_due(self, events: int, *, busy: bool) -> bool:
        """Is it time to try, after so many events, of a stream that is busy or not?"""

    def load(self) -> StreamBackend | None:
        """The parts, None where there are none. May take long: called in a thread of its own."""


class SwitchBackend:
    """Sent to every shard's queue before the first batch of the new parts."""

    def __init__(self, backend: StreamBackend) -> None:
        self.windows = backend.windows


WorkerInput: TypeAlias = Batch | Barrier | SwitchBackend
WorkerOutput: TypeAlias = list[Incident] | Barrier

_WORTH_A_THREAD: Final = 10_000  # rows that are compiled: about as long as a thread takes to start


async def work(
    shard: Shard,
    batches: MemoryObjectReceiveStream[WorkerInput],
    moved: MemoryObjectSendStream[WorkerOutput],
) -> None:
    """Feed a shard its batches to the last, and pass on the incidents that opened or closed."""
    with batches, moved:
        async for batch in batches:
            if isinstance(batch, Barrier):
                await moved.send(batch)
            elif isinstance(batch, SwitchBackend):
                shard.windows = batch.windows(shard.windows)
            elif incidents := await _advance(shard, batch):
                await moved.send(incidents)


async def _advance(shard: Shard, batch: Batch) -> list[Incident]:
    """Only a compiled kernel lets others run meanwhile, and it works on arrays."""
    if isinstance(batch.slots, array) and len(batch.slots) >= _WORTH_A_THREAD:
        return await run_in_thread(partial(shard.advance, batch))
    return shard.advance(batch)

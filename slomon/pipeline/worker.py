"""The workers: one task a shard, from its queue through its windows to its incidents."""

from __future__ import annotations

from array import array
from functools import partial
from typing import Final, TypeAlias

from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from slomon.concurrency import in_own_thread
from slomon.core.batch import Batch
from slomon.core.incident import Incident
from slomon.core.shard import Shard
from slomon.pipeline.barrier import Barrier
from slomon.pipeline.speed import Handover

Fed: TypeAlias = Batch | Barrier | Handover
Moved: TypeAlias = list[Incident] | Barrier

_WORTH_A_THREAD: Final = 10_000  # rows that are compiled: about as long as a thread takes to start


async def work(
    shard: Shard, batches: MemoryObjectReceiveStream[Fed], moved: MemoryObjectSendStream[Moved]
) -> None:
    """Feed a shard its batches to the last, and pass on the incidents that opened or closed."""
    with batches, moved:
        async for batch in batches:
            if isinstance(batch, Barrier):
                await moved.send(batch)
            elif isinstance(batch, Handover):
                shard.windows = batch.windows(shard.windows)
            elif incidents := await _advance(shard, batch):
                await moved.send(incidents)


async def _advance(shard: Shard, batch: Batch) -> list[Incident]:
    """Only a compiled kernel lets others run meanwhile, and it works on arrays."""
    if isinstance(batch.slots, array) and len(batch.slots) >= _WORTH_A_THREAD:
        return await in_own_thread(partial(shard.advance, batch))
    return shard.advance(batch)

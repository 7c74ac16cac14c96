"""The workers: one task a shard, from its queue through its windows to its incidents."""

from __future__ import annotations

from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from slomon.core.batch import Batch
from slomon.core.incident import Incident
from slomon.core.shard import Shard


async def work(
    shard: Shard,
    batches: MemoryObjectReceiveStream[Batch],
    moved: MemoryObjectSendStream[list[Incident]],
) -> None:
    """Feed a shard its batches to the last, and pass on the incidents that opened or closed."""
    with batches, moved:
        async for batch in batches:
            if incidents := shard.advance(batch):
                await moved.send(incidents)

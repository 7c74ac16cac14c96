"""Whoever waits at a barrier goes on once every shard has done what came before it."""

from __future__ import annotations

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from slomon.core.batching import Batch
from slomon.core.endpoints import Endpoint
from slomon.core.shard import Shard
from slomon.pipeline.collector import Collector
from slomon.pipeline.run import Queues, drive
from slomon.pipeline.worker import Barrier

SHOP = Endpoint("shop", "-", "GET", "/shop", 0.9, 300)


@pytest.mark.parametrize("shards", [1, 3])
async def test_a_barrier_is_passed_when_the_last_shard_has_arrived(shards: int) -> None:
    barrier, passed = Barrier(shards), []

    async def wait() -> None:
        await barrier.wait()
        passed.append(True)

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        for _ in range(shards):
            await checkpoint()
            assert not passed
            barrier.arrive()
    await barrier.wait()  # and stays passed
    assert passed


@pytest.mark.parametrize("shards", [1, 2, 5])
async def test_a_barrier_that_flows_behind_batches_tells_that_their_incidents_are_known(
    shards: int,
) -> None:
    collector = Collector(())
    seen: list[int] = []

    async def read(queues: Queues) -> None:
        barrier = Barrier(shards)
        for shard, queue in enumerate(queues):
            await queue.send(Batch([0], [5], [1], [shard], []))
            await queue.send(barrier)
        await barrier.wait()
        seen.extend(collector.incidents)
        for queue in queues:
            queue.close()

    def start_reading(group: TaskGroup, queues: Queues) -> None:
        group.start_soon(read, queues)

    await drive(
        start_reading,
        [Shard([SHOP]) for _ in range(shards)],
        collector,
        queue_bound=1,
    )
    assert sorted(seen) == list(range(shards))

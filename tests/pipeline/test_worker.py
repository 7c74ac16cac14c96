from __future__ import annotations

import threading
from array import array
from itertools import islice

import anyio
import pytest

from slomon.core.batching import Batch, Batcher
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.events import End, read_event, server_errors_fail
from slomon.core.shard import Shard
from slomon.core.windows import Windows
from slomon.kernels.window import Crossing
from slomon.pipeline.worker import Fed, Moved, work
from tests.streams import ENTRIES, flapping


async def test_a_worker_passes_incidents_on_and_closes_both_its_ends_at_the_end() -> None:
    sharding = Sharding(Catalogue(ENTRIES), 1)
    batcher = Batcher(sharding, server_errors_fail)
    send, batches = anyio.create_memory_object_stream[Fed](9)
    moved, receive = anyio.create_memory_object_stream[Moved](9)
    # A change, a failure, a change, a success: each in a batch of its own.
    for event in islice(flapping(["api"]), 4):
        item = read_event(event)
        assert not isinstance(item, End)
        for _, batch in batcher.cut([item]).batches:
            send.send_nowait(batch)
    send.close()
    with receive:
        await work(Shard(sharding.members[0]), batches, moved)
        told = [incidents async for incidents in receive if isinstance(incidents, list)]
    assert [[incident.end_position for incident in incidents] for incidents in told] == [
        [None],
        [3],
    ]
    with pytest.raises(anyio.ClosedResourceError):
        batches.receive_nowait()


class Compiled(Windows):
    """Windows that remember in which threads they were advanced."""

    def __init__(self) -> None:
        super().__init__(Catalogue(ENTRIES).endpoints)
        self.threads: list[threading.Thread] = []

    def advance(self, batch: Batch) -> list[Crossing]:
        self.threads.append(threading.current_thread())
        return super().advance(batch)


def compiled_batch(rows: int) -> Batch:
    zeros = array("q", [0]) * rows
    return Batch(zeros, zeros, zeros, array("q", range(rows)), [])


async def test_only_a_large_batch_for_compiled_kernels_is_worth_a_thread() -> None:
    windows = Compiled()
    send, batches = anyio.create_memory_object_stream[Fed](9)
    moved, receive = anyio.create_memory_object_stream[Moved](9)
    for batch in (compiled_batch(10_000), compiled_batch(9_999)):
        send.send_nowait(batch)
    send.close()
    with receive:
        await work(Shard(Catalogue(ENTRIES).endpoints, windows), batches, moved)

    apart, inline = windows.threads
    assert apart is not threading.current_thread()
    assert inline is threading.current_thread()

"""
A barrier is passed once every shard has processed everything before it.

A run may switch to another backend between any two batches, once, and only if it is due.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice, pairwise

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from slomon import ServiceMonitor, get_service_monitor
from slomon.core.batching import AnyBatcher, Batch, Batcher
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.events import End, Gap, read_event
from slomon.core.shard import AnyWindows, Shard
from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.core.windows import Windows
from slomon.kernels.windows import Crossing
from slomon.pipeline.collector import Collector
from slomon.pipeline.run import Options, Queues, run, run_workers
from slomon.pipeline.worker import (
    BackendUpgrade,
    Barrier,
    StreamBackend,
    WorkerInput,
    WorkerOutput,
    work,
)
from tests.core.builders import make_endpoint
from tests.streams import ENTRIES, PlainStream, Stream, flapping

SHOP = make_endpoint(window=300)


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

    await run_workers(
        start_reading,
        [Shard([SHOP]) for _ in range(shards)],
        collector,
        queue_bound=1,
    )
    assert sorted(seen) == list(range(shards))


class SameBackend:
    """Returns the parts that it gets, and remembers them."""

    def __init__(self) -> None:
        self.batchers: list[AnyBatcher] = []
        self.all_windows: list[AnyWindows] = []

    def batcher(self, batcher: AnyBatcher) -> AnyBatcher:
        self.batchers.append(batcher)
        return batcher

    def windows(self, windows: AnyWindows) -> AnyWindows:
        self.all_windows.append(windows)
        return windows


class Upgrade:
    """Is due after some events; the first `failures` attempts to load find no backend."""

    def __init__(self, after: int, failures: int = 0) -> None:
        self.backend = SameBackend()
        self.asked: list[tuple[int, bool]] = []
        self.threads: list[threading.Thread] = []
        self.stopped = False
        self._after = after
        self._failures = failures

    def __call__(self, sharding: Sharding, is_failure: StatusRule) -> BackendUpgrade:
        assert len(sharding.members) == 3
        assert is_failure(500)
        return self

    def is_due(self, events: int, *, busy: bool) -> bool:
        self.asked.append((events, busy))
        return events >= self._after

    def load(self) -> StreamBackend | None:
        self.threads.append(threading.current_thread())
        return self.backend if len(self.threads) > self._failures else None

    def stop(self) -> None:
        self.stopped = True


async def run_with(
    stream: Stream, upgrade: Callable[[Sharding, StatusRule], BackendUpgrade]
) -> str:
    options = Options(workers=3, batch_bound=10)
    return report(await run(stream, options, make_upgrade=upgrade))


def report(monitor: ServiceMonitor) -> str:
    return repr([monitor.incidents, asdict(monitor.accounting)])


def events() -> list[object]:
    return [event for event, _ in zip(flapping(), range(200), strict=False)]


async def test_a_run_that_switches_its_backend_gives_the_same_answer(kind: type[Stream]) -> None:
    upgrade = Upgrade(after=100)
    alone = report(await run(kind(events()), Options(workers=3, batch_bound=10)))

    assert await run_with(kind(events()), upgrade) == alone
    assert len(upgrade.backend.batchers) == 1
    assert len(upgrade.backend.all_windows) == 3, "one for each shard"
    assert upgrade.threads != [threading.current_thread()], "it may take long"


async def test_an_upgrade_is_not_asked_again_once_the_backend_was_switched() -> None:
    upgrade = Upgrade(after=100)
    await run_with(PlainStream(events()), upgrade)

    assert [read for read, _ in upgrade.asked if read >= 100] == [upgrade.asked[-1][0]]


async def test_a_run_continues_if_no_backend_can_be_loaded_and_may_try_again() -> None:
    upgrade = Upgrade(after=0, failures=2)
    await run_with(PlainStream(events()), upgrade)

    assert len(upgrade.threads) == 3
    assert len(upgrade.backend.batchers) == 1
    assert not upgrade.stopped


async def test_an_upgrade_that_was_not_made_is_stopped_at_the_end_of_the_stream() -> None:
    upgrade = Upgrade(after=1000)
    await run_with(PlainStream(events()), upgrade)

    assert upgrade.stopped


async def test_a_stream_that_fills_its_batches_is_busy() -> None:
    upgrade = Upgrade(after=1000)
    await run_with(PlainStream(events()), upgrade)

    assert upgrade.asked[-1][0] == 200
    assert any(busy for _, busy in upgrade.asked)
    for (before, _), (read, busy) in pairwise([(0, False), *upgrade.asked]):
        assert busy == (read - before == 10)


def test_without_an_upgrade_a_run_does_not_switch() -> None:
    monitor = get_service_monitor(PlainStream(events(), ENTRIES), backend="python")
    assert monitor.accounting.events == 200


def test_a_wrong_backend_is_named() -> None:
    with pytest.raises(ValueError, match="backend"):
        get_service_monitor(PlainStream(events(), ENTRIES), backend="yes")  # type: ignore[arg-type]


async def test_a_worker_sends_incidents_and_closes_both_its_streams_at_the_end() -> None:
    sharding = Sharding(Catalogue(ENTRIES), 1)
    batcher = Batcher(sharding, server_errors_fail)
    send, batches = anyio.create_memory_object_stream[WorkerInput](9)
    moved, receive = anyio.create_memory_object_stream[WorkerOutput](9)
    # A change, a failure, a change, a success: each in a batch of its own.
    for event in islice(flapping(["api"]), 4):
        item = read_event(event)
        assert not isinstance(item, End | Gap)
        for _, batch in batcher.cut([item]).batches:
            send.send_nowait(batch)
    send.close()
    with receive:
        await work(Shard(sharding.members[0]), batches, moved)
        sent = [incidents async for incidents in receive if isinstance(incidents, list)]
    assert [[incident.end_position for incident in incidents] for incidents in sent] == [
        [None],
        [3],
    ]
    with pytest.raises(anyio.ClosedResourceError):
        batches.receive_nowait()


class CompiledBackend(Windows):
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
    windows = CompiledBackend()
    send, batches = anyio.create_memory_object_stream[WorkerInput](9)
    moved, receive = anyio.create_memory_object_stream[WorkerOutput](9)
    for batch in (compiled_batch(10_000), compiled_batch(9_999)):
        send.send_nowait(batch)
    send.close()
    with receive:
        await work(Shard(Catalogue(ENTRIES).endpoints, windows), batches, moved)

    apart, inline = windows.threads
    assert apart is not threading.current_thread()
    assert inline is threading.current_thread()

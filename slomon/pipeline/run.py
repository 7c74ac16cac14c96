"""
One run over one stream: its options, its tasks, and how it ends.

    stream -> pump -> intake -> reader -> queue per shard -> worker -> collector -> monitor

Of the options, only `is_failure`, `no_traffic` and `sli_series` change the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from typing import TypeAlias, cast

from anyio import create_memory_object_stream, create_task_group
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectSendStream

from slomon.concurrency import run_in_thread, unwrap_first
from slomon.core.batching import Batcher
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.shard import Shard
from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.core.totals import add_up
from slomon.core.windows import Windows
from slomon.errors import ConfigurationError
from slomon.pipeline.collector import Collector
from slomon.pipeline.reader import Intake, Reader, pump
from slomon.pipeline.stream import Entries, EventStream, Listener
from slomon.pipeline.worker import BackendUpgrade, WorkerInput, WorkerOutput, work
from slomon.text import quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    How a run is set up. The answer depends on `is_failure`, `no_traffic` and `sli_series` only.

    * `workers`: the number of tasks that share the endpoints
    * `queue_bound`: at most this many batches wait for each worker
    * `batch_bound`: a batch holds at most this many events; four times as many events may wait to
      be put in a batch
    * `strict`: stop at the first malformed event with a MalformedEventError
    * `is_failure`: did a request with this status fail? None if there is no such status. It must
      always return the same for a status
    * `no_traffic`: an incident expires after this many ticks without a request; None: never
    * `sli_series`: keep the SLI of each endpoint over time

    Raises ConfigurationError if a value is not allowed.
    """

    workers: int = 2
    queue_bound: int = 8
    batch_bound: int = 1024
    strict: bool = False
    is_failure: StatusRule = server_errors_fail
    sli_series: bool = False
    no_traffic: int | None = None

    def __post_init__(self) -> None:
        for name, most in (("workers", 1024), ("queue_bound", 2**20), ("batch_bound", 2**20)):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise ConfigurationError(
                    f"option '{name}' is {quote(value)}; allowed: a whole number from 1 to {most}"
                )
        for name in ("strict", "sli_series"):
            value = getattr(self, name)
            if type(value) is not bool:
                raise ConfigurationError(
                    f"option '{name}' is {quote(value)}; allowed: True and False"
                )


DEFAULTS = Options()


Queues: TypeAlias = Sequence[MemoryObjectSendStream[WorkerInput]]
"""The queues, one per shard. Whoever receives them must close them."""


async def run(
    stream: EventStream,
    options: Options,
    listeners: Sequence[Listener] = (),
    make_upgrade: Callable[[Sharding, StatusRule], BackendUpgrade] | None = None,
) -> ServiceMonitor:
    """
    Consume a stream to its end.

    If the stream is long, the upgrade that `make_upgrade` returns may switch the backend. A failure
    of the stream, of the pipeline or of a listener stops the run and is raised as it is.
    """
    sharding, shards = await _prepare(stream, options)
    intake = Intake(options.batch_bound)
    batcher = Batcher(sharding, options.is_failure)
    state = batcher.state  # the same object if the backend is switched
    upgrade = make_upgrade(sharding, options.is_failure) if make_upgrade else None
    reader = Reader(intake, batcher, listeners, strict=options.strict, upgrade=upgrade)
    collector = Collector(listeners)
    for listener in listeners:
        listener.started(sharding.catalogue)

    def start_reading(group: TaskGroup, queues: Queues) -> None:
        group.start_soon(reader.read, queues)
        group.start_soon(pump, stream, intake)

    await run_workers(start_reading, shards, collector, options.queue_bound)
    if intake.failure is not None:
        raise intake.failure
    collector.finish(shards, max(reader.newest, intake.watched_until or 0))
    late = sum(shard.late for shard in shards)
    accounting = replace(state.accounting, late=late, missing=intake.missing)
    for listener in listeners:
        listener.finished(accounting)
    totals = add_up(shards, state.deploys, state.span)
    return ServiceMonitor(collector.incidents.values(), accounting, reader.rejections, totals)


async def run_workers(
    start_reading: Callable[[TaskGroup, Queues], None],
    shards: Sequence[Shard],
    collector: Collector,
    queue_bound: int,
) -> None:
    """
    Run one worker per shard, the collector, and the tasks that fill the queues.

    `start_reading` starts the latter. The first failure of any task is raised as it is.
    """
    with unwrap_first():
        async with create_task_group() as group:
            send, receive = create_memory_object_stream[WorkerOutput](queue_bound)
            group.start_soon(collector.collect, receive)
            queues = []
            with send:
                for shard in shards:
                    queue, batches = create_memory_object_stream[WorkerInput](queue_bound)
                    queues.append(queue)
                    group.start_soon(work, shard, batches, send.clone())
            start_reading(group, queues)


async def _prepare(stream: EventStream, options: Options) -> tuple[Sharding, list[Shard]]:
    def build(entries: Entries) -> tuple[Sharding, list[Shard]]:
        sharding = Sharding(Catalogue(entries), options.workers)
        windows = [
            Windows(members, no_traffic=options.no_traffic, sli_series=options.sli_series)
            for members in sharding.members
        ]
        return sharding, list(map(Shard, sharding.members, windows))

    # In a thread, since checking a catalogue of a million endpoints takes seconds.
    return await run_in_thread(partial(build, await _get_info(stream)))


async def _get_info(stream: EventStream) -> Entries:
    if iscoroutinefunction(stream.get_info):
        return cast(Entries, await stream.get_info())
    entries = await run_in_thread(stream.get_info)
    return await entries if isawaitable(entries) else entries

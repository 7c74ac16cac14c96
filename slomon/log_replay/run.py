"""
The engine of a replay: its parts, and how they run.

    logs -> block -> rows -> order -> queue per shard -> worker -> collector -> monitor
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Unpack

from anyio import CancelScope, create_task_group, sleep
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint as pause

from slomon.concurrency import run_in_thread, unwrap_first
from slomon.core.endpoints import ShardEndpoints
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.shard import Shard
from slomon.core.windows import Windows
from slomon.log_replay.backend import Backend
from slomon.log_replay.checkpoint import (
    Checkpoint,
    SavedState,
    load_counts,
    load_logs,
    load_names,
    load_order,
    load_templates,
    save_counts,
    save_logs,
    save_names,
    save_order,
    save_templates,
)
from slomon.log_replay.parts import Hooks, ReplayParts, choose_lateness
from slomon.log_replay.plan import Plan
from slomon.log_replay.progress import Progress
from slomon.log_replay.reader import BlockReader, LogReader
from slomon.log_replay.survey import Survey, check_unchanged
from slomon.pipeline.run import Queues, run_workers
from slomon.pipeline.worker import Barrier
from slomon.state.encoding import (
    Saved,
    Sections,
    StreamBounds,
    load_shard,
    pack_incidents,
    save_shard,
    series_state,
    unpack_incidents,
)
from slomon.state.validation import check_same_run


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Replay(ReplayParts):
    """
    A replay on an event loop, ready to run once.

    The state is saved to `checkpoint` when it is due, with what `save_rejections` returns; `saved`
    is the state from which to resume.
    """

    def __init__(
        self,
        plan: Plan,
        backend: Backend,
        *,
        checkpoint: Checkpoint | None = None,
        save_rejections: Callable[[], object] = list,
        saved: SavedState | None = None,
        **hooks: Unpack[Hooks],
    ) -> None:
        self._checkpoint = checkpoint
        self._save_rejections = save_rejections
        self._saved = saved
        with self._restoring():
            counts = {} if saved is None else load_counts(saved)
        super().__init__(plan, backend, counts=counts, **hooks)
        self.logs: list[LogReader] = []

    async def run(self) -> ServiceMonitor:
        """
        Read all logs to their ends, from the saved position if there is one. Raises
        ConfigurationError if no log was in a known format.
        """
        await self._find_logs()
        self._prepare()
        await run_workers(self._start_reading, self._shards, self._collector, queue_bound=4)
        return self._finish()

    async def _find_logs(self) -> None:
        """Look at all logs, and start the clock of each at the first tick of the log."""
        plan, saved = self._plan, self._saved
        if saved is None:
            survey = Survey(self._detector, plan.max_line, alone=len(plan.logs) == 1)
            for path in plan.logs:
                survey.look_at(path)
                await pause()
            found = survey.conclude()
            states = [state for _, state in found]
            self._start_clocks(found)
        else:
            with self._restoring():
                states = load_logs(saved, plan.logs, self._detector.restore)
            for state in states:
                check_unchanged(state, plan.max_line)
                await pause()
        self.logs = [
            LogReader(
                state,
                self._detector,
                self._resolver.scan,
                on_recognised=self._groups.learn,  # no method of this object: that would be a cycle
                max_line=plan.max_line,
                resumable=self._checkpoint is not None or saved is not None,
            )
            for state in states
        ]

    def _prepare(self) -> None:
        workers = range(self._plan.workers)
        saved = self._saved
        with self._restoring():
            if saved is None:
                self._group_paths()
                self._enter_changes()
                self._shards = [self._make_shard(number) for number in workers]
            else:
                templates = load_templates(saved)
                if templates is None:
                    self._group_paths()
                else:
                    self._groups.use(templates)
                load_names(self._names, saved)
                endpoints = self._requests(match_exactly=True).endpoints
                waiting = load_order(self._order, saved, len(endpoints))
                self._collector.update(unpack_incidents(saved["incidents"]))
                self._shards = [self._restore_shard(number, saved) for number in workers]
                incidents = self._collector.incidents
                self._accounts.check(self.logs, self._shards, incidents, waiting, endpoints)

    def _start_reading(self, group: TaskGroup, queues: Queues) -> None:
        # Not an attribute: it refers to this object, and the cycle would keep all blocks alive.
        reader = BlockReader(
            *(
                self.logs,
                self._order,
                self._resolver,
                partial(choose_lateness, self._plan),
                self._save,
            ),
            block_bytes=self._plan.block_bytes,
            cores=_count_cores(),
        )
        group.start_soon(reader.read, queues)

    async def _save(self, send: Callable[[], Awaitable[None]], queues: Queues) -> None:
        """If a checkpoint is due, wait until the workers have done what was read, and save."""
        checkpoint = self._checkpoint
        if checkpoint is None or not checkpoint.is_due():
            return
        await send()
        barrier = Barrier(len(queues))
        for queue in queues:
            await queue.send(barrier)
        await barrier.wait()
        await run_in_thread(partial(checkpoint.save, self._sections()))

    def _sections(self) -> Sections:
        yield from save_order(self._order)
        yield from save_counts(self._reference)
        yield from save_logs(self.logs)
        yield from save_names(self._names)
        yield from save_templates(self._groups.templates)
        for number, shard in enumerate(self._shards):
            yield from save_shard(number, shard)
        yield "incidents", pack_incidents(self._collector.incidents.values())
        yield "rejections", self._save_rejections()

    def _restoring(self) -> AbstractContextManager[None]:
        """Raise StateFileError if the saved state, which is read inside, turns out invalid."""
        return nullcontext() if self._saved is None else self._saved.restoring()

    def _restore_shard(self, number: int, saved: Saved) -> Shard:
        plan = self._plan
        endpoints = self._requests(match_exactly=True).endpoints
        members = ShardEndpoints(endpoints, number, plan.workers)
        bounds = StreamBounds(self._order.position, self._order.span.ended)
        state = load_shard(number, saved, bounds)
        check_same_run(state.windows, members, plan.min_requests, plan.no_traffic)
        series = None
        if plan.sli_series:
            series = series_state(number, saved, state.windows, since_beginning=True)
        windows = Windows.from_state(state.windows, state.marks, series, resolution=plan.resolution)
        return Shard(
            members,
            self._backend.windows(windows),
            changes=state.changes,
            open_incidents=state.open,
        )


async def run_watched(
    replay: Replay,
    total_bytes: int | None,
    on_progress: Callable[[Progress], object],
    interval: float = 0.1,
) -> ServiceMonitor:
    """
    Run a replay, and call `on_progress` every `interval` seconds and at the end. An exception of
    the replay or of `on_progress` comes out as itself.
    """

    def report() -> None:
        read_bytes = sum(log.bytes_read for log in replay.logs)
        on_progress(Progress(read_bytes, total_bytes, replay.lines))

    async def watch() -> None:
        with watching:
            while True:
                report()
                await sleep(interval)

    watching = CancelScope()
    with unwrap_first():
        async with create_task_group() as group:
            group.start_soon(watch)
            monitor = await replay.run()
            watching.cancel()
    report()
    return monitor

"""
The engine of a replay: its parts, and how they run.

    logs -> block -> rows -> order -> queue per shard -> worker -> collector -> monitor
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial

from anyio.abc import TaskGroup

from slomon.concurrency import run_in_thread
from slomon.core.endpoints import ShardEndpoints
from slomon.core.events import Change, RejectedLine
from slomon.core.incident import Incident
from slomon.core.reorder import SourceClock
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.shard import Shard
from slomon.core.totals import add_up
from slomon.core.windows import Windows
from slomon.endpoints.discovery import BY_FIELD, FoundEndpoints
from slomon.endpoints.templates import Template
from slomon.formats.format import Ambiguity, AnyLayout, Reading
from slomon.kernels.codes import UNMATCHED
from slomon.log_replay.accounts import Accounts
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
from slomon.log_replay.detect import FormatDetector, OnFormatDetected, is_known
from slomon.log_replay.lines import Log, ReferenceParser
from slomon.log_replay.plan import LATENESS, Plan
from slomon.log_replay.reader import CHANGES, BlockReader, LogReader
from slomon.log_replay.requests import KnownRequests
from slomon.log_replay.sample import PathGroups
from slomon.log_replay.survey import check_unchanged, survey
from slomon.pipeline.collector import Collector
from slomon.pipeline.run import Queues, finish, run_workers
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
from slomon.text import excerpt


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _infer(lines: Sequence[str]) -> AnyLayout | Ambiguity | None:
    # Imported only if no known format reads a log: the import takes some milliseconds.
    from slomon.formats.inference import infer  # noqa: PLC0415

    return infer(lines)


def _ignore(*_: object) -> None:
    """The default of the hooks."""


def make_detector(
    plan: Plan, requests: KnownRequests, on_format_detected: OnFormatDetected = _ignore
) -> FormatDetector:
    """The detector of the formats of a plan's logs."""
    return FormatDetector(
        plan.formats,
        requests,
        on_format_detected,
        match_exactly=plan.match_exactly,
        reading=Reading(plan.is_failure, plan.zone, plan.service_from == BY_FIELD),
        infer=_infer,
    )


def choose_lateness(plan: Plan, log: Log | None) -> int:
    """How late the lines of a log may be, in ticks; None is a log that is not recognised yet."""
    if plan.lateness is not None:
        return plan.lateness
    if log is None:
        return LATENESS
    return 0 if log.format.ordered else max(LATENESS, log.lateness)


class Replay:
    """
    The parts of one replay, ready to run once.

    `on_rejected` is called with each malformed line, `on_format_detected` with each log's name and
    format, and `on_paths_grouped` with the path templates once they are known. The state is saved
    to `checkpoint` when it is due, with what `save_rejections` returns; `saved` is the state from
    which to resume.
    """

    def __init__(
        self,
        plan: Plan,
        backend: Backend,
        *,
        on_rejected: Callable[[RejectedLine], None] = _ignore,
        on_format_detected: OnFormatDetected = _ignore,
        on_paths_grouped: Callable[[Sequence[Template]], None] = _ignore,
        checkpoint: Checkpoint | None = None,
        save_rejections: Callable[[], object] = list,
        saved: SavedState | None = None,
    ) -> None:
        self._plan = plan
        self._backend = backend
        self._checkpoint = checkpoint
        self._save_rejections = save_rejections
        self._saved = saved
        most = plan.max_endpoints if plan.endpoints is None else 0
        self._order, self._names = backend.order(1 + len(plan.logs), plan.workers, most)
        with self._restoring():
            counts = {} if saved is None else load_counts(saved)
        self._order.last = plan.last
        self._reference = ReferenceParser(
            self._order, on_rejected, **counts, first=plan.first, last=plan.last
        )
        self._found = FoundEndpoints(self._names, plan.defaults, plan.service_from)
        self._requests = KnownRequests(plan, self._found)
        self._accounts = Accounts(plan, self._order, self._reference, self._names)
        self._resolver = backend.reader(self._reference, plan.is_failure)
        self._groups = PathGroups(plan, backend, self._names, on_paths_grouped)
        self._detector = make_detector(plan, self._requests, on_format_detected)
        self.logs: list[LogReader] = []
        """The logs in the order in which they begin, once the replay has begun."""
        self._shards: list[Shard] = []
        self._collector = Collector(())

    async def run(self) -> ServiceMonitor:
        """
        Read all logs to their ends, from the saved position if there is one. Raises
        ConfigurationError if no log was in a known format.
        """
        await self._find_logs()
        self._prepare()
        await run_workers(self._start_reading, self._shards, self._collector, queue_bound=4)
        refusals = [log.refusal for log in self.logs if log.refusal is not None]
        if refusals and not any(is_known(log.log) for log in self.logs):
            raise refusals[0]
        return self._finish()

    def _finish(self) -> ServiceMonitor:
        shards, order, collector = self._shards, self._order, self._collector
        newest = max(clock.newest for clock in order.clocks[CHANGES + 1 :])
        finish(shards, collector, min(max(newest, order.watched_until), self._plan.last))
        incidents: Iterable[Incident] = collector.incidents.values()
        if self._plan.endpoints is None:
            endpoints = self._found
            endpoints.settle({deploy.change.service for deploy in order.deploys})
            incidents = [replace(one, endpoint=endpoints[one.key]) for one in incidents]
        deploys = [deploy for deploy in order.deploys if self.is_watched(deploy.change)]
        totals = add_up(shards, deploys, order.span)
        accounting = self._accounts.sum_up(
            late=sum(shard.late for shard in shards),
            lines=self.lines,
            deploys=len(deploys),
            grouped_paths=sum(one.replaced for one in self._groups.templates or ()),
        )
        return ServiceMonitor(incidents, accounting, (), totals)

    def list_services(self) -> list[str]:
        """The services that own endpoints, after the run; not those that each are an endpoint."""
        given = self._plan.endpoints
        return sorted({one.name for one in given.endpoints} if given else self._found.services)

    @property
    def lines(self) -> int:
        """The number of lines that were read."""
        return sum(log.place.lines for log in self.logs)

    @property
    def sources(self) -> list[tuple[str, SourceClock]]:
        """The name and the clock of each log."""
        names = [excerpt(log.path) for log in self.logs]
        return list(zip(names, self._order.clocks[CHANGES + 1 :], strict=True))

    def is_watched(self, change: Change) -> bool:
        """Does the service of a change own an endpoint?"""
        return self._requests(match_exactly=True).watches(change.service)

    async def _find_logs(self) -> None:
        """Look at all logs, and start the clock of each at the tick at which the log begins."""
        plan, saved = self._plan, self._saved
        if saved is None:
            found = await survey(plan.logs, self._detector, plan.max_line)
            states = [state for _, state in found]
            clocks = [
                SourceClock(choose_lateness(plan, state.log), tick, ended=state.ended)
                for tick, state in found
            ]
            self._order.start([self._order.clocks[CHANGES], *clocks])
        else:
            with self._restoring():
                states = load_logs(saved, plan.logs, self._detector.restore)
            await check_unchanged(states, plan.max_line)
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
            self._shards = [self._make_shard(number, saved) for number in workers]
            if saved is not None:
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
        group.start_soon(reader.read, group, queues)

    async def _save(self, queues: Queues) -> None:
        """If a checkpoint is due, wait until the workers have done what was read, and save."""
        checkpoint = self._checkpoint
        if checkpoint is None or not checkpoint.is_due():
            return
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

    def _make_shard(self, number: int, saved: Saved | None) -> Shard:
        plan = self._plan
        endpoints = self._requests(match_exactly=True).endpoints
        members = ShardEndpoints(endpoints, number, plan.workers)
        if saved is None:
            windows = Windows(
                members,
                min_requests=plan.min_requests,
                resolution=plan.resolution,
                sli_series=plan.sli_series,
                no_traffic=plan.no_traffic,
            )
            return Shard(members, self._backend.windows(windows))
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

    def _enter_changes(self) -> None:
        ticks, codes = array("q"), array("q")
        for tick, change in self._plan.changes:
            watched = self.is_watched(change)
            self._reference.changes += watched
            ticks.append(tick)
            codes.append(self._order.add_change(change) if watched else UNMATCHED)
        self._order.enter(CHANGES, ticks, codes, len(ticks))
        self._order.end(CHANGES)

    def _group_paths(self) -> None:
        """Learn the path templates from several logs. The only one is read first."""
        if self._plan.endpoints is not None or not self._plan.groups_paths:
            self._groups.use([])
        elif len(self.logs) > 1:
            read = [log for log in self.logs if log.copy_of is None]
            known = {log.path: log.log for log in read if log.log is not None}
            self._groups.learn_from_files(known)

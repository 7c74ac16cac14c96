"""
One replay: its parts, how they are run, and how its progress is reported.

    logs -> block -> rows -> order -> queue per shard -> worker -> collector -> monitor
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial

from anyio import CancelScope, create_task_group, sleep
from anyio.abc import TaskGroup

from slomon.concurrency import run_in_thread, unwrap_first
from slomon.core.endpoints import Endpoint, ShardEndpoints
from slomon.core.events import OUT_OF_RANGE, Change, RejectedLine, ReplayAccounting
from slomon.core.incident import ChangeLog, Incident
from slomon.core.reorder import Order, SourceClock, WaitingEvents
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.shard import Shard
from slomon.core.summary import add_up
from slomon.core.ticks import LAST_TICK, to_seconds
from slomon.core.windows import Windows
from slomon.endpoints.discovery import (
    BY_FILE,
    FoundEndpoints,
    FoundRequests,
    GivenRequests,
    Requests,
)
from slomon.endpoints.router import Router
from slomon.endpoints.templates import Template
from slomon.formats.format import Reading
from slomon.formats.inference import infer
from slomon.kernels.codes import UNMATCHED
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
from slomon.log_replay.files import is_file
from slomon.log_replay.lines import Log, ReferenceParser
from slomon.log_replay.plan import LATENESS, Plan
from slomon.log_replay.reader import CHANGES, BlockReader, LogReader
from slomon.log_replay.sample import PathGroups, name_service, sample_templates
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
from slomon.state.validation import check_same_run, demand
from slomon.text import excerpt


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a replay has come: `read_bytes` of the files' `total_bytes`, compressed as they are on
    disk (None if one of them is a pipe), and the `lines` that were counted.
    """

    read_bytes: int
    total_bytes: int | None
    lines: int


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


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ignore(*_: object) -> None:
    """The default of the hooks."""


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
        self._resolver = backend.reader(self._reference, plan.is_failure)
        self._groups = PathGroups(self._names, on_paths_grouped)
        self._recognise_silently = make_detector(plan, self._requests)
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
        given = self._plan.endpoints
        if given is None:
            endpoints = self._found
            endpoints.settle({deploy.change.service for deploy in order.deploys})
            incidents = [replace(one, endpoint=endpoints[one.key]) for one in incidents]
        deploys = [deploy for deploy in order.deploys if self.is_watched(deploy.change)]
        totals = add_up(shards, deploys, order.span)
        accounting = make_accounting(
            *(self._plan, order, self._reference),
            changes=len(deploys),
            late=sum(shard.late for shard in shards),
            lines=self.lines,
            capped=self._names.capped,
            endpoints=len(given.endpoints) if given else self._names.admitted,
            templates=self._groups.templates or (),
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
                self._check_accounts(waiting, endpoints)

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

    def _check_accounts(self, waiting: WaitingEvents, endpoints: Sequence[Endpoint]) -> None:
        """
        Raise ValueError if the parts of a saved state do not agree: each line and change is in one
        of the counts, and each count of the stream is that of all shards.
        """
        order, reference, plan = self._order, self._reference, self._plan
        lines = self.lines - order.blank
        demand(order.position + sum(waiting) == lines + len(plan.changes), "an event is missing")
        rejected = order.position - order.accesses - order.unmatched - len(order.deploys)
        rejected -= order.excluded + order.excluded_changes
        demand(reference.rejected == rejected + waiting.rejected, "a malformed line is missing")
        out_of_range = order.excluded + waiting.excluded - reference.excluded.total()
        is_limited = (plan.first, plan.last) != (0, LAST_TICK)
        demand(
            out_of_range == 0 or (out_of_range > 0 and is_limited), "an excluded line is missing"
        )
        demand(reference.changes == order.noted, "a change is missing")
        demand(self._names.capped <= order.unmatched + waiting.unmatched, "too many are capped")
        ended = [True, *(log.ended for log in self.logs)]
        demand([clock.ended for clock in order.clocks] == ended, "the end of a log is missing")
        rows = sum(clock.rows for clock in order.clocks[CHANGES + 1 :])
        demand(rows == lines, "a row is missing")
        many = all(
            log.place.lines >= clock.rows
            for log, clock in zip(self.logs, order.clocks[CHANGES + 1 :], strict=True)
        )
        demand(many, "a log has fewer lines than rows")
        totals = [shard.windows.totals()[0] for shard in self._shards]
        demand(sum(map(sum, totals)) == order.accesses, "an access is missing")
        changes = list(ChangeLog(order.deploys))
        demand(all(list(one.changes) == changes for one in self._shards), "a change is missing")
        if plan.endpoints is None:
            seen = [
                slot < len(totals[shard]) and totals[shard][slot] > 0
                for slot, shard in (divmod(key, plan.workers) for key in range(len(endpoints)))
            ]
            demand(self._names.save().admitted == array("B", seen), "an endpoint is missing")
        incidents = self._collector.incidents
        for position, one in incidents.items():
            is_known = one.key < len(endpoints) and one.endpoint == endpoints[one.key]
            demand(is_known and position < order.position, "an incident is of no endpoint")
        still_open = {(one.key, at) for at, one in incidents.items() if one.end is None}
        in_shards = {
            (shard.members.key(slot), one.start_position)
            for shard in self._shards
            for slot, one in shard.open.items()
            if one.key == shard.members.key(slot) and incidents.get(one.start_position) == one
        }
        counted = sum(len(shard.open) for shard in self._shards)
        agree = still_open == in_shards and len(in_shards) == counted
        demand(agree, "the open incidents are not those of the shards")

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
        """Learn the path templates from the logs, or from the only one when its head is read."""
        plan = self._plan
        if plan.endpoints is not None or not plan.groups_paths:
            self._groups.use([])
            return
        if len(plan.logs) == 1 and not is_file(plan.logs[0]):
            self._detector.on_recognised = self._groups.learn_from_head
        else:
            known = {reader.path: reader.log for reader in self.logs if reader.log is not None}
            self._groups.use(
                sample_templates(plan.logs, self._recognise_silently, plan.max_line, known)
            )


def make_detector(
    plan: Plan, requests: KnownRequests, on_format_detected: OnFormatDetected = _ignore
) -> FormatDetector:
    """The detector of the formats of a plan's logs."""
    return FormatDetector(
        plan.formats,
        requests,
        on_format_detected,
        match_exactly=plan.match_exactly,
        reading=Reading(plan.is_failure, plan.zone),
        infer=infer,
    )


def choose_lateness(plan: Plan, log: Log | None) -> int:
    """How late the lines of a log may be, in ticks; None is a log that is not recognised yet."""
    if plan.lateness is not None:
        return plan.lateness
    if log is None:
        return LATENESS
    if log.newest_first:
        return LAST_TICK  # all its rows wait until its end
    return 0 if log.format.ordered else LATENESS


def make_accounting(
    plan: Plan,
    order: Order,
    reference: ReferenceParser,
    *,
    changes: int,
    late: int,
    lines: int,
    capped: int,
    endpoints: int,
    templates: Sequence[Template],
) -> ReplayAccounting:
    """
    The accounting of a replay at its end, by what its reorder buffer and its parser have counted.
    `changes` is the number of changes that are watched.
    """
    clocks = order.clocks[CHANGES + 1 :]
    out_of_range = order.excluded - reference.excluded.total() + order.excluded_changes
    excluded = reference.excluded + Counter(plan.excluded_records)
    excluded += Counter({OUT_OF_RANGE: out_of_range})
    return ReplayAccounting(
        events=order.position + plan.rejected_records + sum(plan.excluded_records.values()),
        accesses=order.accesses,
        changes=changes,
        unmatched=order.unmatched + reference.changes - order.excluded_changes - changes,
        rejected=reference.rejected + plan.rejected_records,
        excluded=excluded.total(),
        late=late,
        missing=reference.missing,
        lines=lines,
        excluded_by_reason=dict(excluded),
        records=len(plan.changes) + plan.rejected_records + sum(plan.excluded_records.values()),
        blank=order.blank,
        capped=capped,
        disordered=sum(clock.disordered for clock in clocks),
        largest_lateness=to_seconds(max(clock.largest for clock in clocks)),
        endpoints=endpoints,
        grouped_paths=sum(one.replaced for one in templates),
    )


class KnownRequests:
    """The requests of each log: one object for all logs with the same endpoints and services."""

    def __init__(self, plan: Plan, found: FoundEndpoints) -> None:
        self._service_from = plan.service_from
        self._make = cache(partial(_make_requests, plan, found))

    def __call__(self, *, match_exactly: bool, log: str = "") -> Requests:
        label = name_service(log) if log and self._service_from == BY_FILE else ""
        return self._make(label, match_exactly=match_exactly)


def _make_requests(
    plan: Plan, found: FoundEndpoints, label: str, *, match_exactly: bool
) -> Requests:
    """The requests of logs whose targets are compared exactly, or with templates."""
    if plan.endpoints is None:
        return FoundRequests(found, label)
    endpoints = plan.endpoints.endpoints
    find = plan.endpoints.find if match_exactly else Router(endpoints).find
    return GivenRequests(endpoints, find)

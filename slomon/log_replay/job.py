"""One replay as a job: its files are checked and held, it runs, and its result is judged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

from slomon.concurrency import run_on_own_loop
from slomon.core.events import Change, RejectedLine, ReplayAccounting
from slomon.core.reorder import SourceClock
from slomon.core.service_monitor import ServiceMonitor
from slomon.dates import is_day
from slomon.endpoints.discovery import BY_FIELD, BY_HOST
from slomon.errors import ConfigurationError, MalformedLineError
from slomon.formats.requests import read_host
from slomon.log_replay.backend import choose_backend
from slomon.log_replay.checkpoint import Checkpoint, hold_outputs
from slomon.log_replay.files import check_files, list_logs, measure
from slomon.log_replay.logging import ReplayLog
from slomon.log_replay.monitor import ReplayMonitor
from slomon.log_replay.plan import Plan, find_zone, identify_inputs, make_plan
from slomon.log_replay.progress import run_watched
from slomon.log_replay.rejects import Rejections, RejectsFile
from slomon.log_replay.run import Replay
from slomon.log_replay.trust import DeployRecords, find_warnings


def run_job(given: Mapping[str, Any], identify: Callable[[], Mapping[str, str]]) -> ReplayMonitor:
    """
    Run a replay with these options, as they were read. `identify` returns those that are part of a
    checkpoint's identity. Raises what `replay` raises.
    """
    rejects, checkpoint = given["rejects"], given["checkpoint"]
    logs = list_inputs(given)
    size = measure(logs)
    with hold_outputs(checkpoint, rejects):
        plan = make_plan(given, logs)
        backend = choose_backend(given["backend"], size)
        plan, rejected = add_changes(plan, given)
        log, rejections = ReplayLog(), Rejections()
        rejections.hooks += _list_hooks(log, given["on_rejected"], strict=given["strict"])
        state = None
        if checkpoint is not None:
            identity = {**identify_inputs(plan), **identify()}
            every = given["checkpoint_every"]
            state = Checkpoint(Path(checkpoint), every, identity, time.monotonic_ns)
        saved = None if state is None else state.load()
        kept = 0
        if saved is not None:
            with saved.restoring():
                kept = rejections.load(saved["rejections"])
            log.resumed(checkpoint)
        if given["strict"] and rejections.first:
            _stop(rejections.first[0])  # the interrupted run was not strict
        with ExitStack() as stack:
            if rejects is not None:
                rejections.file = stack.enter_context(RejectsFile(Path(rejects), kept))
            for line in () if saved else rejected:
                rejections.add(line)
            engine = Replay(
                plan,
                backend,
                on_rejected=rejections.add,
                on_format_detected=log.format_detected,
                on_paths_grouped=log.paths_grouped,
                checkpoint=state,
                save_rejections=rejections.save,
                saved=saved,
            )
            on_progress = given["on_progress"]
            run = partial(run_watched, engine, size, on_progress) if on_progress else engine.run
            monitor = conclude(run_on_own_loop(run), engine, plan, given, rejections.first)
        if state is not None and not given["keep_checkpoint"]:
            state.remove()
        log.finished(monitor.accounting, monitor.problems, monitor.warnings)
        return monitor


def list_inputs(given: Mapping[str, Any]) -> list[str]:
    """The logs, once it is checked that all files can be read and none is overwritten."""
    paths, histories, endpoints = given["paths"], given["changes"] or [], given["endpoints"]
    others = [endpoints] if isinstance(endpoints, str) else []
    outputs = {name: given[name] for name in ("rejects", "checkpoint")}
    check_files(paths, histories, others, outputs)
    return list_logs(paths, [*histories, *others, *outputs.values()])


def add_changes(plan: Plan, given: Mapping[str, Any]) -> tuple[Plan, Sequence[RejectedLine]]:
    """
    The plan with the history of deploys, whose rejected records are returned beside it. If services
    are virtual hosts, the services of changes are written like these.
    """
    if not given["changes"]:
        return plan, ()
    # Imported only if there are deploys: the imports take some milliseconds.
    from slomon.deploys.history import read_history  # noqa: PLC0415
    from slomon.deploys.records import DeployRules  # noqa: PLC0415

    rules = DeployRules(given["change_keys"] or {}, given["environment"] or ())
    zone = find_zone(given["change_zone"])
    history = read_history(given["changes"], zone, given["service"] or "", rules)
    changes = history.changes
    if plan.endpoints is None and plan.service_from in (BY_HOST, BY_FIELD):
        changes = [
            (tick, replace(change, service=read_host(change.service) or change.service))
            for tick, change in changes
        ]
    with_changes = replace(
        plan,
        changes=changes,
        rejected_records=len(history.rejected),
        excluded_records=history.excluded,
    )
    return with_changes, history.rejected


def _list_hooks(
    log: ReplayLog, on_rejected: Callable[[RejectedLine], object] | None, *, strict: bool
) -> list[Callable[[RejectedLine], object]]:
    if strict:
        return [_stop]
    return [log.line_rejected, on_rejected] if on_rejected else [log.line_rejected]


def _stop(line: RejectedLine) -> NoReturn:
    raise MalformedLineError(line.file, line.line, line.text, line.reason)


class LogOutcome(Protocol):
    """Why a log was not read, or not completely, as in `LogReader`."""

    path: str
    problem: str | None
    refusal: ConfigurationError | None
    copy_of: str | None


class Engine(Protocol):
    """What has run a plan: a `Replay`, or what distributes one over several machines."""

    @property
    def logs(self) -> Sequence[LogOutcome]: ...
    @property
    def sources(self) -> Sequence[tuple[str, SourceClock]]: ...
    def is_watched(self, change: Change, /) -> bool: ...
    def list_services(self) -> list[str]: ...


def conclude(
    monitor: ServiceMonitor,
    engine: Engine,
    plan: Plan,
    given: Mapping[str, Any],
    rejected: Sequence[RejectedLine],
) -> ReplayMonitor:
    """
    The result of a replay, whose engine has returned this monitor. `rejected` are the first
    malformed lines.
    """
    problems = [log.problem for log in engine.logs if log.problem is not None]
    named = set(given["paths"])  # the other logs were found in a directory
    complete = not any(
        log.problem is not None and (log.refusal is None or log.path in named)
        for log in engine.logs
    )
    accounting = cast(ReplayAccounting, monitor.accounting)
    window = min((one.window for one in plan.watched), default=0)
    deploys = _sum_up_deploys(engine, plan, given)
    copies = [(log.path, log.copy_of) for log in engine.logs if log.copy_of is not None]
    return ReplayMonitor(
        *(monitor.incidents, accounting, rejected, problems, monitor.totals),
        complete=complete,
        warnings=find_warnings(accounting, engine.sources, deploys, window, copies),
    )


def _sum_up_deploys(engine: Engine, plan: Plan, given: Mapping[str, Any]) -> DeployRecords:
    counted: list[int] = []
    unmatched: Counter[str] = Counter()
    for tick, change in plan.changes:
        if engine.is_watched(change):
            counted.append(tick)
        else:
            unmatched[change.service] += 1
    return DeployRecords(
        counted=counted,
        unmatched=unmatched.total(),
        rejected=plan.rejected_records,
        excluded=sum(plan.excluded_records.values()),
        unmatched_services=list(unmatched),
        without_time=sum(is_day(change.date) for _, change in plan.changes),
        in_zone=given["change_zone"] is not None or given["zone"] is not None,
        expected=bool(given["changes"]),
        services=engine.list_services(),
        by_field=plan.service_from == BY_FIELD,
    )

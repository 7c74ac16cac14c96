"""One replay as a job: its files are checked and held, it runs, and its result is judged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, cast

from slomon.core.events import Change, RejectedLine, ReplayAccounting
from slomon.core.reorder import SourceClock
from slomon.core.service_monitor import ServiceMonitor
from slomon.dates import is_day
from slomon.endpoints.discovery import BY_FIELD, BY_HOST
from slomon.errors import ConfigurationError, MalformedLineError
from slomon.formats.requests import read_host
from slomon.log_replay.backend import choose_backend
from slomon.log_replay.direct import DirectReplay
from slomon.log_replay.files import check_files, list_logs, measure
from slomon.log_replay.logging import ReplayLog
from slomon.log_replay.monitor import ReplayMonitor
from slomon.log_replay.parts import Hooks
from slomon.log_replay.plan import Plan, find_zone, identify_inputs, make_plan
from slomon.log_replay.progress import Progress
from slomon.log_replay.rejects import Rejections, RejectsFile
from slomon.log_replay.trust import DeployRecords, find_warnings

if TYPE_CHECKING:
    from slomon.log_replay.checkpoint import Checkpoint
    from slomon.log_replay.run import Replay

_SMALL: Final = 256 << 10
"""Bytes. Logs that have fewer are read without an event loop, whose import takes longer."""


def run_job(given: Mapping[str, Any], identify: Callable[[], Mapping[str, str]]) -> ReplayMonitor:
    """
    Run a replay with these options, as they were read. `identify` returns those that are part of a
    checkpoint's identity. Raises what `replay` raises.
    """
    rejects, checkpoint = given["rejects"], given["checkpoint"]
    logs = list_inputs(given)
    size = measure(logs)
    with _hold_outputs(checkpoint, rejects):
        plan = make_plan(given, logs)
        backend = choose_backend(given["backend"], size)
        plan, rejected = add_changes(plan, given)
        log, rejections = ReplayLog(), Rejections()
        rejections.hooks += _list_hooks(log, given["on_rejected"], strict=given["strict"])
        state = None if checkpoint is None else _open_checkpoint(plan, given, identify)
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
            hooks: Hooks = {
                "on_rejected": rejections.add,
                "on_format_detected": log.format_detected,
                "on_paths_grouped": log.paths_grouped,
            }
            on_progress = given["on_progress"]
            engine: DirectReplay | Replay
            if size is not None and size < _SMALL and state is None:
                engine = DirectReplay(plan, backend, **hooks)
                found = engine.run(on_progress, size)
            else:
                # Imported only here: it imports an event loop.
                from slomon.log_replay.run import Replay  # noqa: PLC0415

                saving: dict[str, Any] = {
                    "checkpoint": state,
                    "save_rejections": rejections.save,
                    "saved": saved,
                }
                engine = Replay(plan, backend, **hooks, **saving)
                found = _run_on_loop(engine, size, on_progress)
            monitor = conclude(found, engine, plan, given, rejections.first)
        if state is not None and not given["keep_checkpoint"]:
            state.remove()
        log.finished(monitor.accounting, monitor.problems, monitor.warnings)
        return monitor


def _run_on_loop(
    engine: Replay, size: int | None, on_progress: Callable[[Progress], object] | None
) -> ServiceMonitor:
    from slomon.concurrency import run_on_own_loop  # noqa: PLC0415 (slow to import)
    from slomon.log_replay.run import run_watched  # noqa: PLC0415

    if on_progress is None:
        return run_on_own_loop(engine.run)
    return run_on_own_loop(partial(run_watched, engine, size, on_progress))


def _hold_outputs(checkpoint: str | None, rejects: str | None) -> AbstractContextManager[None]:
    if checkpoint is None:
        return nullcontext()
    # Imported only if there is a checkpoint, as above.
    from slomon.log_replay.checkpoint import hold_outputs  # noqa: PLC0415

    return hold_outputs(checkpoint, rejects)


def _open_checkpoint(
    plan: Plan, given: Mapping[str, Any], identify: Callable[[], Mapping[str, str]]
) -> Checkpoint:
    from slomon.log_replay.checkpoint import Checkpoint  # noqa: PLC0415 (as above)

    identity = {**identify_inputs(plan), **identify()}
    path, every = Path(given["checkpoint"]), given["checkpoint_every"]
    return Checkpoint(path, every, identity, time.monotonic_ns)


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

"""
What a replay answers.

`replay(...)`: which commit broke which endpoint, from access logs and a history of deploys.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NoReturn, cast

from slomon.concurrency import run_on_own_loop
from slomon.core.events import RejectedLine, ReplayAccounting, StatusRule, server_errors_fail
from slomon.core.incident import Incident
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.summary import Totals
from slomon.deploys.history import read_history
from slomon.endpoints.config import Endpoints, read_catalogue
from slomon.errors import MalformedLineError
from slomon.log_replay.backend import choose_backend
from slomon.log_replay.checkpoint import Checkpoint, check_outputs
from slomon.log_replay.logging import ReplayLog
from slomon.log_replay.plan import (
    Paths,
    Plan,
    choose_endpoint,
    choose_formats,
    find_files,
    fingerprint,
    list_paths,
)
from slomon.log_replay.rejects import Rejections, RejectsFile
from slomon.log_replay.run import Progress, Replay, run_watched
from slomon.options import (
    AnyPath,
    BackendName,
    Duration,
    check_choice,
    check_function,
    check_mutually_exclusive,
    read_count,
    read_duration,
    read_no_traffic,
    read_path,
    read_resolution,
    read_text,
    read_zone,
)


class ReplayMonitor(ServiceMonitor):
    """The incidents of one run over files, and what became of each of their lines."""

    accounting: ReplayAccounting
    rejections: Sequence[RejectedLine]  # type: ignore[assignment] # of lines, not of events
    """The first 100 malformed lines, their texts cut to 1000 characters."""

    def __init__(
        self,
        incidents: Iterable[Incident],
        accounting: ReplayAccounting,
        rejections: Sequence[RejectedLine],
        problems: Sequence[str],
        totals: Totals | None = None,
    ) -> None:
        super().__init__(incidents, accounting, totals=totals)
        self.rejections = list(rejections)
        self.problems = list(problems)
        """
        Logs that were not read, or not to their ends, and why: the answer lacks the rest of them.
        Logs, too, whose first lines no format reads, so that their own may be another one.
        """


_MOST_ENDPOINTS: Final = 10_000_000
_MOST_REQUESTS: Final = 2**31
_MOST_WORKERS: Final = 1024


def replay(
    paths: Paths,
    *,
    merge: Paths | Sequence[Paths] = (),
    endpoints: Endpoints | None = None,
    slo: float | str | None = None,
    window: Duration | None = None,
    service: str | None = None,
    max_endpoints: int = 10_000,
    changes: Paths | None = None,
    change_zone: str | None = None,
    format: str | None = None,  # noqa: A002 (the name of the option, wherever it is given)
    regex: str | None = None,
    json_keys: Mapping[str, str] | None = None,
    zone: str | None = None,
    match: str | None = None,
    lateness: Duration | None = None,
    min_requests: int = 1,
    resolution: Duration | None = None,
    close_after_no_traffic: Duration | None = None,
    strict: bool = False,
    is_failure: StatusRule = server_errors_fail,
    on_rejected: Callable[[RejectedLine], object] | None = None,
    rejects: AnyPath | None = None,
    checkpoint: AnyPath | None = None,
    checkpoint_every: Duration = "10s",
    keep_checkpoint: bool = False,
    sli_series: bool = False,
    workers: int = 1,
    backend: BackendName = "auto",
    on_progress: Callable[[Progress], object] | None = None,
) -> ReplayMonitor:
    """
    Replay access logs, plain or compressed, and say what was broken when, and by which commit.

    `paths` are the logs of one host, in order, and each of `merge` those of a further one, which
    are merged by time; `-` is standard input. Durations are text such as "5m", or seconds.

    * `endpoints`: a file or a list of `get_info()` entries; without it, endpoints are found in the
      logs, at most `max_endpoints`, each with `slo` (a share, or text such as "99.9%"; 0.999) over
      `window` (5 minutes), and all owned by `service` if that is given
    * `changes`: files of deploys or what `git log` prints; `change_zone` is that of their dates
      which name none, and `service` that of records which name none (otherwise they are changes
      of every service)
    * `format` (the name of a known one), `regex` or `json_keys`: how the logs are written, where
      that is not to be recognised; `zone` is that of times which name none
    * `match`: are targets compared "exact" with the endpoints' resources or as a "template"? By
      default the latter, and the former in recorded streams
    * `lateness`: how far lines may be out of order to be put in order, by default 5 seconds, and 0
      in recorded streams
    * `min_requests`: a window with fewer is not judged; `resolution`: windows move in such steps,
      which are shorter than they are, which bounds their memory
    * `close_after_no_traffic`: an incident expires once its endpoint had no request for so long and
      its window is empty; by default never. Nobody repaired it, so it is in no MTTR
    * `strict`: stop at the first malformed line; otherwise `on_rejected` is called with each and
      the file `rejects` gets them as JSON lines
    * `checkpoint`: a file that lets an interrupted replay go on, written `checkpoint_every` so long
      and removed at the end, or left by `keep_checkpoint` to whoever still writes the answers;
      `rejects` is no pipe or device then, from which nothing could be taken back
    * `sli_series`: the summary has how each endpoint's SLI went over time, too
    * `workers` share the endpoints; `backend` is "python", "compiled" (which needs
      `slomon[replay]`), or "auto": compiled if that is installed. Neither changes the answer
    * `is_failure(status)`: did a request with this status fail? None where there is no such status
    * `on_progress` is called several times a second, on the loop's thread

    Raises ConfigurationError and OSError, before anything is read, where an option is wrong, a file
    missing, or no checkpoint can be written; StateFileError where the one that is there is damaged
    or of another replay; MalformedLineError if `strict`; and what a hook raises, as it is.
    """
    log, rejections = ReplayLog(), Rejections()
    rejections.hooks += _list_hooks(log, on_rejected, strict=strict)
    if on_progress is not None:
        check_function("on_progress", on_progress, "a Progress")
    check_function("is_failure", is_failure, "a status")
    if match is not None:
        check_choice("match", match, ["exact", "template"])
    check_mutually_exclusive(endpoints=endpoints, slo=slo)
    check_mutually_exclusive(endpoints=endpoints, window=window)
    every = read_duration("checkpoint_every", checkpoint_every, 1)
    check_choice("keep_checkpoint", keep_checkpoint, [True, False])
    check_choice("sli_series", sli_series, [True, False])
    owner = read_text("service", service)
    rejects, checkpoint = read_path("rejects", rejects), read_path("checkpoint", checkpoint)
    outputs = {"rejects": rejects, "checkpoint": checkpoint}
    others = list_paths("endpoints", endpoints) if isinstance(endpoints, str | os.PathLike) else []
    files = find_files(paths, merge, changes, others, outputs)
    check_outputs(checkpoint, rejects)
    catalogue = None if endpoints is None else read_catalogue(endpoints)
    defaults = choose_endpoint(owner, slo, window)
    watched = [defaults] if catalogue is None else catalogue.endpoints
    plan = Plan(
        hosts=files.hosts,
        formats=choose_formats(
            is_failure, read_zone("zone", zone), name=format, regex=regex, json_keys=json_keys
        ),
        endpoints=catalogue,
        defaults=defaults,
        max_endpoints=read_count("max_endpoints", max_endpoints, _MOST_ENDPOINTS),
        lateness=None if lateness is None else read_duration("lateness", lateness),
        match_exactly=None if match is None else match == "exact",
        min_requests=read_count("min_requests", min_requests, _MOST_REQUESTS),
        resolution=read_resolution(resolution, (one.window for one in watched)),
        sli_series=sli_series,
        no_traffic=read_no_traffic(close_after_no_traffic),
        workers=read_count("workers", workers, _MOST_WORKERS),
        is_failure=is_failure,
        on_rejected=rejections.add,
        on_recognised=log.format_detected,
    )
    chosen = choose_backend(backend, files.size)
    history = read_history(files.histories, read_zone("change_zone", change_zone), owner)
    log.changes_unmatched(history.find_unmatched_services(_list_services(plan)))
    plan = replace(plan, changes=history.changes, rejected_records=len(history.rejected))
    state = None
    if checkpoint is not None:
        reading = {"zone": zone, "regex": regex, "JSON keys": json_keys, "rejects": rejects}
        identity = fingerprint(plan) | {name: str(value) for name, value in reading.items()}
        state = Checkpoint(Path(checkpoint), every, identity, time.monotonic_ns)
    saved = None if state is None else state.load()
    kept = 0
    if saved is not None:
        with saved.restoring():
            kept = rejections.load(saved["rejections"])
    if strict and rejections.first:
        _stop(rejections.first[0])  # the run before wasn't strict
    with ExitStack() as stack:
        if rejects is not None:
            rejections.file = stack.enter_context(RejectsFile(Path(rejects), kept))
        for line in () if saved else history.rejected:
            rejections.add(line)
        plan = replace(plan, checkpoint=state, saved=saved, save_rejections=rejections.save)
        monitor = _run(Replay(plan, chosen), rejections, files.size, on_progress)
    if state is not None and not keep_checkpoint:
        state.remove()
    log.finished(monitor.accounting, monitor.problems)
    return monitor


def _list_hooks(
    log: ReplayLog, on_rejected: Callable[[RejectedLine], object] | None, *, strict: bool
) -> list[Callable[[RejectedLine], object]]:
    check_choice("strict", strict, [True, False])
    if on_rejected is not None:
        check_function("on_rejected", on_rejected, "a RejectedLine")
    if strict:
        return [_stop]
    return [log.line_rejected, on_rejected] if on_rejected else [log.line_rejected]


def _stop(line: RejectedLine) -> NoReturn:
    raise MalformedLineError(line.file, line.line, line.text, line.reason)


def _list_services(plan: Plan) -> set[str]:
    if plan.endpoints is None:
        return {plan.defaults.name}
    return {endpoint.name for endpoint in plan.endpoints.endpoints}


def _run(
    engine: Replay,
    rejections: Rejections,
    size: int | None,
    on_progress: Callable[[Progress], object] | None,
) -> ReplayMonitor:
    told = partial(run_watched, engine, size, on_progress) if on_progress else engine.run
    monitor = run_on_own_loop(told)
    problems = [problem for host in engine.hosts for problem in host.problems]
    if engine.all_malformed:
        problems.append("every line was rejected: it may be that none is in this format")
    accounting = cast(ReplayAccounting, monitor.accounting)
    return ReplayMonitor(monitor.incidents, accounting, rejections.first, problems, monitor.totals)

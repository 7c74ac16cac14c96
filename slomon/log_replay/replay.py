"""`replay(...)` says which commit broke which endpoint, from access logs and a deploy history."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, Protocol, cast

from slomon.concurrency import run_on_own_loop
from slomon.core.endpoints import Endpoint
from slomon.core.events import Change, RejectedLine, ReplayAccounting
from slomon.core.incident import Incident
from slomon.core.reorder import SourceClock
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.core.summary import Totals
from slomon.core.ticks import LAST_TICK
from slomon.core.trust import ResultWarning
from slomon.dates import is_day, parse_instant, parse_zone, show_duration, show_instant
from slomon.deploys.history import History, read_history
from slomon.deploys.records import DeployRules
from slomon.deploys.tools import ROLES
from slomon.endpoints.config import NO_EMAIL, Endpoints, read_catalogue
from slomon.endpoints.discovery import BY_HOST, SERVICES_FROM
from slomon.errors import ConfigurationError, MalformedLineError, OptionError
from slomon.formats.requests import read_host
from slomon.log_replay.backend import choose_backend
from slomon.log_replay.checkpoint import Checkpoint, hold_outputs
from slomon.log_replay.files import check_files, list_logs, measure
from slomon.log_replay.logging import ReplayLog
from slomon.log_replay.plan import (
    FORMAT_NAMES,
    Plan,
    choose_formats,
    identify_inputs,
    show_rule,
)
from slomon.log_replay.rejects import Rejections, RejectsFile
from slomon.log_replay.run import Progress, Replay, run_watched
from slomon.log_replay.trust import DeployRecords, find_warnings
from slomon.options import (
    AnyPath,
    BackendName,
    CloseAfterNoTraffic,
    Duration,
    FailStatus,
    Identity,
    Instant,
    Option,
    Paths,
    Resolution,
    SliSeries,
    check_choice,
    check_mutually_exclusive,
    check_resolution,
    choose_rule,
    document_options,
    identify_options,
    naming_option,
    read_backend,
    read_choice,
    read_count,
    read_duration,
    read_flag,
    read_function,
    read_instant,
    read_names,
    read_objective,
    read_options,
    read_path,
    read_paths,
    read_text,
    read_texts,
    read_zone,
)
from slomon.text import quote


class ReplayMonitor(ServiceMonitor):
    """The incidents of one replay, and the accounting of its lines."""

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
        *,
        complete: bool = True,
        warnings: Sequence[ResultWarning] = (),
    ) -> None:
        super().__init__(incidents, accounting, totals=totals, warnings=warnings)
        self.rejections = list(rejections)
        self.problems = list(problems)
        """
        Why a log was not read, or not read to its end: the answer lacks the rest of that log. Also
        names the files of a directory that are no logs.
        """
        self.complete = complete
        """Was every log read to its end?"""


def _read_endpoints(name: str, value: object) -> object:
    """A path; a list of entries is left to the catalogue, which names the entry that is wrong."""
    if isinstance(value, str | os.PathLike):
        (path,) = read_paths(name, value)
        return path
    return value


def _read_change_keys(name: str, value: object) -> object:
    """A mapping of roles to the names of fields."""
    keys = read_texts(name, value)
    for role in keys:
        check_choice(name, role, ROLES)
    return keys


_EXCLUSIVE: Final = (
    ("endpoints", "slo"),
    ("endpoints", "window"),
    ("endpoints", "service_from"),
    ("service", "service_from"),
    ("format", "log_format", "regex", "json_keys"),
)
"""Groups of options: at most one option of each group may be given."""


@document_options
def replay(
    paths: Annotated[
        Paths,
        Option(
            read=read_paths,
            help="the logs, in any order: all are merged by time; a directory stands for all logs "
            "in it; '-' is standard input",
            group="logs",
            metavar="FILE",
        ),
    ],
    *,
    format: Annotated[  # noqa: A002 (the name of the option, wherever it is given)
        str | None,
        Option(
            read=partial(read_choice, choices=FORMAT_NAMES),
            help=f"the format of the logs: {', '.join(FORMAT_NAMES)} (default: the format that "
            "reads the most requests in the first 100 lines of each log, or after them if these "
            "have none; a slow pipe blocks until they arrive)",
            group="logs",
            metavar="NAME",
        ),
    ] = None,
    log_format: Annotated[
        str | None,
        Option(
            read=read_text,
            help="the layout of the lines, as it stands in the configuration of the server: the "
            "text of nginx's log_format, of Apache's LogFormat or of Envoy's format; @FILE or "
            "@FILE:NAME finds it in a configuration of nginx",
            group="logs",
            metavar="TEXT",
            identity=Identity(name="log format"),
        ),
    ] = None,
    regex: Annotated[
        str | None,
        Option(
            read=read_text,
            help="a regular expression that matches a line, with the named groups time, status, "
            "and either method and path, or request",
            group="logs",
            metavar="PATTERN",
            identity=Identity(),
        ),
    ] = None,
    json_keys: Annotated[
        Mapping[str, str] | None,
        Option(
            read=read_texts,
            help="read JSON lines, with these keys for some or all of the fields time, status, "
            "method, path, request and host (default: the keys are found by their usual names)",
            group="logs",
            metavar="FIELD=KEY,...",
            identity=Identity(name="JSON keys"),
        ),
    ] = None,
    zone: Annotated[
        str | None,
        Option(
            read=read_zone,
            help="the zone of times in the logs that name none: an IANA name or an offset such as "
            "+02:00",
            group="logs",
            metavar="ZONE",
            identity=Identity(),
        ),
    ] = None,
    lateness: Annotated[
        Duration | None,
        Option(
            read=read_duration,
            help="put lines in order of time that are late by at most this duration (default: 5s; "
            "0 in recorded event streams)",
            group="logs",
            metavar="DURATION",
            identity=Identity(show_duration, unset="the default"),
        ),
    ] = None,
    from_: Annotated[
        Instant | None,
        Option(
            read=read_instant,
            help="the first time that counts: a day, a date and time as in RFC 3339, or seconds "
            "since the epoch; in --zone or UTC if it names no zone. Accesses before it are "
            "excluded; deploys before it are known changes (default: the beginning of the logs)",
            group="logs",
            metavar="TIME",
            identity=Identity(show_instant, unset="the beginning", name="from"),
        ),
    ] = None,
    to: Annotated[
        Instant | None,
        Option(
            read=read_instant,
            help="accesses and deploys at this time and later are excluded (default: the end of "
            "the logs)",
            group="logs",
            metavar="TIME",
            identity=Identity(show_instant, unset="the end"),
        ),
    ] = None,
    endpoints: Annotated[
        Endpoints | None,
        Option(
            read=_read_endpoints,
            help="a JSON, YAML or TOML file that lists name, verb, resource, slo and window of "
            "each endpoint (default: find the endpoints in the logs)",
            group="endpoints",
            metavar="FILE",
        ),
    ] = None,
    match: Annotated[
        str | None,
        Option(
            read=partial(read_choice, choices=["exact", "template"]),
            help="how the resource of an endpoint is compared with the target of a request: exact "
            "or template (default: template; exact in recorded event streams)",
            group="endpoints",
            metavar="HOW",
            identity=Identity(unset="the default"),
        ),
    ] = None,
    slo: Annotated[
        float | str | None,
        Option(
            read=read_objective,
            help="the SLO of each found endpoint, as in 0.999 or 99.9%",
            group="endpoints",
            metavar="SHARE",
            default="99.9%",
            identity=Identity(repr),
        ),
    ] = None,
    window: Annotated[
        Duration | None,
        Option(
            read=partial(read_duration, least=1),
            help="the window of each found endpoint",
            group="endpoints",
            metavar="DURATION",
            default="5m",
            identity=Identity(show_duration),
        ),
    ] = None,
    service: Annotated[
        str | None,
        Option(
            read=read_text,
            help="the service that owns all found endpoints, and all changes that name no service "
            "(default: each found endpoint is a service of its own, which no change can name, and "
            "a change without a service belongs to every endpoint)",
            group="endpoints",
            metavar="NAME",
            identity=Identity(),
        ),
    ] = None,
    service_from: Annotated[
        str | None,
        Option(
            read=partial(read_choice, choices=SERVICES_FROM),
            help="what is the service of a found endpoint: host, the virtual host of its requests "
            "if the logs name several; file, the name of the log's file; or endpoint, itself",
            group="endpoints",
            metavar="WHAT",
            default=BY_HOST,
            identity=Identity(name="service from"),
        ),
    ] = None,
    group_paths: Annotated[
        str,
        Option(
            read=partial(read_choice, choices=["on", "off"]),
            help="on: if a position in the paths of the first requests takes many values that are "
            "seldom seen, they are one endpoint, as in /product/{slug}; off: each is its own",
            group="endpoints",
            metavar="ON|OFF",
            identity=Identity(name="path groups"),
        ),
    ] = "on",
    max_endpoints: Annotated[
        int,
        Option(
            read=partial(read_count, most=10_000_000),
            help="find at most this many endpoints",
            group="endpoints",
            metavar="N",
            identity=Identity(repr),
        ),
    ] = 10_000,
    changes: Annotated[
        Paths | None,
        Option(
            read=read_paths,
            help="a file of deploys: JSON, CSV, four-line blocks, or the output of git log; '-' is "
            "standard input (may be repeated)",
            group="changes",
            metavar="FILE",
        ),
    ] = None,
    change_zone: Annotated[
        str | None,
        Option(
            read=read_zone,
            help="the zone of dates of changes that name none",
            group="changes",
            metavar="ZONE",
        ),
    ] = None,
    change_keys: Annotated[
        Mapping[str, str] | None,
        Option(
            read=_read_change_keys,
            help="the fields of deploys for the roles commit, time, author, service, environment "
            "and status, with dots into nested objects (default: the names that deploy tools use)",
            group="changes",
            metavar="ROLE=KEY,...",
        ),
    ] = None,
    environment: Annotated[
        str | Sequence[str] | None,
        Option(
            read=read_names,
            help="count deploys to this environment; '*' stands for any text (may be repeated; "
            "default: production)",
            group="changes",
            metavar="NAME",
        ),
    ] = None,
    min_requests: Annotated[
        int,
        Option(
            read=partial(read_count, most=2**31),
            help="do not judge a window that holds fewer requests",
            group="judgement",
            metavar="N",
            identity=Identity(repr),
        ),
    ] = 1,
    resolution: Resolution = None,
    close_after_no_traffic: CloseAfterNoTraffic = None,
    is_failure: Annotated[
        StatusRule,
        Option(
            read=partial(read_function, parameter="a status"),
            help="a function of a status: did a request with this status fail? None if there is no "
            "such status (default: 500 to 599 fail, 100 to 499 succeed)",
            identity=Identity(show_rule, name="rule of failures"),
        ),
    ] = server_errors_fail,
    fail_status: FailStatus = None,
    strict: Annotated[
        bool,
        Option(read=read_flag, help="stop at the first malformed line", group="run"),
    ] = False,
    on_rejected: Annotated[
        Callable[[RejectedLine], object] | None,
        Option(
            read=partial(read_function, parameter="a RejectedLine"),
            help="a function that is called with each malformed line, unless strict",
        ),
    ] = None,
    rejects: Annotated[
        AnyPath | None,
        Option(
            read=read_path,
            help="write malformed lines to this file, as JSON lines",
            group="run",
            metavar="FILE",
            identity=Identity(),
        ),
    ] = None,
    checkpoint: Annotated[
        AnyPath | None,
        Option(
            read=read_path,
            help="save the state of the replay to this file, and resume from it if it exists; it "
            "is removed when the replay is complete",
            group="run",
            metavar="FILE",
        ),
    ] = None,
    checkpoint_every: Annotated[
        Duration,
        Option(
            read=partial(read_duration, least=1),
            help="save the checkpoint at this interval; an interrupt saves none, so it loses at "
            "most this much work",
            group="run",
            metavar="DURATION",
        ),
    ] = "10s",
    keep_checkpoint: Annotated[
        bool,
        Option(
            read=read_flag,
            help="leave the complete checkpoint to the caller, who still has to write the answers",
        ),
    ] = False,
    sli_series: SliSeries = False,
    workers: Annotated[
        int,
        Option(
            read=partial(read_count, most=1024),
            help="the number of workers that share the endpoints; the answer is the same",
            group="run",
            metavar="N",
            identity=Identity(repr),
        ),
    ] = 1,
    backend: Annotated[
        BackendName,
        Option(
            read=read_backend,
            help="python, compiled (needs slomon[replay]), or auto: compiled if it is installed; "
            "the answer is the same",
            group="run",
            metavar="NAME",
        ),
    ] = "auto",
    on_progress: Annotated[
        Callable[[Progress], object] | None,
        Option(
            read=partial(read_function, parameter="a Progress"),
            help="a function that is called several times a second, on the event loop's thread",
        ),
    ] = None,
) -> ReplayMonitor:
    """
    Replay access logs, plain or compressed: which endpoints were broken when, by which commit, and
    which commit fixed them.

    A duration is text such as "5m", or seconds; a time may be a datetime. `paths` and `changes` are
    a path or a list of paths. `endpoints` may also be a list of `get_info()` entries.

    Raises ConfigurationError or OSError, before anything is read, if an option is wrong, a file is
    missing, no checkpoint can be written, or another run uses it; StateFileError if the checkpoint
    is damaged or of another replay; MalformedLineError if `strict`. An exception of a function that
    was passed is raised as it is.
    """
    given = read_replay_options(locals())
    rejects_path: str | None = given["rejects"]
    checkpoint_path: str | None = given["checkpoint"]
    histories = given["changes"] or []
    others = [endpoints] if isinstance(endpoints, str | os.PathLike) else []
    outputs = {"rejects": rejects_path, "checkpoint": checkpoint_path}
    check_files(given["paths"], histories, others, outputs)
    logs = list_logs(given["paths"], [*histories, *others, *outputs.values()])
    size = measure(logs)
    with hold_outputs(checkpoint_path, rejects_path):
        plan = make_plan(given, logs, resolution)
        chosen = choose_backend(backend, size)
        plan, rejected_records = add_changes(plan, given)
        log, rejections = ReplayLog(), Rejections()
        rejections.hooks += _list_hooks(log, on_rejected, strict=strict)
        state = None
        if checkpoint_path is not None:
            identity = {**identify_inputs(plan), **identify_options(replay, given)}
            every = given["checkpoint_every"]
            state = Checkpoint(Path(checkpoint_path), every, identity, time.monotonic_ns)
        saved = None if state is None else state.load()
        kept = 0
        if saved is not None:
            with saved.restoring():
                kept = rejections.load(saved["rejections"])
            log.resumed(str(checkpoint_path))
        if strict and rejections.first:
            _stop(rejections.first[0])  # the interrupted run was not strict
        with ExitStack() as stack:
            if rejects_path is not None:
                rejections.file = stack.enter_context(RejectsFile(Path(rejects_path), kept))
            for line in () if saved else rejected_records:
                rejections.add(line)
            engine = Replay(
                plan,
                chosen,
                on_rejected=rejections.add,
                on_format_detected=log.format_detected,
                on_paths_grouped=log.paths_grouped,
                checkpoint=state,
                save_rejections=rejections.save,
                saved=saved,
            )
            run = partial(run_watched, engine, size, on_progress) if on_progress else engine.run
            monitor = run_on_own_loop(run)
            monitor = conclude(monitor, engine, plan, rejections.first, given)
        if state is not None and not keep_checkpoint:
            state.remove()
        log.finished(monitor.accounting, monitor.problems, monitor.warnings)
        return monitor


def read_replay_options(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The checked values of all options of `replay`. Raises ConfigurationError."""
    given = read_options(replay, raw)
    for names in _EXCLUSIVE:
        check_mutually_exclusive(**{name: raw[name] for name in names})
    rule = choose_rule(given["is_failure"], raw["fail_status"])
    return {**given, "is_failure": rule, **_read_range(given)}


def make_plan(given: Mapping[str, Any], logs: Sequence[str], resolution: object) -> Plan:
    """
    The plan of these options, as they were read, without the changes. An error shows `resolution`
    as it was given. Raises ConfigurationError, or OSError if the file of the endpoints can't be
    read.
    """
    endpoints, match = given["endpoints"], given["match"]
    catalogue = None if endpoints is None else read_catalogue(endpoints)
    plan = Plan(
        logs=logs,
        zone=_read_zone(given["zone"]),
        formats=choose_formats(
            given["is_failure"],
            _read_zone(given["zone"]),
            name=given["format"],
            log_format=given["log_format"],
            regex=given["regex"],
            json_keys=given["json_keys"],
        ),
        endpoints=catalogue,
        defaults=Endpoint(
            name=given["service"] or "",
            email=NO_EMAIL,
            verb="",
            resource="",
            slo=given["slo"],
            window=given["window"],
        ),
        service_from=given["service_from"],
        groups_paths=given["group_paths"] == "on",
        max_endpoints=given["max_endpoints"],
        first=given["from_"] or 0,
        last=LAST_TICK if given["to"] is None else given["to"] - 1,
        lateness=given["lateness"],
        match_exactly=None if match is None else match == "exact",
        min_requests=given["min_requests"],
        resolution=given["resolution"] or 0,
        sli_series=given["sli_series"],
        no_traffic=given["close_after_no_traffic"],
        workers=given["workers"],
        is_failure=given["is_failure"],
    )
    if resolution is not None:
        windows = (one.window for one in _list_watched(plan))
        check_resolution(resolution, plan.resolution, windows)
    return plan


def add_changes(plan: Plan, given: Mapping[str, Any]) -> tuple[Plan, list[RejectedLine]]:
    """The plan with the changes that the options name, and their records that are malformed."""
    zone, service = _read_zone(given["change_zone"]), given["service"] or ""
    rules = DeployRules(given["change_keys"] or {}, given["environment"] or ())
    history = read_history(given["changes"] or [], zone, service, rules)
    if plan.endpoints is None and plan.service_from == BY_HOST:
        history = _name_hosts(history)
    plan = replace(
        plan,
        changes=history.changes,
        rejected_records=len(history.rejected),
        excluded_records=history.excluded,
    )
    return plan, history.rejected


def _read_range(given: Mapping[str, Any]) -> dict[str, int | None]:
    """The ticks of the options `from_` and `to`; None if an option is not given."""
    zone = _read_zone(given["zone"]) or UTC
    ticks: dict[str, int | None] = {}
    for name in ("from_", "to"):
        with naming_option(name):
            ticks[name] = None if given[name] is None else parse_instant(given[name], zone)
    first, end = ticks["from_"] or 0, ticks["to"]
    if end is not None and end <= first:
        raise OptionError(
            ["to"], f" is {quote(given['to'])}; allowed: a time after {show_instant(first)}"
        )
    return ticks


def _name_hosts(history: History) -> History:
    """The same changes, whose services are written like the virtual hosts that they may be."""
    changes = [
        (tick, replace(change, service=read_host(change.service) or change.service))
        for tick, change in history.changes
    ]
    return replace(history, changes=changes)


def _read_zone(name: str | None) -> tzinfo | None:
    return None if name is None else parse_zone(name)


def _list_hooks(
    log: ReplayLog, on_rejected: Callable[[RejectedLine], object] | None, *, strict: bool
) -> list[Callable[[RejectedLine], object]]:
    if strict:
        return [_stop]
    return [log.line_rejected, on_rejected] if on_rejected else [log.line_rejected]


def _stop(line: RejectedLine) -> NoReturn:
    raise MalformedLineError(line.file, line.line, line.text, line.reason)


def _list_watched(plan: Plan) -> Sequence[Endpoint]:
    """The given endpoints, or the one that all found endpoints are like."""
    return [plan.defaults] if plan.endpoints is None else plan.endpoints.endpoints


class Engine(Protocol):
    """What has run a plan: a `Replay`, or what distributes one over several machines."""

    @property
    def logs(self) -> Sequence[LogOutcome]: ...
    @property
    def sources(self) -> Sequence[tuple[str, SourceClock]]: ...
    def is_watched(self, change: Change, /) -> bool: ...
    def list_services(self) -> list[str]: ...


class LogOutcome(Protocol):
    """Why a log was not read, or not completely, as in `LogReader`."""

    path: str
    problem: str | None
    refusal: ConfigurationError | None


def conclude(
    monitor: ServiceMonitor,
    engine: Engine,
    plan: Plan,
    rejections: Sequence[RejectedLine],
    given: Mapping[str, Any],
) -> ReplayMonitor:
    """The result of a replay with the given options, whose engine has returned this monitor."""
    problems = [log.problem for log in engine.logs if log.problem is not None]
    named = set(given["paths"])  # the other logs were found in a directory
    complete = not any(
        log.problem is not None and (log.refusal is None or log.path in named)
        for log in engine.logs
    )
    accounting = cast(ReplayAccounting, monitor.accounting)
    window = min((one.window for one in _list_watched(plan)), default=0)
    deploys = _sum_up_deploys(engine, plan, given)
    warnings = find_warnings(accounting, engine.sources, deploys, window)
    return ReplayMonitor(
        *(monitor.incidents, accounting, rejections, problems, monitor.totals),
        complete=complete,
        warnings=warnings,
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
        expected=bool(given["changes"]),
        in_zone=given["change_zone"] is not None or given["zone"] is not None,
        counted=counted,
        unmatched=unmatched.total(),
        rejected=plan.rejected_records,
        excluded=sum(plan.excluded_records.values()),
        unmatched_services=list(unmatched),
        without_time=sum(is_day(change.date) for _, change in plan.changes),
        services=engine.list_services(),
    )

"""`replay(...)` says which commit broke which endpoint, from access logs and a deploy history."""

# Without `from __future__ import annotations`: the declarations are read when this is imported, and
# it would take three times as long to read them as texts.

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final

from slomon.core.events import RejectedLine
from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.dates import show_duration, show_instant
from slomon.endpoints.config import Endpoints
from slomon.endpoints.discovery import BY_HOST, SERVICES_FROM
from slomon.formats.registry import FORMAT_NAMES
from slomon.log_replay.job import run_job
from slomon.log_replay.monitor import ReplayMonitor
from slomon.log_replay.plan import read_range, show_rule
from slomon.log_replay.progress import Progress
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
    check_combination,
    choose_rule,
    document_options,
    identify_options,
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


def _read_endpoints(name: str, value: object) -> object:
    """A path; a list of entries is left to the catalogue, which names the entry that is wrong."""
    if isinstance(value, str | os.PathLike):
        (path,) = read_paths(name, value)
        return path
    return value


def _read_change_keys(name: str, value: object) -> object:
    """A mapping of roles to the names of fields."""
    # Imported only if the option is given: most replays need nothing of it.
    from slomon.deploys.tools import ROLES  # noqa: PLC0415

    keys = read_texts(name, value)
    for role in keys:
        check_choice(name, role, ROLES)
    return keys


_EXCLUSIVE: Final = (
    ("endpoints", "slo"),
    ("endpoints", "window"),
    ("endpoints", "service_from"),
    ("endpoints", "group_paths"),
    ("endpoints", "max_endpoints"),
    ("service", "service_from"),
    ("format", "log_format", "regex", "json_keys"),
)
"""Groups of options: at most one option of each group may be given."""

_NEEDED: Final = {
    "change_keys": "changes",
    "change_zone": "changes",
    "environment": "changes",
    "match": "endpoints",
    "checkpoint_every": "checkpoint",
}
"""Options that have no effect without another one."""


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
            "either method and path, or request, and perhaps host",
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
            help="put lines in order of time that are late by at most this duration (default: 5s, "
            "or more if the first lines of a log are later; 0 in recorded event streams)",
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
            "if the logs name several; file, the name of the log's file; field, the field of the "
            "lines that names a service, container, router or upstream; or endpoint, itself",
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
            help="a function that is called several times a second, in the thread that counts",
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
    return run_job(given, partial(identify_options, replay, given))


def read_replay_options(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The checked values of all options of `replay`. Raises ConfigurationError."""
    given = read_options(replay, raw)
    check_combination(replay, raw, exclusive=_EXCLUSIVE, needed=_NEEDED)
    given |= {"is_failure": choose_rule(given["is_failure"], raw["fail_status"])}
    return given | read_range(given)

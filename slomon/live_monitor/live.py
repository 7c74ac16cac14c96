"""`live(...)` makes the monitor of a running service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from slomon.core.endpoints import Catalogue, Endpoint
from slomon.core.service_monitor import STALE_AFTER
from slomon.core.statuses import StatusRule, StatusTable, server_errors_fail
from slomon.endpoints.config import NO_EMAIL, Endpoints, read_catalogue
from slomon.errors import OptionError
from slomon.live_monitor.buffer import Buffer
from slomon.live_monitor.clock import Clock, SystemClock, monotonic_now
from slomon.live_monitor.endpoints import Discovery
from slomon.live_monitor.engine import Engine
from slomon.live_monitor.event_log import EventLog
from slomon.live_monitor.monitor import _MOST, LiveMonitor
from slomon.live_monitor.persistence import StateFile
from slomon.logging import show_some
from slomon.options import (
    AnyPath,
    CloseAfterNoTraffic,
    Duration,
    FailStatus,
    Option,
    Resolution,
    SliSeries,
    check_resolution,
    choose_rule,
    distinct_paths,
    document_options,
    option_error,
    read_count,
    read_duration,
    read_function,
    read_names,
    read_object,
    read_objective,
    read_options,
    read_path,
    read_text,
)
from slomon.state.encoding import Saved
from slomon.text import excerpt, quote

AUTO: Final = "auto"
"""Instead of endpoints: find them."""

_SERVICE: Final = "service"
_MOST_FOUND: Final = 100_000


@document_options
def live(
    endpoints: Endpoints,
    *,
    slo: Annotated[
        float | str | None,
        Option(
            read=read_objective,
            help="with 'auto': the SLO of each found endpoint, as in 0.999 or 99.9%",
            default="99.9%",
        ),
    ] = None,
    window: Annotated[
        Duration | None,
        Option(
            read=partial(read_duration, least=1),
            help="with 'auto': the window of each found endpoint",
            default="5m",
        ),
    ] = None,
    overrides: Annotated[
        Endpoints | None,
        Option(
            read=lambda _, value: value,
            help="with 'auto': entries, or a file of entries, of endpoints that have another SLO, "
            "window or service. A request to one of these is to no found endpoint",
        ),
    ] = None,
    max_endpoints: Annotated[
        int | None,
        Option(
            read=partial(read_count, most=_MOST_FOUND),
            help="with 'auto': find at most this many endpoints. Requests to others are unmatched",
            default=1000,
        ),
    ] = None,
    is_failure: Annotated[
        StatusRule,
        Option(
            read=partial(read_function, parameter="a status"),
            help="a function of a status: did a request with this status fail? None if there is no "
            "such status. It is called once for each status, here, and must not raise an exception "
            "for 100 to 599 (default: 500 to 599 fail, 100 to 499 succeed)",
        ),
    ] = server_errors_fail,
    fail_status: FailStatus = None,
    min_requests: Annotated[
        int,
        Option(
            read=partial(read_count, most=_MOST),
            help="do not judge a window that holds fewer requests",
        ),
    ] = 1,
    resolution: Resolution = None,
    close_after_no_traffic: CloseAfterNoTraffic = None,
    max_ahead: Annotated[
        Duration,
        Option(
            read=read_duration,
            help="reject an access whose at= is later than the clock by more than this: all later "
            "accesses of its endpoint would be late, and count at that time",
        ),
    ] = "1h",
    stale_after: Annotated[
        Duration,
        Option(
            read=read_duration,
            help="a change older than this did not cause an onset",
        ),
    ] = STALE_AFTER,
    sli_series: SliSeries = False,
    state: Annotated[
        AnyPath | None,
        Option(
            read=read_path,
            help="a file in which windows, incidents and counts survive a restart. It is written "
            "at the start, every save_every, and at the end. What was counted since then is in "
            "<state>.journal, so that a killed process loses nothing. A damaged file is kept "
            "aside. Processes of one machine with the same state count as one service",
        ),
    ] = None,
    save_every: Annotated[
        Duration,
        Option(
            read=partial(read_duration, least=1),
            help="save the whole state at this interval, or less often if that would take more "
            "than about 3 % of the time",
        ),
    ] = "10s",
    event_log: Annotated[
        AnyPath | None,
        Option(
            read=read_path,
            help="a file to which every counted event is appended, so that it can be replayed; it "
            "is written on the event loop's thread. If it can't be written for some time, it gets "
            "a gap, which says how many events are missing",
        ),
    ] = None,
    commit: Annotated[
        str | None,
        Option(
            read=read_text,
            help="the commit that this process runs. At the start it is reported as a deploy, "
            "unless the last deploy of the service was of the same commit",
        ),
    ] = None,
    service: Annotated[
        str | Sequence[str] | None,
        Option(
            read=read_names,
            help="the service of `commit`, or several (default: all services of the endpoints). "
            "With 'auto': the service that owns the found endpoints, too (default: 'service')",
        ),
    ] = None,
    buffer: Annotated[
        int,
        Option(
            read=partial(read_count, most=_MOST),
            help="at most this many events wait to be counted",
        ),
    ] = 65_536,
    history: Annotated[
        int,
        Option(
            read=partial(read_count, most=_MOST),
            help="keep this many incidents that have ended, and this many changes for the deploy "
            "metrics; all are counted",
        ),
    ] = 10_000,
    clock: Annotated[
        Clock | None,
        Option(
            read=partial(
                read_object,
                methods=["now", "sleep_until"],
                allowed="an object with now and sleep_until",
            ),
            help="the clock that says what time it is (default: a monotonic clock that follows the "
            "machine's, so that a step of that hides nothing)",
        ),
    ] = None,
) -> LiveMonitor:
    """
    A monitor of these endpoints, which runs while it is entered. `endpoints` are `get_info()`
    entries, or a file of entries; a window may be text such as "5m", as for `replay`. If they are
    "auto", the endpoints are found in the requests. A duration is text such as "5m", or seconds.

    Raises ConfigurationError if an endpoint or an option is wrong. Entering raises OSError if a
    file can't be used, and StateFileError if the file is not of this kind. A state that another
    process uses is no error: this one joins it.
    """
    given = read_options(live, locals())
    state, event_log = given["state"], given["event_log"]
    distinct_paths({"state": state, "event_log": event_log})
    catalogue, discovery = _read_endpoints(
        endpoints,
        given,
        auto_only={
            "slo": slo,
            "window": window,
            "overrides": overrides,
            "max_endpoints": max_endpoints,
        },
    )
    step = given["resolution"] or 0
    watched = [*catalogue.endpoints, *([discovery.defaults] if discovery else ())]
    check_resolution(given["resolution"], (one.window for one in watched))
    is_failure = choose_rule(is_failure, fail_status)
    _check_rule(is_failure)
    statuses = StatusTable.from_rule(is_failure)
    used_clock = SystemClock() if clock is None else clock
    ok_statuses = frozenset(n for n, failed in enumerate(statuses.answers) if not failed)

    def make_engine(saved: Saved | None, records: Sequence[bytes] = ()) -> Engine:
        return Engine(
            catalogue,
            statuses,
            min_requests=min_requests,
            no_traffic=given["close_after_no_traffic"],
            sli_series=sli_series,
            stale_after=given["stale_after"],
            history=history,
            resolution=step,
            saved=saved,
            records=records,
            discovery=discovery,
        )

    return LiveMonitor(
        catalogue,
        make_engine,
        Buffer(buffer, ok_statuses),
        clock=used_clock,
        max_ahead=given["max_ahead"],
        state=None
        if state is None
        else StateFile(Path(state), given["save_every"], monotonic_now(used_clock)),
        event_log=None if event_log is None else EventLog(Path(event_log)),
        versions=_find_versions(catalogue, discovery, given["commit"], given["service"]),
        failing_status=_find_failing(statuses),
        discovery=discovery,
    )


def _find_failing(statuses: StatusTable) -> int:
    """A status that fails: 500 if it does, else the first one. 500 if none fails."""
    failing = [status for status, failed in enumerate(statuses.answers) if failed]
    return 500 if 500 in failing or not failing else failing[0]


def _read_endpoints(
    endpoints: Endpoints, given: Mapping[str, Any], *, auto_only: Mapping[str, object]
) -> tuple[Catalogue, Discovery | None]:
    """The given endpoints, and how others are found. Raises ConfigurationError if one is wrong."""
    if endpoints != AUTO:
        for name, value in auto_only.items():
            if value is not None:
                raise OptionError([name], f" is for found endpoints; allowed: with {quote(AUTO)}")
        return read_catalogue(endpoints), None
    services = given["service"] or [_SERVICE]
    if len(services) > 1:
        raise option_error("service", given["service"], f"one service with {quote(AUTO)}")
    overrides = given["overrides"]
    catalogue = Catalogue([]) if overrides is None else read_catalogue(overrides, "overrides")
    defaults = Endpoint(services[0], NO_EMAIL, "", "", given["slo"], given["window"])
    return catalogue, Discovery(defaults, given["max_endpoints"])


def _find_versions(
    catalogue: Catalogue,
    discovery: Discovery | None,
    commit: str,
    services: Sequence[str] | None,
) -> Mapping[str, str]:
    """The commits that run, by service. Raises OptionError if a service is not watched."""
    watched = list(dict.fromkeys(one.name for one in catalogue.endpoints))
    if discovery is not None:
        watched.append(discovery.defaults.name)
    elif services is not None and not commit:
        raise OptionError(["service"], " is given without 'commit'; allowed: both, or 'commit'")
    for service in services or ():
        if service not in watched:
            raise option_error("service", service, show_some(watched))
    return dict.fromkeys(services or watched, commit) if commit else {}


def _check_rule(is_failure: StatusRule) -> None:
    """Raise OptionError if the rule raises for a status from 100 to 599."""
    for status in range(100, 600):
        try:
            is_failure(status)
        except Exception as error:
            reason = f"{type(error).__name__}: {excerpt(str(error), 200)}"
            fault = f" raises {reason}, of {status}; allowed: a rule for each of 100 to 599"
            raise OptionError(["is_failure"], fault) from error

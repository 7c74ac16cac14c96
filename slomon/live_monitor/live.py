from __future__ import annotations

from pathlib import Path

from slomon.core.events import StatusRule, classify_status, server_errors_fail
from slomon.core.service_monitor import STALE_AFTER
from slomon.endpoints.config import Endpoints, read_catalogue
from slomon.errors import OptionError
from slomon.live_monitor.buffer import Buffer
from slomon.live_monitor.clock import Clock, SystemClock
from slomon.live_monitor.engine import Engine
from slomon.live_monitor.event_log import EventLog
from slomon.live_monitor.monitor import _MOST, LiveMonitor
from slomon.live_monitor.persistence import StateFile
from slomon.options import (
    AnyPath,
    Duration,
    check_apart,
    check_choice,
    check_function,
    check_methods,
    read_count,
    read_duration,
    read_no_traffic,
    read_path,
    read_resolution,
)
from slomon.state.encoding import Saved
from slomon.text import excerpt


def live(
    endpoints: Endpoints,
    *,
    is_failure: StatusRule = server_errors_fail,
    min_requests: int = 1,
    resolution: Duration | None = None,
    close_after_no_traffic: Duration | None = None,
    stale_after: Duration = STALE_AFTER,
    sli_series: bool = False,
    state: AnyPath | None = None,
    save_every: Duration = "10s",
    event_log: AnyPath | None = None,
    buffer: int = 65_536,
    history: int = 10_000,
    clock: Clock | None = None,
) -> LiveMonitor:
    """
    A monitor of these endpoints, which runs while it is entered: `get_info()` entries, or a file of
    them, in which windows may be text such as "5m", as for `replay`.

    * `is_failure(status)`: did a request with this status fail? None where there is no such status;
      it is asked of each at the start, and no more, and must not raise of any of 100 to 599
    * `min_requests`: a window with fewer is not judged; `resolution`: windows move in such steps,
      and so need memory for so many of these at most as go into one; otherwise for each request
    * `close_after_no_traffic`: an incident expires once its endpoint had no request for so
      long, and its window has emptied: told when the clock says so. By default none does
    * `stale_after`: a change that is older than this as an endpoint breaks is taken for stale
    * `sli_series`: keep each endpoint's SLI over time, for a snapshot's summary and report
    * `state`: a file in which windows, incidents and counts survive a restart; it is written
      `save_every` so long, as soon as incidents have opened or ended, and at the end. So a killed
      process loses counts of no longer than `save_every`, and of incidents those that moved while
      it was last written. A damaged one is kept aside
    * `event_log`: a file to which every counted event is added, so that it can be replayed; it is
      written on the loop's thread
    * `buffer`: how many events may wait to be counted; `history`: how many incidents that have
      ended are kept (and changes, for the figures of deploys); all are counted
    * `clock`: another one than the machine's

    Raises ConfigurationError where an endpoint or an option is wrong. Entering raises OSError
    where a file can't be used, as one that another process uses, and StateFileError where one is a
    file of something else.
    """
    check_function("is_failure", is_failure, "a status")
    state, event_log = read_path("state", state), read_path("event_log", event_log)
    check_apart(state=state, event_log=event_log)
    catalogue = read_catalogue(endpoints)
    min_requests = read_count("min_requests", min_requests, _MOST)
    step = read_resolution(resolution, (one.window for one in catalogue.endpoints))
    no_traffic = read_no_traffic(close_after_no_traffic)
    check_choice("sli_series", sli_series, [True, False])
    stale = read_duration("stale_after", stale_after)
    kept = read_count("history", history, _MOST)
    judged = _classify_all(is_failure)
    rule, ok_statuses = (
        judged.__getitem__,
        frozenset(n for n, failed in enumerate(judged) if not failed),
    )

    def make_engine(saved: Saved | None) -> Engine:
        return Engine(
            catalogue,
            rule,
            min_requests=min_requests,
            no_traffic=no_traffic,
            sli_series=sli_series,
            stale_after=stale,
            history=kept,
            resolution=step,
            saved=saved,
        )

    every = read_duration("save_every", save_every, 1)
    if clock is not None:
        check_methods("clock", clock, ["now", "sleep_until"], "an object with now and sleep_until")
    return LiveMonitor(
        catalogue,
        make_engine,
        Buffer(read_count("buffer", buffer, _MOST), ok_statuses),
        clock=SystemClock() if clock is None else clock,
        state=None if state is None else StateFile(Path(state), every),
        event_log=None if event_log is None else EventLog(Path(event_log)),
    )


def _classify_all(is_failure: StatusRule) -> list[bool | None]:
    """What a rule says of each status; it may raise only where there is hardly any."""
    for status in range(100, 600):
        try:
            is_failure(status)
        except Exception as error:
            reason = f"{type(error).__name__}: {excerpt(str(error), 200)}"
            fault = f" raises {reason}, of {status}; allowed: a rule for each of 100 to 599"
            raise OptionError(["is_failure"], fault) from error
    return [classify_status(is_failure, status) for status in range(1000)]

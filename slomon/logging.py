"""
Logging with structlog: the set-up, and the logs that several parts of slomon share.

slomon's own commands call `configure`. In another program, the program configures structlog; if it
doesn't, warnings and errors go to stderr and all else is dropped, as in the standard library.
"""

from __future__ import annotations

import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor

from slomon.core.endpoints import Catalogue
from slomon.core.events import Accounting, Change, Rejection
from slomon.core.incident import Incident, State
from slomon.core.ticks import TICKS_PER_SECOND, to_seconds
from slomon.core.trust import ResultWarning, warn_of_stream
from slomon.pipeline.stream import Listener
from slomon.text import excerpt

_LOGGED_REASONS: Final = 5
_LISTED_REASONS: Final = 20
_LOGGED_KINDS: Final = 100
_VARYING: Final = re.compile(r"'[^']*'|\d+")  # what differs between rejections of one kind
_LISTED_NAMES: Final = 5
_LONGEST_NAME: Final = 200  # a path should end with the name of its file
_MIN_INTERVAL: Final = 60 * TICKS_PER_SECOND


def configure(level: str, stderr: TextIO, *, colors: bool, omit: Container[str] = ()) -> None:
    """
    Configure structlog for slomon's commands: a line per event of `level` or above on stderr.
    Events named in `omit` are left out.
    """

    def drop_omitted(_: object, __: str, event: EventDict) -> EventDict:
        if event["event"] in omit:
            raise structlog.DropEvent
        return event

    structlog.configure(
        processors=[drop_omitted, *_processors(colors=colors)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stderr),
        cache_logger_on_first_use=False,
    )


def get_logger() -> Any:
    """A bound logger, of the class that the program configured."""
    if structlog.is_configured():
        return structlog.get_logger("slomon")
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=_processors(colors=False),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )


class LogListener(Listener):
    """
    Logs a run: `stream.started`, `incident.opened`, `incident.closed`, `incident.expired`,
    `event.rejected`, `result.warning` and `stream.finished`. Text from the stream is escaped and
    bounded.
    """

    def __init__(self) -> None:
        self._log = get_logger()
        self._rejections = RejectionLog("event.rejected")

    def started(self, catalogue: Catalogue) -> None:
        self._log.info("stream.started", endpoints=len(catalogue.endpoints))

    def incident_moved(self, incident: Incident) -> None:
        endpoint = incident.endpoint
        log = self._log.bind(
            service=excerpt(endpoint.name),
            endpoint=excerpt(f"{endpoint.verb} {endpoint.resource}"),
        )
        if incident.end is None:
            log.info(
                "incident.opened",
                at=to_seconds(incident.start),
                broken_by=_commit(incident.broken_by),
            )
            return
        lasted = to_seconds(incident.end - incident.start)
        log = log.bind(at=to_seconds(incident.end), lasted=lasted)
        if incident.state == State.EXPIRED:
            log.info("incident.expired")
        else:
            log.info("incident.closed", fixed_by=_commit(incident.fixed_by))

    def event_rejected(self, rejection: Rejection) -> None:
        self._rejections.warn(rejection.reason, rejection.text, position=rejection.position)

    def finished(self, accounting: Accounting) -> None:
        self._rejections.finish()
        log_warnings(warn_of_stream(accounting))
        self._log.info("stream.finished", **asdict(accounting))


class RejectionLog:
    """
    Logs the first rejection with each of the first five reasons as a warning, and at the end how
    many more there were `like` one of them. Reasons are alike if they differ in numbers and values
    only.
    """

    def __init__(self, event: str) -> None:
        self._log = get_logger()
        self._event = event
        self._logged: set[str] = set()
        self._unlogged: Counter[str] = Counter()
        self._examples: dict[str, str] = {}  # the first reason of each kind

    def warn(self, reason: str, text: str, **place: object) -> None:
        """Log one rejection, or only count it; `place` says where it happened."""
        problem = reason.partition("; allowed: ")[0]
        kind = _VARYING.sub("...", problem)
        if kind not in self._logged and len(self._logged) < _LOGGED_REASONS:
            self._logged.add(kind)
            self._examples[kind] = problem
            self._log.warning(self._event, **place, reason=reason, text=excerpt(text))
            return
        if kind not in self._unlogged and len(self._unlogged) >= _LISTED_REASONS:
            kind = problem = "another reason"
        self._examples.setdefault(kind, problem)
        self._unlogged[kind] += 1

    def finish(self) -> None:
        """Log the number of the rejections that were only counted, for each kind of reason."""
        for kind, count in self._unlogged.most_common():
            self._log.warning(self._event, more=count, like=self._examples[kind])
        self._unlogged.clear()


class RateLimitedLog:
    """
    Logs each kind of event at most once a minute, with the number of those left out since then.

    * `now`: returns the time in ticks
    * `fields`: fields of every event
    """

    def __init__(self, now: Callable[[], int], **fields: object) -> None:
        self._now = now
        self._fields = fields
        self._last: dict[str, int] = {}
        self._unlogged: Counter[str] = Counter()

    def warn(self, event: str, **fields: object) -> None:
        """Log a warning, or only count it if the last of its kind is less than a minute old."""
        now = self._now()
        if event in self._last and 0 <= now - self._last[event] < _MIN_INTERVAL:
            self._unlogged[event] += 1
            return
        self._last[event] = now
        unlogged = self._unlogged.pop(event, 0)
        more = {"unlogged": unlogged} if unlogged else {}
        self._log().warning(event, **self._fields, **fields, **more)

    def error(self, event: str, **fields: object) -> None:
        """Log an error, without a limit: for an event that can't happen twice."""
        self._log().error(event, **self._fields, **fields)

    def _log(self) -> Any:
        return get_logger()  # each time: the program may configure structlog later


class OnceLog:
    """Logs each kind of problem once, and a hundred kinds at most. Any thread may call it."""

    def __init__(self) -> None:
        self._logged: set[object] = set()

    def warn(self, event: str, kind: Hashable, **fields: object) -> None:
        """Log a warning if it is the first of its kind."""
        if (event, kind) not in self._logged and len(self._logged) < _LOGGED_KINDS:
            self._logged.add((event, kind))
            get_logger().warning(event, **fields)


def log_warnings(warnings: Iterable[ResultWarning]) -> None:
    """Log why a result can't be trusted."""
    for warning in warnings:
        log = get_logger()
        write = log.error if warning.certain else log.warning
        write("result.warning", code=warning.code, text=excerpt(warning.text, 2000))


def list_some(names: Sequence[str]) -> tuple[str, int]:
    """The first five names as one printable text, and the number of the other names."""
    listed = ", ".join(excerpt(name, _LONGEST_NAME) for name in names[:_LISTED_NAMES])
    return listed, max(0, len(names) - _LISTED_NAMES)


def show_some(names: Sequence[str]) -> str:
    """What `list_some` returns, as one text."""
    listed, more = list_some(names)
    return f"{listed} and {more:,} more" if more else listed


def _commit(change: Change | None) -> str | None:
    return excerpt(change.commit) if change else None


def _processors(*, colors: bool) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=colors),
    ]

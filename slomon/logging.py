"""
Logging with structlog: the set-up, and the logs that several parts of slomon share.

slomon's own commands call `configure`. In another program, the program configures structlog; if it
doesn't, warnings and errors go to stderr and all else is dropped, as in the standard library.

structlog imports asyncio, which takes longer than a small replay. So it is imported at the first
event that is logged.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TextIO

from slomon.core.endpoints import Catalogue
from slomon.core.events import Accounting, Change, Rejection
from slomon.core.incident import Incident, State
from slomon.core.ticks import TICKS_PER_SECOND, to_seconds
from slomon.core.trust import ResultWarning, warn_of_stream
from slomon.pipeline.stream import Listener
from slomon.text import excerpt

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

_LEVELS: Final = ("debug", "info", "warning", "error", "critical")
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
    _set_up.put_off(level, partial(_configure, level, stderr, colors=colors, omit=omit))


def _configure(level: str, stderr: TextIO, *, colors: bool, omit: Container[str]) -> None:
    import structlog  # noqa: PLC0415 (see above)

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


class _SetUp:
    """How structlog is to be configured once it is imported, and from which level on it is."""

    def __init__(self) -> None:
        self._level = "warning"
        self._configure: Callable[[], None] | None = None

    def put_off(self, level: str, configure: Callable[[], None]) -> None:
        """Configure structlog now if it is imported, or else at the first event of the level."""
        self._level, self._configure = level, configure
        if "structlog" in sys.modules:
            self.finish()

    def finish(self) -> None:
        """Configure structlog, if that was put off."""
        if self._configure is not None:
            self._configure()
            self._configure = None

    def drops(self, level: str) -> bool:
        """Is an event of this level certainly dropped? Only slomon configures what it imports."""
        least = _LEVELS.index(self._level)
        return "structlog" not in sys.modules and _LEVELS.index(level) < least


_set_up: Final = _SetUp()


class Logger:
    """Logs events with fields. Each goes to a logger of the class that the program configured."""

    def __init__(self, **fields: object) -> None:
        self._fields = fields

    def bind(self, **fields: object) -> Logger:
        """A logger whose events have these fields as well."""
        return Logger(**self._fields, **fields)

    def debug(self, event: str, **fields: object) -> None:
        """Log what only developers want to know."""
        self._log("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Log what users may want to know."""
        self._log("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log what users should know."""
        self._log("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Log what went wrong."""
        self._log("error", event, fields)

    def _log(self, level: str, event: str, fields: Mapping[str, object]) -> None:
        if not _set_up.drops(level):
            getattr(_open_logger(), level)(event, **self._fields, **fields)


def get_logger() -> Logger:
    """A logger without fields of its own."""
    return Logger()


def _open_logger() -> Any:
    import structlog  # noqa: PLC0415 (see above)

    _set_up.finish()
    if structlog.is_configured():
        return structlog.get_logger("slomon")
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=_processors(colors=False),
        wrapper_class=structlog.make_filtering_bound_logger("warning"),
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
        self._log = get_logger().bind(**fields)
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
        self._log.warning(event, **fields, **more)

    def error(self, event: str, **fields: object) -> None:
        """Log an error, without a limit: for an event that can't happen twice."""
        self._log.error(event, **fields)


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
    import structlog  # noqa: PLC0415 (see above)

    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=colors),
    ]

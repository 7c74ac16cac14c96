"""
structlog events of a run: `stream.started`, `incident.opened`, `incident.closed`,
`incident.expired`, `event.rejected` and `stream.finished`. The program configures structlog
(`configure` is what ours do); where it has not, warnings go to stderr and the rest nowhere, as the
standard library's logging does.

Warnings of what may go wrong again and again.

structlog events of a replay: `log.recognised`, `line.rejected`, `log.problem`, `changes.stray`,
`endpoints.capped`, `accesses.late`, `accesses.unmatched` and `replay.finished`.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import ceil
from typing import Any, Final, TextIO

import structlog
from structlog.typing import Processor

from slomon.core.endpoints import Catalogue
from slomon.core.events import Accounting, Change, RejectedLine, Rejection, ReplayAccounting
from slomon.core.incident import Incident, State
from slomon.core.ticks import TICKS_PER_SECOND, to_seconds
from slomon.dates import show_duration
from slomon.pipeline.stream import Listener
from slomon.text import excerpt

_LOGGED_REJECTIONS: Final = 100
_NAMED: Final = 5


def configure(level: str, stderr: TextIO, *, colors: bool) -> None:
    """Set up structlog for slomon's own commands: one line per event on stderr, from `level` up."""
    structlog.configure(
        processors=_processors(colors=colors),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stderr),
        cache_logger_on_first_use=False,
    )


def get_logger() -> Any:
    """A bound logger, of whatever class the program chose."""
    if structlog.is_configured():
        return structlog.get_logger("slomon")
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=_processors(colors=False),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )


def list_some(names: Sequence[str]) -> tuple[str, int]:
    """The first five of many names from outside, in one text, and how many more there are."""
    return ", ".join(map(excerpt, names[:_NAMED])), max(0, len(names) - _NAMED)


class RejectionLog:
    """Warns of the first hundred that are rejected, and once that there are more."""

    def __init__(self, event: str) -> None:
        self._log = get_logger()
        self._event = event
        self._count = 0

    def warn(self, reason: str, text: str, **place: object) -> None:
        """One more was rejected, at that place."""
        self._count += 1
        if self._count <= _LOGGED_REJECTIONS:
            self._log.warning(self._event, **place, reason=reason, text=excerpt(text))
        elif self._count == _LOGGED_REJECTIONS + 1:
            self._log.warning(self._event, more="counted, but no longer logged")


class LogListener(Listener):
    """Logs what it is told. Text that came from the stream is escaped and bounded."""

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
        self._log.info("stream.finished", **asdict(accounting))


def _commit(change: Change | None) -> str | None:
    return excerpt(change.commit) if change else None


def _processors(*, colors: bool) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=colors),
    ]


_APART: Final = 60 * TICKS_PER_SECOND


class RateLimitedLog:
    """Warns of each kind of event once a minute at most, and says how many more there were."""

    def __init__(self, now: Callable[[], int], **fields: object) -> None:
        self._now = now
        self._fields = fields
        self._last: dict[str, int] = {}
        self._unlogged: Counter[str] = Counter()

    def warn(self, event: str, **fields: object) -> None:
        """It happened once more."""
        now = self._now()
        if event in self._last and 0 <= now - self._last[event] < _APART:
            self._unlogged[event] += 1
            return
        self._last[event] = now
        unlogged = self._unlogged.pop(event, 0)
        more = {"unlogged": unlogged} if unlogged else {}
        self._log().warning(event, **self._fields, **fields, **more)

    def error(self, event: str, **fields: object) -> None:
        """It happened, and can't happen again."""
        self._log().error(event, **self._fields, **fields)

    def _log(self) -> Any:
        return get_logger()  # as the program has set it up by then


class ReplayLog:
    """Logs what it is told. Text that came from files is escaped and bounded."""

    def __init__(self) -> None:
        self._log = get_logger()
        self._rejections = RejectionLog("line.rejected")

    def recognised(self, name: str, form: str) -> None:
        """A log's format is known."""
        self._log.info("log.recognised", file=excerpt(name), format=form)

    def rejected(self, line: RejectedLine) -> None:
        """A line is malformed."""
        self._rejections.warn(line.reason, line.text, file=excerpt(line.file), line=line.line)

    def strayed(self, services: Sequence[str]) -> None:
        """Changes name services that own no endpoint."""
        if services:
            named, more = list_some(services)
            self._log.warning(
                "changes.stray",
                services=named,
                more=more,
                hint="these own no endpoint; --service (service=) names the one of found endpoints",
            )

    def finished(self, accounting: ReplayAccounting, problems: Sequence[str]) -> None:
        """All logs were read."""
        for problem in problems:
            self._log.error("log.problem", problem=excerpt(problem, 1000))
        self._warn(accounting)
        self._log.info("replay.finished", **asdict(accounting))

    def _warn(self, accounting: ReplayAccounting) -> None:
        if accounting.capped:
            self._log.warning(
                "endpoints.capped",
                accesses=accounting.capped,
                endpoints=accounting.endpoints,
                hint="these accesses count for no endpoint; --max-endpoints (max_endpoints=) "
                "allows for more",
            )
        if accounting.late:
            self._log.warning(
                "accesses.late",
                accesses=accounting.late,
                largest_lateness=accounting.largest_lateness,
                hint=f"--lateness {suggest_lateness(accounting)} would put all in order",
            )
        if accounting.unmatched and not accounting.accesses:
            self._log.warning(
                "accesses.unmatched",
                unmatched=accounting.unmatched,
                hint="no access belongs to any endpoint",
            )


def suggest_lateness(accounting: ReplayAccounting) -> str:
    """The lateness, in whole seconds, with which every line would have been put in order."""
    return show_duration(ceil(accounting.largest_lateness) * TICKS_PER_SECOND)

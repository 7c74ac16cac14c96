"""The structlog events of a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import ceil

from slomon.core.events import RejectedLine, ReplayAccounting
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.dates import show_duration
from slomon.logging import RejectionLog, get_logger, list_some
from slomon.text import excerpt


class ReplayLog:
    """
    Logs a replay: `log.format_detected`, `line.rejected`, `changes.unmatched`, `log.problem`,
    `endpoints.capped`, `accesses.late`, `accesses.unmatched` and `replay.finished`. Text from files
    is escaped and bounded.
    """

    def __init__(self) -> None:
        self._log = get_logger()
        self._rejections = RejectionLog("line.rejected")

    def format_detected(self, file: str, name: str, details: Mapping[str, str]) -> None:
        """
        The format of a log file was detected, with what else is known of it. It is a warning if a
        zone was assumed: a wrong one shifts all times.
        """
        shown = {key: excerpt(text, 1000) for key, text in details.items()}
        log = self._log.warning if "zone" in details else self._log.info
        log("log.format_detected", file=excerpt(file), format=name, **shown)

    def line_rejected(self, line: RejectedLine) -> None:
        """A line is malformed."""
        self._rejections.warn(line.reason, line.text, file=excerpt(line.file), line=line.line)

    def changes_unmatched(self, services: Sequence[str]) -> None:
        """Changes belong to these services, which own no endpoint."""
        if services:
            names, more = list_some(services)
            self._log.warning(
                "changes.unmatched",
                services=names,
                more=more,
                hint="these services own no endpoint; --service (service=) names the service of "
                "endpoints that are discovered",
            )

    def finished(self, accounting: ReplayAccounting, problems: Sequence[str]) -> None:
        """The replay has ended."""
        for problem in problems:
            self._log.error("log.problem", problem=excerpt(problem, 1000))
        self._warn_of_losses(accounting)
        self._log.info("replay.finished", **asdict(accounting))

    def _warn_of_losses(self, accounting: ReplayAccounting) -> None:
        if accounting.capped:
            self._log.warning(
                "endpoints.capped",
                accesses=accounting.capped,
                endpoints=accounting.endpoints,
                hint="these accesses count for no endpoint; --max-endpoints (max_endpoints=) "
                "raises the limit",
            )
        if accounting.late:
            self._log.warning(
                "accesses.late",
                accesses=accounting.late,
                largest_lateness=accounting.largest_lateness,
                hint=f"--lateness {suggest_lateness(accounting)} would put all accesses in order",
            )
        if accounting.unmatched and not accounting.accesses:
            self._log.warning(
                "accesses.unmatched",
                unmatched=accounting.unmatched,
                hint="no access belongs to any endpoint",
            )


def suggest_lateness(accounting: ReplayAccounting) -> str:
    """The least lateness in whole seconds with which all lines would have been put in order."""
    return show_duration(ceil(accounting.largest_lateness) * TICKS_PER_SECOND)

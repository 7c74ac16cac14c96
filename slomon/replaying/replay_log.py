"""
structlog events of a replay: `log.recognised`, `line.rejected`, `log.problem`, `changes.stray`,
`endpoints.capped`, `accesses.late`, `accesses.unmatched` and `replay.finished`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import ceil

from slomon.core.accounting import RejectedLine, ReplayAccounting
from slomon.core.excerpt import excerpt
from slomon.core.tick import TICKS_PER_SECOND
from slomon.formats.duration import show_duration
from slomon.log import RejectionLog, get_logger, list_some
from slomon.replaying.log import Log


class ReplayLog:
    """Logs what it is told. Text that came from files is escaped and bounded."""

    def __init__(self) -> None:
        self._log = get_logger()
        self._rejections = RejectionLog("line.rejected")

    def recognised(self, log: Log) -> None:
        """A log's format is known."""
        self._log.info("log.recognised", file=excerpt(log.name), format=log.format.name)

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

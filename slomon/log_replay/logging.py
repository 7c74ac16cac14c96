"""The structlog events of a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from slomon.core.events import RejectedLine, ReplayAccounting
from slomon.core.trust import ResultWarning
from slomon.logging import RejectionLog, get_logger, log_warnings
from slomon.text import excerpt


class ReplayLog:
    """
    Logs a replay: `log.format_detected`, `line.rejected`, `log.problem`, `endpoints.capped`,
    `result.warning` and `replay.finished`. Text from files is escaped and bounded.
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

    def finished(
        self,
        accounting: ReplayAccounting,
        problems: Sequence[str],
        warnings: Sequence[ResultWarning],
    ) -> None:
        """The replay has ended."""
        self._rejections.finish()
        for problem in problems:
            self._log.error("log.problem", problem=excerpt(problem, 1000))
        if accounting.capped:
            self._log.warning(
                "endpoints.capped",
                accesses=accounting.capped,
                endpoints=accounting.endpoints,
                hint="these accesses count for no endpoint; --max-endpoints (max_endpoints=) "
                "raises the limit",
            )
        log_warnings(warnings)
        self._log.info("replay.finished", **asdict(accounting))

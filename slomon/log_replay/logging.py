"""The structlog events of a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from slomon.core.events import RejectedLine, ReplayAccounting
from slomon.core.trust import ResultWarning
from slomon.endpoints.templates import Template
from slomon.logging import RejectionLog, get_logger, list_some, log_warnings
from slomon.text import excerpt


class ReplayLog:
    """
    Logs a replay: `replay.resumed`, `log.format_detected`, `line.rejected`, `paths.grouped`,
    `log.problem`, `result.warning` and `replay.finished`. Text from files is escaped and bounded.
    """

    def __init__(self) -> None:
        self._log = get_logger()
        self._rejections = RejectionLog("line.rejected")
        self._seen: set[tuple[str, str | None, bool]] = set()
        self._groups: Sequence[Template] = ()  # until a format is logged

    def resumed(self, file: str) -> None:
        """The replay continues from the checkpoint in this file."""
        self._log.info("replay.resumed", file=excerpt(file))

    def format_detected(self, file: str, name: str, details: Mapping[str, str]) -> None:
        """
        The format of a log file was detected, with what else is known of it. It is a warning if a
        zone was assumed: a wrong one shifts all times. Further files in the same format, with the
        same layout and zone, are debug events.
        """
        shown = {key: excerpt(text, 1000) for key, text in details.items()}
        log = self._log.warning if "zone" in details else self._log.info
        seen = (name, details.get("layout"), "zone" in details)
        if seen in self._seen:
            log = self._log.debug
        self._seen.add(seen)
        log("log.format_detected", file=excerpt(file), format=name, **shown)
        if groups := self._groups:
            self._groups = ()
            self.paths_grouped(groups)

    def line_rejected(self, line: RejectedLine) -> None:
        """A line is malformed."""
        self._rejections.warn(line.reason, line.text, file=excerpt(line.file), line=line.line)

    def paths_grouped(self, templates: Sequence[Template]) -> None:
        """Paths are grouped by these templates. It is logged after the first format."""
        if not self._seen:
            self._groups = templates
        elif templates:
            largest = sorted(templates, key=lambda one: -one.replaced)
            shown, more = list_some([f"{one.replaced} paths as {one.show()}" for one in largest])
            self._log.info(
                "paths.grouped",
                grouped=f"{shown} and {more:,} more" if more else shown,
                hint="--group-paths off (group_paths=) makes each path an endpoint",
            )

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
        log_warnings(warnings)
        self._log.info("replay.finished", **asdict(accounting))

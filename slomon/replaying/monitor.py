"""What a replay answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slomon.core.events import RejectedLine, ReplayAccounting
from slomon.core.incident import Incident
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.summary import Totals


class ReplayMonitor(ServiceMonitor):
    """The incidents of one run over files, and what became of each of their lines."""

    accounting: ReplayAccounting
    rejections: Sequence[RejectedLine]  # type: ignore[assignment] # of lines, not of events
    """The first 100 malformed lines, their texts cut to 1000 characters."""

    def __init__(
        self,
        incidents: Iterable[Incident],
        accounting: ReplayAccounting,
        rejections: Sequence[RejectedLine],
        problems: Sequence[str],
        totals: Totals | None = None,
    ) -> None:
        super().__init__(incidents, accounting, totals=totals)
        self.rejections = list(rejections)
        self.problems = list(problems)
        """
        Logs that were not read, or not to their ends, and why: the answer lacks the rest of them.
        Logs, too, whose first lines no format reads, so that their own may be another one.
        """

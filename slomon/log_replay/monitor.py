"""The result of a replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slomon.core.events import RejectedLine, ReplayAccounting
from slomon.core.incident import Incident
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.totals import Totals
from slomon.core.trust import ResultWarning


class ReplayMonitor(ServiceMonitor):
    """The incidents of one replay, and the accounting of its lines."""

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
        *,
        complete: bool = True,
        warnings: Sequence[ResultWarning] = (),
    ) -> None:
        super().__init__(incidents, accounting, totals=totals, warnings=warnings)
        self.rejections = list(rejections)
        self.problems = list(problems)
        """
        Why a log was not read, or not read to its end: the answer lacks the rest of that log. Also
        names the files of a directory that are no logs.
        """
        self.complete = complete
        """Was every log read to its end?"""

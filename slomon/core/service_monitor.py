"""
The result of a run: `mttr`, `api_histogram` and `incident_details` of the contract, records and a
summary, and the accounting of its events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, TypedDict

from slomon.core.events import Accounting, Rejection
from slomon.core.incident import Incident, State
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND, to_seconds
from slomon.core.totals import Services, Totals, add_up_services
from slomon.core.trust import ResultWarning, warn_of_stream
from slomon.errors import OptionError
from slomon.text import excerpt, quote

if TYPE_CHECKING:
    from slomon.core.incident_records import IncidentRecord
    from slomon.core.outages import Outage
    from slomon.core.summary import Summary

IncidentDetail = TypedDict(
    "IncidentDetail", {"start": float, "end": float, "fix": str, "break": str}
)

STALE_AFTER: Final = 86_400
"""Seconds. A deploy that breaks something does so within a day."""

_SHOWN: Final = 50  # APIs in a notebook


class ServiceMonitor:
    """The incidents of one run, over an event stream or over log files."""

    stale_after: float = STALE_AFTER
    """Seconds after which a change breaks nothing more, if a method is given no other number."""

    def __init__(
        self,
        incidents: Iterable[Incident],
        accounting: Accounting,
        rejections: Sequence[Rejection] = (),
        totals: Totals | None = None,
        warnings: Sequence[ResultWarning] | None = None,
    ) -> None:
        self.incidents = sorted(incidents, key=lambda incident: incident.start_position)
        """All incidents, in the order in which they opened."""
        self.accounting = accounting
        self.rejections = list(rejections)
        """
        The first malformed events: their position, the beginning of their text, and the reason.
        """
        self.totals = totals or Totals()
        """What the run counted beside the incidents: requests of each endpoint, changes, time."""
        if warnings is None:
            warnings = warn_of_stream(accounting)
        self.warnings = list(warnings)
        """Why the result can't be trusted, with what to do about it. Empty if it can."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.incidents)} incidents, {self.accounting}>"

    def records(self, *, stale_after: float | None = None) -> list[IncidentRecord]:
        """
        The record of each incident, in the order in which they opened.

        A change more than `stale_after` seconds before an onset did not cause it. The default is a
        day, or the option of the live monitor; with infinity any earlier change may be the cause.
        Raises ConfigurationError if `stale_after` is not a number of seconds, 0 or more.
        """
        return self._make_records(add_up_services(self.totals, self.incidents), stale_after)

    def summary(self, *, stale_after: float | None = None) -> Summary:
        """
        The summary of the run: its records, the metrics of the whole run and of each service
        (repair, detection, error budget, DORA metrics), and rankings. For `stale_after` and its
        error see `records`.
        """
        from slomon.core.summary import summarise  # noqa: PLC0415 (as above)

        records = self.records(stale_after=stale_after)
        return summarise(records, self.totals, self.accounting, self.warnings)

    def outages(self, *, stale_after: float | None = None) -> list[Outage]:
        """
        The incidents with one cause as one outage each, in order of their starts: by the commit if
        that is clear, else by service and overlapping time. For `stale_after` and its error see
        `records`.
        """
        from slomon.core.outages import find_outages  # noqa: PLC0415 (as above)

        services = add_up_services(self.totals, self.incidents)
        return find_outages(self._make_records(services, stale_after), services.requests)

    def _make_records(self, services: Services, stale_after: float | None) -> list[IncidentRecord]:
        # Imported only if records are asked for: attribution is half of the core.
        from slomon.core.incident_records import Run, make_records  # noqa: PLC0415

        stale = _read_stale_after(self.stale_after if stale_after is None else stale_after)
        totals = self.totals
        began, ended = totals.span.began or 0, totals.span.ended
        run = Run(totals.requests, totals.deploys, services.count, began, ended, stale)
        return make_records(self.incidents, run)

    def mttr(self) -> float:
        """
        Mean seconds to repair over the closed incidents, rounded to 2 decimals; 0.0 if none closed.
        Expired incidents don't count.
        """
        repaired, ticks = self._repairs()
        return round(ticks / (repaired * TICKS_PER_SECOND), 2) if repaired else 0.0

    def _repairs(self) -> tuple[int, int]:
        """The number of closed incidents, and their total duration in ticks."""
        repairs = [
            incident.duration
            for incident in self.incidents
            if incident.duration is not None and incident.state == State.CLOSED
        ]
        return len(repairs), sum(repairs)

    def api_histogram(self) -> dict[str, int]:
        """Incidents per API, in any state, in the order in which the APIs first broke."""
        return dict(Counter(incident.endpoint.name for incident in self.incidents))

    def incident_details(self) -> dict[str, list[IncidentDetail]]:
        """
        The incidents of each API, sorted by start; those with equal starts are in the order in
        which they opened. The APIs are in the order in which they first broke. `start` and `end`
        are seconds since the epoch, `fix` and `break` are commits, "" if there was none. An open
        incident has `end` -1 and `fix` ""; an expired one has an end, and `fix` "".
        """
        details: dict[str, list[IncidentDetail]] = {name: [] for name in self.api_histogram()}
        # Sort, because the clock of one endpoint may be behind that of another one of the API.
        for incident in sorted(self.incidents, key=lambda incident: incident.start):
            details[incident.endpoint.name].append(_detail(incident))
        return {name: found for name, found in details.items() if found}

    def _repr_html_(self) -> str:
        """The view of a notebook. The page of a `Report` has more."""
        from html import escape  # noqa: PLC0415 (for notebooks only)

        histogram = self.api_histogram()
        rows = "".join(
            f"<tr><td>{escape(excerpt(name))}</td><td>{count}</td></tr>"
            for name, count in islice(histogram.items(), _SHOWN)
        )
        more = len(histogram) - _SHOWN
        warnings = "".join(f"<p>Warning: {escape(one.text)}</p>" for one in self.warnings)
        return (
            f"{warnings}<p>MTTR {self.mttr()} s, incidents {len(self.incidents)}, "
            f"events {self.accounting.events}</p>"
            f"<table><tr><th>API</th><th>incidents</th></tr>{rows}</table>"
            + (f"<p>and {more} more</p>" if more > 0 else "")
        )


def _read_stale_after(value: object) -> int:
    """Seconds as ticks. Only numbers: the command line and config files parse their text."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return round(min(value, LAST_TICK // TICKS_PER_SECOND) * TICKS_PER_SECOND)
    allowed = "seconds, 0 or more, as a number"
    raise OptionError(["stale_after"], f" is {quote(value)}; allowed: {allowed}")


def _detail(incident: Incident) -> IncidentDetail:
    return {
        "start": to_seconds(incident.start),
        "end": -1 if incident.end is None else to_seconds(incident.end),
        "fix": incident.fixed_by.commit if incident.fixed_by else "",
        "break": incident.broken_by.commit if incident.broken_by else "",
    }

"""The read side: what a run found, as the three answers, and what became of each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice
from typing import Final, TypedDict

from slomon.core.events import Accounting, Rejection
from slomon.core.incident import Incident, State
from slomon.core.records import IncidentRecord, make_records
from slomon.core.summary import Summary, Totals, summarise
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND, to_seconds
from slomon.errors import OptionError
from slomon.text import excerpt, quote

IncidentDetail = TypedDict(
    "IncidentDetail", {"start": float, "end": float, "fix": str, "break": str}
)


_SHOWN: Final = 50  # APIs in a notebook

STALE_AFTER: Final = 86_400
"""Seconds: a deploy that breaks something mostly does so within a day."""


class ServiceMonitor:
    """The incidents of one run over an event stream."""

    stale_after: float = STALE_AFTER
    """Seconds after which a change is taken for stale, where no other number is given."""

    def __init__(
        self,
        incidents: Iterable[Incident],
        accounting: Accounting,
        rejections: Sequence[Rejection] = (),
        totals: Totals | None = None,
    ) -> None:
        self.incidents = sorted(incidents, key=lambda incident: incident.start_position)
        """All incidents, in the order in which they opened in the stream."""
        self.accounting = accounting
        self.rejections = list(rejections)
        """The first malformed events, with position, the beginning of their text, and reason."""
        self.totals = totals or Totals()
        """What was counted beside them: each endpoint's requests, the changes, the time."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.incidents)} incidents, {self.accounting}>"

    def records(self, *, stale_after: float | None = None) -> list[IncidentRecord]:
        """
        All that is known of each incident, in the order in which they opened. A change that is
        older than `stale_after` seconds (by default a day, or what a live monitor was told) as an
        endpoint breaks is taken for stale; with infinity none is. Raises ConfigurationError where
        that is no such number.
        """
        stale = _read_stale_after(self.stale_after if stale_after is None else stale_after)
        began = self.totals.span.began or 0
        return make_records(self.incidents, self.totals.requests, stale, began)

    def summary(self, *, stale_after: float | None = None) -> Summary:
        """
        All that is known of the run: its records, the figures of the whole and of each service
        (repair, detection, error budget, the DORA measures), and whose incidents these are. It
        takes and raises what `records` does.
        """
        return summarise(self.records(stale_after=stale_after), self.totals, self.accounting)

    def mttr(self) -> float:
        """
        Mean seconds to repair over the closed incidents, to 2 decimals; 0.0 if none closed. Those
        that expired are not among them.
        """
        repaired, ticks = self._repairs()
        return round(ticks / (repaired * TICKS_PER_SECOND), 2) if repaired else 0.0

    def _repairs(self) -> tuple[int, int]:
        """How many incidents were repaired, and in how many ticks together."""
        repairs = [
            incident.duration
            for incident in self.incidents
            if incident.duration is not None and incident.state == State.CLOSED
        ]
        return len(repairs), sum(repairs)

    def api_histogram(self) -> dict[str, int]:
        """Incidents per API, of any state, in the order in which the APIs first broke."""
        return dict(Counter(incident.endpoint.name for incident in self.incidents))

    def incident_details(self) -> dict[str, list[IncidentDetail]]:
        """
        The incidents of each API, in order of start, and of those that start at once in the order
        in which they opened in the stream; the APIs are in the order in which they first broke.
        `start` and `end` in seconds since the epoch, `fix` and `break` the commits ("" where there
        was none). An open incident has `end` -1 and `fix` "", one that expired only the
        latter.
        """
        details: dict[str, list[IncidentDetail]] = {name: [] for name in self.api_histogram()}
        # The clock of one endpoint may be behind that of another one of the same API.
        for incident in sorted(self.incidents, key=lambda incident: incident.start):
            details[incident.endpoint.name].append(_detail(incident))
        return details

    def _repr_html_(self) -> str:
        """What a notebook shows of it; the page of a `Report` says more."""
        histogram = self.api_histogram()
        rows = "".join(
            f"<tr><td>{escape(excerpt(name))}</td><td>{count}</td></tr>"
            for name, count in islice(histogram.items(), _SHOWN)
        )
        more = len(histogram) - _SHOWN
        return (
            f"<p>MTTR {self.mttr()} s, incidents {len(self.incidents)}, "
            f"events {self.accounting.events}</p>"
            f"<table><tr><th>API</th><th>incidents</th></tr>{rows}</table>"
            + (f"<p>and {more} more</p>" if more > 0 else "")
        )


def _read_stale_after(value: object) -> int:
    """Ticks. Numbers only: the text that people write is read at the edges."""
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

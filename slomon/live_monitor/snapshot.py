"""A live monitor at one moment: what it found so far, and where each endpoint stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slomon.core.events import Accounting, Rejection
from slomon.core.incident import Incident
from slomon.core.records import IncidentRecord, make_records
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.statistics import Counts
from slomon.core.summary import Totals
from slomon.core.ticks import to_seconds
from slomon.live_monitor.incident_history import Tally


@dataclass(slots=True)
class LiveAccounting(Accounting):
    """
    What became of every event: to those that were taken in, `dropped` adds those that were not, by
    reason: `full` (the buffer was), `closed` (the monitor was not running) and `too long`.
    """

    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """
    Where an endpoint stands.

    * `window` in seconds; `requests` and `failures` are those in it now, and `sli` is their share
      of successes, None where there are none
    * `all_requests` and `all_failures` since the history began
    * `incidents`: how many opened; `closed`: those that were repaired, in `closed_seconds` together
    * `incident`: the one that is open, None where none is
    """

    service: str
    verb: str
    resource: str
    slo: float
    window: float
    sli: float | None
    requests: int
    failures: int
    all_requests: int
    all_failures: int
    incidents: int
    closed: int
    closed_seconds: float
    incident: IncidentRecord | None


@dataclass(frozen=True, slots=True)
class SnapshotData:
    """
    What is read off a monitor, of one moment: the windows of the endpoints and what was counted of
    each, by their keys; incidents by service; how many were repaired, in how many ticks; and how
    many were forgotten.
    """

    now: int
    incidents: Sequence[Incident]
    accounting: LiveAccounting
    rejections: Sequence[Rejection]
    totals: Totals
    windows: Sequence[Counts]
    tallies: Sequence[Tally]
    services: Mapping[str, int]
    repaired: int
    ticks: int
    forgotten: int


class Snapshot(ServiceMonitor):
    """
    A monitor at one moment, which nothing changes any more. To bound the history old incidents are
    forgotten: these are counted in `mttr()` and `api_histogram()`, and in no list.
    """

    accounting: LiveAccounting

    def __init__(self, reading: SnapshotData, stale_after: int) -> None:
        accounting, rejections = reading.accounting, reading.rejections
        super().__init__(reading.incidents, accounting, rejections, reading.totals)
        self.stale_after = to_seconds(stale_after)
        self.at = to_seconds(reading.now)
        """When it was taken, in seconds since the epoch."""
        self.forgotten = reading.forgotten
        """How many incidents are in no list."""
        self._services = reading.services
        self._repaired, self._ticks = reading.repaired, reading.ticks
        self.endpoints = self._describe(reading, stale_after)
        """Where each endpoint stands, in the order of their entries."""

    def _repairs(self) -> tuple[int, int]:
        return self._repaired, self._ticks

    def api_histogram(self) -> dict[str, int]:
        """Incidents per API, open ones included, in the order in which the APIs first broke."""
        return dict(self._services)

    def _describe(self, reading: SnapshotData, stale_after: int) -> list[EndpointStatus]:
        totals = reading.totals
        still_open = [one for one in self.incidents if one.end is None]
        began = totals.span.began or 0
        records = make_records(still_open, totals.requests, stale_after, began)
        incidents = dict(zip((one.key for one in still_open), records, strict=True))
        return [
            EndpointStatus(
                *(one.name, one.verb, one.resource, one.slo, to_seconds(one.window)),
                (held.requests - held.failures) / held.requests if held.requests else None,
                *(held.requests, held.failures, totals.requests[key], totals.failures[key]),
                *(tally.opened, tally.repaired, to_seconds(tally.ticks)),
                incidents.get(key),
            )
            for key, (one, held, tally) in enumerate(
                zip(totals.endpoints, reading.windows, reading.tallies, strict=True)
            )
        ]

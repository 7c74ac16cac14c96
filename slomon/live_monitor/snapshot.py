"""A live monitor at one moment: its incidents so far, and the state of each endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slomon.core.events import Accounting, Rejection
from slomon.core.incident import Incident
from slomon.core.incident_records import IncidentRecord
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.statistics import Counts
from slomon.core.ticks import to_seconds
from slomon.core.totals import Totals
from slomon.live_monitor.durations import Durations
from slomon.live_monitor.incident_history import Tally


@dataclass(slots=True)
class LiveAccounting(Accounting):
    """
    How every event was counted. `dropped` adds the events that were not accepted, by reason: `full`
    (the buffer was), `closed` (the monitor was not running), `too long` and `forked` (this process
    was forked from that of the monitor).
    """

    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """
    The state of an endpoint.

    * `window`: its length in seconds; `requests` and `failures` are those in it now, and `sli` is
      the share of successes, None if there are no requests
    * `all_requests` and `all_failures`: since the history began
    * `incidents`: how many opened; `closed`: how many were repaired, which took `closed_seconds`
      together
    * `incident`: the open one, or None
    * `durations`: of the requests that were reported with one, since the process that counts has
      started; None if there are none
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
    durations: Durations | None = None


@dataclass(frozen=True, slots=True)
class SnapshotData:
    """
    What a snapshot is made of, read at one moment. `windows` and `tallies` are by the endpoints'
    keys, `services` counts incidents by service, `repaired` counts incidents, `ticks` is how long
    all repairs took together, and `forgotten` counts incidents that are not kept any more.
    `durations` are by the endpoints' keys, too.
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
    durations: Sequence[Durations | None]


class Snapshot(ServiceMonitor):
    """
    A monitor at one moment; it never changes. The history is bounded, so old incidents are
    forgotten: `mttr()` and `api_histogram()` count them, but no list contains them.
    """

    accounting: LiveAccounting

    def __init__(self, data: SnapshotData, stale_after: int) -> None:
        accounting, rejections = data.accounting, data.rejections
        super().__init__(data.incidents, accounting, rejections, data.totals)
        self.stale_after = to_seconds(stale_after)
        self.at = to_seconds(data.now)
        """The time of the snapshot, in seconds since the epoch."""
        self.forgotten = data.forgotten
        """How many incidents are missing from the lists."""
        self._services = data.services
        self._repaired, self._ticks = data.repaired, data.ticks
        self.endpoints = self._describe(data)
        """The state of each endpoint, in the order of the entries."""

    def _repairs(self) -> tuple[int, int]:
        return self._repaired, self._ticks

    def api_histogram(self) -> dict[str, int]:
        """Incidents per API, open ones included, in the order in which the APIs first broke."""
        return dict(self._services)

    def _describe(self, data: SnapshotData) -> list[EndpointStatus]:
        totals = data.totals
        incidents = {}
        if any(one.end is None for one in self.incidents):
            pairs = zip(self.incidents, self.records(), strict=True)
            incidents = {one.key: record for one, record in pairs if one.end is None}
        return [
            EndpointStatus(
                *(one.name, one.verb, one.resource, one.slo, to_seconds(one.window)),
                (held.requests - held.failures) / held.requests if held.requests else None,
                *(held.requests, held.failures, totals.requests[key], totals.failures[key]),
                *(tally.opened, tally.repaired, to_seconds(tally.ticks)),
                incidents.get(key),
                took,
            )
            for key, (one, held, tally, took) in enumerate(
                zip(totals.endpoints, data.windows, data.tallies, data.durations, strict=True)
            )
        ]

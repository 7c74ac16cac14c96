"""
Incidents as records of plain values: the form in which incidents leave slomon.

Times are seconds since the epoch, durations and ages are seconds, and shares are numbers from 0 to
1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from hashlib import sha256
from itertools import islice
from typing import Final

from slomon.core.attribution import Attributed, Attribution, attribute
from slomon.core.endpoints import EndpointName
from slomon.core.events import PositionedChange
from slomon.core.incident import Incident, State
from slomon.core.ticks import TICKS_PER_SECOND, to_seconds

SCHEMA: Final = 3
"""The version of the record, as written to files. It rises when the record changes."""

_CO_OCCURRENCE: Final = 60 * TICKS_PER_SECOND  # a minute
_SHOWN: Final = 10  # services


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """
    One incident.

    * `id`: a hash of the endpoint and of the position and time at which the incident opened, so it
      is the same in each run over the same events
    * `end`, `duration`, `fixed_by`: None while the incident is open; `fixed_by` is also None if it
      expired
    * `onset`: the failure since which the endpoint failed more than its SLO allows; it began to
      fail about `onset_error` seconds before
    * `recovery`: the last failure before it failed less than its SLO allows; it recovered about
      `recovery_error` seconds after. None while the incident is open
    * `last_failure`: the last failure before the incident ended
    * `requests`, `failures`: from the access that opened the incident to the access that closed it,
      both included, or to the last access before it expired
    * `min_sli`, `min_sli_at`: the lowest SLI of the window during the incident, and when it was
      first reached
    * `burn_rate`: the failure rate during the incident, divided by the share of failures that the
      SLO allows (Google SRE Workbook, chapter 5); None for an SLO of 1, which allows none
    * `error_budget_consumed`: the failures during the incident, as a share of the failures that the
      SLO allows among the endpoint's requests in the whole run; None for an SLO of 1
    * `co_occurring`: other services with an endpoint that broke within a minute of this one, ten at
      most: one common cause is likelier than many
    """

    id: str
    service: str
    verb: str
    resource: str
    slo: float
    window: float
    state: State
    start: float
    end: float | None
    duration: float | None
    onset: float
    last_failure: float
    requests: int
    failures: int
    min_sli: float
    min_sli_at: float
    burn_rate: float | None
    error_budget_consumed: float | None
    broken_by: Attribution
    fixed_by: Attribution | None
    co_occurring: tuple[str, ...] = ()
    onset_error: float = 0.0
    recovery: float | None = None
    recovery_error: float | None = None

    @property
    def endpoint(self) -> EndpointName:
        """The endpoint that broke."""
        return self.service, self.verb, self.resource

    @property
    def successes(self) -> int:
        """The requests during the incident that did not fail."""
        return self.requests - self.failures


@dataclass(frozen=True, slots=True)
class Run:
    """
    The run that incidents are part of.

    * `requests`: all requests of each endpoint in the run, by its key
    * `deploys`: the changes of services that have an endpoint, in stream order
    * `services`: how many services have an endpoint with a request
    * `began`, `ended`: the ticks of the first and of the newest access
    * `stale_after`: a change more than this number of ticks before an onset did not cause it
    """

    requests: Sequence[int] | Mapping[int, int]
    deploys: Sequence[PositionedChange]
    services: int
    began: int
    ended: int
    stale_after: int


def make_records(incidents: Sequence[Incident], run: Run) -> list[IncidentRecord]:
    """The records of incidents, which must be in stream order."""
    attributed = attribute(
        incidents,
        run.deploys,
        services=run.services,
        span=(run.began, run.ended),
        stale_after=run.stale_after,
    )
    return [
        _make_record(incident, run.requests[incident.key], found, co_occurring)
        for incident, found, co_occurring in zip(
            incidents, attributed, _find_co_occurring(incidents), strict=True
        )
    ]


def _make_record(
    incident: Incident, requests: int, attributed: Attributed, co_occurring: tuple[str, ...]
) -> IncidentRecord:
    endpoint, end, recovery = incident.endpoint, incident.end, incident.recovery
    counted, failures, last_failure, *lowest = incident.stats
    lowest_requests, lowest_failures, lowest_tick = lowest
    broken_by, fixed_by, onset_error, recovery_error = attributed
    allowed = _allow(endpoint.slo)
    return IncidentRecord(
        id=_identify(incident),
        service=endpoint.name,
        verb=endpoint.verb,
        resource=endpoint.resource,
        slo=endpoint.slo,
        window=to_seconds(endpoint.window),
        state=incident.state,
        start=to_seconds(incident.start),
        end=None if end is None else to_seconds(end),
        duration=None if end is None else to_seconds(end - incident.start),
        onset=to_seconds(incident.onset),
        last_failure=to_seconds(last_failure),
        requests=counted,
        failures=failures,
        min_sli=(lowest_requests - lowest_failures) / lowest_requests,
        min_sli_at=to_seconds(lowest_tick),
        burn_rate=failures / counted / allowed if allowed else None,
        error_budget_consumed=failures / (allowed * requests) if allowed else None,
        broken_by=broken_by,
        fixed_by=fixed_by,
        co_occurring=co_occurring,
        onset_error=onset_error,
        recovery=None if recovery is None else to_seconds(recovery),
        recovery_error=recovery_error,
    )


@cache
def _allow(slo: float) -> float:
    """The share of failures that an SLO allows, exactly for the SLO as written."""
    return float(1 - Decimal(repr(slo)))


def _identify(incident: Incident) -> str:
    endpoint = incident.endpoint
    # Without the time, incidents of two processes with a stream each could have the same id.
    opening = f"{incident.start_position}\0{incident.start}"
    text = f"{endpoint.name}\0{endpoint.verb}\0{endpoint.resource}\0{opening}"
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _find_co_occurring(incidents: Sequence[Incident]) -> Iterator[tuple[str, ...]]:
    """
    The other services with an endpoint that broke within a minute of each incident, ten at most. In
    one pass over the incidents in order of time: `near` has those within a minute of the current
    one.
    """
    in_order = sorted(incidents, key=_start)
    near: deque[Incident] = deque()
    services: dict[str, int] = {}  # how many of the near incidents each service has
    first: tuple[str, ...] | None = None  # of these services; None if they have changed
    remaining = iter(in_order)
    following = next(remaining, None)
    found: dict[int, tuple[str, ...]] = {}
    for incident in in_order:
        while following is not None and following.start <= incident.start + _CO_OCCURRENCE:
            near.append(following)
            name = following.endpoint.name
            if name not in services and len(services) <= _SHOWN:
                first = None
            services[name] = services.get(name, 0) + 1
            following = next(remaining, None)
        while near[0].start < incident.start - _CO_OCCURRENCE:
            name = near.popleft().endpoint.name
            services[name] -= 1
            if not services[name]:
                del services[name]
                first = None
        if first is None:
            first = tuple(islice(services, _SHOWN + 1))
        own = incident.endpoint.name
        others = tuple(name for name in first if name != own) if own in first else first
        found[incident.start_position] = others[:_SHOWN]
    return (found[incident.start_position] for incident in incidents)


def _start(incident: Incident) -> int:
    return incident.start

"""
Incidents as records of plain values: the form in which incidents leave slomon.

Times are seconds since the epoch, durations and ages are seconds, and shares are numbers from 0 to
1.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Final

from slomon.core.attribution import Attribution, blame, credit
from slomon.core.endpoints import EndpointName
from slomon.core.incident import Incident, State
from slomon.core.ticks import TICKS_PER_SECOND, to_seconds

SCHEMA: Final = 2
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
    * `onset`: the first failure in the window when the incident opened
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

    @property
    def endpoint(self) -> EndpointName:
        """The endpoint that broke."""
        return self.service, self.verb, self.resource

    @property
    def successes(self) -> int:
        """The requests during the incident that did not fail."""
        return self.requests - self.failures


def make_records(
    incidents: Sequence[Incident], requests: Sequence[int], stale_after: int, began: int
) -> list[IncidentRecord]:
    """
    The records of incidents, in their order.

    * `requests`: all requests of each endpoint in the run, by its key
    * `stale_after`: a change that is older at the crossing is stale, in ticks
    * `began`: the tick at which the run began
    """
    return [
        make_record(incident, requests[incident.key], stale_after, began, co_occurring)
        for incident, co_occurring in zip(incidents, _find_co_occurring(incidents), strict=True)
    ]


def make_record(
    incident: Incident, requests: int, stale_after: int, began: int, co_occurring: tuple[str, ...]
) -> IncidentRecord:
    """The record of one incident; see `make_records`. `requests` are those of its endpoint."""
    incident = _date_changes(incident, began)
    endpoint, stats = incident.endpoint, incident.stats
    allowed = float(1 - Decimal(repr(endpoint.slo)))  # exact for the SLO as written
    return IncidentRecord(
        id=_identify(incident),
        service=endpoint.name,
        verb=endpoint.verb,
        resource=endpoint.resource,
        slo=endpoint.slo,
        window=to_seconds(endpoint.window),
        state=incident.state,
        start=to_seconds(incident.start),
        end=None if incident.end is None else to_seconds(incident.end),
        duration=None if incident.duration is None else to_seconds(incident.duration),
        onset=to_seconds(incident.onset),
        last_failure=to_seconds(stats.last_failure),
        requests=stats.requests,
        failures=stats.failures,
        min_sli=(stats.min_sli_requests - stats.min_sli_failures) / stats.min_sli_requests,
        min_sli_at=to_seconds(stats.min_sli_tick),
        burn_rate=stats.failures / stats.requests / allowed if allowed else None,
        error_budget_consumed=stats.failures / (allowed * requests) if allowed else None,
        broken_by=blame(incident, stale_after),
        fixed_by=credit(incident, stale_after),
        co_occurring=co_occurring,
    )


def _date_changes(incident: Incident, began: int) -> Incident:
    """Give changes that came before the first access the time at which the run began."""
    breaking, fixing = incident.breaking, incident.fixing
    if breaking.changes and not breaking.changes[0].tick:
        incident = replace(incident, breaking=breaking.date(began))
    if fixing and fixing.changes and not fixing.changes[0].tick:
        incident = replace(incident, fixing=fixing.date(began))
    return incident


def list_services(near: Iterable[Incident], incident: Incident) -> tuple[str, ...]:
    """
    The other services with an endpoint that broke within a minute of an incident, ten at most.
    `near` must hold all incidents of that time.
    """
    names = {
        other.endpoint.name: None
        for other in near
        if abs(other.start - incident.start) <= _CO_OCCURRENCE
    }
    names.pop(incident.endpoint.name, None)
    return tuple(islice(names, _SHOWN))


def _identify(incident: Incident) -> str:
    endpoint = incident.endpoint
    # Without the time, incidents of two processes with a stream each could have the same id.
    opening = str(incident.start_position), str(incident.start)
    parts = endpoint.name, endpoint.verb, endpoint.resource, *opening
    text = "\0".join(parts).encode(errors="surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]


def _find_co_occurring(incidents: Sequence[Incident]) -> Iterator[tuple[str, ...]]:
    """
    `list_services` for each incident of a run, in one pass over the incidents in order of time:
    `near` holds those within a minute of the current one.
    """
    in_order = sorted(incidents, key=_start)
    near: deque[Incident] = deque()
    services: dict[str, int] = {}  # how many of the near incidents each service has
    remaining = iter(in_order)
    following = next(remaining, None)
    found: dict[int, tuple[str, ...]] = {}
    for incident in in_order:
        while following is not None and following.start <= incident.start + _CO_OCCURRENCE:
            near.append(following)
            services[following.endpoint.name] = services.get(following.endpoint.name, 0) + 1
            following = next(remaining, None)
        while near[0].start < incident.start - _CO_OCCURRENCE:
            name = near.popleft().endpoint.name
            services[name] -= 1
            if not services[name]:
                del services[name]
        others = (name for name in services if name != incident.endpoint.name)
        found[incident.start_position] = tuple(islice(others, _SHOWN))
    return (found[incident.start_position] for incident in incidents)


def _start(incident: Incident) -> int:
    return incident.start

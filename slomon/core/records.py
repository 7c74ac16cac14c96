"""
What is known of one incident, as plain values: the form in which incidents leave slomon.

Times are seconds since the epoch, durations and ages seconds, rates and shares numbers from 0 to 1.

Incidents as records: plain values, in seconds, with all that is known of each.
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
"""The version of this form, as it is written to files: it rises when the form changes."""


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """
    One incident.

    * `id`: the same in each run over the same events: made of the endpoint, and of the position and
      the time at which it opened
    * `end`, `duration` and `fixed_by` are None while it is open; if it expired, `fixed_by` is None
    * `onset`: the first failure that was in the window as it opened; `last_failure`: the last one
      until it ended
    * `requests` and `failures` while it lasted: from the access that opened it to the one that
      closed it, both included, or to the last one before it expired
    * `min_sli` of the window while it lasted, and when that was first reached
    * `burn_rate`: failures per request while it lasted, over the share that the SLO allows (Google
      SRE Workbook, chapter 5); `error_budget_consumed`: those failures as a share of all that
      the SLO allows of the endpoint's requests in the whole run. Both are None for an SLO of 1,
      which allows none
    * `co_occurring`: other services of which an endpoint broke within a minute of this one, ten at
      most: one cause upstream is likelier than many
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
        """The requests while it lasted that did not fail."""
        return self.requests - self.failures


_TOGETHER: Final = 60 * TICKS_PER_SECOND
_SHOWN: Final = 10  # services


def make_records(
    incidents: Sequence[Incident], requests: Sequence[int], stale_after: int, began: int
) -> list[IncidentRecord]:
    """
    The records of incidents, in their order. `requests` are those of each endpoint in the run, by
    its key, and changes that are older than `stale_after` ticks are stale. The run `began` at that
    tick.
    """
    return [
        make_record(incident, requests[incident.key], stale_after, began, co_occurring)
        for incident, co_occurring in zip(incidents, _find_others(incidents), strict=True)
    ]


def make_record(
    incident: Incident, requests: int, stale_after: int, began: int, co_occurring: tuple[str, ...]
) -> IncidentRecord:
    """The record of one incident, of which is known which services broke together with it."""
    incident = _date(incident, began)
    endpoint, stats = incident.endpoint, incident.stats
    allowed = float(1 - Decimal(repr(endpoint.slo)))  # of the SLO as it is written
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
        min_sli=(stats.lowest_requests - stats.lowest_failures) / stats.lowest_requests,
        min_sli_at=to_seconds(stats.lowest_tick),
        burn_rate=stats.failures / stats.requests / allowed if allowed else None,
        error_budget_consumed=stats.failures / (allowed * requests) if allowed else None,
        broken_by=blame(incident, stale_after),
        fixed_by=credit(incident, stale_after),
        co_occurring=co_occurring,
    )


def _date(incident: Incident, began: int) -> Incident:
    """Let changes that came before all accesses have a time."""
    breaking, fixing = incident.breaking, incident.fixing
    if breaking.changes and not breaking.changes[0].tick:
        incident = replace(incident, breaking=breaking.date(began))
    if fixing and fixing.changes and not fixing.changes[0].tick:
        incident = replace(incident, fixing=fixing.date(began))
    return incident


def list_services(near: Iterable[Incident], incident: Incident) -> tuple[str, ...]:
    """Up to ten other services that broke at about the same time, of those that are near."""
    names = {
        other.endpoint.name: None
        for other in near
        if abs(other.start - incident.start) <= _TOGETHER
    }
    names.pop(incident.endpoint.name, None)
    return tuple(islice(names, _SHOWN))


def _identify(incident: Incident) -> str:
    endpoint = incident.endpoint
    # The position alone is the same for incidents of two processes, each with a stream of its own.
    opening = str(incident.start_position), str(incident.start)
    parts = endpoint.name, endpoint.verb, endpoint.resource, *opening
    text = "\0".join(parts).encode(errors="surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]


def _find_others(incidents: Sequence[Incident]) -> Iterator[tuple[str, ...]]:
    """Of each incident, up to ten other services of which an endpoint broke at about that time."""
    in_order = sorted(incidents, key=_start)
    near: deque[Incident] = deque()
    services: dict[str, int] = {}  # how many of the near ones each has
    coming = iter(in_order)
    following = next(coming, None)
    found: dict[int, tuple[str, ...]] = {}
    for incident in in_order:
        while following is not None and following.start <= incident.start + _TOGETHER:
            near.append(following)
            services[following.endpoint.name] = services.get(following.endpoint.name, 0) + 1
            following = next(coming, None)
        while near[0].start < incident.start - _TOGETHER:
            name = near.popleft().endpoint.name
            services[name] -= 1
            if not services[name]:
                del services[name]
        others = (name for name in services if name != incident.endpoint.name)
        found[incident.start_position] = tuple(islice(others, _SHOWN))
    return (found[incident.start_position] for incident in incidents)


def _start(incident: Incident) -> int:
    return incident.start

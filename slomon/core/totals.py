"""The totals of a run: what its shards counted, beside the incidents."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

from slomon.core.batching import TimeRange
from slomon.core.endpoints import Endpoint, EndpointName, list_owners
from slomon.core.events import PositionedChange
from slomon.core.incident import Incident
from slomon.core.shard import Shard
from slomon.core.sli_series import Buckets, coarsen
from slomon.core.ticks import to_seconds


@dataclass(frozen=True, slots=True)
class EndpointTotal:
    """An endpoint and all its requests in the run. `window` is in seconds."""

    service: str
    verb: str
    resource: str
    slo: float
    window: float
    requests: int
    failures: int

    @property
    def endpoint(self) -> EndpointName:
        """The name of the endpoint."""
        return self.service, self.verb, self.resource


@dataclass(frozen=True, slots=True)
class Totals:
    """
    What a run counted beside its incidents.

    * `requests`, `failures`: of each endpoint, by its key
    * `deploys`: the changes of services that have an endpoint, in stream order
    * `span`: from the first to the newest access that counts
    * `buckets`, `step`: if SLI series were recorded, the buckets of each shard, and their length in
      ticks
    """

    endpoints: Sequence[Endpoint] = ()
    requests: array[int] = field(default_factory=lambda: array("q"))
    failures: array[int] = field(default_factory=lambda: array("q"))
    deploys: Sequence[PositionedChange] = ()
    span: TimeRange = field(default_factory=TimeRange)
    buckets: Sequence[Buckets] = ()
    step: int = 0


def add_up(shards: Iterable[Shard], deploys: Sequence[PositionedChange], span: TimeRange) -> Totals:
    """
    The totals of a run so far. `shards` must be all shards of the run, in their order. Finishes the
    current buckets of SLI series, which may be done in the middle of a run.
    """
    members = [shard.members for shard in shards]
    endpoints = members[0].endpoints
    requests, failures = (array("q", bytes(8 * len(endpoints))) for _ in range(2))
    recorders = []
    for shard in shards:
        first, step = shard.members.shard, shard.members.shards
        own = slice(first, first + step * shard.windows.count, step)
        counted = requests[own], failures[own] = shard.windows.totals()
        if shard.windows.series is not None:
            shard.windows.series.finish(*counted)
            recorders.append(shard.windows.series)
    series_step = coarsen(recorders) if recorders else 0
    buckets = [recorder.by_endpoint() for recorder in recorders]
    return Totals(endpoints, requests, failures, deploys, span, buckets, series_step)


@dataclass(frozen=True, slots=True)
class Services:
    """
    The services that own an endpoint with requests: how many there are, and of those that matter,
    all requests in the run, by the service and by an SLO of its endpoints.
    """

    count: int
    requests: Mapping[tuple[str, float], int]


def add_up_services(totals: Totals, incidents: Iterable[Incident]) -> Services:
    """
    The services of a run, and the requests of those with an incident. Takes little memory and time,
    however many endpoints there are.
    """
    alone = 0
    requests: dict[tuple[str, float], int] = {}
    every = list_owners(totals.endpoints, 0, len(totals.endpoints))
    owners = zip(every, totals.requests, strict=True)
    for owner, count in compress(owners, totals.requests):
        alone += not owner[0]
        requests[owner] = requests.get(owner, 0) + count
    named = {service for service, _ in requests} - {""}
    for incident in incidents:
        endpoint = incident.endpoint
        if endpoint.name not in named:
            requests[endpoint.name, endpoint.slo] = totals.requests[incident.key]
    return Services(len(named) + alone, requests)


def sum_requests(endpoints: Iterable[EndpointTotal]) -> Mapping[tuple[str, float], int]:
    """All requests of each service, by the service and by an SLO of its endpoints."""
    requests: dict[tuple[str, float], int] = {}
    for one in endpoints:
        owner = one.service, one.slo
        requests[owner] = requests.get(owner, 0) + one.requests
    return requests


def list_endpoints(totals: Totals) -> list[EndpointTotal]:
    """The endpoints with requests, in their order."""
    found = []
    for key, requests in enumerate(totals.requests):
        if requests:
            one = totals.endpoints[key]
            name = one.name, one.verb, one.resource
            window = to_seconds(one.window)
            found.append(EndpointTotal(*name, one.slo, window, requests, totals.failures[key]))
    return found

"""The totals of a run: what its shards counted, beside the incidents."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from slomon.core.batching import TimeRange
from slomon.core.endpoints import Endpoint, EndpointName
from slomon.core.events import PositionedChange
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

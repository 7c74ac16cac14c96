"""What a run counted beside its incidents: each endpoint's requests, the changes, the time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from slomon.core.batch import Span
from slomon.core.endpoint import Endpoint
from slomon.core.event import Placed
from slomon.core.shard import Shard
from slomon.core.tracer import Buckets, fit


@dataclass(frozen=True, slots=True)
class Totals:
    """
    All requests and failures of each endpoint, by its key; the changes that something watches, in
    the order of the stream; and from when to when there were accesses. Where a trace was taken, the
    buckets of each shard, of so many ticks each.
    """

    endpoints: Sequence[Endpoint] = ()
    requests: array[int] = field(default_factory=lambda: array("q"))
    failures: array[int] = field(default_factory=lambda: array("q"))
    deploys: Sequence[Placed] = ()
    span: Span = field(default_factory=Span)
    buckets: Sequence[Buckets] = ()
    step: int = 0


def add_up(shards: Iterable[Shard], deploys: Sequence[Placed], span: Span) -> Totals:
    """The totals of a run, of which these are all the shards."""
    members = [shard.members for shard in shards]
    endpoints = members[0].endpoints
    requests, failures = (array("q", bytes(8 * len(endpoints))) for _ in range(2))
    tracers = []
    for shard in shards:
        first, step = shard.members.shard, shard.members.shards
        own = slice(first, first + step * shard.windows.count, step)
        counted = requests[own], failures[own] = shard.windows.totals()
        if shard.windows.tracer is not None:
            shard.windows.tracer.finish(*counted)
            tracers.append(shard.windows.tracer)
    length = fit(tracers) if tracers else 0
    buckets = [tracer.deal() for tracer in tracers]
    return Totals(endpoints, requests, failures, deploys, span, buckets, length)

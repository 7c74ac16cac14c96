"""
What matters most of a long run: its incidents and endpoints, where there is no room for all.

All that is known of a run, as plain values: what reports of any form show.

What a run counted beside its incidents: each endpoint's requests, the changes, the time.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Final, TypeVar

from slomon.core.aggregation import aggregate, rank_by_owner
from slomon.core.batching import TimeRange
from slomon.core.endpoints import Endpoint
from slomon.core.events import Accounting, PositionedChange
from slomon.core.incident import State
from slomon.core.metrics import Deploy, EndpointTotal, Metrics, Ranking
from slomon.core.records import IncidentRecord
from slomon.core.shard import Shard
from slomon.core.sli_series import Buckets, SliSeries, coarsen
from slomon.core.ticks import to_seconds

T = TypeVar("T")


def choose(
    items: Sequence[T], most: float, weigh: Callable[[T], tuple[bool, float]]
) -> Sequence[T]:
    """Those that weigh most, in the order that they had."""
    if len(items) <= most:
        return items
    weights = [weigh(item) for item in items]
    heaviest = nlargest(int(most), range(len(items)), lambda place: weights[place])
    return [items[place] for place in sorted(heaviest)]


def choose_incidents(incidents: Sequence[IncidentRecord], most: float) -> Sequence[IncidentRecord]:
    """Those that are open, and then those that lasted longest."""
    return choose(incidents, most, _weigh)


def rank_endpoints(
    endpoints: Sequence[EndpointTotal], incidents: Sequence[IncidentRecord], most: float
) -> list[int]:
    """The places of those with most of these incidents, then requests, then the first ones."""
    count = Counter(incident.endpoint for incident in incidents)

    def rank(place: int) -> tuple[int, int]:
        return count[endpoints[place].endpoint], endpoints[place].requests

    return nlargest(int(most), range(len(endpoints)), rank)


def _weigh(incident: IncidentRecord) -> tuple[bool, float]:
    return incident.state is State.OPEN, incident.duration or 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """
    A run from `began` to `ended`: its first access that counts and the newest one, in seconds since
    the epoch, both 0 where there was none. Incidents stand in the order in which they opened,
    services in the order in which they first broke and then those that didn't, endpoints in that of
    their entries, or in which they were found, without those that no request counted for.

    Traces are there if they were asked for: of all endpoints, in their order, or of 10,000 if there
    are more, first of those with most of the 10,000 incidents that are open or lasted longest, then
    of the busiest. Their buckets have `series_step` seconds each, the same in all of them: a power
    of two, the shortest one from 1/512 on at which there are at most 512 in a row, and 262,144 in
    all beside the first ones of each endpoint.
    """

    began: float
    ended: float
    accounting: Accounting
    overall: Metrics
    services: Sequence[Metrics]
    ranking: Ranking
    incidents: Sequence[IncidentRecord]
    endpoints: Sequence[EndpointTotal]
    deploys: Sequence[Deploy]
    sli_series: Sequence[SliSeries] = ()
    series_step: float = 0.0


MOST_INCIDENTS: Final = 10_000
MOST_SERIES: Final = 10_000
"""Of a long run: so many endpoints have traces, those with most of so many incidents first."""


def summarise(
    incidents: Sequence[IncidentRecord], totals: Totals, accounting: Accounting
) -> Summary:
    """The summary of a run that has these incidents."""
    began, ended = to_seconds(totals.span.began or 0), to_seconds(totals.span.ended)
    endpoints = _list_endpoints(totals)
    deploys = [
        Deploy(change.service, change.commit, change.author, change.date, to_seconds(tick))
        for _, tick, change in (
            positioned.date(totals.span.began or 0) for positioned in totals.deploys
        )
    ]
    overall, services = aggregate(incidents, endpoints, deploys, (began, ended))
    return Summary(
        *(began, ended, accounting, overall, services, rank_by_owner(incidents, ended)),
        *(incidents, endpoints, deploys),
        *(_series(incidents, endpoints, totals), to_seconds(totals.step)),
    )


def _list_endpoints(totals: Totals) -> list[EndpointTotal]:
    found = []
    for key, requests in enumerate(totals.requests):
        if requests:
            one = totals.endpoints[key]
            name = one.name, one.verb, one.resource
            window = to_seconds(one.window)
            found.append(EndpointTotal(*name, one.slo, window, requests, totals.failures[key]))
    return found


def _series(
    incidents: Sequence[IncidentRecord], endpoints: Sequence[EndpointTotal], totals: Totals
) -> list[SliSeries]:
    if not totals.buckets:
        return []
    keys = [key for key, requests in enumerate(totals.requests) if requests]
    # The incidents that a page shows, for which it has to show their endpoints.
    longest = choose_incidents(incidents, MOST_INCIDENTS)
    places = rank_endpoints(endpoints, longest, MOST_SERIES)
    return [_draw(place, keys[place], totals) for place in sorted(places)]


def _draw(endpoint: int, key: int, totals: Totals) -> SliSeries:
    slot, shard = divmod(key, len(totals.buckets))
    buckets = totals.buckets[shard]
    part = buckets.of(slot)
    at = [to_seconds(place * totals.step) for place in buckets.place[part]]
    counts = buckets.requests[part].tolist(), buckets.failures[part].tolist()
    return SliSeries(endpoint, at, *counts, buckets.lowest[part].tolist())


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
    deploys: Sequence[PositionedChange] = ()
    span: TimeRange = field(default_factory=TimeRange)
    buckets: Sequence[Buckets] = ()
    step: int = 0


def add_up(shards: Iterable[Shard], deploys: Sequence[PositionedChange], span: TimeRange) -> Totals:
    """The totals of a run, of which these are all the shards."""
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
    length = coarsen(recorders) if recorders else 0
    buckets = [recorder.by_endpoint() for recorder in recorders]
    return Totals(endpoints, requests, failures, deploys, span, buckets, length)

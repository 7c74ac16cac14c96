"""
The summary of a run, as plain values: what reports of any form show.

`summarise` makes a `Summary` of the totals and the incident records. `choose_incidents` and
`rank_endpoints` select what matters most when a long run has more than a report can show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Final, TypeVar

from slomon.core.aggregation import aggregate, rank_by_owner
from slomon.core.events import Accounting
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.metrics import Deploy, Metrics, Ranking
from slomon.core.outages import Outage, find_outages
from slomon.core.sli_series import SliSeries
from slomon.core.ticks import to_seconds
from slomon.core.totals import EndpointTotal, Totals, list_endpoints, sum_requests
from slomon.core.trust import ResultWarning

T = TypeVar("T")

MOST_INCIDENTS: Final = 10_000
"""The incidents that a page shows: the open and the longest ones."""
MOST_SERIES: Final = 10_000
"""The endpoints that have an SLI series in the summary of a run."""


@dataclass(frozen=True, slots=True)
class Summary:
    """
    The summary of a run.

    * `began`, `ended`: the times of the first and of the newest access that counts, in seconds
      since the epoch; both 0 if there was none
    * `services`: in the order in which they first broke, then those that did not break
    * `incidents`: in the order in which they opened
    * `endpoints`: those with requests, in the order of their entries, or in which they were found
    * `sli_series`: empty unless asked for. Series of all endpoints in their order; if there are
      more than 10,000, of those with the most incidents among the 10,000 that are open or lasted
      longest, then of the busiest
    * `series_step`: the length of every bucket of the series, in seconds. A power of two: the
      shortest, from 1/512 on, at which there are at most 512 buckets in a row, and at most 262,144
      in all, not counting the first one of each endpoint
    * `warnings`: why the result can't be trusted
    * `outages`: the incidents with one cause as one outage each, in order of their starts
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
    warnings: Sequence[ResultWarning] = ()
    outages: Sequence[Outage] = ()


def summarise(
    incidents: Sequence[IncidentRecord],
    totals: Totals,
    accounting: Accounting,
    warnings: Sequence[ResultWarning] = (),
) -> Summary:
    """
    The summary of a run with these incidents, which must be in the order in which they opened.
    """
    began, ended = to_seconds(totals.span.began or 0), to_seconds(totals.span.ended)
    endpoints = list_endpoints(totals)
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
        *(_select_series(incidents, endpoints, totals), to_seconds(totals.step), warnings),
        find_outages(incidents, sum_requests(endpoints)),
    )


def _select_series(
    incidents: Sequence[IncidentRecord], endpoints: Sequence[EndpointTotal], totals: Totals
) -> list[SliSeries]:
    if not totals.buckets:
        return []
    keys = [key for key, requests in enumerate(totals.requests) if requests]
    # A page shows these incidents, so it needs the series of their endpoints.
    longest = choose_incidents(incidents, MOST_INCIDENTS)
    ranked = rank_endpoints(endpoints, longest, MOST_SERIES)
    return [_make_series(index, keys[index], totals) for index in sorted(ranked)]


def _make_series(endpoint: int, key: int, totals: Totals) -> SliSeries:
    slot, shard = divmod(key, len(totals.buckets))
    buckets = totals.buckets[shard]
    part = buckets.of(slot)
    at = [to_seconds(start * totals.step) for start in buckets.start[part]]
    counts = buckets.requests[part].tolist(), buckets.failures[part].tolist()
    return SliSeries(endpoint, at, *counts, buckets.min_sli[part].tolist())


def choose_incidents(incidents: Sequence[IncidentRecord], most: float) -> Sequence[IncidentRecord]:
    """At most `most` incidents, in their own order: the open ones first, then the longest."""
    return choose(incidents, most, _weigh)


def choose(
    items: Sequence[T], most: float, weigh: Callable[[T], tuple[bool, float]]
) -> Sequence[T]:
    """The `most` items of the greatest weight, in their own order."""
    if len(items) <= most:
        return items
    weights = [weigh(item) for item in items]
    heaviest = nlargest(int(most), range(len(items)), lambda index: weights[index])
    return [items[index] for index in sorted(heaviest)]


def _weigh(incident: IncidentRecord) -> tuple[bool, float]:
    return incident.state is State.OPEN, incident.duration or 0.0


def rank_endpoints(
    endpoints: Sequence[EndpointTotal], incidents: Sequence[IncidentRecord], most: float
) -> list[int]:
    """
    The indexes of the `most` endpoints with the most of these incidents, then with the most
    requests, then the first ones.
    """
    count = Counter(incident.endpoint for incident in incidents)

    def rank(index: int) -> tuple[int, int]:
        return count[endpoints[index].endpoint], endpoints[index].requests

    return nlargest(int(most), range(len(endpoints)), rank)

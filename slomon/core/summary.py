"""All that is known of a run, as plain values: what reports of any form show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from slomon.core.accounting import Accounting
from slomon.core.figures import Deploy, EndpointTotal, Figures, Shares
from slomon.core.ranking import choose_incidents, rank_endpoints
from slomon.core.record import IncidentRecord
from slomon.core.tally import figure_all, share_out
from slomon.core.tick import to_seconds
from slomon.core.totals import Totals
from slomon.core.trace import Trace


@dataclass(frozen=True, slots=True)
class Summary:
    """
    A run from `began` to `ended`: its first access that counts and the newest one, in seconds since
    the epoch, both 0 where there was none. Incidents stand in the order in which they opened,
    services in the order in which they first broke and then those that didn't, endpoints in that of
    their entries, or in which they were found, without those that no request counted for.

    Traces are there if they were asked for: of all endpoints, in their order, or of 10,000 if there
    are more, first of those with most of the 10,000 incidents that are open or lasted longest, then
    of the busiest. Their buckets have `trace_step` seconds each, the same in all of them: a power
    of two, the shortest one from 1/512 on at which there are at most 512 in a row, and 262,144 in
    all beside the first ones of each endpoint.
    """

    began: float
    ended: float
    accounting: Accounting
    whole: Figures
    services: Sequence[Figures]
    shares: Shares
    incidents: Sequence[IncidentRecord]
    endpoints: Sequence[EndpointTotal]
    deploys: Sequence[Deploy]
    traces: Sequence[Trace] = ()
    trace_step: float = 0.0


MOST_INCIDENTS: Final = 10_000
MOST_TRACES: Final = 10_000
"""Of a long run: so many endpoints have traces, those with most of so many incidents first."""


def summarise(
    incidents: Sequence[IncidentRecord], totals: Totals, accounting: Accounting
) -> Summary:
    """The summary of a run that has these incidents."""
    began, ended = to_seconds(totals.span.began or 0), to_seconds(totals.span.ended)
    endpoints = _list_endpoints(totals)
    deploys = [
        Deploy(change.service, change.commit, change.author, change.date, to_seconds(tick))
        for _, tick, change in (placed.date(totals.span.began or 0) for placed in totals.deploys)
    ]
    whole, services = figure_all(incidents, endpoints, deploys, (began, ended))
    return Summary(
        *(began, ended, accounting, whole, services, share_out(incidents, ended)),
        *(incidents, endpoints, deploys),
        *(_trace(incidents, endpoints, totals), to_seconds(totals.step)),
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


def _trace(
    incidents: Sequence[IncidentRecord], endpoints: Sequence[EndpointTotal], totals: Totals
) -> list[Trace]:
    if not totals.buckets:
        return []
    keys = [key for key, requests in enumerate(totals.requests) if requests]
    # The incidents that a page shows, for which it has to show their endpoints.
    longest = choose_incidents(incidents, MOST_INCIDENTS)
    places = rank_endpoints(endpoints, longest, MOST_TRACES)
    return [_draw(place, keys[place], totals) for place in sorted(places)]


def _draw(endpoint: int, key: int, totals: Totals) -> Trace:
    slot, shard = divmod(key, len(totals.buckets))
    buckets = totals.buckets[shard]
    part = buckets.of(slot)
    at = [to_seconds(place * totals.step) for place in buckets.place[part]]
    counts = buckets.requests[part].tolist(), buckets.failures[part].tolist()
    return Trace(endpoint, at, *counts, buckets.lowest[part].tolist())

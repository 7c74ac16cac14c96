"""All that is known of a run, as plain values: what reports of any form show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slomon.core.accounting import Accounting
from slomon.core.figures import Deploy, EndpointTotal, Figures, Shares
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
    their entries, or in which they were found, without those that no request counted for. Where
    traces were asked for, each of their buckets has `trace_step` seconds.
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


def summarise(
    incidents: Sequence[IncidentRecord], totals: Totals, accounting: Accounting
) -> Summary:
    """The summary of a run that has these incidents."""
    began, ended = to_seconds(totals.span.began or 0), to_seconds(totals.span.ended)
    endpoints = _list_endpoints(totals)
    deploys = [
        Deploy(change.service, change.commit, change.author, change.date, to_seconds(tick))
        for _, tick, change in totals.deploys
    ]
    whole, services = figure_all(incidents, endpoints, deploys, ended - began)
    return Summary(
        *(began, ended, accounting, whole, services, share_out(incidents, ended)),
        *(incidents, endpoints, deploys),
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

"""The part of a long run that a page shows: what matters most, within what a browser can bear."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from slomon.core.events import EVERY_SERVICE
from slomon.core.incident_records import IncidentRecord
from slomon.core.metrics import Deploy
from slomon.core.sli_series import SliSeries
from slomon.core.summary import (
    MOST_INCIDENTS,
    MOST_SERIES,
    Summary,
    choose,
    choose_incidents,
    rank_endpoints,
)

INCIDENTS: Final = MOST_INCIDENTS
ENDPOINTS: Final = MOST_SERIES  # so that each endpoint can have a series
DEPLOYS: Final = 20_000
BUCKETS: Final = 280_000


@dataclass(frozen=True, slots=True)
class Omitted:
    """How many incidents, endpoints, ... of a run its page does not show."""

    incidents: int
    endpoints: int
    services: int
    changes: int
    series: int


def select(summary: Summary, share: float = 1.0) -> tuple[Summary, Omitted]:
    """
    The part of a summary that a page shows, and the numbers of what it omits. `share` scales the
    limits. Everything keeps its order, and the metrics stay those of the whole run.

    The page shows the incidents that are open, then those that lasted longest; the endpoints with
    the most shown incidents, then those with the most requests, and their services; the changes
    that are candidates of a shown incident, then the newest; and the SLI series of the endpoints in
    that order, while there is room for their buckets.
    """
    incidents = choose_incidents(summary.incidents, INCIDENTS * share)
    ranked = rank_endpoints(summary.endpoints, incidents, ENDPOINTS * share)
    series = _choose_series(summary.sli_series, ranked, BUCKETS * share)
    kept = {old: new for new, old in enumerate(sorted(ranked))}  # indices of endpoints
    endpoints = [summary.endpoints[index] for index in kept]
    names = {one.service for one in endpoints}
    services = [metrics for metrics in summary.services if metrics.service in names]
    deploys = _choose_deploys(summary.deploys, incidents, DEPLOYS * share)
    shown = replace(
        summary,
        incidents=incidents,
        endpoints=endpoints,
        services=services,
        deploys=deploys,
        sli_series=[replace(one, endpoint=kept[one.endpoint]) for one in series],
    )
    return shown, Omitted(
        len(summary.incidents) - len(incidents),
        len(summary.endpoints) - len(endpoints),
        len(summary.services) - len(services),
        len(summary.deploys) - len(deploys),
        len(summary.sli_series) - len(series),
    )


def _choose_deploys(
    deploys: Sequence[Deploy], incidents: Iterable[IncidentRecord], most: float
) -> Sequence[Deploy]:
    changes = {
        (service, candidate.commit)
        for incident in incidents
        for attribution in (incident.broken_by, incident.fixed_by)
        if attribution
        for candidate in attribution.candidates
        for service in (incident.service, EVERY_SERVICE)
    }
    return choose(deploys, most, lambda one: ((one.service, one.commit) in changes, one.at))


def _choose_series(
    series: Sequence[SliSeries], ranked: Iterable[int], room: float
) -> list[SliSeries]:
    series_of = {one.endpoint: one for one in series}
    chosen = []
    for index in ranked:
        one = series_of.get(index)
        if one is not None and len(one.at) <= room:
            room -= len(one.at)
            chosen.append(one)
    return sorted(chosen, key=lambda one: one.endpoint)

"""What of a long run a page shows: what matters most, no more of it than a browser can bear."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from slomon.core.events import EVERY_SERVICE
from slomon.core.metrics import Deploy
from slomon.core.records import IncidentRecord
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
ENDPOINTS: Final = MOST_SERIES  # so that each can have its own
DEPLOYS: Final = 20_000
BUCKETS: Final = 280_000


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many of each a page doesn't show."""

    incidents: int
    endpoints: int
    services: int
    changes: int
    series: int


def select(summary: Summary, share: float = 1.0) -> tuple[Summary, LeftOut]:
    """
    A summary with as many of each as a page shows, or only that `share` of them, all in the order
    that they had, and what is missing there. The figures stay those of the whole run.

    Shown are the incidents that are open or lasted longest; the endpoints with most of the shown
    ones, then with most requests, and their services; the changes that may have broken or fixed
    one, then the newest; and series, while there is room, in that order of the endpoints.
    """
    incidents = choose_incidents(summary.incidents, INCIDENTS * share)
    ranked = rank_endpoints(summary.endpoints, incidents, ENDPOINTS * share)
    series = _choose_series(summary.sli_series, ranked, BUCKETS * share)
    kept = {place: number for number, place in enumerate(sorted(ranked))}
    endpoints = [summary.endpoints[place] for place in kept]
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
    return shown, LeftOut(
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
    of = {one.endpoint: one for one in series}
    chosen = []
    for place in ranked:
        one = of.get(place)
        if one is not None and len(one.at) <= room:
            room -= len(one.at)
            chosen.append(one)
    return sorted(chosen, key=lambda one: one.endpoint)

"""What matters most of a long run: its incidents and endpoints, where there is no room for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from heapq import nlargest
from typing import TypeVar

from slomon.core.figures import EndpointTotal
from slomon.core.record import IncidentRecord, State

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

"""Runs of the core over events in a short notation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from slomon.core.batching import Batcher, Item
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.events import Change
from slomon.core.incident import Incident
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.shard import Shard
from slomon.core.statuses import server_errors_fail
from slomon.core.totals import add_up
from slomon.core.windows import Windows

SECOND = 1_000_000_000
WINDOW = 10
SLO = 0.7
RESOURCES = {"/a": "shop", "/b": "shop", "/c": "cart"}
CATALOGUE = Catalogue(
    {"name": name, "email": "-", "verb": "GET", "resource": path, "slo": SLO, "window": WINDOW}
    for path, name in RESOURCES.items()
)


@dataclass(frozen=True)
class Asked:
    """A request: its second, its path, and whether it failed."""

    at: int
    path: str
    failed: bool


Event: TypeAlias = Asked | str
"""A request, or a change of that service, whose commit is named after its position."""


def item(position: int, event: Event) -> Item:
    if isinstance(event, str):
        return Change(f"c{position}", f"author {position}", f"date {position}", event)
    return f"{event.at} GET {event.path} {500 if event.failed else 200}"


def run(
    events: Sequence[Event], workers: int = 1, cut: int = 7, no_traffic: int | None = None
) -> ServiceMonitor:
    """The core fed with events, `cut` at a time; `no_traffic` is in seconds."""
    sharding = Sharding(CATALOGUE, workers)
    ticks = None if no_traffic is None else no_traffic * SECOND
    shards = [Shard(members, Windows(members, no_traffic=ticks)) for members in sharding.members]
    batcher = Batcher(sharding, server_errors_fail)
    incidents: dict[int, Incident] = {}
    items = [item(position, event) for position, event in enumerate(events)]
    for start in range(0, len(items), cut):
        for number, batch in batcher.cut(items[start : start + cut]).batches:
            updated = shards[number].advance(batch)
            incidents.update((incident.start_position, incident) for incident in updated)
    for shard in shards:
        left = shard.close_expired(batcher.state.newest) + shard.still_open()
        incidents.update((incident.start_position, incident) for incident in left)
    totals = add_up(shards, batcher.state.deploys, batcher.state.span)
    return ServiceMonitor(incidents.values(), batcher.state.accounting, (), totals)


def ask(path: str, outcomes: str, start: int = 0, step: int = 1) -> list[Event]:
    """Requests, `o` for one that succeeds and `x` for one that fails."""
    return [Asked(start + step * n, path, outcome == "x") for n, outcome in enumerate(outcomes)]

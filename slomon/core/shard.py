"""One shard's whole machine: feed it batches, it answers with the incidents that moved."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from slomon.core.batch import Batch
from slomon.core.endpoint import Endpoint
from slomon.core.incident import ChangeLog, Incident
from slomon.core.window import Crossing, Windows


class AnyWindows(Protocol):
    """Windows at either speed."""

    @property
    def late(self) -> int: ...
    @property
    def count(self) -> int: ...
    def columns(self) -> Iterator[tuple[str, array[int] | array[float]]]: ...
    def grow(self, count: int, like: Endpoint) -> None: ...
    def advance(self, batch: Batch) -> list[Crossing]: ...


class Shard:
    """
    Windows, changes and open incidents of the endpoints that one worker owns. More endpoints may
    be found while it runs, all with the SLO and the window of the others.
    """

    def __init__(self, endpoints: Sequence[Endpoint], windows: AnyWindows | None = None) -> None:
        self.windows: AnyWindows = Windows(endpoints) if windows is None else windows
        self.changes = ChangeLog()
        self.open: dict[int, Incident] = {}
        self._endpoints = endpoints

    @property
    def late(self) -> int:
        """How many accesses were older than the newest one of their endpoint."""
        return self.windows.late

    def advance(self, batch: Batch) -> list[Incident]:
        """Feed the next batch: the incidents that opened in it or closed, in stream order."""
        found = len(self._endpoints) - self.windows.count
        if found > 0:
            self.windows.grow(found, self._endpoints[0])
        for position, change in batch.changes:
            self.changes.record(position, change)
        moved = [self._cross(crossing) for crossing in self.windows.advance(batch)]
        self.changes.forget({change.service for _, change in batch.changes})
        return moved

    def _cross(self, crossing: Crossing) -> Incident:
        slot, position, tick, opened = crossing
        if opened:
            endpoint = self._endpoints[slot]
            change = self.changes.last_before(position, endpoint.name)
            incident = self.open[slot] = Incident(endpoint, tick, position, change)
            return incident
        incident = self.open.pop(slot)
        change = self.changes.last_before(position, incident.endpoint.name)
        return replace(incident, end=tick, end_position=position, fixed_by=change)

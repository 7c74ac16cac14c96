"""One shard's whole machine: feed it batches, it answers with the incidents that moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slomon.core.batch import Batch
from slomon.core.endpoint import Endpoint
from slomon.core.incident import ChangeLog, Incident
from slomon.core.window import Crossing, Windows


class Shard:
    """Windows, changes and open incidents of the endpoints that one worker owns."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = endpoints
        self._windows = Windows(endpoints)
        self._changes = ChangeLog()
        self._open: dict[int, Incident] = {}

    @property
    def late(self) -> int:
        """How many accesses were older than the newest one of their endpoint."""
        return self._windows.late

    def advance(self, batch: Batch) -> list[Incident]:
        """Feed the next batch: the incidents that opened in it or closed, in stream order."""
        for position, change in batch.changes:
            self._changes.record(position, change)
        moved = [self._cross(crossing) for crossing in self._windows.advance(batch)]
        self._changes.forget({change.service for _, change in batch.changes})
        return moved

    def _cross(self, crossing: Crossing) -> Incident:
        slot, position, tick, opened = crossing
        endpoint = self._endpoints[slot]
        change = self._changes.last_before(position, endpoint.name)
        if opened:
            incident = self._open[slot] = Incident(endpoint, tick, position, change)
            return incident
        return replace(self._open.pop(slot), end=tick, end_position=position, fixed_by=change)

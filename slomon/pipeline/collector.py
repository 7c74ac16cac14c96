"""The collector: one task that merges the incidents of all shards and notifies the listeners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from slomon.core.incident import Incident
from slomon.core.shard import Shard
from slomon.pipeline.stream import Listener

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream

    from slomon.pipeline.worker import WorkerOutput


class Collector:
    """Identifies an incident by the position of the access that opened it: it opens at most one."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self.incidents: dict[int, Incident] = {}
        self._listeners = listeners

    async def collect(self, moved: MemoryObjectReceiveStream[WorkerOutput]) -> None:
        """Merge what the workers send, until the last worker has finished."""
        with moved:
            async for item in moved:
                if isinstance(item, list):
                    self.merge(item)
                else:
                    item.arrive()

    def merge(self, incidents: Iterable[Incident]) -> None:
        """Add incidents that opened, closed or expired, and notify the listeners."""
        for incident in incidents:
            self.incidents[incident.start_position] = incident
            for listener in self._listeners:
                listener.incident_moved(incident)

    def update(self, incidents: Iterable[Incident]) -> None:
        """Replace open incidents by their latest state, without notifying the listeners."""
        self.incidents.update((incident.start_position, incident) for incident in incidents)

    def finish(self, shards: Iterable[Shard], newest: int) -> None:
        """Close the incidents that expired by the tick `newest`, and collect those still open."""
        for shard in shards:
            self.merge(shard.close_expired(newest))
            self.update(shard.still_open())

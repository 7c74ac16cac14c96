"""The collector: one task that merges the incidents of all shards and tells the listeners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from anyio.streams.memory import MemoryObjectReceiveStream

from slomon.core.incident import Incident
from slomon.pipeline.stream import Listener
from slomon.pipeline.worker import Barrier, WorkerOutput


class Collector:
    """Knows each incident by the position at which it opened: one access opens at most one."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self.incidents: dict[int, Incident] = {}
        self._listeners = listeners

    async def collect(self, moved: MemoryObjectReceiveStream[WorkerOutput]) -> None:
        """Take in what the workers send until the last of them is done."""
        with moved:
            async for item in moved:
                if isinstance(item, Barrier):
                    item.arrive()
                else:
                    self.merge(item)

    def merge(self, incidents: Iterable[Incident]) -> None:
        """Take in incidents that moved, and tell the listeners."""
        for incident in incidents:
            self.incidents[incident.start_position] = incident
            for listener in self._listeners:
                listener.incident_moved(incident)

    def update(self, incidents: Iterable[Incident]) -> None:
        """Take in how incidents stand that have not moved since: no listener is told."""
        self.incidents.update((incident.start_position, incident) for incident in incidents)

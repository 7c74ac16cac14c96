"""The incidents of a live monitor: all are counted, and the newest are kept."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple, Self

from slomon.core.incident import Incident, State


class Tally(NamedTuple):
    """One endpoint's incidents: opened, repaired, and the ticks that all repairs took together."""

    opened: int
    repaired: int
    ticks: int


class History:
    """
    The incidents of a number of endpoints. All are counted. Open ones are kept, and the `bound`
    newest ones of those that have ended.
    """

    def __init__(self, endpoints: int, bound: int) -> None:
        self.incidents: dict[int, Incident] = {}
        """Incidents that are kept, by the position at which they opened."""
        self.forgotten = 0
        """How many incidents are not kept any more."""
        self.services: dict[str, int] = {}
        """Number of incidents of each service, in the order in which the services first broke."""
        self.repaired = 0
        """Number of repaired incidents of all endpoints that were ever watched."""
        self.ticks = 0
        """Ticks that all repairs took together."""
        self.bound = bound
        """How many incidents that have ended are kept."""
        self._ended = 0  # incidents that are kept
        self._tallies = [array("q", bytes(8 * endpoints)) for _ in Tally._fields]

    def grow(self, endpoints: int) -> None:
        """Make room for that many endpoints."""
        missing = endpoints - len(self._tallies[0])
        for column in self._tallies if missing > 0 else ():
            column.frombytes(bytes(8 * missing))

    def note(self, incident: Incident) -> None:
        """Count and keep an incident that opened or ended."""
        opened, repaired, ticks = self._tallies
        key = incident.key
        if incident.end is None:
            opened[key] += 1
            name = incident.endpoint.name
            self.services[name] = self.services.get(name, 0) + 1
        else:
            if incident.duration is not None and incident.state == State.CLOSED:
                repaired[key] += 1
                ticks[key] += incident.duration
                self.repaired += 1
                self.ticks += incident.duration
            self._ended += 1
        self.incidents[incident.start_position] = incident
        self._forget()

    def tally(self, key: int) -> Tally:
        """The counts of an endpoint."""
        return Tally(*(column[key] for column in self._tallies))

    def recent(self, most: int) -> list[Incident]:
        """The newest incidents, at most `most`, oldest first."""
        return list(islice(reversed(self.incidents.values()), most))[::-1]

    def save(self) -> dict[str, Any]:
        """The state without the incidents themselves, as sections of a file."""
        counts = {
            "forgotten": self.forgotten,
            "services": list(self.services.items()),
            "repairs": [self.repaired, self.ticks],
        }
        columns = zip(Tally._fields, self._tallies, strict=True)
        return {"history": counts, **{f"history {name}": column[:] for name, column in columns}}

    @classmethod
    def restore(
        cls,
        saved: Mapping[str, Any],
        incidents: Iterable[Incident],
        keys: Mapping[int, int],
        *,
        endpoints: int,
        bound: int,
    ) -> Self:
        """
        Continue from a saved history and its incidents. `keys` maps the saved keys to the present
        ones. An endpoint without a present key is no longer watched: its incidents are forgotten,
        but stay counted.
        """
        history = cls(endpoints, bound)
        counts = saved["history"]
        history.forgotten = counts["forgotten"]
        history.services = dict(counts["services"])
        history.repaired, history.ticks = counts["repairs"]
        for name, present in zip(Tally._fields, history._tallies, strict=True):
            past = saved[f"history {name}"]
            for then, now in keys.items():
                present[now] = past[then]
        for incident in incidents:
            if incident.key in keys:
                kept = replace(incident, key=keys[incident.key])
                history.incidents[kept.start_position] = kept
                history._ended += kept.end is not None
            else:
                history.forgotten += 1
        history._forget()
        return history

    def _forget(self) -> None:
        """Forget the oldest ended incidents if there are more than `bound`."""
        ended = (at for at, one in self.incidents.items() if one.end is not None)
        oldest = list(islice(ended, max(self._ended - self.bound, 0)))
        for at in oldest:
            del self.incidents[at]
        self._ended -= len(oldest)
        self.forgotten += len(oldest)

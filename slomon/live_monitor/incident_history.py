"""The incidents of a monitor that never ends: all are counted, and the newest are kept."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple, Self

from slomon.core.incident import Incident, State


class Tally(NamedTuple):
    """Of one endpoint: incidents that opened, those that were repaired, and in how many ticks."""

    opened: int
    repaired: int
    ticks: int


class History:
    """
    The incidents of so many endpoints. Of those that have ended at most `bound` are kept, the
    newest ones; what is counted, is counted of all.
    """

    def __init__(self, endpoints: int, bound: int) -> None:
        self.incidents: dict[int, Incident] = {}
        """By the position at which they opened, in that order."""
        self.forgotten = 0
        """How many were, to keep the others."""
        self.services: dict[str, int] = {}
        """Incidents of each service, in the order in which these first broke."""
        self.repaired = 0
        """Incidents that were repaired, of all endpoints that were ever watched."""
        self.ticks = 0
        """In how many, together."""
        self._bound = bound
        self._ended = 0  # of those that are kept
        self._tallies = [array("q", bytes(8 * endpoints)) for _ in Tally._fields]

    def note(self, incident: Incident) -> None:
        """An incident opened, or ended."""
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
        """What was counted of an endpoint."""
        return Tally(*(column[key] for column in self._tallies))

    def recent(self, most: int) -> list[Incident]:
        """The newest ones."""
        return list(islice(reversed(self.incidents.values()), most))[::-1]

    def save(self) -> dict[str, Any]:
        """What is to be saved beside the incidents themselves."""
        return {
            "forgotten": self.forgotten,
            "services": list(self.services.items()),
            "repairs": [self.repaired, self.ticks],
            "tallies": [column.tolist() for column in self._tallies],
        }

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
        history.forgotten = saved["forgotten"]
        history.services = dict(saved["services"])
        history.repaired, history.ticks = saved["repairs"]
        for present, past in zip(history._tallies, saved["tallies"], strict=True):
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
        """The oldest ones, where more have ended than are kept."""
        ended = (at for at, one in self.incidents.items() if one.end is not None)
        oldest = list(islice(ended, max(self._ended - self._bound, 0)))
        for at in oldest:
            del self.incidents[at]
        self._ended -= len(oldest)
        self.forgotten += len(oldest)

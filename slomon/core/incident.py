"""
An `Incident` lasts from the access that took an endpoint below its SLO to the access that brought
it back, or to its expiry if the endpoint has no more traffic.

    failures         x   x x xx  x    x
    SLI        -----------+                 +------
    SLO        . . . . . .|. . . . . . . . .|. . .
                          +-----------------+
                     ^    ^         ^       ^
                  onset  start  recovery   end        (the window lags behind the failures)

Each crossing has `Candidates`: the changes that may have caused it. `ChangeLog` keeps the newest
changes of each service. "Before" and "after" mean position in the stream; the dates of changes are
never compared.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from typing import Final, NamedTuple

from slomon.core.endpoints import Endpoint
from slomon.core.events import EVERY_SERVICE, Change, PositionedChange
from slomon.core.statistics import Counts

_REMEMBERED: Final = 100  # changes of a service; people don't deploy more often within a window
_SHOWN: Final = 10  # candidates before the failures began or ended, and as many since


class State(StrEnum):
    """The state of an incident; `expired`: it ended because its endpoint had no more traffic."""

    OPEN = "open"
    CLOSED = "closed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Incident:
    """
    One incident of one endpoint.

    * `key`: the endpoint's number in the run
    * `start`, `end`: the ticks of the accesses at which the SLI was first below the SLO, and first
      back; `start_position`, `end_position`: the positions of these accesses in the stream
    * `onset`: the tick of the failure since which the endpoint failed more than its SLO allows
    * `burst`: the requests and failures from the onset to the opening, both included
    * `surge`: an onset that is moved less by a few stray failures before, and later by a slow
      beginning; the requests and failures from there to the opening
    * `before`: the endpoint's requests and failures before the incident
    * `breaking`, `fixing`: the candidates for its start and for its end
    * `stats`: the requests during the incident
    * `recovery`: the tick of the last failure before the endpoint failed less than its SLO allows

    While the incident is open, `end`, `end_position`, `fixing` and `recovery` are None. If it
    expired, `end` is a tick without an access, and `end_position` and `fixing` are None.
    """

    key: int
    endpoint: Endpoint
    start: int
    start_position: int
    onset: int
    burst: tuple[int, int]
    surge: tuple[int, int, int]
    before: tuple[int, int]
    breaking: Candidates
    stats: IncidentStats
    end: int | None = None
    end_position: int | None = None
    fixing: Candidates | None = None
    recovery: int | None = None

    @property
    def broken_by(self) -> Change | None:
        """The last change of the service before the incident opened."""
        return self.breaking.newest

    @property
    def fixed_by(self) -> Change | None:
        """The last change of the service before the incident closed; None if it did not close."""
        return self.fixing.newest if self.fixing else None

    @property
    def state(self) -> State:
        """Open, closed, or expired: then nobody is known to have repaired the endpoint."""
        if self.end is None:
            return State.OPEN
        return State.EXPIRED if self.fixing is None else State.CLOSED

    @property
    def duration(self) -> int | None:
        """Ticks from start to end; None while the incident is open."""
        return None if self.end is None else self.end - self.start


class IncidentStats(NamedTuple):
    """
    Statistics of an incident so far: the requests of the endpoint since the incident opened (its
    first and its last access included), how many failed, the tick of the last failure, and the
    window when its SLI was lowest.
    """

    requests: int
    failures: int
    last_failure: int
    min_sli_requests: int
    min_sli_failures: int
    min_sli_tick: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """
    The changes that may have caused a crossing, of the endpoint's service or of every service, in
    stream order: the ten newest ones when the failures began (or ended), and the ten newest of the
    later ones. `omitted` counts the other ones that are remembered.

    The requests of the endpoint around the newest change are the evidence about it:

        the change before       newest change       crossing
              |------- before --------|------ after -----|

    If there is no change before, `before` begins with the run. Changes without a request of the
    endpoint between them count as one change here.
    """

    changes: tuple[PositionedChange, ...]
    omitted: int
    before: Counts
    after: Counts

    @property
    def newest(self) -> Change | None:
        """The last change before the crossing: the one that the contract names."""
        return self.changes[-1].change if self.changes else None


NO_CANDIDATES: Final = Candidates((), 0, Counts(0, 0), Counts(0, 0))
"""The candidates if no change is known before the crossing."""


class ChangeLog:
    """The newest changes of each service."""

    def __init__(self, changes: Iterable[PositionedChange] = ()) -> None:
        self._histories: dict[str, deque[PositionedChange]] = {}
        for positioned in changes:
            self.record(positioned)

    def __iter__(self) -> Iterator[PositionedChange]:
        """All changes in the log, service by service."""
        for history in self._histories.values():
            yield from history

    def record(self, positioned: PositionedChange) -> None:
        """Add a change. Changes must be added in stream order."""
        service = positioned.change.service
        history = self._histories.get(service)
        if history is None:
            history = self._histories[service] = deque(maxlen=_REMEMBERED)
        history.append(positioned)

    def newest(self, service: str) -> Change | None:
        """The newest change of a service itself; None if it has none."""
        history = self._histories.get(service)
        return history[-1].change if history else None

    def list_candidates(self, service: str, since: int) -> tuple[tuple[PositionedChange, ...], int]:
        """
        Changes of a service, or of every service, in stream order: the ten newest ones up to the
        tick `since`, and the ten newest later ones. Also return how many others are remembered.
        """
        common = self._histories.get(EVERY_SERVICE, ())
        own = self._histories.get(service, ()) if service != EVERY_SERVICE else ()
        known = list(merge(own, common, key=_position)) if own and common else list(own or common)
        later = bisect_right(known, since, key=_tick)
        shown = known[max(later - _SHOWN, 0) : later] + known[later:][-_SHOWN:]
        return tuple(shown), len(known) - len(shown)


def _position(positioned: PositionedChange) -> int:
    return positioned.position


def _tick(positioned: PositionedChange) -> int:
    return positioned.tick

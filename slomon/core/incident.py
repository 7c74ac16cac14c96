"""
What the product is about: an `Incident`, from the access that took an endpoint below its SLO to
the one that brought it back, with the commits that broke and fixed it. Or to an expire.

Which changes may have taken an endpoint across its SLO. Before and after mean position in the
stream, never a comparison of dates.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import merge
from typing import Final, NamedTuple

from slomon.core.endpoints import Endpoint
from slomon.core.events import EVERY_SERVICE, Change, PositionedChange
from slomon.core.statistics import Counts


class IncidentStats(NamedTuple):
    """
    How an incident went so far: the endpoint's requests since it opened (its first and its last one
    included) and failures, the tick of the last failure, and the window as its SLI was lowest.
    """

    requests: int
    failures: int
    last_failure: int
    lowest_requests: int
    lowest_failures: int
    lowest_tick: int


@dataclass(frozen=True, slots=True)
class Incident:
    """
    `key` is the endpoint's number in the run. `start` and `end` are ticks, of the accesses at which
    the SLI was first below the SLO and first back; `start_position` and `end_position` are their
    positions in the stream. The end is None while the incident is open, as is what fixed it. One
    that expired has an end at which nothing stands in the stream, and nothing fixed it.
    `onset` is the tick of the first failure that was in the window as it opened, and `before`
    are the endpoint's requests and failures until then.
    """

    key: int
    endpoint: Endpoint
    start: int
    start_position: int
    onset: int
    before: tuple[int, int]
    breaking: Candidates
    stats: IncidentStats
    end: int | None = None
    end_position: int | None = None
    fixing: Candidates | None = None

    @property
    def broken_by(self) -> Change | None:
        """The last change of the service before it opened."""
        return self.breaking.newest

    @property
    def fixed_by(self) -> Change | None:
        """The last change of the service before it closed; None where it did not."""
        return self.fixing.newest if self.fixing else None

    @property
    def state(self) -> State:
        """Whether it is open, closed, or expired: nobody is known to have repaired it."""
        if self.end is None:
            return State.OPEN
        return State.EXPIRED if self.fixing is None else State.CLOSED

    @property
    def duration(self) -> int | None:
        """Ticks from start to end, None while the incident is open."""
        return None if self.end is None else self.end - self.start


_REMEMBERED: Final = 100  # changes of a service: more don't fit a window's lag, if people deploy
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Candidates:
    """
    The changes of a service, or of all, that may have done it: the newest one when the failures
    began, or ended, and all since then, in the order of the stream; `omitted` counts those that are
    left out before them. `before` are the endpoint's requests from the change before the newest one
    on (of those between which it had any) until that one, `after` those since then.
    """

    changes: tuple[PositionedChange, ...]
    omitted: int
    before: Counts
    after: Counts

    def date(self, began: int) -> Candidates:
        """The same, of a stream that began at that tick."""
        return replace(self, changes=tuple(one.date(began) for one in self.changes))

    @property
    def newest(self) -> Change | None:
        """The contract's: the last change before the crossing."""
        return self.changes[-1].change if self.changes else None


NO_SUSPICION: Final = Candidates((), 0, Counts(0, 0), Counts(0, 0))
"""Where no change is known that came before."""


class ChangeLog:
    """The newest changes of each service."""

    def __init__(self, changes: Iterable[PositionedChange] = ()) -> None:
        self._histories: dict[str, deque[PositionedChange]] = {}
        for positioned in changes:
            self.record(positioned)

    def __iter__(self) -> Iterator[PositionedChange]:
        """All that are remembered, service by service."""
        for history in self._histories.values():
            yield from history

    def record(self, positioned: PositionedChange) -> None:
        """Note a change; they come in the order of the stream."""
        service = positioned.change.service
        history = self._histories.get(service)
        if history is None:
            history = self._histories[service] = deque(maxlen=_REMEMBERED)
        history.append(positioned)

    def list_candidates(self, service: str, since: int) -> tuple[tuple[PositionedChange, ...], int]:
        """
        The last change of a service, or of all, that stands before the position `since`, and all
        after that, of which the ten newest are listed and the others counted.
        """
        common = self._histories.get(EVERY_SERVICE, ())
        own = self._histories.get(service, ()) if service != EVERY_SERVICE else ()
        known = list(merge(own, common, key=_position)) if own and common else list(own or common)
        first = max(bisect_left(known, since, key=_position) - 1, 0)
        shown = max(first, len(known) - _SHOWN)
        return tuple(known[shown:]), shown - first


def _position(positioned: PositionedChange) -> int:
    return positioned.position


class State(StrEnum):
    """Of an incident: `expired` is one that ended as its endpoint had no more traffic."""

    OPEN = "open"
    CLOSED = "closed"
    EXPIRED = "expired"

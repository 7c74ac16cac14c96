"""
What the product is about: an `Incident`, from the access that took an endpoint below its SLO to
the one that brought it back, with the commits that broke and fixed it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from slomon.core.endpoint import Endpoint
from slomon.core.event import EVERY_SERVICE, Change


@dataclass(frozen=True, slots=True)
class Incident:
    """
    `start` and `end` are ticks, of the accesses at which the SLI was first below the SLO and
    first back; `start_position` and `end_position` are their positions in the stream. The end
    is None while the incident is open. `broken_by` and `fixed_by` are the last changes of the
    service before those accesses, None where there was none.
    """

    endpoint: Endpoint
    start: int
    start_position: int
    broken_by: Change | None
    end: int | None = None
    end_position: int | None = None
    fixed_by: Change | None = None

    @property
    def duration(self) -> int | None:
        """Ticks from start to end, None while the incident is open."""
        return None if self.end is None else self.end - self.start


class ChangeLog:
    """The changes of each service, by their position in the stream."""

    def __init__(self) -> None:
        self._histories: dict[str, _History] = {}

    def record(self, position: int, change: Change) -> None:
        """Note a change; a service's changes come in the order of their positions."""
        history = self._histories.setdefault(change.service, _History([], []))
        history.positions.append(position)
        history.changes.append(change)

    def last_before(self, position: int, service: str) -> Change | None:
        """The newest change of a service, or of all, that stands before a position."""
        own = self._newest(position, service)
        common = self._newest(position, EVERY_SERVICE)
        newest = max(own, common, key=_position) if own and common else own or common
        return newest[1] if newest else None

    def forget(self, services: set[str]) -> None:
        """Drop all but the newest change of services whose older ones can't be asked for again."""
        for service in services:
            history = self._histories[service]
            del history.positions[:-1], history.changes[:-1]

    def newest(self) -> list[tuple[int, Change]]:
        """The newest change of each service, with its position."""
        histories = self._histories.values()
        return [(history.positions[-1], history.changes[-1]) for history in histories]

    def _newest(self, position: int, service: str) -> tuple[int, Change] | None:
        history = self._histories.get(service)
        found = bisect_left(history.positions, position) if history else 0
        return (
            (history.positions[found - 1], history.changes[found - 1])
            if history and found
            else None
        )


def _position(placed: tuple[int, Change]) -> int:
    return placed[0]


@dataclass(frozen=True, slots=True)
class _History:
    positions: list[int]
    changes: list[Change]

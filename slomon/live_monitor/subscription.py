"""
What subscribers are told.

One listener's own queue of events, bounded, so that a slow one holds nobody up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self, TypeAlias

from anyio import Event

from slomon.core.records import IncidentRecord


@dataclass(frozen=True, slots=True)
class IncidentOpened:
    """An endpoint fell below its SLO. The record is as things stand at that request."""

    incident: IncidentRecord


@dataclass(frozen=True, slots=True)
class IncidentClosed:
    """It is back, or its traffic has ceased: the record's state is `closed` or `expired`."""

    incident: IncidentRecord


@dataclass(frozen=True, slots=True)
class IncidentsMissed:
    """
    The subscriber was too slow: so many events before the next one were dropped. A snapshot has
    what they said.
    """

    count: int


IncidentEvent: TypeAlias = IncidentOpened | IncidentClosed | IncidentsMissed


class Subscription(AsyncIterator[IncidentEvent]):
    """
    The events since it was made, for `async for`, at most `bound` of them waiting: beyond that the
    oldest are dropped, and told as IncidentsMissed. It ends with the monitor, or when closed.
    """

    def __init__(self, bound: int) -> None:
        self._events: deque[IncidentOpened | IncidentClosed] = deque()
        self._bound = bound
        self._missed = 0
        self._ended = False
        self._arrival = Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> IncidentEvent:
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            if self._arrival.is_set():  # otherwise others wait already, for the same event
                self._arrival = Event()
            await self._arrival.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return IncidentsMissed(missed)
        return self._events.popleft()

    def put(self, event: IncidentOpened | IncidentClosed) -> None:
        """One more event; the monitor's to call, on the loop's thread."""
        if self._ended:
            return
        if len(self._events) == self._bound:
            self._events.popleft()
            self._missed += 1
        self._events.append(event)
        self._arrival.set()

    def close(self) -> None:
        """No more events come; those that wait can still be taken."""
        self._ended = True
        self._arrival.set()

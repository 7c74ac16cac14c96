"""One listener's own queue of events, bounded, so that a slow one holds nobody up."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Self

from anyio import Event

from slomon.embedding.event import IncidentClosed, IncidentEvent, IncidentOpened, IncidentsMissed


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

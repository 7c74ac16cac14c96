"""
Subscriptions to the incidents of a live monitor, and their events. Each subscriber has its own
bounded queue, so a slow one delays nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Self, TypeAlias
from weakref import WeakSet

from anyio import Event

from slomon.core.incident_records import IncidentRecord


@dataclass(frozen=True, slots=True)
class IncidentOpened:
    """An endpoint fell below its SLO. The record shows the state at that request."""

    incident: IncidentRecord


@dataclass(frozen=True, slots=True)
class IncidentClosed:
    """An incident ended: the record's state is `closed` or `expired`."""

    incident: IncidentRecord


@dataclass(frozen=True, slots=True)
class IncidentsMissed:
    """
    The subscriber was too slow: `count` events before the next one were dropped. A snapshot shows
    the incidents that they were about.
    """

    count: int


IncidentEvent: TypeAlias = IncidentOpened | IncidentClosed | IncidentsMissed


class Subscription(AsyncIterator[IncidentEvent]):
    """
    The events since its creation, for `async for`. At most `bound` of them wait: beyond that the
    oldest are dropped, which IncidentsMissed reports. It ends with the monitor, or when closed.
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
            if self._arrival.is_set():  # otherwise others already wait for the same event
                self._arrival = Event()
            await self._arrival.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return IncidentsMissed(missed)
        return self._events.popleft()

    def put(self, event: IncidentOpened | IncidentClosed) -> None:
        """Add an event. Only the monitor calls this, on the loop's thread."""
        if self._ended:
            return
        if len(self._events) == self._bound:
            self._events.popleft()
            self._missed += 1
        self._events.append(event)
        self._arrival.set()

    def close(self) -> None:
        """End the subscription. Events that wait can still be taken."""
        self._ended = True
        self._arrival.set()


class Subscribers:
    """The subscriptions that a monitor publishes to. One that nobody refers to any more is gone."""

    def __init__(self) -> None:
        self._subscriptions: WeakSet[Subscription] = WeakSet()

    def __bool__(self) -> bool:
        """Is there any?"""
        return bool(self._subscriptions)

    def add(self, subscription: Subscription) -> None:
        """Publish to this one, too, from now on."""
        self._subscriptions.add(subscription)

    def publish(self, records: Iterable[IncidentRecord]) -> None:
        """Publish incidents that have just opened or ended."""
        subscriptions = list(self._subscriptions)
        for record in records:
            event = (IncidentOpened if record.end is None else IncidentClosed)(record)
            for subscription in subscriptions:
                subscription.put(event)

    def close(self) -> None:
        """End all subscriptions."""
        for subscription in list(self._subscriptions):
            subscription.close()
        self._subscriptions.clear()

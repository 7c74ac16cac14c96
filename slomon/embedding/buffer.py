"""
Where calls from any thread leave their events for the loop. Each is one atomic list operation, so
nobody waits: neither the request that is told of, nor the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from contextlib import suppress
from typing import Final

from anyio import Event

from slomon.core.batch import Item

CLOSED: Final = "closed"
FULL: Final = "full"
LONG: Final = "too long"
LONGEST: Final = 8192
"""Characters of one event: none that counts comes near, and hostile text must not pile up."""

_SPARE: Final = 1024
"""So many items more may wait than there is room for accesses: changes are few, and matter more."""


class Buffer:
    """
    At most `bound` events wait in it. What doesn't fit, or comes before it is opened or after it
    was closed, is dropped and counted.
    """

    def __init__(self, bound: int) -> None:
        self.items: list[Item] = []
        self._limit = bound
        self._bound = 0  # while it is closed
        self._hungry = False  # the loop waits for an item
        self._patient = False  # or for an urgent one
        self._pressing = False  # one may be there
        self._much = bound // 2
        self._arrival = Event()
        self._room = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dropped: Counter[str] = Counter()
        self._counting = threading.Lock()

    @property
    def dropped(self) -> dict[str, int]:
        """How many events were dropped, by reason."""
        with self._counting:
            dropped = self._dropped.copy()
        if not self._bound:  # a thread may have been about to leave one as it was closed
            dropped[CLOSED] += len(self.items)
        return {reason: count for reason, count in dropped.items() if count}

    def open(self) -> None:
        """From now on events are taken in, for the running loop."""
        self._loop = asyncio.get_running_loop()
        self._room = Event()  # of this loop
        self._bound = self._limit

    def close(self) -> None:
        """From now on none are. What is in it is still to be taken."""
        self._bound = 0
        self._room.set()

    def put(self, access: str, *, urgent: bool = True) -> bool:
        """Leave the text of an access, which may have to wait or not; False if it was dropped."""
        waiting = len(self.items)
        if waiting >= self._bound or len(access) > LONGEST:
            return self._drop(len(access))
        self.items.append(access)
        if urgent:
            self._pressing = True
        if self._hungry or (self._patient and (urgent or waiting > self._much)):
            self._wake()
        return True

    def squeeze_in(self, item: Item, length: int, *, urgent: bool = True) -> bool:
        """
        Leave what is rare or has waited for room, and so fits into a full buffer too; its text has
        that many characters. False if it was dropped.
        """
        if self._bound and length <= LONGEST and len(self.items) < self._limit + _SPARE:
            self.items.append(item)
            if urgent:
                self._pressing = True
            if self._hungry or (self._patient and urgent):
                self._wake()
            return True
        return self._drop(length)

    async def room(self) -> None:
        """Wait until there is room for an access, or none will ever be."""
        while self._bound and len(self.items) >= self._bound:
            if self._patient:
                self._wake()
            if self._room.is_set():  # otherwise others wait already, for the same event
                self._room = Event()
            await self._room.wait()

    async def arrival(self) -> None:
        """Wait until something is there to be taken."""
        while not self.items:
            self._arrival = Event()
            self._hungry = True
            if not self.items:
                await self._arrival.wait()
        self._hungry = False

    async def urgency(self) -> None:
        """Wait until something is there that is urgent, or much."""
        self._arrival = Event()
        self._patient = True
        try:
            if not self._pressing and len(self.items) <= self._much:
                await self._arrival.wait()
        finally:
            self._patient = False

    def take(self, most: int) -> list[Item]:
        """The next items, at most so many."""
        pressing, self._pressing = self._pressing, False
        taken = self.items[:most]
        del self.items[: len(taken)]
        if pressing and self.items:  # it may be among these
            self._pressing = True
        self._room.set()
        return taken

    def _wake(self) -> None:
        self._hungry = self._patient = False
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is gone, and nobody takes anything any more
                self._loop.call_soon_threadsafe(self._rouse)

    def _rouse(self) -> None:
        self._arrival.set()

    def _drop(self, length: int) -> bool:
        reason = CLOSED if not self._bound else LONG if length > LONGEST else FULL
        with self._counting:
            self._dropped[reason] += 1
        return False

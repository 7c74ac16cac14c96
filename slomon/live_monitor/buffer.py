"""
Where calls from any thread leave what they tell of for the loop. Each is one atomic list operation,
so nobody waits: neither the request that is told of, nor the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Container
from contextlib import suppress
from typing import Final

from anyio import Event

from slomon.live_monitor.ingest import LONGEST, Deploy, RawEvent, make_request

CLOSED: Final = "closed"
FULL: Final = "full"
LONG: Final = "too long"

_SPARE: Final = 1024
"""So many items more may wait than there is room for requests: changes are few, and matter more."""

_NEVER: Final = float("inf")


class Buffer:
    """
    At most `bound` events wait in it. What doesn't fit, or comes before it is opened or after it
    was closed, is dropped and counted. A request whose status is not `ok_statuses` is urgent.
    """

    def __init__(self, bound: int, ok_statuses: Container[int]) -> None:
        self.items: list[RawEvent] = []  # never replaced: calls put theirs into this very list
        self._ok_statuses = ok_statuses
        self._limit = bound
        self._bound = self._hard_limit = 0  # while it is closed
        self._sealed = False  # nothing is taken any more
        self._alarm = _NEVER  # the loop is to be woken where more than so many wait
        self._pressing = False  # something urgent may be there
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
        if self._sealed:  # a thread may have been about to leave one as it was closed
            dropped[CLOSED] += len(self.items)
        return {reason: count for reason, count in dropped.items() if count}

    def open(self) -> None:
        """From now on events are taken in, for the running loop."""
        self._loop = asyncio.get_running_loop()
        self._room = Event()  # of this loop
        self._bound, self._hard_limit = self._limit, self._limit + _SPARE
        self._sealed = False

    def close(self) -> None:
        """From now on none are. What is in it is still to be taken."""
        self._bound = self._hard_limit = 0
        self._room.set()

    def freeze(self) -> None:
        """It was closed and emptied: what is still left in it is dropped."""
        self._sealed = True

    def put(
        self, at: int | str, verb: str, resource: str, status: int, *, overflow: bool = False
    ) -> bool:
        """
        Leave a request; False if it was dropped. `overflow` is for one that has waited for room,
        which others may have taken since.
        """
        items = self.items
        waiting = len(items)
        if waiting >= self._bound and not (overflow and waiting < self._hard_limit):
            return self._drop(FULL)
        told: RawEvent
        if type(at) is int and type(verb) is type(resource) is str and type(status) is int:
            told = at, verb, resource, status
        else:
            told = make_request(at, verb, resource, status)
        if isinstance(told, str):
            length, urgent = len(told), True
        else:
            length, urgent = len(told[1]) + len(told[2]), told[3] not in self._ok_statuses
        if length > LONGEST:
            return self._drop(LONG)
        items.append(told)
        if urgent:
            self._notify_urgent()
        elif waiting >= self._alarm:
            self._wake()
        return True

    def counter(
        self, verb: str, resource: str, now: Callable[[], int | str]
    ) -> Callable[[int], bool]:
        """
        `put` for requests of one kind, as they are answered: a function of their status. It has
        less to look at, as it runs within each request of a service.
        """
        items, ok_statuses = self.items, self._ok_statuses
        short = type(verb) is type(resource) is str and len(verb) + len(resource) <= LONGEST

        def count(status: int) -> bool:
            at, waiting = now(), len(items)
            if (
                (waiting < self._bound and waiting < self._alarm)
                and (type(at) is int and type(status) is int)
                and (status in ok_statuses and short)
            ):
                items.append((at, verb, resource, status))
                return True
            return self.put(at, verb, resource, status)

        return count

    def put_change(self, deploy: Deploy) -> bool:
        """Leave a change, which is rare, and so fits into a full buffer too."""
        try:
            length = sum(map(len, deploy[1:]))
        except Exception:  # noqa: BLE001 (whatever somebody's object raises)
            deploy, length = Deploy(0, "", "", "", ""), 0
        if length > LONGEST:
            return self._drop(LONG)
        if len(self.items) >= self._hard_limit:
            return self._drop(FULL)
        self.items.append(deploy)
        self._notify_urgent()
        return True

    async def room(self) -> None:
        """Wait until there is room for a request, or none will ever be."""
        while self._bound and len(self.items) >= self._bound:
            if self._room.is_set():  # otherwise others wait already, for the same event
                self._room = Event()
            await self._room.wait()

    async def arrival(self) -> None:
        """Wait until something is there to be taken."""
        while not self.items:
            await self._sleep(0)

    async def urgency(self) -> None:
        """Wait until something is there that is urgent, or much."""
        await self._sleep(self._much)

    async def _sleep(self, most: int) -> None:
        """Until something is urgent, or more than so many items wait."""
        self._arrival = Event()
        self._alarm = most
        try:
            # Only now, as a thread may have left something before it could know of the alarm.
            if len(self.items) <= most and not (self._pressing and self.items):
                await self._arrival.wait()
        finally:
            self._alarm = _NEVER

    def take(self, most: int) -> list[RawEvent]:
        """What came next, at most so many."""
        pressing, self._pressing = self._pressing, False
        taken = self.items[:most]
        del self.items[: len(taken)]
        if pressing and self.items:  # it may be among these
            self._pressing = True
        self._room.set()
        return taken

    def _notify_urgent(self) -> None:
        self._pressing = True
        if self._alarm != _NEVER:
            self._wake()

    def _wake(self) -> None:
        self._alarm = _NEVER
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is gone, and nobody takes anything any more
                self._loop.call_soon_threadsafe(self._wake_loop)

    def _wake_loop(self) -> None:
        self._arrival.set()

    def _drop(self, reason: str) -> bool:
        with self._counting:
            self._dropped[reason if self._bound else CLOSED] += 1
        return False

"""
The buffer between callers in any thread and the event loop that counts their events.

A call appends its event in one atomic list operation, and so does not wait for the loop or for
other calls.
"""

from __future__ import annotations

import asyncio
import collections
import os
import threading
from collections.abc import Callable, Container
from contextlib import suppress
from typing import Final, Protocol, cast

from anyio import Event

from slomon.core.events import Malformed
from slomon.live_monitor.batching import LONGEST, Deploy, RawEvent, Request, Stamp, make_request
from slomon.live_monitor.clock import Shift
from slomon.logging import get_logger

CLOSED: Final = "closed"
FULL: Final = "full"
LONG: Final = "too long"
FORKED: Final = "forked"

_SPARE: Final = 1024
"""Room beyond the bound, for changes: they are few, and matter more than requests."""

_NEVER: Final = float("inf")


class Counter(Protocol):
    """Counts a request by its status and, if that is known, the seconds that it took."""

    def __call__(self, status: int, duration: float | None = None, /) -> bool:
        """False if the request was dropped."""


class Buffer:
    """
    Holds about `bound` events.

    An event that does not fit, or arrives while the buffer is not open, is dropped and counted.
    A request is urgent if its status is not one of `ok_statuses`; a change always is.
    """

    def __init__(self, bound: int, ok_statuses: Container[int]) -> None:
        self.items: list[RawEvent] = []  # never replaced: calls append to this very list
        self._ok_statuses = ok_statuses
        self._limit = bound
        self._bound = self._hard_limit = 0  # while it is closed
        self._frozen = False  # no event will be taken any more
        self._alarm = _NEVER  # an event wakes the loop if at least this many wait before it
        self._urgent = False  # an urgent event may be waiting
        self.elsewhere = False
        """Do events wait in another process? They wake the loop as those here do."""
        self._many = bound // 2
        self._arrival = Event()
        self._room = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dropped: collections.Counter[str] = collections.Counter()
        self._counting = threading.Lock()
        self._forked_from = 0  # the process that the buffer belongs to, in a forked process

    @property
    def dropped(self) -> dict[str, int]:
        """The number of dropped events, by reason."""
        with self._counting:
            dropped = self._dropped.copy()
        if self._frozen:  # a thread may have been about to append when the buffer was closed
            dropped[CLOSED] += len(self.items)
        return {reason: count for reason, count in dropped.items() if count}

    def open(self) -> None:
        """Accept events from now on, for the running loop."""
        self._loop = asyncio.get_running_loop()
        self._room = Event()  # of this loop
        self._bound, self._hard_limit = self._limit, self._limit + _SPARE
        self._frozen = False

    def close(self) -> None:
        """Accept no further events. Those in the buffer can still be taken."""
        self._bound = self._hard_limit = 0
        self._room.set()

    def disown(self, owner: int) -> None:
        """
        Drop all events from now on as `forked`, because this process was forked from the one that
        counts them. The first one is logged.
        """
        self.close()
        self.items.clear()  # these are counted there
        self._counting = threading.Lock()  # another thread may have held it
        self._dropped.clear()
        self._loop = None
        self._forked_from = owner

    def freeze(self) -> None:
        """Count events that are still in the closed buffer as dropped: they will not be taken."""
        self._frozen = True

    def put(
        self,
        at: Stamp,
        verb: str,
        resource: str,
        status: int,
        duration: float | None = None,
        *,
        overflow: bool = False,
    ) -> bool:
        """
        Append a request, which took `duration` seconds. Returns False if it was dropped.

        `overflow` is for a request that has waited for room, which others may have used since.
        """
        items = self.items
        waiting = len(items)
        if waiting >= self._bound and not (overflow and waiting < self._hard_limit):
            return self._drop(FULL)
        is_plain = type(at) is int and type(verb) is type(resource) is str and type(status) is int
        if is_plain and (duration is None or type(duration) is float):
            raw: RawEvent = cast(Request, (at, verb, resource, status, duration))
            length, urgent = len(verb) + len(resource), status not in self._ok_statuses
        else:
            raw = make_request(at, verb, resource, status, duration)
            length, urgent = self._measure(raw)
        if length > LONGEST:
            return self._drop(LONG)
        items.append(raw)
        if urgent:
            self._notify_urgent()
        elif waiting >= self._alarm:
            self._wake()
        return True

    def _measure(self, raw: Request | str | Malformed) -> tuple[int, bool]:
        """The characters of an event, and whether it is urgent."""
        if isinstance(raw, tuple):
            return len(raw[1]) + len(raw[2]), raw[3] not in self._ok_statuses
        return len(raw.text if isinstance(raw, Malformed) else raw), True

    def counter(
        self,
        verb: str,
        resource: str,
        now: Callable[[], int | str],
        monotonic: Callable[[], int] = int,
        shift: Shift = (None,),
    ) -> Counter:
        """
        Return a faster `put` for requests with this verb and resource. While there is a shift,
        `now` is `monotonic` and this shift.

        It repeats the common case of `put`, since it runs within each request of a service.
        """
        items, append, ok_statuses = self.items, self.items.append, self._ok_statuses
        if not (type(verb) is type(resource) is str and len(verb) + len(resource) <= LONGEST):
            shift = (None,)

        def count(status: int, duration: float | None = None) -> bool:
            constant, waiting = shift[0], len(items)
            if (
                (constant is not None and waiting < self._bound and waiting < self._alarm)
                and (type(status) is int and status in ok_statuses)
                and (duration is None or type(duration) is float)
            ):
                append((monotonic() + constant, verb, resource, status, duration))
                return True
            return self.put(now(), verb, resource, status, duration)

        return count

    def put_change(self, deploy: Deploy) -> bool:
        """Append a change. It also fits into a full buffer, up to the hard limit."""
        try:
            length = sum(map(len, deploy[1:]))
        except Exception:  # noqa: BLE001 (a caller's object may raise anything)
            deploy, length = Deploy(0, "", "", "", ""), 0
        if length > LONGEST:
            return self._drop(LONG)
        if len(self.items) >= self._hard_limit:
            return self._drop(FULL)
        self.items.append(deploy)
        self._notify_urgent()
        return True

    async def room(self) -> None:
        """Wait until there is room for a request, or the buffer is closed."""
        while self._bound and len(self.items) >= self._bound:
            if self._room.is_set():  # otherwise other tasks already wait for this event
                self._room = Event()
            await self._room.wait()

    async def arrival(self) -> None:
        """Wait until the buffer is not empty, or events wait elsewhere."""
        while not self.items and not self.elsewhere:
            await self._sleep(0)

    async def urgency(self) -> None:
        """Wait until an urgent event is in the buffer, or the buffer is half full."""
        await self._sleep(self._many)

    async def _sleep(self, most: int) -> None:
        """Wait until an urgent event is in the buffer, or more than `most` events are."""
        self._arrival = Event()
        self._alarm = most
        try:
            # Only now: a thread may have appended before it could see the alarm.
            is_empty = not self.items and not self.elsewhere
            if len(self.items) <= most and (is_empty or not self._urgent):
                await self._arrival.wait()
        finally:
            self._alarm = _NEVER

    def note_elsewhere(self, *, urgent: bool) -> None:
        """Events wait in another process."""
        self.elsewhere = True
        if urgent:
            self._notify_urgent()
        elif not self._alarm:
            self._wake()

    def count_dropped(self, reason: str, count: int) -> None:
        """Count events as dropped that had been taken."""
        with self._counting:
            self._dropped[reason] += count

    def take(self, most: int) -> list[RawEvent]:
        """Remove and return the next events, at most `most`."""
        urgent, self._urgent = self._urgent, False
        taken = self.items[:most]
        del self.items[: len(taken)]
        if urgent and self.items:  # the urgent event may be among these
            self._urgent = True
        self._room.set()
        return taken

    def _notify_urgent(self) -> None:
        self._urgent = True
        if self._alarm != _NEVER:
            self._wake()

    def _wake(self) -> None:
        self._alarm = _NEVER
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed, so no event will be taken any more
                self._loop.call_soon_threadsafe(self._wake_loop)

    def _wake_loop(self) -> None:
        self._arrival.set()

    def _drop(self, reason: str) -> bool:
        reason = reason if self._bound else FORKED if self._forked_from else CLOSED
        with self._counting:
            self._dropped[reason] += 1
            is_first = self._dropped[reason] == 1
        if is_first and reason == FORKED:
            get_logger().error(
                "monitor.forked",
                process=os.getpid(),
                owner=self._forked_from,
                hint="a forked process does not share its parent's live monitor, and drops what is "
                "reported to it; start a monitor in each process",
            )
        return False

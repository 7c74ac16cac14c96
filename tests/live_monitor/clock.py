"""A clock that a test sets."""

from __future__ import annotations

from anyio import Event

from slomon.core.ticks import TICKS_PER_SECOND

START = 1_700_000_000


class ManualClock:
    """Stands still until it is advanced; whoever sleeps wakes once its time has come."""

    def __init__(self, seconds: float = START) -> None:
        self._now = round(seconds * TICKS_PER_SECOND)
        self._moved = Event()

    def now(self) -> int:
        return self._now

    async def sleep_until(self, tick: int) -> None:
        while self._now < tick:
            await self._moved.wait()

    def advance(self, seconds: float) -> None:
        """On the loop's thread."""
        self._now += round(seconds * TICKS_PER_SECOND)
        self._moved.set()
        self._moved = Event()

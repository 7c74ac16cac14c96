"""A clock that a test sets, and that tells who waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from anyio import Event, fail_after

from slomon.core.ticks import TICKS_PER_SECOND
from tests.live_monitor.clock import ManualClock

GUARD_SECONDS = 30
"""Of real time: how long anything may take; far longer than it does."""


class WatchedClock(ManualClock):
    """Begins at the machine's time, by which other programs judge what they are told."""

    def __init__(self) -> None:
        super().__init__(time.time())
        self._sleepers: list[int] = []
        self._asleep = Event()

    async def sleep_until(self, tick: int) -> None:
        self._sleepers.append(tick)
        self._asleep.set()
        try:
            with fail_after(GUARD_SECONDS):
                await super().sleep_until(tick)
        finally:
            self._sleepers.remove(tick)

    async def pass_over(self, seconds: float) -> None:
        """Wait until somebody sleeps for so long or less, and let so much time pass."""
        await self.see_sleeper(seconds)
        self.advance(seconds)

    async def see_sleeper(self, seconds: float, count: int = 1) -> None:
        """Wait until somebody, or so many, sleep for so long or less."""
        last = self._now + round(seconds * TICKS_PER_SECOND)
        await self._see(lambda tick: self._now < tick <= last, count)

    async def pass_exactly(self, seconds: float) -> None:
        """Wait until somebody sleeps for just so long, and let so much time pass."""
        await self.see_exactly(seconds)
        self.advance(seconds)

    async def see_exactly(self, seconds: float) -> None:
        """Wait until somebody sleeps for just so long."""
        last = self._now + round(seconds * TICKS_PER_SECOND)
        await self._see(lambda tick: tick == last)

    async def _see(self, wanted: Callable[[int], bool], count: int = 1) -> None:
        with fail_after(GUARD_SECONDS):
            while sum(map(wanted, self._sleepers)) < count:
                self._asleep = Event()
                await self._asleep.wait()

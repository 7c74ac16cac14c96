"""The clock of a live monitor. Tests of a service replace it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from anyio import sleep

from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND

_LONGEST: Final = 60.0  # seconds of one sleep: the clock may be set meanwhile


class Clock(Protocol):
    """Tells the time, and waits for a time."""

    def now(self) -> int:
        """Nanoseconds since the epoch. Called from any thread."""

    async def sleep_until(self, tick: int) -> None:
        """Return when that time has come, at once if it is past."""


class SystemClock:
    """The machine's clock."""

    now = staticmethod(time.time_ns)

    async def sleep_until(self, tick: int) -> None:
        """Return when that time has come, at once if it is past."""
        while (left := tick - self.now()) > 0:  # noqa: ASYNC110 (there is no event to wait for)
            await sleep(min(left / TICKS_PER_SECOND, _LONGEST))


def safe_now(clock: Clock) -> Callable[[], int | str]:
    """
    A function that returns the time in ticks and never raises. If the clock raises or returns no
    valid tick, the function returns text that is not a valid time.
    """
    if isinstance(clock, SystemClock):
        return clock.now

    def now() -> int | str:
        try:
            tick = clock.now()
            return tick if type(tick) is int and 0 <= tick <= LAST_TICK else f"{tick}"
        except Exception:  # noqa: BLE001 (a user's clock may raise anything)
            return ""

    return now


def monotonic_now(clock: Clock) -> Callable[[], int]:
    """
    A function that returns the time in ticks and never raises. If the clock raises or returns no
    valid tick, the function returns the last valid one.
    """
    ask, last = safe_now(clock), 0

    def now() -> int:
        nonlocal last
        tick = ask()
        if isinstance(tick, int):
            last = tick
        return last

    return now

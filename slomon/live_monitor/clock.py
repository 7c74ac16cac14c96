"""Time, as the live monitor asks for it: whoever tests a service sets another one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from anyio import sleep

from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND

_LONGEST: Final = 60.0  # seconds asleep at once: somebody may set the clock meanwhile


class Clock(Protocol):
    """What the time is, and how to wait for one."""

    def now(self) -> int:
        """Nanoseconds since the epoch; called from any thread."""

    async def sleep_until(self, tick: int) -> None:
        """Return once that time has come, at once if it has."""


class SystemClock:
    """The machine's clock."""

    now = staticmethod(time.time_ns)

    async def sleep_until(self, tick: int) -> None:
        """Return once that time has come, at once if it has."""
        while (left := tick - self.now()) > 0:  # noqa: ASYNC110 (nothing but time is waited for)
            await sleep(min(left / TICKS_PER_SECOND, _LONGEST))


def safe_now(clock: Clock) -> Callable[[], int | str]:
    """
    A function that says what time it is, and never raises: of a clock that does, or goes wrong, it
    has no tick, but a text that is none.
    """
    if isinstance(clock, SystemClock):
        return clock.now

    def now() -> int | str:
        try:
            tick = clock.now()
            return tick if type(tick) is int and 0 <= tick <= LAST_TICK else f"{tick}"
        except Exception:  # noqa: BLE001 (whatever somebody's clock raises)
            return ""

    return now


def monotonic_now(clock: Clock) -> Callable[[], int]:
    """
    A function that says what time it is, and never raises: of a clock that does, or goes wrong, it
    has the last time that was right.
    """
    ask, last = safe_now(clock), 0

    def now() -> int:
        nonlocal last
        tick = ask()
        if isinstance(tick, int):
            last = tick
        return last

    return now

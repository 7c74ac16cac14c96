"""Time, as the live monitor asks for it: whoever tests a service sets another one."""

from __future__ import annotations

import time
from typing import Final, Protocol

from anyio import sleep

from slomon.core.tick import TICKS_PER_SECOND

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

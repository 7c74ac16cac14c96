"""
The clock of a live monitor. Tests of a service replace it.

The machine's wall clock may be wrong at boot, be set by hand or by NTP, or stop. If live time did
the same, requests would count late or windows would be empty, and an outage could be missed. So
live time follows a monotonic clock, and approaches the wall clock slowly:

    wall - monotonic      ________          the wall clock is set forward
                  _______|
    live - monotonic        /-----          live time passes twice as fast until it is there
                  _________/

Live time never goes back, and passes between half and twice as fast as real time. So a window
covers between half and twice its length of real time, whatever the wall clock does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias

from anyio import sleep

from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND, to_seconds
from slomon.logging import RateLimitedLog, get_logger

# On Windows the other one counts in steps of 16 ms.
_MONOTONIC: Final = time.perf_counter_ns if sys.platform == "win32" else time.monotonic_ns
_LONGEST: Final = 10.0  # seconds of one sleep: time may pass faster meanwhile
_SHORTEST: Final = 0.001
_INTERVAL: Final = 1.0  # seconds from one look at the wall clock to the next
_TOLERANCE: Final = TICKS_PER_SECOND // 100
"""A difference that is no larger stays."""
_STEP: Final = TICKS_PER_SECOND
"""A difference that is at least this large is logged."""
_LARGEST: Final = 86_400 * TICKS_PER_SECOND
"""If the wall clock is set forward by more than this, live time is set, too."""


Shift: TypeAlias = Sequence[int | None]
"""One item: the difference between live time and a monotonic clock; None if it is not constant."""


class Clock(Protocol):
    """Tells the time, and waits for a time."""

    def now(self) -> int:
        """Nanoseconds since the epoch. Called from any thread."""

    async def sleep_until(self, tick: int) -> None:
        """Return when that time has come, at once if it is past."""


class SystemClock:
    """
    The machine's clock: `wall` and `monotonic` return nanoseconds. `begin` sets it, and
    `keep_following` makes it follow the wall clock.
    """

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = _MONOTONIC,
    ) -> None:
        self.wall = wall
        self.monotonic = monotonic
        self._line = _Line(monotonic)
        self.now = self._line.now
        self.shift: Shift = self._line.shift
        self._log = RateLimitedLog(monotonic)  # a clock may stop, and so step at each look
        self._offset = 0  # of the wall clock from the monotonic one, when it was last followed
        self.begin()

    def begin(self, least: int = 0) -> None:
        """Set the time to that of the wall clock, or to `least` if that is later."""
        elapsed, wall, _ = self._look()
        self._offset = wall - elapsed
        self._line.approach(elapsed, max(wall, least), self._offset)

    def join(self, now: int) -> None:
        """Set the time to that of another process, which follows the same wall clock."""
        if abs(now - self.now()) > _TOLERANCE:
            elapsed, wall, _ = self._look()
            self._offset = wall - elapsed
            self._line.approach(elapsed, now, self._offset)

    def follow(self) -> None:
        """Approach the wall clock. A step of it is logged."""
        elapsed, wall, uncertainty = self._look()
        step = wall - elapsed - self._offset
        if abs(step) <= _TOLERANCE + uncertainty:
            self._line.settle(elapsed)
            return
        self._offset += step
        now = self.now()
        ahead = now - elapsed - self._offset
        self._line.approach(elapsed, wall if -ahead > _LARGEST else now, self._offset)
        if abs(step) >= _STEP:
            self._log.warn(
                "clock.stepped",
                seconds=to_seconds(step),
                ahead=to_seconds(self.now() - wall),
                hint="incidents are dated by a monotonic clock that approaches the machine's clock",
            )

    async def keep_following(self) -> None:
        """Follow the wall clock until cancelled."""
        while True:
            await sleep(_INTERVAL)
            self.follow()

    async def sleep_until(self, tick: int) -> None:
        """Return when that time has come, at once if it is past."""
        while (left := tick - self.now()) > 0:
            real = left / TICKS_PER_SECOND
            if self.shift[0] is None:  # time may pass twice as fast
                real = max(real / 2, _SHORTEST)
            await sleep(min(real, _LONGEST))

    def _look(self) -> tuple[int, int, int]:
        """The time of both clocks, and how long after the monotonic one the wall clock was read."""
        elapsed = self.monotonic()
        wall = self.wall()
        return elapsed, wall, self.monotonic() - elapsed


class _Line:
    """
    Live time as a function of a monotonic clock: a line, which may have a bend, after which it is
    that clock plus an offset.
    """

    def __init__(self, monotonic: Callable[[], int]) -> None:
        shift: list[int | None] = [0]
        bend = 0, 0, 0, 0, 0

        # A closure, since it runs in each request of a service.
        def now() -> int:
            constant = shift[0]
            if constant is not None:
                return monotonic() + constant
            began, start, speed, end, offset = bend
            elapsed = monotonic()
            if elapsed >= end:
                return elapsed + offset
            return start + ((elapsed - began) * speed >> 1)

        def approach(began: int, start: int, offset: int) -> None:
            nonlocal bend
            gap = began + offset - start
            if gap:  # a fast line makes up for a nanosecond in each, a slow one for a half
                speed, end = (4, began + gap) if gap > 0 else (1, began - 2 * gap)
                bend = began, start, speed, end, offset
                shift[0] = None  # last: other threads ask for the time meanwhile
            else:
                shift[0] = offset

        def settle(elapsed: int) -> None:
            if shift[0] is None and elapsed >= bend[3]:
                shift[0] = bend[4]

        self.now = now
        self.approach = approach
        """Pass through `start` when the clock says `began`, and end at the offset from it."""
        self.settle = settle
        """Forget a bend that is over."""
        self.shift = shift
        """
        One item: how much later the time is than the monotonic clock; None if there is a bend.
        """


def warn_of_state(clock: Clock, saved_at: int) -> None:
    """Log that a state was saved at a time that is still to come, if it was."""
    ahead = saved_at - wall_now(clock) if saved_at else 0
    if ahead >= _STEP:
        hint = "live time begins there, and approaches the machine's clock; to begin at the clock's"
        hint += " time, stop the service and remove the state"
        get_logger().warning("state.ahead", seconds=to_seconds(ahead), hint=hint)


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


def wall_now(clock: Clock) -> int:
    """The time that other machines have: that of the wall clock, or of the user's clock."""
    return clock.wall() if isinstance(clock, SystemClock) else monotonic_now(clock)()


def latest_now(clock: Clock) -> Callable[[], int | str]:
    """`safe_now`, but if live time and the wall clock differ, the later of the two."""
    if isinstance(clock, SystemClock):
        return lambda: max(clock.now(), clock.wall())
    return safe_now(clock)

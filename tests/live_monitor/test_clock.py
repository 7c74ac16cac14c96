"""The machine's clock, and how to wait for a time on it."""

from __future__ import annotations

import time

import anyio
import pytest

from slomon.core.ticks import LAST_TICK
from slomon.live_monitor.clock import SystemClock, monotonic_now, safe_now
from tests.live_monitor.clock import ManualClock


async def test_a_time_that_has_come_is_not_waited_for() -> None:
    clock = SystemClock()
    with anyio.fail_after(20):
        await clock.sleep_until(clock.now())
    assert abs(clock.now() - time.time_ns()) < 20_000_000_000


async def test_a_sleeper_wakes_once_the_time_has_come() -> None:
    clock = SystemClock()
    due = clock.now() + 200_000  # a fifth of a millisecond
    with anyio.fail_after(20):
        await clock.sleep_until(due)
    assert clock.now() >= due


@pytest.mark.parametrize(
    ("tick", "said"),
    [
        *((0, 0), (LAST_TICK, LAST_TICK), (-1, "-1"), (LAST_TICK + 1, f"{LAST_TICK + 1}")),
        *((1.5, "1.5"), (True, "True"), (10**5000, "")),
    ],
    ids=range(7),
)
def test_a_clock_that_goes_wrong_says_no_time(
    monkeypatch: pytest.MonkeyPatch, tick: object, said: int | str
) -> None:
    clock = ManualClock()
    monkeypatch.setattr(clock, "now", lambda: tick)
    assert safe_now(clock)() == said


def test_of_a_clock_that_fails_the_last_right_time_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock(1)
    now = monotonic_now(clock)
    assert now() == 10**9
    clock.advance(1)
    assert now() == 2 * 10**9
    monkeypatch.setattr(clock, "now", lambda: 1 / 0)
    assert now() == 2 * 10**9

"""The machine's clock, and how to wait for a time on it."""

from __future__ import annotations

import time

import anyio

from slomon.embedding.clock import SystemClock


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

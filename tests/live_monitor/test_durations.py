"""How long requests took: counted in buckets, whose quantiles are near those of the numbers."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import slomon
from slomon.live_monitor.durations import BOUNDS, Durations, DurationTable
from tests.live_monitor.clock import ManualClock
from tests.live_monitor.services import ENTRIES, answers, recorded


def count(*seconds: float) -> Durations:
    table = DurationTable()
    for one in seconds:
        table.add(3, one)
    found = table.read(3)
    assert found
    return found


@given(
    st.lists(st.floats(BOUNDS[0], BOUNDS[-1], exclude_min=True), min_size=1, max_size=50),
    st.floats(0.01, 1),
)
def test_a_quantile_is_off_by_at_most_a_third(seconds: list[float], share: float) -> None:
    exact = sorted(seconds)[math.ceil(share * len(seconds)) - 1]
    assert exact / 1.34 <= count(*seconds).quantile(share) <= exact * 1.34


def test_durations_have_a_number_a_sum_and_a_median() -> None:
    found = count(0.01, 0.02, 0.02, 0.02, 4.0)
    assert (found.requests, found.seconds) == (5, 4.07)
    assert 0.015 < found.median <= 0.02
    assert found.quantile(1) == 4.0
    assert [found.count_until(bound) for bound in (0.01, 0.02, 1.0, 1000.0)] == [1, 4, 4, 5]


def test_very_short_and_very_long_durations_count_too() -> None:
    found = count(0.0, 0.00001, 5000.0)
    assert (found.requests, found.count_until(0.0001), found.quantile(1)) == (3, 2, 1000.0)
    assert 0 < found.median <= 0.0001


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf"), 1e300])
def test_what_is_no_duration_does_not_count(wrong: float) -> None:
    assert count(1.0, wrong).requests == 1


async def test_a_snapshot_has_the_durations_of_each_endpoint() -> None:
    wrong: Any = "soon"
    async with slomon.live(ENTRIES, clock=ManualClock()) as monitor:
        counted = monitor.counter("GET", "/users")
        monitor.access("GET", "/users", 200, duration=0.02)
        monitor.access("GET", "/users", 500, duration=2)
        await monitor.send("GET", "/users", 200, duration=0.02)
        counted(200, 0.02)
        monitor.access("GET", "/users", 200, duration=wrong)
        monitor.access("GET", "/users", 200)
        monitor.access("GET", "/nowhere", 200, duration=1.0)
        await monitor.flush()
        users, orders = monitor.snapshot().endpoints
    assert users.durations
    assert (users.durations.requests, users.durations.seconds) == (4, 2.06)
    assert (users.requests, orders.durations) == (6, None)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")
async def test_the_process_that_counts_knows_the_durations_of_all(tmp_path: Path) -> None:
    async with (
        slomon.live(ENTRIES, state=tmp_path / "state") as first,
        slomon.live(ENTRIES, state=tmp_path / "state") as second,
    ):
        first.access("GET", "/users", 200, duration=1.0)
        second.access("GET", "/users", 200, duration=3.0)
        await first.flush()
        await second.flush()
        users, _ = (await second.read()).endpoints
    assert users.durations
    assert (users.durations.requests, users.durations.seconds) == (2, 4.0)


async def test_an_event_log_keeps_the_durations(tmp_path: Path) -> None:
    events = tmp_path / "events"
    async with slomon.live(ENTRIES, clock=ManualClock(), event_log=events) as monitor:
        monitor.access("GET", "/users", 500, duration=0.25)
        monitor.access("GET", "/users", 200)
    lines = list(map(json.loads, events.read_text(encoding="ascii").splitlines()))
    assert [line.get("duration") for line in lines] == [0.25, None, None]
    assert answers(slomon.get_service_monitor(recorded(events))) == answers(monitor.snapshot())

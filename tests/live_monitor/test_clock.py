"""The machine's clock, and how to wait for a time on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from random import Random

import anyio
import pytest
from structlog.typing import EventDict

from slomon.core.incident import Incident
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.live_monitor.clock import (
    SystemClock,
    latest_now,
    monotonic_now,
    safe_now,
    wall_now,
    warn_of_state,
)
from tests.live_monitor.clock import ManualClock
from tests.live_monitor.services import USERS, make_engine
from tests.live_monitor.worlds import Machine, Script, breaks, play

WINDOW, SLO = 30.0, 0.9
HOUR, DAY = 3600, 86_400


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


def seconds(ticks: int) -> float:
    return ticks / TICKS_PER_SECOND


def test_without_a_step_it_is_the_wall_clock() -> None:
    machine = Machine()
    for _ in range(100):
        machine.advance(1)
        machine.clock.follow()
        assert machine.clock.now() == machine.wall


@pytest.mark.parametrize("step", [HOUR, -HOUR, 5, -5, 0.5, -0.5, DAY, -DAY, -400 * DAY])
def test_a_step_is_made_up_for_between_half_and_twice_as_fast_as_real_time(step: float) -> None:
    machine = Machine()
    machine.step(step)
    machine.clock.follow()
    due = step if step > 0 else -2 * step
    for _ in range(100):
        before, passed = machine.clock.now(), due / 100
        machine.advance(passed)
        moved = seconds(machine.clock.now() - before) / passed
        assert moved == pytest.approx(2 if step > 0 else 0.5, abs=1e-3)
    assert machine.clock.now() == pytest.approx(machine.wall, abs=10_000)
    for _ in range(2):
        machine.advance(10)
        assert machine.clock.now() == machine.wall
        machine.clock.follow()


@pytest.mark.parametrize("step", [0.005, -0.009])
def test_a_small_difference_stays(step: float, logs: list[EventDict]) -> None:
    machine = Machine()
    before = machine.clock.now()
    machine.step(step)
    machine.clock.follow()
    machine.advance(1)
    assert seconds(machine.clock.now() - before) == 1
    assert not logs


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_step_is_logged_once_with_its_size(step: int, logs: list[EventDict]) -> None:
    machine = Machine()
    machine.step(step)
    for _ in range(10_000):
        machine.advance(1)
        machine.clock.follow()
    [entry] = logs
    assert (entry["event"], entry["seconds"]) == ("clock.stepped", step)


def test_a_clock_that_was_wrong_at_boot_is_set_as_soon_as_it_is_right(
    logs: list[EventDict],
) -> None:
    machine = Machine(wall=0)  # 1970
    machine.advance(60)
    machine.step(20_000 * DAY)
    machine.clock.follow()
    assert machine.clock.now() == machine.wall
    assert logs[0]["ahead"] == 0


def test_a_clock_that_stands_still_is_logged_once_a_minute(logs: list[EventDict]) -> None:
    machine = Machine()
    machine.rate = 0
    before = machine.clock.now()
    for _ in range(180):
        machine.advance(1)
        machine.clock.follow()
    assert [entry.get("unlogged", 0) for entry in logs] == [0, 59, 59]
    assert 90 <= seconds(machine.clock.now() - before) <= 91


def test_it_begins_at_the_wall_clock_or_where_the_state_ends() -> None:
    machine = Machine()
    machine.step(-HOUR)
    machine.clock.begin()
    assert machine.clock.now() == machine.wall
    machine.clock.begin(machine.wall - 1)
    assert machine.clock.now() == machine.wall
    later = machine.wall + 100 * TICKS_PER_SECOND
    machine.clock.begin(later)
    assert machine.clock.now() == later
    machine.advance(200)
    assert machine.clock.now() == machine.wall


def test_a_state_of_the_future_is_logged(logs: list[EventDict]) -> None:
    machine = Machine()
    for ahead in (-HOUR, 0, 0.5, HOUR):
        warn_of_state(machine.clock, machine.wall + round(ahead * TICKS_PER_SECOND))
    warn_of_state(ManualClock(100), 160 * TICKS_PER_SECOND)
    warn_of_state(ManualClock(100), 0)
    assert [(entry["event"], entry["seconds"]) for entry in logs] == [
        ("state.ahead", HOUR),
        ("state.ahead", 60),
    ]


def test_others_are_told_the_time_of_the_wall_clock() -> None:
    machine = Machine()
    machine.step(HOUR)
    assert wall_now(machine.clock) == latest_now(machine.clock)() == machine.wall
    machine.step(-2 * HOUR)
    assert wall_now(machine.clock) == machine.wall
    assert latest_now(machine.clock)() == machine.clock.now()
    assert wall_now(ManualClock(1)) == latest_now(ManualClock(1))() == TICKS_PER_SECOND


async def test_a_sleeper_wakes_in_time_when_time_passes_twice_as_fast() -> None:
    wall = [time.time_ns()]
    clock = SystemClock(lambda: wall[0])
    wall[0] += HOUR * TICKS_PER_SECOND
    clock.follow()
    began, due = time.monotonic(), clock.now() + TICKS_PER_SECOND // 5
    await clock.sleep_until(due)
    assert clock.now() >= due
    assert time.monotonic() - began >= 0.09


def find_incidents(script: Script) -> Iterator[tuple[int, Incident]]:
    """The incidents that a monitor opens or ends, each with the number of its request."""
    engine = make_engine({**USERS, "resource": "/users", "slo": SLO, "window": WINDOW})
    for number, request in enumerate(script.requests):
        status = 500 if request.failed else 200
        for incident in engine.feed([(request.tick, "GET", "/users", status, None)]).moved:
            yield number, incident


@pytest.mark.parametrize("first", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_whatever_the_clock_does_no_long_outage_is_missed_and_no_incident_is_false(
    first: int,
) -> None:
    """Hundreds of scripts, against a count over the windows of real time."""
    begin, end = [(0, 30), (30, 200), (200, 370)][first]
    jumps = 0
    for seed in range(begin, end):
        script = play(Random(seed), WINDOW)
        requests = script.requests
        ticks = [request.tick for request in requests]
        assert ticks == sorted(ticks)
        jumps += any(after - before > 3 * TICKS_PER_SECOND for before, after in pairwise(ticks))
        open_since: float | None = None
        open_times: list[tuple[float, float]] = []
        for number, incident in find_incidents(script):
            second = requests[number].second
            if incident.end is None:
                assert breaks(requests[: number + 1], SLO, WINDOW), (seed, second)
                open_since = second
            else:
                assert incident.end > incident.start, seed
                assert open_since is not None
                open_times.append((open_since, second))
        if open_since is not None and (not open_times or open_times[-1][0] != open_since):
            open_times.append((open_since, requests[-1].second))
        for began, ended in script.outages:
            if ended - began > 2 * WINDOW:
                seen = any(since <= began + 2 * WINDOW and to > began for since, to in open_times)
                assert seen, (seed, began, ended, open_times)
    assert jumps == 0  # which would empty windows

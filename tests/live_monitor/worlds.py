"""Worlds with clocks that step, drift and stop, and requests that fail for some time."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final

from slomon.core.ticks import TICKS_PER_SECOND
from slomon.live_monitor.clock import SystemClock

_NEW_YEAR: Final = 1_767_225_600 * TICKS_PER_SECOND


class Machine:
    """The two clocks of a machine; a test lets time pass."""

    def __init__(self, wall: int = _NEW_YEAR) -> None:
        self.elapsed = 1_000 * TICKS_PER_SECOND
        self.wall = wall
        self.rate = 1.0
        """How fast the wall clock is; 0 if it stands still."""
        self.clock = SystemClock(lambda: self.wall, lambda: self.elapsed)

    def advance(self, seconds: float) -> None:
        passed = round(seconds * TICKS_PER_SECOND)
        self.elapsed += passed
        self.wall += round(passed * self.rate)

    def step(self, seconds: float) -> None:
        self.wall += round(seconds * TICKS_PER_SECOND)


@dataclass(frozen=True, slots=True)
class Request:
    """A request: when it was in real time, in seconds, and what the clock said."""

    second: float
    tick: int
    failed: bool


@dataclass(slots=True)
class Script:
    """The requests of ten minutes on a machine, one a second, and when all of them failed."""

    requests: list[Request] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)


def play(random: Random, window: float) -> Script:
    """A random script. Between its outages, 3 % of the requests fail."""
    machine, script, second = Machine(), Script(), 0.0
    looked = frozen = 0.0
    start = random.uniform(50, 200)
    while start < 450:
        end = start + random.uniform(0.1, 3) * window
        script.outages.append((start, end))
        start = end + random.uniform(60, 250)
    while second < 600:
        passed = random.uniform(0.5, 1.5)
        machine.advance(passed)
        second += passed
        chance = random.random()
        if chance < 0.01:
            machine.step(random.choice([-1, 1]) * random.choice([0.02, 0.9, 5, 60, 3600, 14_000]))
        elif chance < 0.02:
            machine.rate = random.choice([0.0, 0.5, 0.999, 1.0, 1.0, 1.0, 1.05, 3.0])
        elif chance < 0.03:
            frozen = second + random.uniform(1, 40)  # nothing looks at the clock until then
        if second - looked >= 1 and second >= frozen:
            machine.clock.follow()
            looked = second
        fails = any(began <= second < ended for began, ended in script.outages)
        failed = fails or random.random() < 0.03
        script.requests.append(Request(second, machine.clock.now(), failed))
    return script


def breaks(requests: list[Request], slo: float, window: float) -> bool:
    """
    Is the SLI below the SLO in any window that ends with the last request, and is between half as
    long as `window` and twice as long?
    """
    end, failures = requests[-1].second, 0
    for count, request in enumerate(reversed(requests), 1):
        age = end - request.second
        if age >= 2 * window:
            break
        failures += request.failed
        following = requests[-1 - count].second if count < len(requests) else -window
        if end - following >= window / 2 and (count - failures) / count < slo:
            return True
    return False

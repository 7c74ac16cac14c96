"""A `World` as the events that slomon sees, and what only the simulator knows: why each failed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from random import Random
from typing import Final

from tests.worlds.world import EPOCH, Deploy, Endpoint, Fault, World

STEPS: Final = 10_000
"""Steps of a second: timestamps have four decimals."""

BACKGROUND: Final = -1
"""The source of a failure without a fault."""

Event = dict[str, str]


def to_step(seconds: float) -> int:
    """The time in whole steps."""
    return round(seconds * STEPS)


@dataclass(slots=True)
class Traffic:
    """
    The requests of an endpoint: the steps of all, and of those that failed, in order. `sources` has
    the number of the fault that made each failed request fail, or `BACKGROUND`.
    """

    endpoint: Endpoint
    requests: list[int] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)

    def count_requests(self, after: int, until: int) -> int:
        """How many requests are in (after, until]."""
        return bisect_right(self.requests, until) - bisect_right(self.requests, after)

    def list_sources(self, after: int, until: int) -> list[int]:
        """The sources of the failures in (after, until]."""
        first, last = bisect_right(self.failures, after), bisect_right(self.failures, until)
        return self.sources[first:last]


class Playback:
    """An event stream of recorded events."""

    def __init__(self, endpoints: Iterable[Endpoint], events: list[Event]) -> None:
        self.events = events
        self._entries = [one.entry() for one in endpoints]
        self._rest = iter(events)

    def get_info(self) -> list[dict[str, object]]:
        """The endpoints' entries."""
        return self._entries

    def generate_event(self) -> Event:
        """The next event."""
        return next(self._rest, {"type": "end-of-stream", "value": ""})


class Recording(Playback):
    """The events of a world. `traffic` is that of each resource."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.traffic = {one.resource: _simulate(world, one) for one in world.endpoints}
        super().__init__(world.endpoints, merge_events(world.deploys, self.traffic))


def merge_events(deploys: Iterable[Deploy], traffic: dict[str, Traffic]) -> list[Event]:
    """All events in order of time, a deploy before the accesses of the same time."""
    keyed: list[tuple[int, Event]] = []
    for deploy in deploys:
        place = 2 * to_step(deploy.time)
        keyed.append((place, {"type": "change", "value": deploy.text()}))
    for resource, one in traffic.items():
        failures = iter([*one.failures, -1])
        failure = next(failures)
        for step in one.requests:
            status = 200
            if step == failure:
                status = 500
                failure = next(failures)
            stamp = f"{EPOCH + step // STEPS}.{step % STEPS:04d}"
            value = f"{stamp} GET {resource} {status}"
            keyed.append((2 * step + 1, {"type": "access", "value": value}))
    keyed.sort(key=itemgetter(0))
    return [event for _, event in keyed]


def _simulate(world: World, endpoint: Endpoint) -> Traffic:
    random = Random(f"{world.seed} {endpoint.resource}")
    traffic = Traffic(endpoint)
    faults = [
        (number, fault)
        for number, fault in enumerate(world.faults)
        if endpoint.resource in fault.resources
    ]
    # Between two of these times the same faults are active.
    times = {time for _, fault in faults for period in fault.periods for time in period}
    time = random.random() / endpoint.rate
    for until in sorted({*(one for one in times if one < world.length), world.length}):
        active = [
            (number, fault)
            for number, fault in faults
            if any(begin < until <= end for begin, end in fault.periods)
        ]
        time = _simulate_part(traffic, random, time, until, active)
    _add_strays(traffic, [to_step(at) for one, at in world.strays if one == endpoint.resource])
    return traffic


def _simulate_part(
    traffic: Traffic, random: Random, time: float, until: float, active: list[tuple[int, Fault]]
) -> float:
    """Add the requests before `until`, and return the time of the next one."""
    rate, background = traffic.endpoint.rate, traffic.endpoint.background
    shortest, spread = 0.9 / rate, 0.2 / rate
    while time < until:
        step = to_step(time)
        traffic.requests.append(step)
        if background and random.random() < background:
            traffic.failures.append(step)
            traffic.sources.append(BACKGROUND)
        else:
            for number, fault in active:
                if random.random() < fault.failure_rate(time):
                    traffic.failures.append(step)
                    traffic.sources.append(number)
                    break
        if traffic.endpoint.regular:
            time += shortest + spread * random.random()
        else:
            time += random.expovariate(rate)
    return time


def _add_strays(traffic: Traffic, steps: list[int]) -> None:
    """Let the first request fail that comes at each step or later."""
    for step in steps:
        place = bisect_right(traffic.requests, step - 1)
        if place == len(traffic.requests):
            continue
        failed = traffic.requests[place]
        place = bisect_right(traffic.failures, failed)
        if place and traffic.failures[place - 1] == failed:
            continue
        traffic.failures.insert(place, failed)
        traffic.sources.insert(place, BACKGROUND)

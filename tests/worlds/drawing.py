"""
Worlds drawn from a seed: `draw_world`.

Each world first draws its own climate (how often it deploys, how often a deploy is bad, how soon a
bad one shows), so that no single prior is true for all worlds. Then everything in it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from math import exp, log
from random import Random
from typing import Final

from tests.worlds.world import Deploy, Endpoint, Fault, Kind, World

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_REQUESTS: Final = 15_000, 70_000
"""The least and the most requests of a world, within its shortest and its longest length."""
_LENGTHS: Final = 1.2 * _HOUR, 24 * _HOUR


def draw_world(seed: str) -> World:
    """A world. Equal seeds give equal worlds."""
    return _Draft(Random(seed), seed).finish()


def draw_climate(seed: str) -> Climate:
    """The climate of the world of a seed."""
    return _Draft(Random(seed), seed).climate


class _Draft:
    """A world that is being drawn."""

    def __init__(self, random: Random, seed: str) -> None:
        self.random = random
        self.seed = seed
        self.commits = (f"{random.getrandbits(48):012x}" for _ in count())
        self.endpoints = _draw_endpoints(random)
        rate = sum(one.rate for one in self.endpoints)
        length = _log_uniform(random, *_REQUESTS) / rate
        self.length = min(max(length, _LENGTHS[0]), _LENGTHS[1])
        self.climate = _draw_climate(random, self.length)
        self.services = sorted({one.service for one in self.endpoints})
        self.deploys: list[Deploy] = []
        self.faults: list[Fault] = []
        self.guilty: set[str] = set()
        self.broken_until = dict.fromkeys(self.services, 0.0)

    def finish(self) -> World:
        outages = [(time, "") for time in self._arrivals(self.climate.outage_interval)]
        releases = [
            (time, service)
            for service in self.services
            for time in self._arrivals(self.climate.deploy_interval)
        ]
        # Now and then all that there is was deployed before the log begins.
        releases += [(0.0, one) for one in self.services if self.random.random() < 0.3]
        for time, service in sorted(outages + releases):
            if service:
                self._release(time, service)
            else:
                self._add_outage(time)
        strays = [
            (self.random.choice(self.endpoints).resource, time)
            for time in self._arrivals(self.climate.stray_interval)
        ]
        return World(
            length=self.length,
            endpoints=self.endpoints,
            deploys=tuple(
                sorted(
                    (one for one in self.deploys if one.time < self.length),
                    key=lambda one: one.time,
                )
            ),
            faults=tuple(self.faults),
            strays=tuple(strays),
            seed=self.seed,
        )

    def _arrivals(self, interval: float) -> list[float]:
        times = []
        time = self.random.expovariate(1 / interval)
        while time < self.length:
            times.append(time)
            time += self.random.expovariate(1 / interval)
        return times

    def _deploy(self, time: float, service: str, commit: str = "") -> str:
        commit = commit or next(self.commits)
        self.deploys.append(Deploy(time, service, commit))
        return commit

    def _find_earlier(self, service: str, time: float) -> str:
        """The newest commit of a service before a time that is not bad; a new one if none is."""
        earlier = [
            (one.time, one.commit)
            for one in self.deploys
            if one.service == service and one.time < time and one.commit not in self.guilty
        ]
        return max(earlier)[1] if earlier else next(self.commits)

    def _release(self, time: float, service: str) -> None:
        """Deploy a commit to a service, or to several at the same time; it is bad for some."""
        random = self.random
        commit = next(self.commits)
        self._deploy(time, service, commit)
        guilty = [service]
        if random.random() < self.climate.monorepo:
            others = [one for one in self.services if one != service]
            for other in random.sample(others, min(len(others), random.randint(1, 2))):
                self._deploy(time + random.uniform(0, 5), other, commit)
                if random.random() < 0.3:
                    guilty.append(other)
        # Nobody breaks what is broken already: such incidents would have no single cause.
        free = all(time > self.broken_until[one] for one in guilty)
        if free and random.random() < self.climate.bad:
            self._break(time, guilty, commit)

    def _break(self, time: float, services: list[str], commit: str) -> None:
        """A fault by a deploy, and the innocent deploys around it."""
        random = self.random
        kind = random.choices((Kind.AT_ONCE, Kind.DELAYED, Kind.RAMP), weights=self.climate.kinds)[
            0
        ]
        ramp = 0.0
        lag = random.uniform(5, 13) if len(services) > 1 else random.uniform(0, 8)
        if kind is Kind.DELAYED:
            lag = _log_uniform(random, 30, _HOUR)
        elif kind is Kind.RAMP:
            ramp = _log_uniform(random, 2 * _MINUTE, 40 * _MINUTE)
        service = services[0]
        own = [one for one in self.endpoints if one.service in services]
        broken = random.sample(own, random.randint(1, len(own)))
        if random.random() < 0.3:
            broken = own
        begin = time + lag
        if random.random() < 0.25:  # before
            self._deploy(time - _log_uniform(random, 20, 20 * _MINUTE), service)
        if random.random() < 0.3 and lag > 20:  # inside the lag
            self._deploy(time + random.uniform(10, lag), service)
        if random.random() < 0.25:  # after
            self._deploy(begin + _log_uniform(random, 3, 20 * _MINUTE), service)
        weights = 45, 30, 15, 10
        repair = random.choices(("fix", "rollback", "itself", "never"), weights)[0]
        self.guilty.add(commit)
        self._add_fault(
            *(kind, broken, begin, ramp, commit),
            repair=repair,
            earlier=self._find_earlier(service, time),
            service=service,
        )

    def _add_outage(self, time: float) -> None:
        """A fault without a deploy, of an endpoint, a service or all; some beside a deploy."""
        random = self.random
        scope = random.choice(("endpoint", "service", "all"))
        first = random.choice(self.endpoints)
        broken = list(self.endpoints)
        if scope == "endpoint":
            broken = [first]
        elif scope == "service":
            broken = [one for one in self.endpoints if one.service == first.service]
        if time < max(self.broken_until[one.service] for one in broken):
            return
        if random.random() < self.climate.coincidence:
            self._deploy(max(0.0, time - _log_uniform(random, 5, 30 * _MINUTE)), first.service)
        if random.random() < 0.2:
            self._deploy(time + _log_uniform(random, 3, 15 * _MINUTE), first.service)
        repair = random.choices(("fix", "rollback", "itself", "never"), (20, 5, 70, 5))[0]
        ramp = _log_uniform(random, _MINUTE, 20 * _MINUTE) if random.random() < 0.2 else 0.0
        self._add_fault(
            *(Kind.OUTAGE, broken, time, ramp, ""),
            repair=repair,
            earlier=self._find_earlier(first.service, time),
            service=first.service,
        )

    def _add_fault(
        self,
        kind: Kind,
        broken: list[Endpoint],
        begin: float,
        ramp: float,
        cause: str,
        *,
        repair: str,
        earlier: str,
        service: str,
    ) -> None:
        random = self.random
        duration = ramp + _log_uniform(random, 2 * _MINUTE, 1.5 * _HOUR)
        if random.random() < 0.12:  # repaired at once, maybe before the SLI shows it
            duration = ramp / 2 + _log_uniform(random, 10, 2 * _MINUTE)
        end = begin + duration
        if begin >= self.length:
            return
        if repair == "never":
            end = min(end, self.length)
        fix = ""
        if repair in {"fix", "rollback"}:
            fix = self._deploy(
                *(max(begin + 1, end - random.uniform(0, 6)), service),
                earlier if repair == "rollback" else "",
            )
        elif repair == "itself" and random.random() < 0.2:  # a deploy that had no part in it
            self._deploy(end + random.choice((-1, 1)) * _log_uniform(random, 10, 900), service)
        if end - begin > 10 * _MINUTE and random.random() < 0.2:  # a fix that was none
            self._deploy(random.uniform(begin, end), service)
        severity = _log_uniform(random, 0.03, 0.7)
        if random.random() < 0.1:
            severity = 1.0
        periods = [(begin, end)]
        if not ramp and random.random() < self.climate.flapping:
            periods = _flap(random, begin, end)
        resources = frozenset(one.resource for one in broken)
        self.faults.append(Fault(kind, resources, tuple(periods), severity, ramp, cause, fix))
        for one in broken:
            longest = max(endpoint.window for endpoint in self.endpoints)
            until = end + longest
            self.broken_until[one.service] = max(self.broken_until[one.service], until)


@dataclass(frozen=True, slots=True)
class Climate:
    """
    What differs from world to world: seconds between deploys of a service, between outages and
    between strays; the probabilities that a deploy is bad, that it is of several services, that an
    outage stands beside a deploy, and that a fault flaps; the weights of the ways in which a bad
    deploy begins to show.
    """

    deploy_interval: float
    outage_interval: float
    stray_interval: float
    bad: float
    monorepo: float
    coincidence: float
    flapping: float
    kinds: tuple[float, float, float]


def _draw_climate(random: Random, length: float) -> Climate:
    return Climate(
        deploy_interval=max(15 * _MINUTE, length / _log_uniform(random, 1, 30)),
        outage_interval=length / _log_uniform(random, 0.2, 2),
        stray_interval=length / _log_uniform(random, 0.3, 5),
        bad=_log_uniform(random, 0.06, 0.8),
        monorepo=random.choice((0, 0, 0.5)),
        coincidence=random.choice((0, 0.3, 0.6)),
        flapping=random.choice((0, 0.1, 0.3)),
        kinds=(random.uniform(1, 4), random.uniform(0, 2), random.uniform(0, 2)),
    )


def _draw_endpoints(random: Random) -> tuple[Endpoint, ...]:
    endpoints = []
    busiest = random.choices((1, 8, 50), (5, 4, 1))[0]
    for number in range(random.choice((1, 1, 2, 3, 4, 6))):
        for part in range(random.choice((1, 1, 2, 3, 5))):
            slo = random.choice((0.9, 0.95, 0.99, 0.995, 0.999))
            rate = _log_uniform(random, 0.05, busiest)
            if random.random() < 0.15:
                rate = 0.05
            windows = [one for one in (30, 60, 300, 300, 600, 1800, 3600) if one * rate >= 15]
            background = 0.0
            if random.random() < 0.5:
                background = _log_uniform(random, 1e-5, (1 - slo) / 5)
            endpoints.append(
                Endpoint(
                    service=f"service{number}",
                    resource=f"/{number}/{part}",
                    slo=slo,
                    window=random.choice(windows),
                    rate=rate,
                    regular=random.random() < 0.3,
                    background=background,
                )
            )
    return tuple(endpoints)


def _flap(random: Random, begin: float, end: float) -> list[tuple[float, float]]:
    periods = []
    length, pause = (_log_uniform(random, _MINUTE, 15 * _MINUTE) for _ in range(2))
    while begin < end:
        until = min(end, begin + length * random.uniform(0.5, 1.5))
        periods.append((begin, until))
        begin = until + pause * random.uniform(0.5, 1.5)
    # A deploy that ends it ends the last period, and not a pause.
    periods[-1] = periods[-1][0], end
    return periods


def _log_uniform(random: Random, low: float, high: float) -> float:
    return exp(random.uniform(log(low), log(high)))

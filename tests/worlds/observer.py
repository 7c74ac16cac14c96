"""
An observer who knows more than any attribution can: how worlds are drawn, the climate of this one,
the fault behind each failure, and how each fault ended. Only the cause is unknown to it. The share
of commits that it names, and of these the share that is right, show what the events can tell.

It weighs each deploy of the service, and "by itself", by the probability of the deploys, of the
requests from the possible beginning on, and of the repair (the rule of Bayes).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tests.worlds.drawing import Climate, draw_climate
from tests.worlds.recording import STEPS, Recording
from tests.worlds.statements import Statement
from tests.worlds.truth import NOTHING
from tests.worlds.world import Deploy, Fault

Column: TypeAlias = NDArray[np.float64]

CLEAR: Final = 0.9
_SEVERITIES: Final = np.append(np.geomspace(0.03, 0.7, 12), 0.999)
_OF_SEVERITY: Final = np.append(np.full(12, 0.9 / 12), 0.1)
_RAMPS: Final = np.geomspace(120, 2400, 5)
_RAMPS_OF_OUTAGES: Final = np.geomspace(60, 1200, 4)
_RAMPING_OUTAGES: Final = 0.2
_BEFORE: Final = 12_000.0  # seconds; no earlier deploy is weighed
_REQUESTS: Final = 2000  # from the first failure on; more tell hardly more
_MOST_EARLIER: Final = 20_000  # requests; a fault would have shown by then
_MOST_LOG: Final = 600.0
_ENDINGS: Final = {"fix": (0.45, 0.2), "rollback": (0.3, 0.05), "itself": (0.25, 0.75)}
"""The probability of each repair after a bad deploy, and after an outage."""
_NOT_TAKEN_BACK: Final = 0.05


def observe(recording: Recording, number: int, resources: list[str]) -> Statement:
    """What the observer says about a fault of a world that broke these resources."""
    world = recording.world
    fault = world.faults[number]
    services = {one.service for one in world.endpoints if one.resource in resources}
    climate = draw_climate(world.seed)
    requests = _Requests.of_fault(recording, number, resources)
    deploys = [
        one
        for one in world.deploys
        if one.service in services and requests.first - _BEFORE < one.time < requests.first
    ]
    scope = _find_scope(recording, services)
    weights = {NOTHING: scope * _weigh_outage(requests, deploys, climate)}
    for one in deploys:
        weight = _weigh_deploy(requests, one.time, climate, several=len(services) > 1)
        weights[one.commit] = weights.get(one.commit, 0.0) + weight
    _weigh_ending(weights, fault, world.deploys)
    whole = sum(weights.values())
    probabilities = {commit: weight / whole for commit, weight in weights.items()}
    best = max(probabilities, key=lambda commit: probabilities[commit])
    named = best if best != NOTHING and probabilities[best] >= CLEAR else None
    return Statement(named, probabilities)


@dataclass(frozen=True, slots=True)
class _Requests:
    """
    The requests of the broken endpoints before the first failure of a fault, and after it: their
    times, and which of them failed.
    """

    before: list[float]
    times: Column
    failed: NDArray[np.bool_]

    @staticmethod
    def of_fault(recording: Recording, number: int, resources: list[str]) -> _Requests:
        fault = recording.world.faults[number]
        end = fault.periods[0][1]
        rows: list[tuple[float, bool]] = []
        for resource in resources:
            traffic = recording.traffic[resource]
            own = {
                step
                for step, source in zip(traffic.failures, traffic.sources, strict=True)
                if source == number
            }
            rows += [(step / STEPS, step in own) for step in traffic.requests]
        rows = sorted(row for row in rows if fault.begin - _BEFORE < row[0] <= end or row[1])
        first = next(place for place, row in enumerate(rows) if row[1])
        times, failed = zip(*rows[first : first + _REQUESTS], strict=True)
        return _Requests([time for time, _ in rows[:first]], np.array(times), np.array(failed))

    @property
    def first(self) -> float:
        """The time of the first failure."""
        return float(self.times[0])

    def likelihood(self, begin: float, ramp: float = 0.0) -> float:
        """
        The probability of the outcomes if the fault began then, over all severities, divided by
        that of a sudden fault that began with the first failure.
        """
        earlier = self.before[bisect_right(self.before, begin) :]
        if begin >= self.first or len(earlier) > _MOST_EARLIER:
            return 0.0
        failures = int(self.failed.sum())
        sudden = failures * np.log(_SEVERITIES)
        sudden += (len(self.times) - failures) * np.log1p(-_SEVERITIES)
        if ramp:
            passed = np.concatenate((np.array(earlier), self.times[~self.failed]))
            risen = np.minimum((passed - begin) / ramp, 1.0)
            outcomes = np.log1p(-np.outer(_SEVERITIES, risen)).sum(axis=1)
            risen = np.minimum((self.times[self.failed] - begin) / ramp, 1.0)
            outcomes += np.log(np.outer(_SEVERITIES, risen)).sum(axis=1)
        else:
            outcomes = sudden + len(earlier) * np.log1p(-_SEVERITIES)
        ratio = np.logaddexp.reduce(outcomes + np.log(_OF_SEVERITY))
        ratio -= np.logaddexp.reduce(sudden + np.log(_OF_SEVERITY))
        return exp(min(float(ratio), _MOST_LOG))


def _weigh_deploy(requests: _Requests, time: float, climate: Climate, *, several: bool) -> float:
    """The probability that a deploy is bad, times that of the requests."""
    at_once, delayed, ramps = (kind / sum(climate.kinds) for kind in climate.kinds)
    least, most = (5, 13) if several else (0, 8)
    lags = np.linspace(least, most, 21)[1:]
    late = np.geomspace(30, 3600, 60)
    return climate.bad * (
        at_once * _mean(requests.likelihood(time + lag) for lag in lags)
        + delayed * _mean(requests.likelihood(time + lag) for lag in late)
        + ramps * _mean(requests.likelihood(time + lags[9], ramp) for ramp in _RAMPS)
    )


def _weigh_outage(requests: _Requests, deploys: list[Deploy], climate: Climate) -> float:
    """
    The rate of outages, times the probability of the requests and of a deploy shortly before, over
    all beginnings.
    """
    distances = np.geomspace(0.02, _BEFORE, 120)
    rates = []
    for distance in distances:
        begin = requests.first - distance
        sudden = requests.likelihood(begin)
        ramping = _mean(requests.likelihood(begin, ramp) for ramp in _RAMPS_OF_OUTAGES)
        rate = (1 - _RAMPING_OUTAGES) * sudden + _RAMPING_OUTAGES * ramping
        beside = sum(
            climate.deploy_interval / (begin - one.time) / log(360)
            for one in deploys
            if 5 <= begin - one.time <= 1800
        )
        rates.append(rate * (1 - climate.coincidence + climate.coincidence * beside))
    return float(np.trapezoid(rates, distances)) / climate.outage_interval


def _find_scope(recording: Recording, services: set[str]) -> float:
    """The share of the outages (of an endpoint, of a service, of all) that break these services."""
    endpoints = recording.world.endpoints
    everything = len({one.service for one in endpoints}) == len(services)
    own = sum(one.service in services for one in endpoints) / len(endpoints)
    return (2 * own * (len(services) == 1) + everything) / 3


def _weigh_ending(weights: dict[str, float], fault: Fault, deploys: tuple[Deploy, ...]) -> None:
    """Multiply each weight by the probability of the repair."""
    times = [one.time for one in deploys if one.commit == fault.fix]
    repair = "itself" if not fault.fix else "rollback" if len(times) > 1 else "fix"
    taken_back = {one.commit for one in deploys if times and times[0] < one.time < times[-1]}
    for commit in weights:
        weights[commit] *= _ENDINGS[repair][commit == NOTHING]
        if repair == "rollback" and commit != NOTHING and commit not in taken_back:
            weights[commit] *= _NOT_TAKEN_BACK


def _mean(numbers: Iterable[float]) -> float:
    found = list(numbers)
    return sum(found) / len(found)

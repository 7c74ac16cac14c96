"""
What the failures of an endpoint tell about the time at which a fault began there: a `Sighting`.

The first failure comes after the beginning by about the time between two failures, which the later
failures tell. Some faults grow: their failure rate rises from 0, so the first failure comes late.
How many requests failed in each stretch of time tells such a fault from a sudden one:

    sudden   x  x x  x  x x  x  x          grows            x      x    x  x x xx
            ^                                    ^
        beginning                            beginning
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log
from typing import Final, NamedTuple, TypeAlias

GROWS: Final = 0.1
"""The share of faults that grow."""
GROWTHS: Final = 200.0, 800.0
"""In how many seconds they grow, each as often."""
_MOST: Final = 15.0  # failures that tell how a fault grows; more tell hardly more

Density: TypeAlias = Callable[[float], float]
"""The density of a beginning, by the seconds from it to the first failure."""


class Sighting(NamedTuple):
    """
    A failure that may be the first (or the last) of a fault at an endpoint.

    * `time`: seconds since the beginning of the run
    * `weight`: the probability that it is
    * `failures`: how many later requests failed; `seconds`: how long that took
    * `course`: the times until which some of these failures came, and how many did
    * `unseen`: fewer failures per second are not seen as an onset
    """

    time: float
    weight: float
    failures: float
    seconds: float
    course: tuple[tuple[float, float], ...] = ()
    unseen: float = 0.0

    @property
    def error(self) -> float:
        """Mean seconds between failures."""
        return self.seconds / self.failures

    def make_density(self, growth: float) -> Density:
        """The density of the beginning of a fault that grows in `growth` seconds; 0: is sudden."""
        return self._make_growing(growth) if growth else self.density

    def density(self, distance: float) -> float:
        """
        The density of a beginning `distance` seconds before, if the fault is sudden: exponential,
        with a mean that is known from these failures only (Lomax).
        """
        tail: float = (1 + distance / self.seconds) ** (-self.failures - 1)
        return self.weight * self.failures / self.seconds * tail

    def _make_growing(self, growth: float) -> Density:
        """
        The same if the failure rate rises from 0 in `growth` seconds, times how much better (or
        worse) the later failures fit to that.
        """
        scale = min(1.0, _MOST / self.failures)
        failures, seconds = scale * self.failures, scale * self.seconds
        weight, unseen_rate = self.weight * failures, self.unseen
        stretches = []
        since = 0.0
        for until, failed in self.course:
            end = until - self.time
            stretches.append((since, end, scale * failed, scale * (end - since)))
            since = end

        def find(distance: float) -> float:
            if not distance:
                return 0.0
            # In this number of seconds a grown fault makes as many failures as this one has made.
            grown, fit = seconds, 0.0
            for since, end, failed, lasted in stretches:
                if distance + since < growth:
                    mean = _mean_growth(distance + since, distance + end, growth)
                    fit += failed * log(mean)
                    grown -= lasted * (1 - mean)
            unseen = min(min(unseen_rate * grown / failures, 1.0) * growth, distance / 2)
            grown += (distance - unseen) * _mean_growth(unseen, distance, growth)
            fit += failures * log(seconds / grown)
            return weight / grown * min(distance / growth, 1.0) * exp(fit)

        return find


def _mean_growth(since: float, until: float, growth: float) -> float:
    """The mean of min(t / growth, 1) between two times since the beginning."""
    if since >= growth:
        return 1.0
    if until <= growth:
        return (since + until) / 2 / growth
    rising = (growth * growth - since * since) / 2 / growth
    return (rising + until - growth) / (until - since)

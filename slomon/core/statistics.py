"""Did the failure rate change? A comparison of two proportions: the evidence about a commit."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt
from typing import Final

_Z: Final = 1.959963984540054  # of the normal distribution 95 % lie within this many deviations


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests, and how many of them failed."""

    requests: int
    failures: int

    @property
    def failure_rate(self) -> float:
        """Raises ZeroDivisionError where there are no requests."""
        return self.failures / self.requests

    def meets(self, slo: float) -> bool:
        """
        As the contract has it: one division of two whole numbers. Raises ZeroDivisionError where
        there are no requests.
        """
        return (self.requests - self.failures) / self.requests >= slo


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    An endpoint's requests before a change and after it. `difference` is by how much the failure
    rate rose, and lies between `low` and `high` with 95 % confidence.

    The interval is Newcombe's hybrid score interval, without continuity correction: method 10 of
    R. G. Newcombe, "Interval estimation for the difference between independent proportions:
    comparison of eleven methods", Statistics in Medicine 17 (1998), 873-890. It holds where the
    textbook's fails: with few requests, and with no failures or nothing else.

    It takes requests for independent of each other. Those of one endpoint are not quite: a bad
    host or a client that tries again fails many at once. So the true confidence is below 95 %, and
    an interval without 0 is evidence against a change, not proof.
    """

    before: Counts
    after: Counts
    difference: float
    low: float
    high: float

    @property
    def rose(self) -> bool:
        """The failure rate is higher after the change, and that is hardly chance."""
        return self.low > 0

    @property
    def fell(self) -> bool:
        """The failure rate is lower after the change, and that is hardly chance."""
        return self.high < 0


def compare(before: Counts, after: Counts) -> Comparison | None:
    """The comparison of two stretches; None where one of them has no requests."""
    if not (before.requests and after.requests):
        return None
    below_before, above_before = _margins(before)
    below_after, above_after = _margins(after)
    difference = _difference(before, after)
    return Comparison(
        before,
        after,
        difference,
        low=difference - hypot(below_after, above_before),
        high=difference + hypot(above_after, below_before),
    )


def _difference(before: Counts, after: Counts) -> float:
    """By how much the failure rate rose, rounded once: two rates of many requests are close."""
    rise = after.failures * before.requests - before.failures * after.requests
    return rise / (before.requests * after.requests)


def _margins(counts: Counts) -> tuple[float, float]:
    """
    How far below and above the failure rate its Wilson score limits are.

    The limits are the p for which (rate - p)**2 == z**2 * p * (1 - p) / requests. Solved for the
    distances, and for the smaller one by what their product is, nothing is taken from anything
    near it: the digits last for 10**12 requests, and no failures give a margin of exactly 0.
    """
    failing = counts.failures / counts.requests
    passing = (counts.requests - counts.failures) / counts.requests
    variance = failing * passing
    square = _Z * _Z
    spread = _Z * sqrt(square + 4 * counts.requests * variance) + square * abs(passing - failing)
    towards_half = spread / (2 * (counts.requests + square))
    towards_end = 2 * square * variance / spread
    return (towards_end, towards_half) if failing < passing else (towards_half, towards_end)

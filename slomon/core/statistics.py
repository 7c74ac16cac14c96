"""
Did the failure rate change? A comparison of two proportions: the requests of an endpoint before and
after a change are the evidence about the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt
from typing import Final

_Z: Final = 1.959963984540054  # 95 % of a normal distribution lie within so many deviations


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests, and how many of them failed."""

    requests: int
    failures: int

    @property
    def failure_rate(self) -> float:
        """The share of requests that failed. Raises ZeroDivisionError if there are no requests."""
        return self.failures / self.requests

    def meets(self, slo: float) -> bool:
        """
        Whether successes / requests >= slo: by the contract, one float division of two integers.
        Raises ZeroDivisionError if there are no requests.
        """
        return (self.requests - self.failures) / self.requests >= slo


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    An endpoint's requests before and after a change. `difference` is the rise of the failure rate;
    the true rise is between `low` and `high` with 95 % confidence.

    The interval is Newcombe's hybrid score interval, without continuity correction: method 10 of
    R. G. Newcombe, "Interval estimation for the difference between independent proportions:
    comparison of eleven methods", Statistics in Medicine 17 (1998), 873-890. Unlike
    the textbook's interval, it holds for few requests, and if none or all of them failed.

    It assumes that requests are independent. Those of one endpoint are not quite: a bad host, or a
    client that retries, fails many at once. So the true confidence is below 95 %, and an interval
    that excludes 0 is evidence against a change, not proof.
    """

    before: Counts
    after: Counts
    difference: float
    low: float
    high: float

    @property
    def rose(self) -> bool:
        """Whether the failure rate is higher after the change, and hardly by chance."""
        return self.low > 0

    @property
    def fell(self) -> bool:
        """Whether the failure rate is lower after the change, and hardly by chance."""
        return self.high < 0


def compare(before: Counts, after: Counts) -> Comparison | None:
    """Compare the requests before and after a change; None if there are none on one side."""
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
    """
    The rise of the failure rate. It is rounded only once, because the rates of many requests may be
    close to each other.
    """
    rise = after.failures * before.requests - before.failures * after.requests
    return rise / (before.requests * after.requests)


def _margins(counts: Counts) -> tuple[float, float]:
    """
    How far the Wilson score limits are below and above the failure rate.

    The limits are the p for which (rate - p)**2 == z**2 * p * (1 - p) / requests. The equation is
    solved for the distances |rate - p|, and the smaller one is computed from their product. So no
    number is subtracted from one close to it: the digits suffice for 10**12 requests, and without
    failures the lower margin is exactly 0.
    """
    failing = counts.failures / counts.requests
    passing = (counts.requests - counts.failures) / counts.requests
    variance = failing * passing
    square = _Z * _Z
    spread = _Z * sqrt(square + 4 * counts.requests * variance) + square * abs(passing - failing)
    towards_half = spread / (2 * (counts.requests + square))
    towards_end = 2 * square * variance / spread
    return (towards_end, towards_half) if failing < passing else (towards_half, towards_end)

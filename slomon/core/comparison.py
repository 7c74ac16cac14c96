"""
Did the failure rate change? The evidence for or against a commit, as a statistician would put it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist
from typing import Final

_Z: Final = NormalDist().inv_cdf(0.975)  # of 95 % on two sides


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests, and how many of them failed."""

    requests: int
    failures: int

    @property
    def failure_rate(self) -> float:
        """Raises ZeroDivisionError where there are no requests."""
        return self.failures / self.requests


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    An endpoint's requests before a change and after it. `difference` is by how much the failure
    rate rose, and lies between `low` and `high` with 95 % confidence.
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
    """
    The comparison of two stretches; None where one of them has no requests.

    The interval is Newcombe's hybrid score interval (method 10 of: Interval estimation for the
    difference between independent proportions: comparison of eleven methods, Statistics in Medicine
    17, 1998, pages 873 to 890), which holds for small counts and for rates of 0 and 1 as well. It
    takes requests for independent; those of one endpoint are not quite, so its true confidence is
    lower: it is evidence, no proof.
    """
    if not before.requests or not after.requests:
        return None
    was, now = before.failure_rate, after.failure_rate
    (was_low, was_high), (now_low, now_high) = _score_interval(before), _score_interval(after)
    difference = now - was
    return Comparison(
        *(before, after, difference),
        low=difference - hypot(now - now_low, was_high - was),
        high=difference + hypot(now_high - now, was - was_low),
    )


def _score_interval(counts: Counts) -> tuple[float, float]:
    """Wilson's score interval of a failure rate (JASA 22, 1927, pages 209 to 212)."""
    requests, failures = counts.requests, counts.failures
    middle = 2 * failures + _Z * _Z
    spread = _Z * sqrt(_Z * _Z + 4 * failures * (requests - failures) / requests)
    whole = 2 * (requests + _Z * _Z)
    rate = counts.failure_rate
    # Never beyond the rate itself, as by rounding where it is 0 or 1.
    return min((middle - spread) / whole, rate), max((middle + spread) / whole, rate)

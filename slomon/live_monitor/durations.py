"""
How long the requests of each endpoint took: counts in fixed buckets, since the process that counts
has started. They are not part of the state.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

_STEPS: Final = (100, 125, 150, 200, 250, 300, 400, 500, 600, 750)  # of each factor of ten
BOUNDS: Final[tuple[float, ...]] = tuple(
    [step * 10**power / 1_000_000 for power in range(7) for step in _STEPS] + [1000.0]
)
"""The upper bounds of the buckets, in seconds. Longer durations are in one more bucket."""

_LONGEST: Final = 10.0**9  # seconds


@dataclass(frozen=True, slots=True)
class Durations:
    """
    How long some requests took: how many there were, and the seconds of all together. `counts` has
    a bucket for each of BOUNDS, and one for those above.
    """

    requests: int
    seconds: float
    counts: Sequence[int]

    @property
    def median(self) -> float:
        """Half of the requests took at most this many seconds."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float:
        """
        The seconds that this share of the requests took at most, from 0 to 1. It is interpolated in
        a bucket, and off by at most a third from 0.1 ms up to 1000 s, usually by far less.
        """
        wanted = share * self.requests
        totals = list(accumulate(self.counts))
        index = min(bisect_left(totals, wanted), len(totals) - 1)
        if index == len(BOUNDS):
            return BOUNDS[-1]
        lower = BOUNDS[index - 1] if index else 0.0
        count = self.counts[index]
        part = 1 - (totals[index] - wanted) / count if count else 0.0
        return lower + (BOUNDS[index] - lower) * part

    def count_until(self, bound: float) -> int:
        """How many requests took at most one of BOUNDS."""
        return sum(self.counts[: BOUNDS.index(bound) + 1])


class DurationTable:
    """The durations of the requests to each endpoint that has any, by slot."""

    def __init__(self) -> None:
        self._counts: dict[int, list[int]] = {}
        self._seconds: dict[int, float] = {}

    def add(self, slot: int, seconds: float) -> None:
        """Count a request. A number that is no duration is not counted."""
        if not 0 <= seconds < _LONGEST:
            return
        counts = self._counts.get(slot)
        if counts is None:
            counts = self._counts[slot] = [0] * (len(BOUNDS) + 1)
            self._seconds[slot] = 0.0
        counts[bisect_left(BOUNDS, seconds)] += 1
        self._seconds[slot] += seconds

    def read(self, slot: int) -> Durations | None:
        """The durations of an endpoint; None if none of its requests has one."""
        counts = self._counts.get(slot)
        if counts is None:
            return None
        return Durations(sum(counts), self._seconds[slot], list(counts))


def read_seconds(duration: object) -> float | None:
    """The seconds that a request took; None if the value is no number of them."""
    try:
        return float(duration)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 (a caller's object may raise anything)
        return None

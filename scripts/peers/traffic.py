"""
Simulated requests for benchmarks, as numpy columns. Equal seeds give equal requests. Requests are
made in chunks, so memory stays flat for any number of them.

The unit of time is a stamp of 0.1 ms. Each request is later than the one before, so "all rows up to
this time" and "all rows up to this row" are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

# Ignored if types are checked without the packages that only benchmarks need.
import numpy as np  # type: ignore[import-not-found, unused-ignore]
from numpy.typing import NDArray  # type: ignore[import-not-found, unused-ignore]

Integers: TypeAlias = NDArray[np.int64]

PER_SECOND: Final = 10_000
WINDOW: Final = 30  # seconds

_LONGEST_STEP: Final = 9  # stamps; steps are uniform from 1 stamp: 2,000 requests a second
_CHUNK: Final = 200_000
_HEALTHY: Final = 1e-5  # the share of failures of a healthy endpoint
_SLOS: Final = (0.9, 0.95, 0.99, 0.995, 0.999)
_VERBS: Final = ("GET", "GET", "GET", "POST", "PUT")
_NOUNS: Final = ("accounts", "invoices", "orders", "products", "sessions", "shipments", "users")
_PARTS: Final = ("address", "balance", "comments", "discount", "history", "status", "tricalcium")


@dataclass(frozen=True, slots=True)
class Requests:
    """A chunk of requests, in columns: the endpoint, the time, and whether the request failed."""

    keys: Integers
    stamps: Integers
    failed: NDArray[np.bool_]


class Fleet:
    """
    The endpoints and their outages. Once per period an endpoint fails for up to three minutes, each
    time at another rate of 5 to 50 %. Periods and lengths are in stamps.
    """

    def __init__(self, count: int, slo: float | None, random: np.random.Generator) -> None:
        """All endpoints have this `slo`; if it is None, each has one of several."""
        slos = _SLOS if slo is None else (slo,)
        self.entries = [_entry(number, slos) for number in range(count)]
        self._period = random.integers(1200, 3600, count) * PER_SECOND
        self._length = random.integers(20, 180, count) * PER_SECOND
        self._offset = random.integers(0, self._period)
        self._rates = random.uniform(0.05, 0.5, count)

    def failure_rates(self, keys: Integers, stamps: Integers) -> NDArray[np.float64]:
        outages, elapsed = np.divmod(stamps + self._offset[keys], self._period[keys])
        rates = self._rates[(keys + outages) % len(self._rates)]
        return np.where(elapsed < self._length[keys], rates, _HEALTHY)

    def deploys(self, until: int) -> list[tuple[int, int]]:
        """
        Pairs (stamp, key) in order: one deploy a second before each outage begins, one a second
        before it ends.
        """
        found: list[tuple[int, int]] = []
        columns = (self._period.tolist(), self._length.tolist(), self._offset.tolist())
        for key, (period, length, offset) in enumerate(zip(*columns, strict=True)):
            starts = range(period - offset - PER_SECOND, until, period)
            found += [(stamp, key) for start in starts for stamp in (start, start + length)]
        return sorted((stamp, key) for stamp, key in found if 0 <= stamp < until)


def simulate(
    fleet: Fleet, count: int, random: np.random.Generator, *, zipf: bool
) -> Iterator[Requests]:
    """`count` requests, distributed over the endpoints evenly or (`zipf`) by inverse rank."""
    endpoints = len(fleet.entries)
    weights = 1 / np.arange(1, endpoints + 1) if zipf else np.ones(endpoints)
    edges = np.cumsum(weights / weights.sum())[:-1]
    now = 0
    for done in range(0, count, _CHUNK):
        size = min(_CHUNK, count - done)
        keys = np.searchsorted(edges, random.random(size), side="right")
        stamps = now + np.cumsum(random.integers(1, _LONGEST_STEP, size, endpoint=True))
        now = int(stamps[-1])
        yield Requests(keys, stamps, random.random(size) < fleet.failure_rates(keys, stamps))


def _entry(number: int, slos: tuple[float, ...]) -> dict[str, object]:
    noun, part = _NOUNS[number % len(_NOUNS)], _PARTS[number // len(_NOUNS) % len(_PARTS)]
    return {
        "name": f"{noun}-{number // len(_NOUNS)}",
        "email": f"{noun}@example.com",
        "verb": _VERBS[number % len(_VERBS)],
        "resource": f"/api/v{number % 3 + 1}/{noun}/{part}{number}",
        "slo": slos[number % len(slos)],
        "window": WINDOW,
    }

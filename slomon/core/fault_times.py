"""
When a fault began or ended, as a density over time.

The first failure of an endpoint, its onset, comes after the beginning by about the time between two
failures; its last failure comes as long before the end. Endpoints that one fault broke each have
such a density. Their product knows more than each of them:

    busy     . . . . .x.xxx.xx      the beginning was shortly before the first x;
    quiet    .     .     x     x    for all that is known of the quiet one, it may have been there
                    ^

The densities are long-tailed: the time between failures is uncertain, some faults begin gradually,
and some onsets mislead. A `TimeDensity` consists of pieces; in each, its logarithm is linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import exp, fsum, log
from typing import Final, NamedTuple, TypeAlias

GRADUAL: Final = 0.1, 10.0
"""The share of faults that begin gradually; then the first failure takes that many times longer."""
MISLEADING: Final = 0.03, 2000.0
"""The share of onsets that have nothing to do with the fault: it is anywhere in these seconds."""
_TELLING: Final = 8  # endpoints; more tell hardly more
_REACH: Final = 100.0, 40.0, 16.0, 6.0, 2.5, 1.0, 0.4  # mean times between failures
_BETWEEN: Final = 16.0, 4.0, 1.0  # the same, between two onsets
_FLAT: Final = 1e-6


class Sighting(NamedTuple):
    """
    A failure that may be the first (or the last) of a fault at an endpoint.

    * `time`: seconds since the beginning of the run
    * `weight`: the probability that it is
    * `failures`, `seconds`: later failures, and the time in which they came
    """

    time: float
    weight: float
    failures: float
    seconds: float
    gradual: float = GRADUAL[0]

    @property
    def error(self) -> float:
        """Mean seconds between failures."""
        return self.seconds / self.failures

    def density(self, distance: float) -> float:
        """
        The density of the beginning this number of seconds before: exponential, with a mean that is
        known from these failures only (Lomax).
        """
        share, slow = self.gradual, self.seconds * GRADUAL[1]
        likelihood = (1 - share) * _lomax(distance, self.failures, self.seconds)
        if share:
            likelihood += share * _lomax(distance, self.failures, slow)
        return self.weight * likelihood


Piece: TypeAlias = tuple[float, float, float, float]
"""Begin, end, density at the end, and growth of its logarithm per second."""


class TimeDensity:
    """
    The density of a time: pieces in order of time. `time` is where it is highest; `error`: the mean
    seconds from there to the sighting.
    """

    __slots__ = ("_beyond", "_delays", "_pieces", "error", "time")

    def __init__(self, pieces: Sequence[Piece], error: float, delays: Sequence[float]) -> None:
        self.error = error
        self._delays = delays
        self.time = max(pieces, key=_height)[1]
        whole = fsum(_weigh(piece) for piece in pieces)
        self._pieces = [(begin, end, high / whole, growth) for begin, end, high, growth in pieces]
        begin = pieces[0][0]
        self._beyond = [
            fsum(_integrate(piece, begin, mean) for piece in self._pieces) for mean in delays
        ]

    @staticmethod
    def of_beginning(
        endpoints: Sequence[Sequence[Sighting]], delays: Sequence[float]
    ) -> TimeDensity:
        """
        The beginning of a fault. `endpoints` are the possible onsets of each endpoint, and `delays`
        the mean seconds that `after` will be asked about.
        """
        pieces, error = _make_pieces(endpoints)
        return TimeDensity(pieces, error, delays)

    @staticmethod
    def of_end(endpoints: Sequence[Sequence[Sighting]], delays: Sequence[float]) -> TimeDensity:
        """The end of a fault, from the last failures of each endpoint: the same, reversed."""
        reverse = [[one._replace(time=-one.time) for one in last] for last in endpoints]
        pieces, error = _make_pieces(reverse)
        forward = [
            (-end, -begin, high * exp(growth * (begin - end)), -growth)
            for begin, end, high, growth in reversed(pieces)
        ]
        return TimeDensity(forward, error, delays)

    def after(self, time: float) -> list[float]:
        """
        The density of this time if it follows that one by an exponential delay, for each mean.
        """
        begin = self._pieces[0][0]
        if time <= begin:
            return [
                exp((time - begin) / mean) * beyond
                for mean, beyond in zip(self._delays, self._beyond, strict=True)
            ]
        pieces = [piece for piece in self._pieces if piece[1] > time]
        return [fsum(_integrate(piece, time, mean) for piece in pieces) for mean in self._delays]


def _make_pieces(endpoints: Sequence[Sequence[Sighting]]) -> tuple[list[Piece], float]:
    if len(endpoints) > _TELLING:
        endpoints = sorted(endpoints, key=_find_error)[:_TELLING]
    error = 1 / fsum(1 / _find_error(sightings) for sightings in endpoints)
    times = sorted({one.time for sightings in endpoints for one in sightings})
    first = times[0]
    ends = [first - MISLEADING[1], *(first - reach * error for reach in _REACH), first]
    for before, time in pairwise(times):
        ends += [at for reach in _BETWEEN if (at := time - reach * error) > before]
        ends.append(time)

    pieces = []
    for begin, end in pairwise(sorted(set(ends))):
        low, high = (_multiply(endpoints, time, end) for time in (begin, end))
        pieces.append((begin, end, high, log(high / low) / (end - begin)))
    return pieces, error


def _multiply(endpoints: Sequence[Sequence[Sighting]], time: float, end: float) -> float:
    """The likelihood of a time in a piece with this end."""
    share, within = MISLEADING
    product = 1.0
    for sightings in endpoints:
        known = fsum(one.density(one.time - time) for one in sightings if one.time >= end)
        product *= share / within + (1 - share) * known
    return product


def _lomax(distance: float, shape: float, scale: float) -> float:
    tail: float = (1 + distance / scale) ** (-shape - 1)
    return shape / scale * tail


def _find_error(sightings: Sequence[Sighting]) -> float:
    return min(one.error for one in sightings)


def _height(piece: Piece) -> float:
    return piece[2]


def _weigh(piece: Piece) -> float:
    begin, end, high, growth = piece
    width = end - begin
    if abs(growth * width) < _FLAT:
        return high * width
    return high * (1 - exp(-growth * width)) / growth


def _integrate(piece: Piece, time: float, mean: float) -> float:
    """The integral over a piece, times the density of a delay from `time` on with that mean."""
    begin, end, high, growth = piece
    width = end - max(begin, time)
    last = exp((time - end) / mean)
    rate = growth - 1 / mean
    if abs(rate * width) < _FLAT:
        return high / mean * last * width
    return high / mean * (last - exp((time - end + width) / mean - growth * width)) / rate

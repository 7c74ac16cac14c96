"""
When a fault began or ended, as a density over time.

The first failure of an endpoint, its onset, comes after the beginning by about the time between two
failures; its last failure comes as long before the end. Endpoints that one fault broke each have
such a density. Their product knows more than each of them:

    busy     . . . . .x.xxx.xx      the beginning was shortly before the first x;
    quiet    .     .     x     x    for all that is known of the quiet one, it may have been there
                    ^

The densities are long-tailed: the time between failures is uncertain, some faults grow, and some
onsets mislead. A density consists of pieces; in each, its logarithm is linear.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import exp, fsum, log
from typing import Final, NamedTuple

from slomon.core.sightings import GROWS, GROWTHS, Density, Sighting

MISLEADING: Final = 0.03, 2000.0
"""The share of onsets that have nothing to do with the fault: it is anywhere in these seconds."""
_TELLING: Final = 8  # endpoints; more tell hardly more
_REACH: Final = 100.0, 40.0, 16.0, 6.0, 2.5, 1.0, 0.4  # mean times between failures
_BETWEEN: Final = 16.0, 4.0, 1.0  # the same, between two onsets
_WIDER: Final = 2.5  # the ratio of two distances if the fault grows
_NEAREST: Final = 0.4  # seconds, or mean times between failures if these are shorter
_FLAT: Final = 1e-6


class Piece(NamedTuple):
    """A piece of a density: its value at the end, and the growth of its logarithm per second."""

    begin: float
    end: float
    high: float
    growth: float


class TimeDensity:
    """
    The density of a time. `time` is the likeliest one, and `first` the first possible one; `error`:
    the mean seconds from it to the sighting.
    """

    __slots__ = ("_courses", "_delayed", "_delays", "error", "first", "time")

    def __init__(
        self,
        sudden: Sequence[Piece],
        error: float,
        delays: Sequence[float],
        grown: Sequence[Sequence[Piece]] = (),
    ) -> None:
        self.error = error
        self.first = sudden[0].begin
        self._courses = [(1 - GROWS if grown else 1.0, sudden)]
        self._courses += [(GROWS / len(grown), pieces) for pieces in grown]
        self._delays = delays
        self._delayed: list[_Delayed] = []  # made when they are asked for: most are not
        self.time = max(
            [(share * piece.high, piece.end) for share, pieces in self._courses for piece in pieces]
        )[1]

    @staticmethod
    def of_beginning(
        endpoints: Sequence[Sequence[Sighting]], delays: Sequence[float]
    ) -> TimeDensity:
        """
        The beginning of a fault. `endpoints` are the possible onsets of each endpoint, and `delays`
        the mean seconds that `after` will be asked about. After them it answers for the first delay
        once more, if the fault grows.
        """
        endpoints = _choose_telling(endpoints)
        error = _find_common_error(endpoints)
        sudden = _make_pieces(endpoints, error)
        grown = [_make_pieces(endpoints, error, growth) for growth in GROWTHS]
        return TimeDensity(sudden, error, delays, grown)

    @staticmethod
    def of_end(endpoints: Sequence[Sequence[Sighting]], delays: Sequence[float]) -> TimeDensity:
        """
        The end of a fault, from the last failures of each endpoint: the same, reversed. No fault
        ends slowly here.
        """
        endpoints = _choose_telling(endpoints)
        error = _find_common_error(endpoints)
        reverse = [[one._replace(time=-one.time) for one in last] for last in endpoints]
        forward = [
            Piece(-end, -begin, high * exp(growth * (begin - end)), -growth)
            for begin, end, high, growth in reversed(_make_pieces(reverse, error))
        ]
        return TimeDensity(forward, error, delays)

    def after(self, time: float) -> list[float]:
        """
        The density of this time if it follows that one by an exponential delay, for each mean.
        """
        sudden, *grown = self._delayed = self._delayed or self._delay()
        densities = sudden.after(time)
        return [*densities, fsum([one.after(time)[0] for one in grown])] if grown else densities

    def _delay(self) -> list[_Delayed]:
        whole = fsum([share * fsum(map(_weigh, pieces)) for share, pieces in self._courses])
        (_, sudden), *grown = self._courses
        return [
            _Delayed(sudden, whole, self._delays),
            *(_Delayed(pieces, whole * len(grown), self._delays[:1]) for _, pieces in grown),
        ]


class _Delayed:
    """A density, divided by `whole`, of a time that follows another by an exponential delay."""

    __slots__ = ("_begins", "_beyond", "_delays", "_pieces", "_whole")

    def __init__(self, pieces: Sequence[Piece], whole: float, delays: Sequence[float]) -> None:
        self._delays = delays
        self._pieces = pieces
        self._whole = whole
        self._begins = [one.begin for one in pieces]
        # What `after` answers for the end of each piece, the last one first; then for the begin.
        self._beyond = [[0.0] * len(delays)]
        for piece in reversed(self._pieces):
            self._beyond.append(self._integrate(piece, piece.begin, self._beyond[-1]))

    def after(self, time: float) -> list[float]:
        place = bisect_right(self._begins, time)
        beyond = self._beyond[len(self._begins) - place]
        if place:
            piece = self._pieces[place - 1]
            return self._integrate(piece, time, beyond) if time < piece.end else beyond
        delays, wait = self._delays, time - self._begins[0]
        return [exp(wait / mean) * one for mean, one in zip(delays, beyond, strict=True)]

    def _integrate(self, piece: Piece, time: float, beyond: Sequence[float]) -> list[float]:
        """The integrals over the rest of a piece from `time` on, and over all that is beyond."""
        _, end, high, growth = piece
        width = end - time
        start = exp(-growth * width)
        integrals = []
        for mean, further in zip(self._delays, beyond, strict=True):
            last = exp(-width / mean)
            rate = growth - 1 / mean
            own = (last - start) / rate if abs(rate * width) >= _FLAT else last * width
            integrals.append(high / mean / self._whole * own + last * further)
        return integrals


def _make_pieces(
    endpoints: Sequence[Sequence[Sighting]], error: float, growth: float = 0.0
) -> list[Piece]:
    times = sorted({one.time for sightings in endpoints for one in sightings})
    first, farthest = times[0], MISLEADING[1]
    distances = _list_distances(error, farthest) if growth else (one * error for one in _REACH)
    ends = [first - farthest, *(first - distance for distance in distances), first]
    for before, time in pairwise(times):
        ends += [at for reach in _BETWEEN if (at := time - reach * error) > before]
        ends.append(time)

    jumps = set(times)
    densities = [
        [(one.time, one.make_density(growth)) for one in sightings] for sightings in endpoints
    ]
    pieces: list[Piece] = []
    high = 0.0
    for begin, end in pairwise(sorted(set(ends))):
        low = high if pieces and begin not in jumps else _multiply(densities, begin, end)
        high = _multiply(densities, end, end)
        pieces.append(Piece(begin, end, high, log(high / low) / (end - begin)))
    return pieces


def _list_distances(error: float, farthest: float) -> Iterator[float]:
    distance = _NEAREST * min(error, 1.0)
    while distance < farthest:
        yield distance
        distance *= _WIDER


def _multiply(
    endpoints: Sequence[Sequence[tuple[float, Density]]], time: float, end: float
) -> float:
    """The likelihood of a time in a piece with this end."""
    share, within = MISLEADING
    product = 1.0
    for densities in endpoints:
        known = 0.0
        for onset, density in densities:
            if onset >= end:
                known += density(onset - time)
        product *= share / within + (1 - share) * known
    return product


def _choose_telling(endpoints: Sequence[Sequence[Sighting]]) -> Sequence[Sequence[Sighting]]:
    if len(endpoints) > _TELLING:
        return sorted(endpoints, key=_find_error)[:_TELLING]
    return endpoints


def _find_common_error(endpoints: Sequence[Sequence[Sighting]]) -> float:
    return 1 / fsum(1 / _find_error(sightings) for sightings in endpoints)


def _find_error(sightings: Sequence[Sighting]) -> float:
    return min(one.error for one in sightings)


def _weigh(piece: Piece) -> float:
    begin, end, high, growth = piece
    width = end - begin
    if abs(growth * width) < _FLAT:
        return high * width
    return high * (1 - exp(-growth * width)) / growth

"""When a fault began or ended: densities, compared with sums over a fine grid."""

from __future__ import annotations

from math import exp, fsum, inf

import pytest

from slomon.core.fault_times import MISLEADING, Piece, TimeDensity
from slomon.core.sightings import GROWS, GROWTHS, Density, Sighting

SURE = Sighting(0.0, 1.0, failures=10.0, seconds=20.0)
STEP = 0.2


def likelihood(time: float, endpoints: list[list[tuple[float, Density]]]) -> float:
    """The product of the endpoints, written down once more."""
    share, within = MISLEADING
    product = 1.0
    for densities in endpoints:
        known = fsum(density(onset - time) for onset, density in densities if onset >= time)
        product *= share / within + (1 - share) * known
    return product


def make_density(one: Sighting, growth: float) -> Density:
    """That of a sudden fault written down once more."""
    if growth:
        return one.make_density(growth)
    scale = one.weight * one.failures / one.seconds
    return lambda distance: scale * (1 + distance / one.seconds) ** (-one.failures - 1)


def by_grid(
    endpoints: list[list[Sighting]], change: float, delays: tuple[float, ...]
) -> list[float]:
    """The densities of the beginning after a change, as sums over a grid of 2000 s."""
    last = max(one.time for sightings in endpoints for one in sightings)
    times = [last - (number + 0.5) * STEP for number in range(int(2000 / STEP))]
    sums = []
    whole = 0.0
    for growth, share in ((0.0, 1 - GROWS), *((one, GROWS / len(GROWTHS)) for one in GROWTHS)):
        densities = [
            [(one.time, make_density(one, growth)) for one in sightings] for sightings in endpoints
        ]
        weights = [likelihood(time, densities) for time in times]
        whole += share * fsum(weights)
        sums.append(
            [
                fsum(
                    weight * exp((change - time) / mean) / mean
                    for time, weight in zip(times, weights, strict=True)
                    if time > change
                )
                for mean in delays
            ]
        )
    sudden, *grown = sums
    return [one / whole for one in (*sudden, fsum(one[0] for one in grown) / len(grown))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "endpoints",
    [
        [[SURE]],
        [[SURE._replace(weight=0.6), SURE._replace(time=60.0, weight=0.4)]],
        [[SURE], [Sighting(30.0, 1.0, failures=3.0, seconds=300.0)]],
        [[SURE], [SURE._replace(time=400.0)]],
        [[SURE._replace(course=((5.0, 1.0), (20.0, 9.0)))]],
        [[SURE._replace(course=((20.0, 10.0),), unseen=0.1)]],
    ],
    ids=["one endpoint", "two onsets", "a quiet endpoint", "a late endpoint", "growing", "unseen"],
)
def test_the_density_after_a_change_is_that_of_a_fine_grid(endpoints: list[list[Sighting]]) -> None:
    delays = 5.0, 120.0
    density = TimeDensity.of_beginning(endpoints, delays)
    for change in (-500.0, -60.0, -10.0, -1.0):
        expected = by_grid(endpoints, change, delays)
        found = density.after(change)
        assert found[:2] == pytest.approx(expected[:2], rel=0.15, abs=7e-5)
        assert found[2] == pytest.approx(expected[2], rel=0.3, abs=2e-4), "if it grows"


def test_two_endpoints_know_the_beginning_better_than_each() -> None:
    busy, quiet = [SURE], [Sighting(3.0, 1.0, failures=4.0, seconds=80.0)]
    both = TimeDensity.of_beginning([busy, quiet], (5.0,))
    assert both.error == pytest.approx(1 / (1 / 2 + 1 / 20))
    alone = TimeDensity.of_beginning([quiet], (5.0,))
    assert both.after(-1.0)[0] > alone.after(-1.0)[0]
    assert both.after(-40.0)[0] < alone.after(-40.0)[0]


def test_many_endpoints_are_judged_by_those_that_tell_most() -> None:
    quiet = [[Sighting(9.0, 1.0, failures=1.0, seconds=1e6)] for _ in range(50)]
    known = TimeDensity.of_beginning([[SURE], *quiet], (5.0,))
    assert known.error == pytest.approx(SURE.error, rel=1e-4)


def test_no_change_after_the_last_onset_can_have_caused_it() -> None:
    density = TimeDensity.of_beginning([[SURE]], (5.0,))
    assert density.after(0.0) == [0.0, 0.0]
    assert density.after(1.0) == [0.0, 0.0]
    assert density.time == 0


def test_an_end_is_a_beginning_reversed() -> None:
    end = TimeDensity.of_end([[SURE._replace(time=100.0)]], (5.0,))
    # A fix shortly before the last failure or after it; one long after it, or long before.
    good = min(end.after(98.0)[0], end.after(103.0)[0])
    assert good > 10 * max(end.after(130.0)[0], end.after(60.0)[0])
    # All of the density is after the last failure, so a delay of 1e9 s is equally probable.
    flat = TimeDensity.of_end([[SURE]], (1e9,))
    assert flat.after(-1e6)[0] == pytest.approx(1e-9, rel=0.01)


def test_a_flat_density_has_no_growth() -> None:
    flat = TimeDensity([Piece(0.0, 10.0, 1.0, 0.0)], 1.0, (inf, 5.0))
    assert flat.after(5.0)[1] == pytest.approx((1 - exp(-1)) / 10)
    level = TimeDensity([Piece(0.0, 10.0, 1.0, 0.2)], 1.0, (5.0,))
    assert level.after(5.0)[0] > 0, "it grows as fast as the delay falls"


def test_failures_that_become_more_frequent_are_of_a_fault_that_grows() -> None:
    """100 requests a second; the first failure at 0, and a change half a minute before."""
    even = Sighting(0.0, 1.0, 60.0, 300.0, course=((100.0, 20.0), (300.0, 40.0)))
    rising = even._replace(course=((100.0, 6.0), (300.0, 54.0)))
    by_evenness = [TimeDensity.of_beginning([[one]], (5.0,)).after(-30.0) for one in (even, rising)]
    (sudden, grown), (sudden_if_rising, grown_if_rising) = by_evenness
    assert grown < 10 * sudden
    assert grown_if_rising > 30 * sudden_if_rising


def test_the_likelihood_of_growth_is_that_of_poisson_failures() -> None:
    """A fault that grew 100 s ago has the rate of a sudden one; a growing one half of it."""
    sighting = Sighting(1000.0, 1.0, 10.0, 100.0, course=((1100.0, 10.0),))
    long_ago = sighting.make_density(1e-6)(300.0)
    assert long_ago == pytest.approx(sighting.density(300.0))
    # From 100 to 200 s the rate is 0.75 of the grown one, before it is a quarter on average.
    grown = 100 * 0.75 + 100 * 0.25
    expected = 10 / grown * 0.5 * 0.75**10 * (100 / grown) ** 10
    assert sighting.make_density(200.0)(100.0) == pytest.approx(expected)
    # An onset that sees only a tenth of the grown rate or more: it began to be seen 20 s later.
    grown_and_seen = 100 * 0.75 + 80 * 0.3
    blind = sighting._replace(unseen=0.1 * 10 / (100 * 0.75))
    expected = 10 / grown_and_seen * 0.5 * 0.75**10 * (100 / grown_and_seen) ** 10
    assert blind.make_density(200.0)(100.0) == pytest.approx(expected)

"""When a fault began or ended: densities, compared with sums over a fine grid."""

from __future__ import annotations

from math import exp, fsum, inf

import pytest

from slomon.core.fault_times import GRADUAL, MISLEADING, Sighting, TimeDensity

SURE = Sighting(0.0, 1.0, failures=10.0, seconds=20.0)
STEP = 0.2


def likelihood(time: float, endpoints: list[list[Sighting]]) -> float:
    """The product of the endpoints, written down once more."""
    share, within = MISLEADING
    product = 1.0
    for sightings in endpoints:
        known = 0.0
        for one in sightings:
            if one.time >= time:
                for part, scale in ((1 - one.gradual, 1.0), (one.gradual, GRADUAL[1])):
                    seconds, shape = one.seconds * scale, one.failures
                    tail = (1 + (one.time - time) / seconds) ** (-shape - 1)
                    known += one.weight * part * shape / seconds * tail
        product *= share / within + (1 - share) * known
    return product


def by_grid(endpoints: list[list[Sighting]], change: float, mean: float) -> float:
    """The density of the beginning after a change, as a sum over a grid of 2000 s."""
    last = max(one.time for sightings in endpoints for one in sightings)
    times = [last - (number + 0.5) * STEP for number in range(int(2000 / STEP))]
    weights = [likelihood(time, endpoints) for time in times]
    after = fsum(
        weight * exp((change - time) / mean) / mean
        for time, weight in zip(times, weights, strict=True)
        if time > change
    )
    return after / fsum(weights)


@pytest.mark.parametrize(
    "endpoints",
    [
        [[SURE]],
        [[SURE._replace(weight=0.6), SURE._replace(time=60.0, weight=0.4)]],
        [[SURE], [Sighting(30.0, 1.0, failures=3.0, seconds=300.0)]],
        [[SURE], [SURE._replace(time=400.0)]],
        [[SURE._replace(gradual=0.0)]],
    ],
    ids=["one endpoint", "two onsets", "a quiet endpoint", "a late endpoint", "sudden"],
)
def test_the_density_after_a_change_is_that_of_a_fine_grid(endpoints: list[list[Sighting]]) -> None:
    delays = 5.0, 120.0
    density = TimeDensity.of_beginning(endpoints, delays)
    for change in (-500.0, -60.0, -10.0, -1.0):
        expected = [by_grid(endpoints, change, mean) for mean in delays]
        assert density.after(change) == pytest.approx(expected, rel=0.15, abs=7e-5)


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
    assert density.after(0.0) == [0.0]
    assert density.after(1.0) == [0.0]
    assert density.time == 0


def test_an_end_is_a_beginning_reversed() -> None:
    end = TimeDensity.of_end([[SURE._replace(time=100.0, gradual=0.0)]], (5.0,))
    # A fix shortly before the last failure or after it; one long after it, or long before.
    good = min(end.after(98.0)[0], end.after(103.0)[0])
    assert good > 10 * max(end.after(130.0)[0], end.after(60.0)[0])
    # All of the density is after the last failure, so a delay of 1e9 s is equally probable.
    flat = TimeDensity.of_end([[SURE]], (1e9,))
    assert flat.after(-1e6)[0] == pytest.approx(1e-9, rel=0.01)


def test_a_flat_density_has_no_growth() -> None:
    flat = TimeDensity([(0.0, 10.0, 1.0, 0.0)], 1.0, (inf, 5.0))
    assert flat.after(5.0)[1] == pytest.approx((1 - exp(-1)) / 10)
    level = TimeDensity([(0.0, 10.0, 1.0, 0.2)], 1.0, (5.0,))
    assert level.after(5.0)[0] > 0, "it grows as fast as the delay falls"

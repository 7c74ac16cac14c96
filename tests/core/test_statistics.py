"""The rise of a failure rate and its confidence interval."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import comb
from statistics import NormalDist

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slomon.core.statistics import Comparison, Counts, compare

MANY = 10**12


def compared(before: Counts, after: Counts) -> Comparison:
    comparison = compare(before, after)
    assert comparison is not None
    return comparison


@st.composite
def counts(draw: st.DrawFn, most: int = MANY) -> Counts:
    requests = draw(st.integers(1, most))
    return Counts(requests, draw(st.integers(0, requests)))


@pytest.mark.parametrize(
    ("after", "before", "low", "high"),
    [
        # Newcombe 1998, table II, method 10: the contrasts (a) to (h)
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_is_the_one_that_newcombe_published(
    after: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    comparison = compared(Counts(before[1], before[0]), Counts(after[1], after[0]))
    assert (round(comparison.low, 4), round(comparison.high, 4)) == (low, high)


def wilson(counts: Counts) -> tuple[Decimal, Decimal]:
    """The limits as the roots of (n + z²)p² - (2x + z²)p + x²/n, by the textbook's formula."""
    requests, failures = Decimal(counts.requests), Decimal(counts.failures)
    square = Decimal(NormalDist().inv_cdf(0.975)) ** 2
    a, b, c = requests + square, -(2 * failures + square), failures**2 / requests
    root = (b**2 - 4 * a * c).sqrt()
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def newcombe(before: Counts, after: Counts) -> tuple[float, float]:
    """The same interval with eighty digits, as it stands in the paper."""
    with localcontext(prec=80):
        rates = [Decimal(each.failures) / Decimal(each.requests) for each in (before, after)]
        (low_before, high_before), (low_after, high_after) = wilson(before), wilson(after)
        difference = rates[1] - rates[0]
        down = ((rates[1] - low_after) ** 2 + (high_before - rates[0]) ** 2).sqrt()
        up = ((high_after - rates[1]) ** 2 + (rates[0] - low_before) ** 2).sqrt()
        return float(difference - down), float(difference + up)


@given(counts(), counts())
@example(Counts(MANY, 0), Counts(MANY, 1))
@example(Counts(MANY, MANY), Counts(MANY, MANY - 1))
@example(Counts(1, 0), Counts(MANY, MANY))
@example(Counts(MANY, MANY // 2), Counts(MANY, MANY // 2 + 1))
def test_no_digits_are_lost_for_few_requests_nor_for_many(before: Counts, after: Counts) -> None:
    comparison = compared(before, after)
    rise = Fraction(after.failures, after.requests) - Fraction(before.failures, before.requests)
    assert comparison.difference == float(rise)
    assert [comparison.low, comparison.high] == pytest.approx(newcombe(before, after), abs=1e-15)


def test_a_rise_from_nothing_to_a_handful_in_a_million_million_keeps_its_digits() -> None:
    comparison = compared(Counts(MANY, 0), Counts(MANY, 20))
    low, high = newcombe(Counts(MANY, 0), Counts(MANY, 20))
    assert comparison.low == pytest.approx(low, rel=1e-12)
    assert comparison.high == pytest.approx(high, rel=1e-12)
    assert comparison.rose


@given(counts(), counts())
def test_the_difference_lies_within_the_interval_and_that_within_what_is_possible(
    before: Counts, after: Counts
) -> None:
    comparison = compared(before, after)
    assert -1 <= comparison.low <= comparison.difference <= comparison.high <= 1
    assert not (comparison.rose and comparison.fell)


@given(counts(), counts())
def test_to_swap_before_and_after_turns_the_interval_round(before: Counts, after: Counts) -> None:
    there, back = compared(before, after), compared(after, before)
    assert (back.difference, back.low, back.high) == (-there.difference, -there.high, -there.low)


@given(counts(), counts())
def test_to_count_successes_for_failures_turns_it_round_as_well(
    before: Counts, after: Counts
) -> None:
    failed = compared(before, after)
    passed = compared(
        Counts(before.requests, before.requests - before.failures),
        Counts(after.requests, after.requests - after.failures),
    )
    assert passed.difference == -failed.difference
    # Of as many failures as successes both margins are the same, each rounded in its own way.
    assert (passed.low, passed.high) == pytest.approx((-failed.high, -failed.low), abs=1e-15)


@given(counts(1000), counts(1000), st.integers(2, 1000))
def test_more_requests_that_fail_as_often_narrow_the_interval(
    before: Counts, after: Counts, times: int
) -> None:
    few = compared(before, after)
    many = compared(
        Counts(before.requests * times, before.failures * times),
        Counts(after.requests * times, after.failures * times),
    )
    assert many.difference == few.difference
    assert many.high - many.low < few.high - few.low


@given(counts(1000), counts(1000))
def test_equal_rates_never_rise_or_fall(before: Counts, after: Counts) -> None:
    same = Counts(after.requests * before.requests, after.requests * before.failures)
    comparison = compared(before, same)
    assert comparison.difference == 0
    assert not comparison.rose
    assert not comparison.fell


@pytest.mark.parametrize(
    ("before", "after", "rose", "fell"),
    [
        (Counts(100, 0), Counts(20, 10), True, False),
        (Counts(20, 10), Counts(100, 0), False, True),
        (Counts(100, 1), Counts(20, 1), False, False),
        (Counts(1, 0), Counts(1, 1), False, False),  # a single failure is no evidence yet
        (Counts(2, 0), Counts(2, 2), True, False),  # two against two are, if only just
    ],
)
def test_a_rise_or_a_fall_is_seen_if_it_is_hardly_chance(
    before: Counts, after: Counts, *, rose: bool, fell: bool
) -> None:
    comparison = compared(before, after)
    assert (comparison.rose, comparison.fell) == (rose, fell)


def test_an_interval_that_only_touches_0_tells_nothing() -> None:
    some = Counts(1, 0)
    assert not Comparison(some, some, difference=0.1, low=0.0, high=0.2).rose
    assert not Comparison(some, some, difference=-0.1, low=-0.2, high=0.0).fell


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Counts(0, 0), Counts(10, 5)),
        (Counts(10, 5), Counts(0, 0)),
        (Counts(0, 0), Counts(0, 0)),
    ],
)
def test_nothing_is_compared_with_no_requests(before: Counts, after: Counts) -> None:
    assert compare(before, after) is None


def test_no_requests_have_no_failure_rate() -> None:
    with pytest.raises(ZeroDivisionError):
        Counts(0, 0).failure_rate  # noqa: B018
    assert Counts(4, 1).failure_rate == 0.25


def chances(requests: int, rate: float) -> list[float]:
    """The probability of each number of failures."""
    return [
        comb(requests, failures) * rate**failures * (1 - rate) ** (requests - failures)
        for failures in range(requests + 1)
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((30, 0.1), (30, 0.1)),
        ((30, 0.5), (30, 0.5)),
        ((50, 0.02), (20, 0.6)),
        ((100, 0.05), (25, 0.2)),
        ((100, 0.01), (100, 0.3)),
        ((150, 0.2), (60, 0.1)),
        ((40, 0.9), (80, 0.4)),
    ],
)
def test_of_independent_requests_about_95_of_100_intervals_hold_the_true_difference(
    before: tuple[int, float], after: tuple[int, float]
) -> None:
    # Summed over all that can happen, each with its chance: what a simulation would tend to.
    covered = sum(
        likely_before * likely_after
        for failures_before, likely_before in enumerate(chances(*before))
        for failures_after, likely_after in enumerate(chances(*after))
        for comparison in [
            compared(Counts(before[0], failures_before), Counts(after[0], failures_after))
        ]
        if comparison.low <= after[1] - before[1] <= comparison.high
    )
    assert 0.93 <= covered <= 0.98


def test_requests_meet_an_slo_that_they_are_exactly_at() -> None:
    assert Counts(100, 10).meets(0.9)
    assert not Counts(100, 11).meets(0.9)

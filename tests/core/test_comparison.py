"""The interval of a difference is the published one, and holds as often as it says."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.comparison import Comparison, Counts, compare

COUNTS = st.integers(1, 10**6).flatmap(
    lambda requests: st.builds(Counts, st.just(requests), st.integers(0, requests))
)


def compared(before: Counts, after: Counts) -> Comparison:
    comparison = compare(before, after)
    assert comparison is not None
    return comparison


@pytest.mark.parametrize(
    ("after", "before", "low", "high"),
    [
        # Newcombe 1998, table II, the limits of method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_published_intervals(
    after: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    found = compared(Counts(before[1], before[0]), Counts(after[1], after[0]))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(COUNTS, COUNTS)
def test_the_difference_lies_in_its_interval_whichever_way_it_is_asked(
    before: Counts, after: Counts
) -> None:
    found, other_way = compared(before, after), compared(after, before)
    assert -1 - 1e-12 <= found.low <= found.difference <= found.high <= 1 + 1e-12
    assert (found.low, found.high) == pytest.approx((-other_way.high, -other_way.low))
    assert found.difference == after.failure_rate - before.failure_rate
    assert not (found.rose and found.fell)
    assert found.rose == other_way.fell


@given(COUNTS, COUNTS)
def test_more_of_the_same_is_surer(before: Counts, after: Counts) -> None:
    more = [Counts(4 * counts.requests, 4 * counts.failures) for counts in (before, after)]
    found, surer = compared(before, after), compared(*more)
    assert surer.high - surer.low < found.high - found.low


def test_without_requests_there_is_nothing_to_compare() -> None:
    assert compare(Counts(0, 0), Counts(5, 1)) is None
    assert compare(Counts(5, 1), Counts(0, 0)) is None


def test_one_failure_of_one_request_is_no_proof_and_many_are() -> None:
    assert not compared(Counts(10, 0), Counts(1, 1)).fell
    assert compared(Counts(1000, 1), Counts(3, 3)).rose
    assert not compared(Counts(10**12, 10**10), Counts(10**12, 10**10)).rose


@pytest.mark.parametrize(
    ("was", "now", "requests"), [(0.02, 0.1, 100), (0.5, 0.5, 30), (0.01, 0.01, 60)]
)
def test_the_interval_holds_as_often_as_it_says(was: float, now: float, requests: int) -> None:
    rng = random.Random(f"{was} {now}")

    def draw(rate: float) -> Counts:
        return Counts(requests, sum(rng.random() < rate for _ in range(requests)))

    intervals = [compared(draw(was), draw(now)) for _ in range(2000)]
    held = sum(one.low <= now - was <= one.high for one in intervals)
    assert held >= 0.93 * len(intervals)

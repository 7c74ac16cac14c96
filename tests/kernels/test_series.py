"""Buckets that are merged have the sum of their counts and the lower of their SLIs."""

from __future__ import annotations

from array import array

import pytest

from slomon.kernels.series import SeriesState, merge


def series(buckets: list[tuple[int, int, int, float]]) -> SeriesState:
    """Finished buckets of one endpoint: their place, requests, failures and lowest SLI."""
    places, requests, failures, lowest = zip(*buckets, strict=True)
    return SeriesState(
        *(array("q", [places[-1] + 1]), array("q", [0]), array("q", [0]), array("d", [1.0])),
        newest=array("q", [len(buckets) - 1]),
        bucket_slot=array("q", [0] * len(buckets)),
        bucket_place=array("q", places),
        bucket_requests=array("q", requests),
        bucket_failures=array("q", failures),
        bucket_lowest=array("d", lowest),
        doublings=array("q", [0]),
        finished=array("q", [len(buckets)]),
        first=array("q", [places[0]]),
        last=array("q", [places[-1]]),
    )


@pytest.mark.parametrize("lowest", [(0.5, 0.75), (0.75, 0.5)])
def test_two_buckets_that_fall_into_one_are_merged(lowest: tuple[float, float]) -> None:
    #  place   4 5 6 7     twice as long:   2   3
    #          a b c                        a+b c
    state = series([(4, 10, 1, lowest[0]), (5, 20, 2, lowest[1]), (6, 40, 4, 1.0)])
    further = merge(state, 1)

    assert (further, state.finished[0], state.doublings[0]) == (1, 2, 1)
    assert state.bucket_place[:2].tolist() == [2, 3]
    assert state.bucket_requests[:2].tolist() == [30, 40]
    assert state.bucket_failures[:2].tolist() == [3, 4]
    assert state.bucket_lowest[:2].tolist() == [0.5, 1.0]

"""Buckets that are merged have the sum of their counts and the lower of their SLIs."""

from __future__ import annotations

from array import array

import pytest

from slomon.kernels.sli_series import SeriesState, merge


def series(buckets: list[tuple[int, int, int, float]]) -> SeriesState:
    """Finished buckets of one endpoint: their index, requests, failures and lowest SLI."""
    indexes, requests, failures, lowest = zip(*buckets, strict=True)
    return SeriesState(
        *(array("q", [indexes[-1] + 1]), array("q", [0]), array("q", [0]), array("d", [1.0])),
        newest_bucket=array("q", [len(buckets) - 1]),
        bucket_slot=array("q", [0] * len(buckets)),
        bucket_index=array("q", indexes),
        bucket_requests=array("q", requests),
        bucket_failures=array("q", failures),
        bucket_min_sli=array("d", lowest),
        doublings=array("q", [0]),
        finished=array("q", [len(buckets)]),
        first_index=array("q", [indexes[0]]),
        last_index=array("q", [indexes[-1]]),
    )


@pytest.mark.parametrize("lowest", [(0.5, 0.75), (0.75, 0.5)])
def test_two_buckets_that_fall_into_one_are_merged(lowest: tuple[float, float]) -> None:
    #  index   4 5 6 7     twice as long:   2   3
    #          a b c                        a+b c
    state = series([(4, 10, 1, lowest[0]), (5, 20, 2, lowest[1]), (6, 40, 4, 1.0)])
    further = merge(state, 1)

    assert (further, state.finished[0], state.doublings[0]) == (1, 2, 1)
    assert state.bucket_index[:2].tolist() == [2, 3]
    assert state.bucket_requests[:2].tolist() == [30, 40]
    assert state.bucket_failures[:2].tolist() == [3, 4]
    assert state.bucket_min_sli[:2].tolist() == [0.5, 1.0]

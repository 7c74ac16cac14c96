"""
The SLI series of many endpoints, as buckets of time: `merge` doubles the length of buckets, `sort`
puts them in order of their endpoints. `advance` of `kernels.windows` fills and finishes them.

A bucket's index is its number since the epoch: a bucket of `step` ticks with index i begins at tick
i * step.
"""

from __future__ import annotations

from array import array
from typing import Final, NamedTuple

SHORTEST: Final = 1_953_125  # ticks, 1/512 s: doubled nine times it is a second
_LAST_INDEX: Final = 2**63 - 1


class SeriesState(NamedTuple):
    """The columns of an SLI series: arrays of 64-bit numbers, with either backend."""

    # one number per endpoint, by its slot
    current_index: array[int]  # of the bucket that its newest request is in
    past_requests: array[int]  # of the endpoint before that bucket
    past_failures: array[int]  # of the endpoint before that bucket
    current_min_sli: array[float]  # of windows judged in that bucket, 1 if none was
    newest_bucket: array[int]  # a note of `merge` (its newest bucket) and `sort` (its end)
    # one number per finished bucket; those of one endpoint are in order of time
    bucket_slot: array[int]
    bucket_index: array[int]
    bucket_requests: array[int]
    bucket_failures: array[int]
    bucket_min_sli: array[float]
    # one number
    doublings: array[int]  # a bucket has SHORTEST << doublings ticks
    finished: array[int]  # how many buckets are finished
    first_index: array[int]  # of all finished buckets when `merge` last ran
    last_index: array[int]


ENDPOINT_COLUMNS: Final = SeriesState._fields.index("bucket_slot")
BUCKET_COLUMNS: Final = SeriesState._fields.index("doublings") - ENDPOINT_COLUMNS


def merge(series: SeriesState, doublings: int) -> int:
    """
    Double the length of the buckets so many times, and merge the buckets that then share an index.
    Return how many buckets there are beside the first one of each endpoint. O(1) per bucket, and
    O(1) per endpoint if `doublings` is not 0.

    Minimum and maximum are written as branches: when interpreted, a call for each bucket costs too
    much.
    """
    (
        current_indexes,
        _,
        _,
        _,
        newest_bucket,
        slots,
        indexes,
        requests,
        failures,
        min_slis,
        all_doublings,
        finished,
        first_index,
        last_index,
    ) = series
    if doublings:
        all_doublings[0] += doublings
        for slot in range(len(current_indexes)):
            current_indexes[slot] >>= doublings
    kept = further = 0
    first, last = _LAST_INDEX, -1
    for number in range(finished[0]):
        slot = slots[number]
        index = indexes[number] >> doublings
        before = newest_bucket[slot]
        # A number from an earlier merge may by now be the bucket of another endpoint, or of none.
        has_before = before < kept and slots[before] == slot
        if has_before and indexes[before] == index:
            requests[before] += requests[number]
            failures[before] += failures[number]
            if min_slis[number] < min_slis[before]:  # noqa: PLR1730 (see above)
                min_slis[before] = min_slis[number]
            continue
        further += has_before
        newest_bucket[slot] = kept
        indexes[kept] = index
        if kept < number:
            slots[kept] = slot
            requests[kept] = requests[number]
            failures[kept] = failures[number]
            min_slis[kept] = min_slis[number]
        kept += 1
        if index < first:  # noqa: PLR1730 (see above)
            first = index
        if index > last:  # noqa: PLR1730 (see above)
            last = index
    first_index[0], last_index[0], finished[0] = first, last, kept
    return further


def sort(series: SeriesState) -> int:
    """
    Write a copy of the finished buckets, sorted by slot, behind the finished ones. The caller
    ensures that there is room for the copy. For each endpoint, `newest_bucket` is then where its
    buckets in the copy end. A counting sort: O(1) per bucket and endpoint.
    """
    ends, slots, count = series.newest_bucket, series.bucket_slot, series.finished[0]
    for slot in range(len(ends)):
        ends[slot] = 0
    for number in range(count):
        ends[slots[number]] += 1
    start = count
    for slot in range(len(ends)):
        size = ends[slot]
        ends[slot] = start
        start += size
    for number in range(count):
        slot = slots[number]
        place = ends[slot]
        ends[slot] += 1
        series.bucket_index[place] = series.bucket_index[number]
        series.bucket_requests[place] = series.bucket_requests[number]
        series.bucket_failures[place] = series.bucket_failures[number]
        series.bucket_min_sli[place] = series.bucket_min_sli[number]
    return 0

from __future__ import annotations

from array import array
from typing import Final, NamedTuple

SHORTEST: Final = 1_953_125  # ticks, 1/512 s: doubled nine times it is a second
_NEVER: Final = 2**63 - 1


class SeriesState(NamedTuple):
    """The columns of a trace: arrays of 64-bit numbers, at either speed."""

    # one row per endpoint, by its slot: of the bucket that its newest request is in
    place: array[int]  # in time: its number, counted from the epoch
    past_requests: array[int]  # of the endpoint before it, and so the failures
    past_failures: array[int]
    lowest: array[float]  # SLI of a window that was judged, 1 where none was
    newest: array[int]  # where its newest finished bucket is, if it is there and the endpoint's
    # one row per finished bucket; those of one endpoint are in the order of time
    bucket_slot: array[int]
    bucket_place: array[int]
    bucket_requests: array[int]
    bucket_failures: array[int]
    bucket_lowest: array[float]
    # the ticks of a bucket, how many are finished, and the places of the first and the last of them
    doublings: array[int]
    finished: array[int]
    first: array[int]
    last: array[int]


ENDPOINT_COLUMNS: Final = SeriesState._fields.index("bucket_slot")
BUCKET_COLUMNS: Final = SeriesState._fields.index("doublings") - ENDPOINT_COLUMNS


def merge(series: SeriesState, doublings: int) -> int:
    """
    Make buckets so many times twice as long, and merge what is in one then. Returns how many there
    are beside the first one of each endpoint. O(1) per bucket, and per endpoint at a doubling.
    """
    (
        places,
        _,
        _,
        _,
        newest,
        slots,
        bucket_places,
        requests,
        failures,
        lowest,
        all_doublings,
        finished,
        first,
        last,
    ) = series
    if doublings:
        all_doublings[0] += doublings
        for slot in range(len(places)):
            places[slot] >>= doublings
    kept = further = 0
    earliest, latest = _NEVER, -1
    for number in range(finished[0]):
        slot = slots[number]
        place = bucket_places[number] >> doublings
        before = newest[slot]
        # What was noted in an earlier merge may be anybody's by now, or nobody's.
        known = before < kept and slots[before] == slot
        if known and bucket_places[before] == place:
            requests[before] += requests[number]
            failures[before] += failures[number]
            if lowest[number] < lowest[before]:  # noqa: PLR1730 (a call for each costs too much)
                lowest[before] = lowest[number]
            continue
        further += known
        newest[slot] = kept
        bucket_places[kept] = place
        if kept < number:
            slots[kept] = slot
            requests[kept] = requests[number]
            failures[kept] = failures[number]
            lowest[kept] = lowest[number]
        kept += 1
        if place < earliest:  # noqa: PLR1730
            earliest = place
        if place > latest:  # noqa: PLR1730
            latest = place
    first[0], last[0], finished[0] = earliest, latest, kept
    return further


def sort(series: SeriesState) -> int:
    """
    Write the buckets, sorted by their slots, behind themselves, where there must be room for them.
    Where those of each endpoint end is noted as the newest of it.
    """
    newest, slots, count = series.newest, series.bucket_slot, series.finished[0]
    for slot in range(len(newest)):
        newest[slot] = 0
    for number in range(count):
        newest[slots[number]] += 1
    start = count
    for slot in range(len(newest)):
        size = newest[slot]
        newest[slot] = start
        start += size
    for number in range(count):
        slot = slots[number]
        place = newest[slot]
        newest[slot] += 1
        series.bucket_place[place] = series.bucket_place[number]
        series.bucket_requests[place] = series.bucket_requests[number]
        series.bucket_failures[place] = series.bucket_failures[number]
        series.bucket_lowest[place] = series.bucket_lowest[number]
    return 0

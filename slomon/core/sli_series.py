"""
How the SLI of an endpoint went, in few enough numbers to be drawn.

Traces as they are taken: the requests of each endpoint in buckets of time, all as long as each
other. How long is not known before the run has ended, so buckets begin short, and neighbours are
merged into those of twice the length as they become too many:

    step 1    [3][1]   [2][2][5]      a bucket begins at a multiple of the step, and those without
    step 2    [ 4  ]   [2][  7 ]      requests are not kept
              0     2  3  4     6

The step that a run ends with is the shortest one at which its buckets are few enough. More events
only make more buckets, so whoever merges in the middle of a run, to bound the memory, never goes
past that step: however a run was cut, it ends with the same buckets.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self, cast

from slomon.kernels.series import (
    BUCKET_COLUMNS,
    ENDPOINT_COLUMNS,
    SHORTEST,
    SeriesState,
    merge,
    sort,
)


@dataclass(frozen=True, slots=True)
class SliSeries:
    """
    The SLI of one endpoint over time, in buckets: `endpoint` is its place in the summary's list,
    `at` when each bucket begins (seconds since the epoch), then how many requests it has, how many
    of these failed, and the lowest SLI of the window in it: 1 where none was judged, for want of
    requests. Buckets without a request are left out.
    """

    endpoint: int
    at: Sequence[float]
    requests: Sequence[int]
    failures: Sequence[int]
    min_sli: Sequence[float]


_MOST_IN_A_ROW: Final = 512  # buckets, from the first one of any endpoint to the last one
MOST: Final = 1 << 18  # buckets of all endpoints, beside the first one of each
_FEW: Final = 1 << 12  # buckets that are not worth a merge


class Buckets(NamedTuple):
    """The buckets of a shard, endpoint after endpoint, and where those of each slot end."""

    end: array[int]
    place: array[int]  # in time: where it begins, in steps since the epoch
    requests: array[int]
    failures: array[int]
    lowest: array[float]

    def of(self, slot: int) -> slice:
        """Where those of an endpoint are."""
        return slice(self.end[slot - 1] if slot else 0, self.end[slot])


class SeriesRecorder:
    """The buckets of the endpoints of one shard, each known by its slot."""

    def __init__(self, count: int = 0) -> None:
        endpoints, buckets = _blank(count), [array("q") for _ in range(BUCKET_COLUMNS - 1)]
        numbers = (array("q", [0]) for _ in range(4))
        self.state = SeriesState._make([*endpoints, *buckets, array("d"), *numbers])
        self._enough = _FEW

    @classmethod
    def from_state(cls, state: SeriesState) -> Self:
        """Continue from a saved state, which must not be used elsewhere."""
        recorder = cls()
        recorder.state = state
        return recorder

    @property
    def step(self) -> int:
        """Ticks of a bucket."""
        return SHORTEST << self.state.doublings[0]

    def columns(self) -> Iterator[tuple[str, array[int] | array[float]]]:
        """The state by the names of its columns, to be saved."""
        for name, column in self.state._asdict().items():
            yield name, column[: self.state.finished[0]] if name.startswith("bucket") else column

    def grow(self, count: int) -> None:
        """Add so many endpoints."""
        for column, blank in zip(_columns(self.state), _blank(count), strict=False):
            column.extend(blank)

    def reserve(self, rows: int) -> SeriesState:
        """The state, with room for the buckets that so many accesses may finish."""
        if self.state.finished[0] > self._enough:
            self._compact()
        missing = self.state.finished[0] + rows - len(self.state.bucket_slot)
        if missing > 0:
            for column in _bucket_columns(self.state):
                column.frombytes(bytes(column.itemsize * missing))
        return self.state

    def _compact(self) -> None:
        """
        Merge if it is sure that it will come to that. Looked after when there are twice as many,
        which costs O(1) a bucket, and before there are too many in all: that the first bucket of an
        endpoint doesn't count, or one is in two pieces, is allowed for.
        """
        state, most = self.state, MOST + 2 * len(self.state.place)
        in_a_row = max(state.place) - state.bucket_place[0] + 1
        if in_a_row > _MOST_IN_A_ROW or state.finished[0] > most:
            coarsen([self], 2 * self.step)
        self._enough = min(2 * state.finished[0] + _FEW, most)

    def lengthen(self, step: int) -> int:
        """Make the buckets as long as that: how many are there but for each endpoint's first."""
        return self.merge((step // self.step).bit_length() - 1)

    def merge(self, doublings: int) -> int:
        """Merge the buckets, as the kernel does it."""
        return merge(self.state, doublings)

    def sort(self) -> None:
        """Sort the buckets by their slots, as the kernel does it."""
        sort(self.state)

    def finish(self, requests: array[int], failures: array[int]) -> None:
        """
        Finish the bucket of each endpoint, which has had so many in all: what still comes in it is
        merged with it later.
        """
        state = self.reserve(len(requests))
        count = state.finished[0]
        now = zip(requests, state.past_requests, failures, state.past_failures, strict=True)
        for slot, (all_requests, past, all_failures, past_failures) in enumerate(now):
            if all_requests > past:
                state.bucket_slot[count] = slot
                state.bucket_place[count] = state.place[slot]
                state.bucket_requests[count] = all_requests - past
                state.bucket_failures[count] = all_failures - past_failures
                state.bucket_lowest[count] = state.lowest[slot]
                count += 1
        state.finished[0] = count
        state.past_requests[:] = requests
        state.past_failures[:] = failures

    def by_endpoint(self) -> Buckets:
        """The finished buckets, slot by slot."""
        count = self.state.finished[0]
        self.reserve(count)
        self.sort()
        end = array("q", (place - count for place in self.state.newest))
        _, *columns = (column[count : 2 * count] for column in _bucket_columns(self.state))
        return Buckets._make([end, *columns])


def coarsen(recorders: Sequence[SeriesRecorder], step: int = SHORTEST) -> int:
    """
    Merge what shards have into the shortest buckets, of that step at least, that are few enough:
    how long these are.
    """
    step = max(step, *(recorder.step for recorder in recorders))
    while True:
        further = sum(recorder.lengthen(step) for recorder in recorders)
        first = min(recorder.state.first[0] for recorder in recorders)
        last = max(recorder.state.last[0] for recorder in recorders)
        if further <= MOST and last - first < _MOST_IN_A_ROW:
            return step
        step *= 2
        while last // 2 - first // 2 >= _MOST_IN_A_ROW:
            step, first, last = 2 * step, first // 2, last // 2


def _columns(state: SeriesState) -> Sequence[array[float]]:
    return cast("tuple[array[float], ...]", state)  # of whole numbers, most of them


def _bucket_columns(state: SeriesState) -> Sequence[array[float]]:
    return _columns(state)[ENDPOINT_COLUMNS : ENDPOINT_COLUMNS + BUCKET_COLUMNS]


def _blank(count: int) -> list[array[int] | array[float]]:
    """The columns of so many endpoints without a request."""
    none, ones = array("q", bytes(8 * count)), array("d", [1.0]) * count
    return [
        ones if name == "lowest" else none[:] for name in SeriesState._fields[:ENDPOINT_COLUMNS]
    ]

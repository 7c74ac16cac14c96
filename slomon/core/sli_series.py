"""
The SLI series: the SLI of each endpoint over time, in few enough numbers to draw.

A series counts requests in buckets of time. All buckets of a run have the same length, the step.
The right step is known at the end of the run only, so recording begins with short buckets, and when
there are too many, neighbours are merged into buckets of twice the length:

    time      0  1  2  3  4  5
    step 1    [3][1]   [2][2][5]      a bucket begins at a multiple of the step;
    step 2    [ 4  ][ 2  ][ 7  ]      buckets without requests are not kept

The final step is the shortest one at which the buckets are few enough. More events only make more
buckets. So a merge in the middle of a run, which bounds the memory, never goes beyond the final
step, and a run ends with the same buckets however the work was cut.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

from slomon.kernels.sli_series import (
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
    The SLI of one endpoint over time, in buckets. Buckets without a request are omitted.

    * `endpoint`: its index in the summary's list of endpoints
    * `at`: when each bucket begins, in seconds since the epoch
    * `requests`, `failures`: the requests in each bucket, and how many of them failed
    * `min_sli`: the lowest SLI of the window in each bucket; 1 if no window was judged there,
      because it had too few requests
    """

    endpoint: int
    at: Sequence[float]
    requests: Sequence[int]
    failures: Sequence[int]
    min_sli: Sequence[float]


_MOST_IN_A_ROW: Final = 512  # buckets from the first one of any endpoint to the last one
MOST: Final = 1 << 18  # buckets of all endpoints, not counting the first one of each
_FEW: Final = 1 << 12  # buckets; fewer are not worth a merge


class Buckets(NamedTuple):
    """The buckets of a shard, slot after slot, and where the buckets of each slot end."""

    end: array[int]
    start: array[int]  # in steps since the epoch
    requests: array[int]
    failures: array[int]
    min_sli: array[float]

    def of(self, slot: int) -> slice:
        """Where the buckets of an endpoint are."""
        return slice(self.end[slot - 1] if slot else 0, self.end[slot])


class SeriesKernels(NamedTuple):
    """The kernels of one backend that work on finished buckets."""

    merge: Callable[[SeriesState, int], int]
    sort: Callable[[SeriesState], int]


PYTHON_KERNELS: Final = SeriesKernels(merge, sort)


class SeriesRecorder:
    """
    Records the SLI series of the endpoints of one shard, each known by its slot. The kernel
    `advance` fills the buckets. `kernels` merge and sort them: by default those in plain Python.

    A `state` is continued, and must not be used elsewhere.
    """

    def __init__(
        self,
        count: int = 0,
        *,
        state: SeriesState | None = None,
        kernels: SeriesKernels = PYTHON_KERNELS,
    ) -> None:
        self.state = state or _blank_state(count)
        self._kernels = kernels
        self._next_check = _FEW  # finished buckets

    @property
    def step(self) -> int:
        """The length of a bucket, in ticks."""
        return SHORTEST << self.state.doublings[0]

    def columns(self) -> Iterator[tuple[str, array[int] | array[float]]]:
        """The name of each column of the state, and the column, to be saved."""
        for name, column in self.state._asdict().items():
            yield name, column[: self.state.finished[0]] if name.startswith("bucket") else column

    def grow(self, count: int) -> None:
        """Add `count` endpoints."""
        for column, blank in zip(_columns(self.state), _blank(count), strict=False):
            column.extend(blank)

    def reserve(self, rows: int) -> SeriesState:
        """The state, with room for the buckets that `rows` accesses may finish."""
        if self.state.finished[0] > self._next_check:
            self._compact()
        missing = self.state.finished[0] + rows - len(self.state.bucket_slot)
        if missing > 0:
            for column in _bucket_columns(self.state):
                column.frombytes(bytes(column.itemsize * missing))
        return self.state

    def _compact(self) -> None:
        """
        Merge if the final step is certainly longer than the step now. The next check comes when
        there are twice as many buckets, so that checks cost O(1) per bucket, but before there are
        too many in all. The limit allows for the first bucket of each endpoint, which does not
        count, and for one bucket of each in two pieces (see `finish`).
        """
        state, limit = self.state, MOST + 2 * len(self.state.current_index)
        in_a_row = max(state.current_index) - state.bucket_index[0] + 1
        if in_a_row > _MOST_IN_A_ROW or state.finished[0] > limit:
            coarsen([self], 2 * self.step)
        self._next_check = min(2 * state.finished[0] + _FEW, limit)

    def lengthen(self, step: int) -> int:
        """
        Merge the buckets to the length `step`. Return how many there are, not counting the first
        one of each endpoint.
        """
        return self._kernels.merge(self.state, (step // self.step).bit_length() - 1)

    def finish(self, requests: array[int], failures: array[int]) -> None:
        """
        Finish the current bucket of each endpoint, given the totals of each. If more requests of
        that bucket arrive, they make a second piece, which a later merge joins to the first.
        """
        state = self.reserve(len(requests))
        count = state.finished[0]
        totals = zip(requests, state.past_requests, failures, state.past_failures, strict=True)
        for slot, (all_requests, past_requests, all_failures, past_failures) in enumerate(totals):
            if all_requests > past_requests:
                state.bucket_slot[count] = slot
                state.bucket_index[count] = state.current_index[slot]
                state.bucket_requests[count] = all_requests - past_requests
                state.bucket_failures[count] = all_failures - past_failures
                state.bucket_min_sli[count] = state.current_min_sli[slot]
                count += 1
        state.finished[0] = count
        state.past_requests[:] = requests
        state.past_failures[:] = failures

    def by_endpoint(self) -> Buckets:
        """The finished buckets, sorted by slot."""
        count = self.state.finished[0]
        self.reserve(count)
        self._kernels.sort(self.state)
        end = array("q", (end - count for end in self.state.newest_bucket))
        _, *columns = (column[count : 2 * count] for column in _bucket_columns(self.state))
        return Buckets._make([end, *columns])


def coarsen(recorders: Sequence[SeriesRecorder], step: int = SHORTEST) -> int:
    """
    Merge the buckets of all shards of a run to the shortest step, `step` or longer, at which they
    are few enough. Return that step.
    """
    step = max(step, *(recorder.step for recorder in recorders))
    while True:
        further = sum(recorder.lengthen(step) for recorder in recorders)
        first = min(recorder.state.first_index[0] for recorder in recorders)
        last = max(recorder.state.last_index[0] for recorder in recorders)
        if further <= MOST and last - first < _MOST_IN_A_ROW:
            return step
        step *= 2
        while last // 2 - first // 2 >= _MOST_IN_A_ROW:
            step, first, last = 2 * step, first // 2, last // 2


def _columns(state: SeriesState) -> Sequence[array[float]]:
    return cast("tuple[array[float], ...]", state)  # most are whole numbers


def _bucket_columns(state: SeriesState) -> Sequence[array[float]]:
    return _columns(state)[ENDPOINT_COLUMNS : ENDPOINT_COLUMNS + BUCKET_COLUMNS]


def _blank_state(count: int) -> SeriesState:
    """The state of `count` endpoints without a request."""
    endpoints, buckets = _blank(count), [array("q") for _ in range(BUCKET_COLUMNS - 1)]
    numbers = (array("q", [0]) for _ in range(4))
    return SeriesState._make([*endpoints, *buckets, array("d"), *numbers])


def _blank(count: int) -> list[array[int] | array[float]]:
    """The columns of `count` endpoints without a request."""
    zeros, ones = array("q", bytes(8 * count)), array("d", [1.0]) * count
    return [
        ones if name == "current_min_sli" else zeros[:]
        for name in SeriesState._fields[:ENDPOINT_COLUMNS]
    ]

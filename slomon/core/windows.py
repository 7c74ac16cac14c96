"""
The sliding windows of the endpoints of one shard.

`Windows` is the host of the kernel in `kernels/windows.py`, which explains windows and crossings:
it owns the columns, makes room in them before each batch, and reads the crossings afterwards.
`compiled/windows.py` has the host of the compiled backend, with the same interface; the functions
below `Windows` serve both. `carry_over` moves windows to a new set of endpoints.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, MutableSequence, Sequence
from operator import add
from typing import TYPE_CHECKING, Final, Self, cast

from slomon.core.endpoints import Endpoint
from slomon.core.sli_series import SeriesRecorder
from slomon.core.statistics import Counts
from slomon.kernels.sli_series import SeriesState
from slomon.kernels.windows import (
    BLOCK,
    CROSSING,
    ENDPOINT_COLUMNS,
    MARKS,
    NEVER,
    Crossing,
    EndpointTotals,
    WindowState,
    advance,
    expire,
    mark,
)

if TYPE_CHECKING:
    from slomon.core.batching import Batch


class Windows:
    """
    The windows of the endpoints of one shard. An endpoint is known by its slot, its index in
    `endpoints`.

    * `min_requests`: a window with fewer requests is not judged
    * `resolution`: ticks; 0 is exact. Otherwise an access counts at the last multiple of the
      resolution, and so do crossings: all times are early by less than one resolution. Accesses of
      one endpoint that count at the same tick share an entry, so a window needs at most window /
      resolution entries.
    * `sli_series`: record the SLI series of each endpoint; else `series` is None
    * `no_traffic`: ticks. An incident expires once its endpoint had no access for that long and its
      window is empty. None: incidents never expire.
    """

    def __init__(
        self,
        endpoints: Iterable[Endpoint] = (),
        *,
        min_requests: int = 1,
        resolution: int = 0,
        sli_series: bool = False,
        no_traffic: int | None = None,
    ) -> None:
        width = [endpoint.window for endpoint in endpoints]
        slo = [endpoint.slo for endpoint in endpoints]
        count = len(width)
        self.resolution = resolution
        self.series = SeriesRecorder(count) if sli_series else None
        self.marks = array("q")
        """MARKS numbers per endpoint, see the kernel `mark`; those of new endpoints come later."""
        self.state = WindowState(
            width=width,
            slo=slo,
            requests=[0] * count,
            failures=[0] * count,
            breached=[0] * count,
            head=[0] * count,
            tail=[BLOCK - 1] * count,
            excess=[0] * count,
            past_requests=[0] * count,
            past_failures=[0] * count,
            onset_tick=[0] * count,
            onset_requests=[0] * count,
            last_failure_tick=[-1] * count,
            min_sli_requests=[0] * count,
            min_sli_failures=[0] * count,
            min_sli_tick=[0] * count,
            relief=[0] * count,
            recovery_tick=[0] * count,
            surge=[0] * count,
            surge_tick=[0] * count,
            surge_requests=[0] * count,
            last_failure_requests=[0] * count,
            entry_tick=[-1] * BLOCK,
            entry_requests=[0] * BLOCK,
            entry_failures=[0] * BLOCK,
            next_block=[0],
            first_free=[0],
            free_count=[0],
            late=[0],
            min_requests=[min_requests],
            no_traffic=[NEVER if no_traffic is None else no_traffic],
        )
        self._crossings: list[int] = []

    @classmethod
    def from_state(
        cls,
        state: WindowState,
        marks: array[int],
        series: SeriesState | None = None,
        *,
        resolution: int,
    ) -> Self:
        """Continue from a saved state, which must not be used elsewhere."""
        windows = cls(resolution=resolution)
        windows.state, windows.marks = state, marks
        windows.series = None if series is None else SeriesRecorder(state=series)
        return windows

    @property
    def late(self) -> int:
        """The number of accesses that were older than the newest one of their endpoint."""
        return self.state.late[0]

    @property
    def count(self) -> int:
        """The number of endpoints."""
        return len(self.state.width)

    def columns(self) -> Iterator[tuple[str, array[int] | array[float]]]:
        """The name of each column of the state, and the column as an array, to be saved."""
        for name, column in zip(WindowState._fields, self.state, strict=True):
            yield name, array("d" if name == "slo" else "q", cast(list[int], column))

    def grow(self, count: int, defaults: Endpoint) -> None:
        """Add `count` endpoints with the SLO and the window of `defaults`."""
        blank = cast(tuple[list[float], ...], Windows([defaults]).state)
        columns = cast(tuple[MutableSequence[float], ...], self.state)
        for column, value in zip(columns[:ENDPOINT_COLUMNS], blank, strict=False):
            column.extend(value * count)
        if self.series is not None:
            self.series.grow(count)

    def mark(self, slots: array[int]) -> None:
        """Note that a change of these endpoints arrived."""
        extend_marks(self.marks, self.count)
        mark(self.state, slots, self.marks)

    def totals_of(self, slot: int) -> EndpointTotals:
        """The totals of an endpoint now."""
        state = self.state
        return EndpointTotals(
            state.requests[slot] + state.past_requests[slot],
            state.failures[slot] + state.past_failures[slot],
            *(getattr(state, name)[slot] for name in EndpointTotals._fields[2:]),
        )

    def peek(self, slot: int, now: int) -> Counts:
        """
        The requests in the window of an endpoint at tick `now`, which must not be before the
        endpoint's newest access. The window does not change.
        """
        state = self.state
        requests, failures, entry = state.requests[slot], state.failures[slot], state.head[slot]
        horizon = now - state.width[slot]
        if state.entry_tick[state.tail[slot]] <= horizon:
            return Counts(0, 0)
        while state.entry_tick[entry] <= horizon:
            requests -= state.entry_requests[entry]
            failures -= state.entry_failures[entry]
            entry += 1
            if not entry % BLOCK:
                entry = state.next_block[entry // BLOCK - 1] * BLOCK
        return Counts(requests, failures)

    def deadline(self, slot: int) -> int | None:
        """The tick at which an open incident expires if there is no access; None: it never does."""
        state = self.state
        clock = state.entry_tick[state.tail[slot]]
        return find_deadline(clock, state.width[slot], state.no_traffic[0])

    def expire(self, slot: int, tick: int) -> None:
        """Expire an incident at its deadline `tick`. Later accesses count there or after it."""
        expire(self.state, slot, tick)

    def totals(self) -> tuple[array[int], array[int]]:
        """All requests and failures of each endpoint so far."""
        state = self.state
        return (
            array("q", map(add, state.requests, state.past_requests)),
            array("q", map(add, state.failures, state.past_failures)),
        )

    def advance(self, batch: Batch) -> list[Crossing]:
        """Count the accesses of a batch. Return the crossings, in the order of the rows."""
        self._reserve(len(batch.slots))
        ticks = batch.ticks
        if self.resolution:
            ticks = [tick - tick % self.resolution for tick in ticks]
        rows = batch.slots, ticks, batch.failures, batch.positions
        series = None if self.series is None else self.series.reserve(len(ticks))
        written = advance(self.state, rows, self._crossings, series)
        return read_crossings(self._crossings[:written])

    def _reserve(self, rows: int) -> None:
        """Make room for a batch, which needs at most one new block for each row."""
        room = crossing_room(rows, self.state.no_traffic[0])
        self._crossings.extend([0] * (room - len(self._crossings)))
        first = len(self.state.next_block)
        added = missing_blocks(rows, self.state.free_count[0], first)
        if added == 0:
            return
        blank = [0] * (added * BLOCK)
        self.state.entry_tick.extend(blank)
        self.state.entry_requests.extend(blank)
        self.state.entry_failures.extend(blank)
        self.state.next_block.extend(range(first + 1, first + added))
        self.state.next_block.append(self.state.first_free[0])
        self.state.first_free[0] = first
        self.state.free_count[0] += added


def extend_marks(marks: array[int], endpoints: int) -> None:
    """Make room for the marks of `endpoints` endpoints; new marks are 0."""
    marks.frombytes(bytes(8 * (MARKS * endpoints - len(marks))))


def find_deadline(clock: int, width: int, no_traffic: int) -> int | None:
    """`Windows.deadline` of an endpoint whose newest access counts at `clock`."""
    return None if no_traffic == NEVER else clock + max(width, no_traffic)


def crossing_room(rows: int, no_traffic: int) -> int:
    """How many numbers the kernel `advance` may write for a batch of `rows` rows."""
    return CROSSING * rows * (1 if no_traffic == NEVER else 2)


def missing_blocks(rows: int, free: int, blocks: int) -> int:
    """How many blocks to add to a pool of `blocks`, `free` of them free, before `rows` rows."""
    missing = rows - free
    # Grow by an eighth at least, so that growing costs O(1) per row.
    return max(missing, blocks >> 3) if missing > 0 else 0


def read_crossings(numbers: Sequence[int]) -> list[Crossing]:
    """The crossings that the kernel `advance` wrote."""
    parts = iter(numbers)
    return list(map(Crossing, *[parts] * CROSSING))


_NOT_CARRIED: Final = {"width", "slo"}
"""Columns that a new endpoint doesn't take from the old one: it has its own."""


def carry_over(
    state: WindowState, endpoints: Sequence[Endpoint], places: Mapping[int, int]
) -> WindowState:
    """
    Move windows to a new set of endpoints, as after a new configuration. `places` maps the old slot
    of an endpoint to its new slot: its window continues there, under the SLO and the window of the
    new endpoint. The blocks of all other old endpoints become free. `state` is not changed.
    """
    columns = [list(column) for column in cast(tuple[Sequence[int], ...], state)]
    carried = WindowState._make(columns)
    blank = Windows(endpoints).state
    for number, (name, column) in enumerate(blank._asdict().items()):
        if number < ENDPOINT_COLUMNS:
            if name not in _NOT_CARRIED:
                for old, new in places.items():
                    column[new] = columns[number][old]
            columns[number][:] = column
    for slot in range(len(state.width)):
        if slot not in places:
            _free(carried, state.head[slot], state.tail[slot])
    return carried


def carry_marks(marks: Sequence[int], endpoints: int, places: Mapping[int, int]) -> array[int]:
    """The marks of `endpoints` new endpoints; `places` as in `carry_over`."""
    carried = array("q", bytes(8 * MARKS * endpoints))
    for old, new in places.items():
        own = marks[MARKS * old : MARKS * (old + 1)]
        carried[MARKS * new : MARKS * new + len(own)] = array("q", own)
    return carried


def _free(state: WindowState, head: int, tail: int) -> None:
    """Return the blocks of a window to the free list."""
    if tail < BLOCK:  # the endpoint never had a block
        return
    block, last = head // BLOCK, tail // BLOCK
    while True:
        following = state.next_block[block]
        state.next_block[block] = state.first_free[0]
        state.first_free[0] = block
        state.free_count[0] += 1
        if block == last:
            return
        block = following

"""
What windows hold, carried over to another set of endpoints, as after a new configuration.

The sliding windows of the endpoints of one shard: what the kernel of `core.window` works on.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, MutableSequence, Sequence
from operator import add
from typing import TYPE_CHECKING, Final, Self, cast

from slomon.core.endpoints import Endpoint
from slomon.core.sli_series import SeriesRecorder
from slomon.core.statistics import Counts
from slomon.kernels.series import SeriesState
from slomon.kernels.window import (
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
    from slomon.core.endpoints import Endpoint


_OWN: Final = {"width", "slo", "onset_hint", "scout_tick"}
"""What an endpoint of now has for itself. A scout may point at an entry that its window of then
left behind, but a longer one would still have."""


def carry_over(
    state: WindowState, endpoints: Sequence[Endpoint], places: Mapping[int, int]
) -> WindowState:
    """
    The state of windows of these endpoints: each slot of now that is among `places`, by the slots
    of then, goes on from there, with its own SLO and window. What the others held is free again.
    """
    columns = [list(column) for column in cast(tuple[Sequence[int], ...], state)]
    carried = WindowState._make(columns)
    blank = Windows(endpoints).state
    for number, (name, column) in enumerate(blank._asdict().items()):
        if number < ENDPOINT_COLUMNS:
            if name not in _OWN:
                for then, now in places.items():
                    column[now] = columns[number][then]
            columns[number][:] = column
    for slot in range(len(state.width)):
        if slot not in places:
            _free(carried, state.head[slot], state.tail[slot])
    return carried


def carry_marks(marks: Sequence[int], endpoints: int, places: Mapping[int, int]) -> array[int]:
    """The marks of so many endpoints, see `core.window.mark`."""
    carried = array("q", bytes(8 * MARKS * endpoints))
    for then, now in places.items():
        mine = marks[MARKS * then : MARKS * (then + 1)]
        carried[MARKS * now : MARKS * now + len(mine)] = array("q", mine)
    return carried


def _free(state: WindowState, head: int, tail: int) -> None:
    """Give the blocks of a window back to the pool."""
    if tail < BLOCK:  # it never had one
        return
    block, last = head // BLOCK, tail // BLOCK
    while True:
        following = state.next_block[block]
        state.next_block[block] = state.free[0]
        state.free[0] = block
        state.spare[0] += 1
        if block == last:
            return
        block = following


class Windows:
    """
    The windows of the endpoints of one shard, each known by its slot: its place among them.

    A window is judged once it holds `min_requests` requests. With a `resolution` (ticks; 0 is
    exact), accesses count at the last multiple of it, which is the time of crossings too, and those
    of one
    endpoint that count at the same time share an entry: all times are early by less than one
    resolution, and a window needs memory for at most window / resolution entries. `series`
    is None unless `sli_series` was asked for.

    With `no_traffic` (ticks), an incident expires once its endpoint had no access for that long and
    its window is empty.
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
        """Four numbers an endpoint, see `mark`; they are 0 of those that have none yet."""
        self.state = WindowState(
            width=width,
            slo=slo,
            requests=[0] * count,
            failures=[0] * count,
            breached=[0] * count,
            head=[0] * count,
            tail=[BLOCK - 1] * count,
            past_requests=[0] * count,
            past_failures=[0] * count,
            onset_hint=[0] * count,
            scout_tick=[NEVER] * count,
            failed_tick=[-1] * count,
            failed_position=[0] * count,
            lowest_requests=[0] * count,
            lowest_failures=[0] * count,
            lowest_tick=[0] * count,
            entry_tick=[-1] * BLOCK,
            entry_requests=[0] * BLOCK,
            entry_failures=[0] * BLOCK,
            entry_position=[0] * BLOCK,
            next_block=[0],
            free=[0],
            spare=[0],
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
        windows.series = None if series is None else SeriesRecorder.from_state(series)
        return windows

    @property
    def late(self) -> int:
        """How many accesses were older than the newest one of their endpoint."""
        return self.state.late[0]

    @property
    def count(self) -> int:
        """How many endpoints there are."""
        return len(self.state.width)

    def columns(self) -> Iterator[tuple[str, array[int] | array[float]]]:
        """The state as arrays, by the names of its columns, to be saved."""
        for name, column in zip(WindowState._fields, self.state, strict=True):
            yield name, array("d" if name == "slo" else "q", cast(list[int], column))

    def grow(self, count: int, defaults: Endpoint) -> None:
        """Add so many endpoints, with the SLO and the window of one."""
        blank = cast(tuple[list[float], ...], Windows([defaults]).state)
        columns = cast(tuple[MutableSequence[float], ...], self.state)
        for column, value in zip(columns[:ENDPOINT_COLUMNS], blank, strict=False):
            column.extend(value * count)
        if self.series is not None:
            self.series.grow(count)

    def mark(self, slots: array[int]) -> None:
        """Note that a change to these endpoints came."""
        extend_marks(self.marks, self.count)
        mark(self.state, slots, self.marks)

    def totals_of(self, slot: int) -> EndpointTotals:
        """Where an endpoint is now."""
        state = self.state
        return EndpointTotals(
            state.requests[slot] + state.past_requests[slot],
            state.failures[slot] + state.past_failures[slot],
            *(getattr(state, name)[slot] for name in EndpointTotals._fields[2:]),
        )

    def peek(self, slot: int, now: int) -> Counts:
        """What the window of an endpoint holds at a time, which may be later than its newest."""
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
        """When an open incident ends without an access; None if incidents never expire."""
        state = self.state
        clock = state.entry_tick[state.tail[slot]]
        return find_deadline(clock, state.width[slot], state.no_traffic[0])

    def expire(self, slot: int, tick: int) -> None:
        """Let an incident end at its deadline: what comes late then counts there."""
        expire(self.state, slot, tick)

    def totals(self) -> tuple[array[int], array[int]]:
        """All requests and failures of each endpoint so far."""
        state = self.state
        return (
            array("q", map(add, state.requests, state.past_requests)),
            array("q", map(add, state.failures, state.past_failures)),
        )

    def advance(self, batch: Batch) -> list[Crossing]:
        """Count the accesses of a batch; the crossings come in the order of its rows."""
        self._reserve(len(batch.slots))
        ticks = batch.ticks
        if self.resolution:
            ticks = [tick - tick % self.resolution for tick in ticks]
        rows = batch.slots, ticks, batch.failures, batch.positions
        series = None if self.series is None else self.series.reserve(len(ticks))
        found = advance(self.state, rows, self._crossings, series)
        return read_crossings(self._crossings[:found])

    def _reserve(self, rows: int) -> None:
        """A batch needs at most one new block a row."""
        room = crossing_room(rows, self.state.no_traffic[0])
        self._crossings.extend([0] * (room - len(self._crossings)))
        first = len(self.state.next_block)
        grown = missing_blocks(rows, self.state.spare[0], first)
        if grown == 0:
            return
        blank = [0] * (grown * BLOCK)
        self.state.entry_tick.extend(blank)
        self.state.entry_requests.extend(blank)
        self.state.entry_failures.extend(blank)
        self.state.entry_position.extend(blank)
        self.state.next_block.extend(range(first + 1, first + grown))
        self.state.next_block.append(self.state.free[0])
        self.state.free[0] = first
        self.state.spare[0] += grown


def extend_marks(marks: array[int], endpoints: int) -> None:
    """Let so many endpoints have marks."""
    marks.frombytes(bytes(8 * (MARKS * endpoints - len(marks))))


def find_deadline(clock: int, width: int, no_traffic: int) -> int | None:
    """What `Windows.deadline` says of an endpoint whose newest access counts at `clock`."""
    return None if no_traffic == NEVER else clock + max(width, no_traffic)


def crossing_room(rows: int, no_traffic: int) -> int:
    """How many numbers `advance` may write of so many rows."""
    return CROSSING * rows * (1 if no_traffic == NEVER else 2)


def missing_blocks(rows: int, spare: int, blocks: int) -> int:
    """By how many blocks the pool must grow before a batch of so many rows."""
    missing = rows - spare
    # an eighth at least, so that growing costs O(1) a row
    return max(missing, blocks >> 3) if missing > 0 else 0


def read_crossings(numbers: Sequence[int]) -> list[Crossing]:
    """The crossings that a kernel wrote."""
    parts = iter(numbers)
    return list(map(Crossing, *[parts] * CROSSING))

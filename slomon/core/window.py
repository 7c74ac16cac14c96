"""
The sliding windows, of many endpoints at once. `advance` is the one kernel: it knows slots, ticks
and outcomes, nothing richer, and its body is integer arithmetic and indexing over flat columns.
So it is plain Python over lists, and Numba compiles it as it stands over arrays of 64-bit numbers.

A window holds the accesses of the half-open span (t - window, t], as entries (tick, requests,
failures); equal ticks share an entry. The entries of all windows live in one pool of small blocks
with a free list, so memory follows what is inside the windows:

    head                                   tail
     v                                      v
    [ . . a b c d e f ] -> [ g h i j k l . . ]      block after block, in order of time

Block 0 belongs to all: its last entry, older than any time, stands before everyone's first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

if TYPE_CHECKING:
    from slomon.core.batch import Batch
    from slomon.core.endpoint import Endpoint

_SHIFT: Final = 3
BLOCK: Final = 1 << _SHIFT  # entries a block
_LAST: Final = BLOCK - 1

Column: TypeAlias = MutableSequence[int]

Rows: TypeAlias = tuple[Column, Column, Column, Column]
"""The columns of a batch: slots, ticks, failures (0 or 1) and positions."""


class WindowState(NamedTuple):
    """The columns that `advance` works on. Lists, or arrays of 64-bit numbers when compiled."""

    # one row per endpoint, by its slot
    width: Column  # ticks
    slo: MutableSequence[float]
    requests: Column  # in the window, and so the failures
    failures: Column
    breached: Column  # 1 while an incident is open
    head: Column  # the oldest entry still in the window
    tail: Column  # the newest entry: its tick is the endpoint's clock
    # one row per entry
    entry_tick: Column
    entry_requests: Column
    entry_failures: Column
    # one row per block
    next_block: Column
    # the first free block, how many blocks are free, how many accesses came late, and how many
    # requests a window must hold to be judged
    free: Column
    spare: Column
    late: Column
    least: Column


class Crossing(NamedTuple):
    """An access took its endpoint across the SLO: below it (`opened`) or back."""

    slot: int
    position: int
    tick: int
    opened: int


def advance(  # noqa: PLR0915 (one loop, so that it compiles to one and is read as one)
    state: WindowState, rows: Rows, crossings: Column
) -> int:
    """
    Count a batch of accesses and write the four numbers of each Crossing to `crossings`; returns
    how many numbers that were. O(1) amortized per row.

    There must be a spare block for each row, and room for a crossing.
    """
    (
        width,
        slo,
        window_requests,
        window_failures,
        breached,
        heads,
        tails,
        entry_tick,
        entry_requests,
        entry_failures,
        next_block,
        free,
        spare,
        late,
        least,
    ) = state
    found = 0
    judged_from = least[0]
    slots, ticks, failures, positions = rows
    # Numba knows no strict zip; a Batch makes its columns of equal length.
    for slot, tick, failed, position in zip(slots, ticks, failures, positions):  # noqa: B905
        tail = tails[slot]
        clock = entry_tick[tail]
        if tick > clock:
            clock = tick
            tail += 1
            if not tail & _LAST:
                block = free[0]
                free[0] = next_block[block]
                spare[0] -= 1
                before, tail = tail, block << _SHIFT
                if before == BLOCK:
                    heads[slot] = tail
                else:
                    next_block[(before - 1) >> _SHIFT] = block
            tails[slot] = tail
            entry_tick[tail] = tick
            entry_requests[tail] = 1
            entry_failures[tail] = failed
        else:
            if tick < clock:
                late[0] += 1
            entry_requests[tail] += 1
            entry_failures[tail] += failed
        requests = window_requests[slot] + 1
        bad = window_failures[slot] + failed
        # Without a failure the SLI is 1 whatever has left the window: then what has left is only
        # cleared away once a block, for the memory's sake, or if it counts how many are left.
        if bad or not tail & _LAST or (judged_from > 1 and breached[slot]):
            head = heads[slot]
            horizon = clock - width[slot]
            while entry_tick[head] <= horizon:
                requests -= entry_requests[head]
                bad -= entry_failures[head]
                head += 1
                if not head & _LAST:
                    block = (head - 1) >> _SHIFT
                    head = next_block[block] << _SHIFT
                    next_block[block] = free[0]
                    free[0] = block
                    spare[0] += 1
            heads[slot] = head
            window_failures[slot] = bad
            below = (requests - bad) / requests < slo[slot]
            if below != breached[slot] and requests >= judged_from:
                breached[slot] = below
                crossings[found] = slot
                crossings[found + 1] = position
                crossings[found + 2] = clock
                crossings[found + 3] = below
                found += 4
        window_requests[slot] = requests
    return found


class Windows:
    """
    The windows of the endpoints of one shard, each known by its slot: its place among them.

    A window is judged once it holds `least` requests. With a `resolution` (ticks; 0 is exact),
    accesses count at the last multiple of it, which is the time of crossings too, and those of one
    endpoint that count at the same time share an entry: all times are early by less than one
    resolution, and a window needs memory for at most window / resolution entries.
    """

    def __init__(
        self, endpoints: Iterable[Endpoint] = (), *, least: int = 1, resolution: int = 0
    ) -> None:
        width = [endpoint.window for endpoint in endpoints]
        slo = [endpoint.slo for endpoint in endpoints]
        count = len(width)
        self.resolution = resolution
        self.state = WindowState(
            width=width,
            slo=slo,
            requests=[0] * count,
            failures=[0] * count,
            breached=[0] * count,
            head=[0] * count,
            tail=[_LAST] * count,
            entry_tick=[-1] * BLOCK,
            entry_requests=[0] * BLOCK,
            entry_failures=[0] * BLOCK,
            next_block=[0],
            free=[0],
            spare=[0],
            late=[0],
            least=[least],
        )
        self._crossings: list[int] = []

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

    def grow(self, count: int, like: Endpoint) -> None:
        """Add so many endpoints, with the SLO and the window of one."""
        columns = cast(tuple[MutableSequence[float], ...], self.state[:7])
        blank = (like.window, like.slo, 0, 0, 0, 0, _LAST)
        for column, value in zip(columns, blank, strict=True):
            column.extend([value] * count)

    def advance(self, batch: Batch) -> list[Crossing]:
        """Count the accesses of a batch; the crossings come in the order of its rows."""
        self._reserve(len(batch.slots))
        ticks = batch.ticks
        if self.resolution:
            ticks = [tick - tick % self.resolution for tick in ticks]
        rows = batch.slots, ticks, batch.failures, batch.positions
        found = advance(self.state, rows, self._crossings)
        return read_crossings(self._crossings[:found])

    def _reserve(self, rows: int) -> None:
        """A batch needs at most one new block a row, and has at most one crossing a row."""
        self._crossings.extend([0] * (4 * rows - len(self._crossings)))
        first = len(self.state.next_block)
        grown = missing_blocks(rows, self.state.spare[0], first)
        if grown == 0:
            return
        blank = [0] * (grown * BLOCK)
        self.state.entry_tick.extend(blank)
        self.state.entry_requests.extend(blank)
        self.state.entry_failures.extend(blank)
        self.state.next_block.extend(range(first + 1, first + grown))
        self.state.next_block.append(self.state.free[0])
        self.state.free[0] = first
        self.state.spare[0] += grown


def missing_blocks(rows: int, spare: int, blocks: int) -> int:
    """By how many blocks the pool must grow before a batch of so many rows."""
    missing = rows - spare
    # an eighth at least, so that growing costs O(1) a row
    return max(missing, blocks >> 3) if missing > 0 else 0


def read_crossings(numbers: Sequence[int]) -> list[Crossing]:
    """The crossings that a kernel wrote."""
    parts = iter(numbers)
    return list(map(Crossing, parts, parts, parts, parts))

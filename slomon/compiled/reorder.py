"""The rows of the reorder buffer (`slomon.core.reorder`) in flat memory, for compiled kernels."""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import Final

from slomon.compiled.library import Library, address
from slomon.compiled.request_table import CompiledEndpointNames
from slomon.core.batching import Batch
from slomon.core.events import Change, PositionedChange
from slomon.core.reorder import Released, SourceClock
from slomon.core.ticks import LAST_TICK
from slomon.kernels.reorder import CHANGE, ROW

_ZERO: Final = array("q", [0])
_FIRST_ROWS: Final = 1 << 15


class CompiledRowBuffer:
    """
    What `PythonRowBuffer` does, over arrays.

    If endpoints are found in the logs, the kernel looks up in `names` which of them are admitted.
    """

    def __init__(self, library: Library, shards: int, names: CompiledEndpointNames) -> None:
        self._library = library
        self._shards = shards
        self._names = names
        self._buffer = _ZERO * (ROW * _FIRST_ROWS)
        self._other = _ZERO * (ROW * _FIRST_ROWS)  # as large, for the kernel that sorts
        self._first = self._end = 0  # of the rows that wait

    def enter(
        self, clock: SourceClock, source: int, ticks: array[int], codes: array[int], count: int
    ) -> int:
        """Add the next rows of a source, move its clock, and return how many rows are blank."""
        self._make_room(count)
        column = array("q", [clock.newest, clock.disordered, clock.largest, 0])
        self._end = self._library.enter(
            *(address(ticks), address(codes), count, source, clock.lateness, address(column)),
            *(address(self._buffer), self._first, self._end, address(self._other)),
        )
        clock.newest, clock.disordered, clock.largest, blank = column
        return blank

    def take(self, watermark: int, position: int, changes: dict[int, Change]) -> Released:
        """Release the rows that stand before the watermark, as batches of arrays."""
        return self._release(*self._cut(watermark), position, changes)

    def remove(self, watermark: int) -> array[int]:
        """Remove the rows that stand before the watermark, and return them, four numbers each."""
        first, end = self._cut(watermark)
        return self._buffer[first * ROW : end * ROW]

    def save(self) -> array[int]:
        """Return the waiting rows, four numbers each."""
        return self._buffer[self._first * ROW : self._end * ROW]

    def load(self, numbers: array[int]) -> None:
        """Replace the waiting rows by saved ones."""
        self._first = self._end = 0
        count = len(numbers) // ROW
        self._make_room(count)
        self._buffer[: len(numbers)] = numbers
        self._end = count

    def _cut(self, watermark: int) -> tuple[int, int]:
        """The range of the rows that stand before the watermark, which wait no longer."""
        first = self._first
        self._first = self._end
        if watermark <= LAST_TICK:
            self._first = self._library.cut(address(self._buffer), first, self._end, watermark)
        return first, self._first

    def _release(self, first: int, end: int, position: int, changes: dict[int, Change]) -> Released:
        rows = address(self._buffer), first, end, self._shards
        counts = _ZERO * self._shards
        accesses = self._library.count(*rows, *self._names.admission(), address(counts))
        columns = [_ZERO * accesses for _ in range(4)]
        places = array("q", accumulate(counts, initial=0))
        numbers = _ZERO * (CHANGE * len(changes))
        tally = array("q", [position, 0, 0, 0])
        found = self._library.deal(*rows, *map(address, (places, *columns, numbers, tally)))
        next_position, unmatched, excluded, newest = tally
        parts = iter(numbers[: CHANGE * found])
        released = [
            PositionedChange(at, tick, changes.pop(code))
            for at, tick, code in zip(parts, parts, parts, strict=True)
        ]
        batches = [
            (shard, _make_batch(columns, places[shard] - size, size, released))
            for shard, size in enumerate(counts)
            if size or released
        ]
        events = next_position - position
        return Released(batches, released, events, accesses, unmatched, excluded, newest)

    def _make_room(self, count: int) -> None:
        """Make room for `count` more rows; move the waiting rows to the front if need be."""
        waiting = self._end - self._first
        if self._end + count <= len(self._buffer) // ROW:
            return
        rows = self._buffer[self._first * ROW : self._end * ROW]
        size = len(self._buffer)
        while (waiting + count) * ROW * 2 > size:
            size *= 2
        if size > len(self._buffer):
            self._buffer, self._other = _ZERO * size, _ZERO * size
        self._buffer[: len(rows)] = rows
        self._first, self._end = 0, waiting


def _make_batch(
    columns: list[array[int]], start: int, size: int, changes: list[PositionedChange]
) -> Batch:
    """Return `size` rows of columns as a batch, without a copy if these are all rows."""
    if size < len(columns[0]):
        columns = [column[start : start + size] for column in columns]
    slots, ticks, failures, positions = columns
    return Batch(slots, ticks, failures, positions, changes)

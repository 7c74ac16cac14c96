"""The rows of the reorder buffer (`slomon.core.reorder`) in flat memory, for compiled kernels."""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import Final

from slomon.compiled.library import Library, address
from slomon.compiled.request_table import CompiledEndpointNames
from slomon.core.batching import Batch
from slomon.core.events import Change, PositionedChange
from slomon.core.reorder import OPEN_END, Released, SourceClock
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
        self._other = _ZERO * (ROW * _FIRST_ROWS)  # as large, for the kernels that sort
        self._merged = _ZERO  # as large, if there ever are several runs
        self._runs = array("q", [0, 0])  # of the rows that wait: where each begins and ends

    def enter(
        self, clock: SourceClock, source: int, ticks: array[int], codes: array[int], count: int
    ) -> int:
        """Add the next rows of a source, move its clock, and return how many rows are blank."""
        self._make_room(count)
        first, end = self._runs[-2:]
        column = array("q", [clock.newest, clock.disordered, clock.largest, 0])
        new_end = self._library.enter(
            *(address(ticks), address(codes), count, source, clock.lateness, address(column)),
            *(address(self._buffer), first, end, address(self._other)),
        )
        if new_end < 0:
            self._runs.extend((end, -new_end))
        else:
            self._runs[-1] = new_end
        clock.newest, clock.disordered, clock.largest, blank = column
        return blank

    def take(self, watermark: int, position: int, changes: dict[int, Change]) -> Released:
        """Release the rows that stand before the watermark, as batches of arrays."""
        return self._release(*self._cut(watermark), position, changes)

    def remove(self, watermark: int) -> array[int]:
        """Remove the rows that stand before the watermark, and return them, four numbers each."""
        rows, first, end = self._cut(watermark)
        return rows[first * ROW : end * ROW]

    def save(self) -> array[int]:
        """Return the waiting rows, four numbers each."""
        rows = self.remove(OPEN_END)
        self.load(rows)
        return rows

    def load(self, numbers: array[int]) -> None:
        """Replace the waiting rows by those that `save` returned."""
        self._runs = array("q", [0, 0])
        count = len(numbers) // ROW
        self._make_room(count)
        self._buffer[: len(numbers)] = numbers
        self._runs[1] = count

    def _cut(self, watermark: int) -> tuple[array[int], int, int]:
        """
        Where the rows are that stand before the watermark, which wait no longer: their column, the
        first one and the end.
        """
        runs, rows, last = self._runs, address(self._buffer), watermark - 1
        if len(runs) == 2:
            first = runs[0]
            runs[0] = self._library.cut(rows, *runs, last)
            return self._buffer, first, runs[0]
        if len(self._merged) < len(self._buffer):
            self._merged = _ZERO * len(self._buffer)
        columns = address(self._merged), address(self._other)
        released = self._library.merge_runs(rows, address(runs), len(runs) // 2, last, *columns)
        while len(runs) > 2 and not runs[-1]:
            del runs[-2:]
        return self._merged, 0, released

    def _release(
        self, buffer: array[int], first: int, end: int, position: int, changes: dict[int, Change]
    ) -> Released:
        rows = address(buffer), first, end, self._shards
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
        if self._runs[-1] + count <= len(self._buffer) // ROW:
            return
        rows, runs = array("q"), array("q")
        for first, end in zip(self._runs[::2], self._runs[1::2], strict=True):
            runs.append(len(rows) // ROW)
            rows += self._buffer[first * ROW : end * ROW]
            runs.append(len(rows) // ROW)
        size = len(self._buffer)
        while (len(rows) + count * ROW) * 2 > size:
            size *= 2
        if size > len(self._buffer):
            self._buffer, self._other = _ZERO * size, _ZERO * size
        self._buffer[: len(rows)] = rows
        self._runs = runs


def _make_batch(
    columns: list[array[int]], start: int, size: int, changes: list[PositionedChange]
) -> Batch:
    """Return `size` rows of columns as a batch, without a copy if these are all rows."""
    if size < len(columns[0]):
        columns = [column[start : start + size] for column in columns]
    slots, ticks, failures, positions = columns
    return Batch(slots, ticks, failures, positions, changes)

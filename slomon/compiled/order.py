"""The reordering buffer of `core.order` at the compiled speed, over flat memory."""

from __future__ import annotations

from array import array
from typing import Final

from slomon.compiled.kernels.order import ROW
from slomon.compiled.library import Library, address
from slomon.core.batch import Batch
from slomon.core.event import Change
from slomon.core.order import Order
from slomon.core.tick import LAST_TICK

_ZERO: Final = array("q", [0])
_FIRST_ROWS: Final = 1 << 15


class CompiledOrder(Order):
    """What `Order` does, on arrays."""

    def __init__(self, library: Library, sources: int, shards: int) -> None:
        super().__init__(sources, shards)
        self._library = library
        self._buffer = _ZERO * (ROW * _FIRST_ROWS)
        self._other = _ZERO * (ROW * _FIRST_ROWS)
        self._first = self._end = 0

    def enter(self, source: int, ticks: array[int], codes: array[int], count: int) -> None:
        """Add the next rows of a source: the first `count` of two columns."""
        self._make_room(count)
        clock = self.clocks[source]
        column = array(
            "q",
            [clock.newest, clock.disordered, clock.largest, clock.accesses, clock.unmatched],
        )
        self._end = self._library.enter(
            *(address(ticks), address(codes), count, source, clock.lateness, address(column)),
            *(address(self._buffer), self._first, self._end, address(self._other)),
        )
        clock.newest, clock.disordered, clock.largest, clock.accesses, clock.unmatched = column

    def take(self) -> list[tuple[int, Batch]]:
        """The rows whose place is final, as a batch of arrays for each shard that has one."""
        buffer = address(self._buffer)
        first = self._first
        self._first = self._end
        if (watermark := self.watermark()) <= LAST_TICK:
            self._first = self._library.cut(buffer, first, self._end, watermark)
        count = self._first - first
        columns = [_ZERO * (count * self._shards) for _ in range(4)]
        changes = array("q", bytes(16 * len(self.changes)))
        counts = array("q", bytes(8 * self._shards))
        found = self._library.deal(
            *(buffer, first, self._first, self.position, self._shards, count),
            *map(address, (*columns, changes, counts)),
        )
        self.position += count
        pairs = iter(changes[: 2 * found])
        noted = [(at, self.changes.pop(code)) for at, code in zip(pairs, pairs, strict=True)]
        return [
            (shard, _batch(columns, shard * count, size, noted))
            for shard, size in enumerate(counts)
            if size or noted
        ]

    def save_rows(self) -> array[int]:
        """The buffer, four numbers a row."""
        return self._buffer[self._first * ROW : self._end * ROW]

    def load_rows(self, numbers: array[int]) -> None:
        """What `save_rows` saved."""
        count = len(numbers) // ROW
        self._make_room(count)
        self._buffer[: len(numbers)] = numbers
        self._first, self._end = 0, count

    def _make_room(self, count: int) -> None:
        """Room for so many rows more, behind those that wait, which move to the front for it."""
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


def _batch(
    columns: list[array[int]], start: int, size: int, changes: list[tuple[int, Change]]
) -> Batch:
    """So many rows of columns, or the columns themselves where these are all."""
    if size < len(columns[0]):
        columns = [column[start : start + size] for column in columns]
    slots, ticks, failures, positions = columns
    return Batch(slots, ticks, failures, positions, changes)

"""The reordering buffer of `core.order` at the compiled speed, over flat memory."""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import Final

from slomon.compiled.library import Library, address
from slomon.compiled.request_table import CompiledEndpointNames
from slomon.core.batching import Batch
from slomon.core.events import PositionedChange
from slomon.core.reorder import Order
from slomon.core.ticks import LAST_TICK
from slomon.kernels.reorder import CHANGE, ROW

_ZERO: Final = array("q", [0])
_FIRST_ROWS: Final = 1 << 15


class CompiledOrder(Order):
    """What `Order` does, on arrays; it admits names itself if they are found."""

    def __init__(
        self, library: Library, sources: int, shards: int, names: CompiledEndpointNames
    ) -> None:
        super().__init__(sources, shards)
        self._library = library
        self._names = names
        self._buffer = _ZERO * (ROW * _FIRST_ROWS)
        self._other = _ZERO * (ROW * _FIRST_ROWS)
        self._first = self._end = 0

    def enter(self, source: int, ticks: array[int], codes: array[int], count: int) -> None:
        """Add the next rows of a source: the first `count` of two columns."""
        self._make_room(count)
        clock = self.clocks[source]
        column = array("q", [clock.newest, clock.disordered, clock.largest, self.blank])
        self._end = self._library.enter(
            *(address(ticks), address(codes), count, source, clock.lateness, address(column)),
            *(address(self._buffer), self._first, self._end, address(self._other)),
        )
        clock.newest, clock.disordered, clock.largest, self.blank = column

    def take(self) -> list[tuple[int, Batch]]:
        """The rows whose place is final, as a batch of arrays for each shard that has one."""
        first = self._first
        self._first = self._end
        if (watermark := self.watermark()) <= LAST_TICK:
            self._first = self._library.cut(address(self._buffer), first, self._end, watermark)
        return self._deal_rows(first, self._first)

    def _deal_rows(self, first: int, end: int) -> list[tuple[int, Batch]]:
        rows = address(self._buffer), first, end, self._shards
        counts = _ZERO * self._shards
        accesses = self._library.count(*rows, *self._names.admission(), address(counts))
        columns = [_ZERO * accesses for _ in range(4)]
        places = array("q", accumulate(counts, initial=0))
        changes = _ZERO * (CHANGE * len(self.changes))
        tally = array("q", [self.position, self.unmatched, self.span.ended])
        found = self._library.deal(*rows, *map(address, (places, *columns, changes, tally)))
        self.position, self.unmatched, self.span.ended = tally
        self.accesses += accesses
        parts = iter(changes[: CHANGE * found])
        noted = [
            PositionedChange(position, tick, self.changes.pop(code))
            for position, tick, code in zip(parts, parts, parts, strict=True)
        ]
        self.deploys += noted
        dealt = [
            (shard, _batch(columns, places[shard] - size, size, noted))
            for shard, size in enumerate(counts)
            if size or noted
        ]
        self.span.begin(batch for _, batch in dealt)
        return dealt

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
    columns: list[array[int]], start: int, size: int, changes: list[PositionedChange]
) -> Batch:
    """So many rows of columns, or the columns themselves where these are all."""
    if size < len(columns[0]):
        columns = [column[start : start + size] for column in columns]
    slots, ticks, failures, positions = columns
    return Batch(slots, ticks, failures, positions, changes)

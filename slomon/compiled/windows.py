"""The windows of a shard at the compiled speed: the state of `core.window`, laid out for caches."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, Literal, cast

from slomon.compiled.library import Library, address, lengthen
from slomon.core.batch import Batch, Column
from slomon.core.endpoint import Endpoint
from slomon.core.window import (
    BLOCK,
    Crossing,
    Windows,
    WindowState,
    missing_blocks,
    read_crossings,
)

ENDPOINT: Final = 8  # numbers a record: one line of a cache
ENTRY: Final = 3

_ENDPOINT_COLUMNS: Final = 7


class CompiledWindows:
    """
    What `Windows` does, over two flat columns of records, one an endpoint and one an entry. It
    takes over from windows of the other speed.
    """

    def __init__(self, library: Library, windows: Windows) -> None:
        state = cast(tuple[Sequence[float], ...], windows.state)
        self.resolution = windows.resolution
        self._library = library
        self._endpoints = _interleave(state[:_ENDPOINT_COLUMNS], ENDPOINT)
        self._entries = _interleave(state[7:10], ENTRY)
        self._next_block = array("q", windows.state.next_block)
        self._pool = array("q", [column[0] for column in windows.state[11:]])
        self._crossings = array("q")

    def columns(self) -> Iterator[tuple[str, array[int] | array[float]]]:
        """The state as arrays, by the names of its columns, to be saved."""
        names = iter(WindowState._fields)
        for number in range(_ENDPOINT_COLUMNS):
            name, column = next(names), self._endpoints[number::ENDPOINT]
            yield name, array("d", column.tobytes()) if name == "slo" else column
        for number in range(ENTRY):
            yield next(names), self._entries[number::ENTRY]
        yield next(names), self._next_block
        for number in self._pool:
            yield next(names), array("q", [number])

    @property
    def late(self) -> int:
        """How many accesses were older than the newest one of their endpoint."""
        return self._pool[2]

    @property
    def count(self) -> int:
        """How many endpoints there are."""
        return len(self._endpoints) // ENDPOINT

    def grow(self, count: int, like: Endpoint) -> None:
        """Add so many endpoints, with the SLO and the window of one."""
        blank = CompiledWindows(self._library, Windows([like]))
        self._endpoints.extend(blank._endpoints * count)

    def advance(self, batch: Batch) -> list[Crossing]:
        """Count the accesses of a batch of arrays; other threads run meanwhile."""
        rows = len(batch.slots)
        self._reserve(rows)
        slots, ticks, failures, positions = map(
            _numbers, (batch.slots, batch.ticks, batch.failures, batch.positions)
        )
        if self.resolution:
            ticks = array("q", [tick - tick % self.resolution for tick in ticks])
        endpoints = address(self._endpoints)
        found = self._library.advance(
            *(endpoints, endpoints, self.count),
            *(address(self._entries), len(self._entries) // ENTRY),
            *(address(self._next_block), address(self._pool)),
            *map(address, (slots, ticks, failures, positions)),
            *(rows, address(self._crossings)),
        )
        return read_crossings(self._crossings[:found])

    def _reserve(self, rows: int) -> None:
        lengthen(self._crossings, 4 * rows)
        first = len(self._next_block)
        grown = missing_blocks(rows, self._pool[1], first)
        if grown == 0:
            return
        lengthen(self._entries, len(self._entries) + grown * BLOCK * ENTRY)
        self._next_block.extend(range(first + 1, first + grown))
        self._next_block.append(self._pool[0])
        self._pool[0] = first
        self._pool[1] += grown


def _numbers(column: Column) -> array[int]:
    return column if isinstance(column, array) else array("q", column)


def _interleave(columns: Sequence[Sequence[float]], width: int) -> array[int]:
    """Columns of a state as records of so many numbers; the bits of floats stay as they are."""
    records = array("q", bytes(8 * width * len(columns[0])))
    for number, column in enumerate(columns):
        kind: Literal["d", "q"] = "d" if column and isinstance(column[0], float) else "q"
        records[number::width] = array("q", array(kind, column).tobytes())
    return records

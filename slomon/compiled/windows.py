"""
The windows and the SLI series of one shard, with the compiled backend.

`CompiledWindows` is written beside `core.windows.Windows`, with the same interface, because
compiled code is fastest with another layout: columns become records, so that numbers that are used
together lie together in memory.

    Windows            width [a b c]  slo [a b c]  requests [a b c]  ...    a list per column
    CompiledWindows    a [width requests ...]  b [width requests ...]  ...            one array

Most endpoints of a large log never have a failure. What changes only then is in detail records. An
endpoint gets its own with its first failure, and shares the first one before:

    endpoints    a [width requests ... 0]  b [width requests ... 1]  c [width requests ... 0]
    details      0 [slo breached ...]  1 [slo breached ...]
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final, Literal, cast

from slomon.compiled.library import Function, Library, address, lengthen
from slomon.core.batching import Batch, Column
from slomon.core.endpoints import Endpoint
from slomon.core.sli_series import SeriesKernels, SeriesRecorder
from slomon.core.windows import (
    Windows,
    crossing_room,
    extend_marks,
    find_deadline,
    missing_blocks,
    read_crossings,
)
from slomon.kernels.sli_series import SeriesState
from slomon.kernels.windows import (
    BLOCK,
    DETAIL,
    DETAILS,
    ENDPOINT,
    ENDPOINT_COLUMNS,
    ENTRY,
    ENTRY_COLUMNS,
    Crossing,
    EndpointTotals,
    WindowState,
)

_PART: Final = 1 << 15  # rows of a batch that are counted by one call, for which there is room
_POOL: Final = ("first_free", "free_count", "late", "min_requests", "no_traffic")
"""The columns of one number each, in the order of WindowState."""


class CompiledWindows:
    """
    `Windows` with compiled kernels, over three arrays of records: of the endpoints, of their
    details, and of the entries. It continues from windows of the Python backend.
    """

    def __init__(self, library: Library, windows: Windows) -> None:
        columns = iter(cast(tuple[Sequence[float], ...], windows.state))
        self.resolution = windows.resolution
        self.marks = windows.marks
        self.series = windows.series and SeriesRecorder(
            state=windows.series.state,
            kernels=SeriesKernels(partial(_call, library.merge), partial(_call, library.sort)),
        )
        self._library = library
        records = range(1, windows.count + 1)
        self._endpoints = _interleave([*islice(columns, DETAIL), records], ENDPOINT)
        self._details = array("q", bytes(8 * DETAILS))  # the one that is shared
        self._details += _interleave([*islice(columns, ENDPOINT_COLUMNS - DETAIL)], DETAILS)
        self._details[DETAILS - 1] = windows.count + 1
        self._entries = _interleave([*islice(columns, ENTRY_COLUMNS)], ENTRY)
        self._next_block = array("q", windows.state.next_block)
        self._pool = array("q", [getattr(windows.state, name)[0] for name in _POOL])
        self._crossings = array("q")
        self._addresses: tuple[int, ...] | None = None  # see `_state`; None once a column grows

    def columns(self) -> Iterator[tuple[str, array[int] | array[float]]]:
        """The name of each column of the state, and the column as an array, to be saved."""
        names = iter(WindowState._fields)
        for number in range(DETAIL):
            yield next(names), self._endpoints[number::ENDPOINT]
        records = self._endpoints[DETAIL::ENDPOINT]
        for number in range(ENDPOINT_COLUMNS - DETAIL):
            name, column = next(names), self._details[number::DETAILS]
            column = array("q", map(column.__getitem__, records))
            yield name, array("d", column.tobytes()) if name == "slo" else column
        for number in range(ENTRY):
            yield next(names), self._entries[number::ENTRY]
        yield next(names), self._next_block
        for number in self._pool:
            yield next(names), array("q", [number])

    @property
    def late(self) -> int:
        """The number of accesses that were older than the newest one of their endpoint."""
        late: int = self._pool[_POOL.index("late")]
        return late

    @property
    def count(self) -> int:
        """The number of endpoints."""
        return len(self._endpoints) // ENDPOINT

    def grow(self, count: int, defaults: Endpoint) -> None:
        """Add `count` endpoints with the SLO and the window of `defaults`."""
        blank = CompiledWindows(self._library, Windows([defaults]))
        blank._endpoints[DETAIL] = 0
        self._endpoints.extend(blank._endpoints * count)
        self._details[: DETAILS - 1] = blank._details[DETAILS : 2 * DETAILS - 1]
        self._addresses = None
        if self.series is not None:
            self.series.grow(count)

    def mark(self, slots: array[int]) -> None:
        """Note that a change of these endpoints arrived."""
        extend_marks(self.marks, self.count)
        self._library.mark(*self._state(), address(slots), len(slots), address(self.marks))

    def totals_of(self, slot: int) -> EndpointTotals:
        """The totals of an endpoint now."""
        record = self._record(slot)
        return EndpointTotals(
            record["requests"] + record["past_requests"],
            record["failures"] + record["past_failures"],
            *(record[name] for name in EndpointTotals._fields[2:]),
        )

    def deadline(self, slot: int) -> int | None:
        """The tick at which an open incident expires if there is no access; None: it never does."""
        record = self._record(slot)
        return find_deadline(
            self._entries[record["tail"] * ENTRY], record["width"], self._no_traffic
        )

    def expire(self, slot: int, tick: int) -> None:
        """Expire an incident at its deadline `tick`. Later accesses count there or after it."""
        self._library.expire(*self._state(), slot, tick)

    def totals(self) -> tuple[array[int], array[int]]:
        """All requests and failures of each endpoint so far."""
        requests, failures = (array("q", bytes(8 * self.count)) for _ in range(2))
        self._library.add_totals(
            address(self._endpoints), self.count, address(requests), address(failures)
        )
        return requests, failures

    def advance(self, batch: Batch) -> list[Crossing]:
        """
        Count the accesses of a batch. Return the crossings, in the order of the rows. Other threads
        run meanwhile.
        """
        slots, ticks, failures, positions = map(
            _numbers, (batch.slots, batch.ticks, batch.failures, batch.positions)
        )
        if self.resolution:
            ticks = array("q", [tick - tick % self.resolution for tick in ticks])
        columns = [memoryview(column) for column in (slots, ticks, failures, positions)]
        found: list[Crossing] = []
        for first in range(0, len(slots), _PART):
            found += self._advance(*(column[first : first + _PART] for column in columns))
        return found

    def _advance(
        self,
        slots: memoryview[int],
        ticks: memoryview[int],
        failures: memoryview[int],
        positions: memoryview[int],
    ) -> list[Crossing]:
        rows = len(slots)
        self._reserve(rows)
        series = None if self.series is None else self.series.reserve(rows)
        columns = address_columns(series)
        self._library.add_details(
            *(address(self._endpoints), address(self._details)),
            *(address(slots), address(failures), rows),
        )
        written = self._library.advance(
            *self._state(),
            *map(address, (slots, ticks, failures, positions)),
            *(rows, address(self._crossings)),
            *(address(columns), address(columns), 0 if series is None else len(series.bucket_slot)),
        )
        return read_crossings(self._crossings[:written])

    @property
    def _no_traffic(self) -> int:
        no_traffic: int = self._pool[_POOL.index("no_traffic")]
        return no_traffic

    def _record(self, slot: int) -> dict[str, int]:
        """The records of an endpoint, by the names of its columns. `slo` is the bits of a float."""
        *numbers, record = self._endpoints[slot * ENDPOINT : (slot + 1) * ENDPOINT]
        numbers += self._details[record * DETAILS : (record + 1) * DETAILS]
        return dict(zip(WindowState._fields, numbers, strict=False))

    def _state(self) -> tuple[int, ...]:
        """The arguments from which `compiled.build` makes a WindowState."""
        if self._addresses is None:
            endpoints = address(self._endpoints)
            self._addresses = (
                *(endpoints, endpoints, self.count, address(self._details)),
                *(address(self._entries), len(self._entries) // ENTRY),
                *(address(self._next_block), address(self._pool)),
            )
        return self._addresses

    def _reserve(self, rows: int) -> None:
        lengthen(self._crossings, crossing_room(rows, self._no_traffic))
        self._reserve_details(rows)
        first = len(self._next_block)
        added = missing_blocks(rows, self._pool[1], first)
        if added == 0:
            return
        lengthen(self._entries, len(self._entries) + added * BLOCK * ENTRY)
        self._next_block.extend(range(first + 1, first + added))
        self._next_block.append(self._pool[0])
        self._pool[0] = first
        self._pool[1] += added
        self._addresses = None

    def _reserve_details(self, rows: int) -> None:
        """Make room for the detail records of all endpoints that may have their first failure."""
        used, size = self._details[DETAILS - 1], len(self._details) // DETAILS
        needed = used + min(rows, self.count + 1 - used)
        if needed > size:
            lengthen(self._details, max(needed, size + (size >> 3)) * DETAILS)
            self._addresses = None


def _call(kernel: Function, series: SeriesState, *numbers: int) -> int:
    columns = address_columns(series)
    counts = len(series.current_index), len(series.bucket_slot)
    return kernel(address(columns), address(columns), *counts, *numbers)


def address_columns(series: SeriesState | None) -> array[int]:
    """The addresses of the columns of a series, valid until a column grows; empty without one."""
    return array("q", map(address, series or ()))  # type: ignore[arg-type] # all are arrays


def _numbers(column: Column) -> array[int]:
    return column if isinstance(column, array) else array("q", column)


def _interleave(columns: Sequence[Sequence[float]], width: int) -> array[int]:
    """Columns as records of `width` numbers each. The bits of floats stay as they are."""
    records = array("q", bytes(8 * width * len(columns[0])))
    for number, column in enumerate(columns):
        kind: Literal["d", "q"] = "d" if column and isinstance(column[0], float) else "q"
        records[number::width] = array("q", array(kind, column).tobytes())
    return records

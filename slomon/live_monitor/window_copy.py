"""
A copy of a live monitor's windows, made in parts. Requests are counted between the parts, so that
saving a large state never holds the event loop for long.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, cast

from slomon.core.windows import Windows
from slomon.kernels.windows import BLOCK, ENDPOINT_COLUMNS, ENTRY_COLUMNS, NEVER, WindowState

_NUMBERS: Final = 1 << 14  # of a part: copying them takes about 1 ms, or 6 ms if memory moves
_ENDPOINTS: Final = 1 << 8  # of a part, if they are copied one by one
_BLOCKS: Final = 1 << 8  # of a part, if they are copied one by one
_ROUNDS: Final = 3  # each copies again what has changed, and takes less time


class WindowCopy:
    """
    The columns of windows as arrays, to be saved. `parts` copies most of them, and `columns` the
    rest: the copy is of the moment at which `columns` is called.

    That works because entries before the newest one of an endpoint never change, and because `note`
    is called before an endpoint changes. All blocks from its newest entry then are copied again:
    they hold all entries that were changed or added since then.

    It costs O(1) per endpoint, block and entry in parts, and at once O(1) per endpoint that changes
    while the last parts are made, and a copy of the list that has a number per block.
    """

    def __init__(self, windows: Windows) -> None:
        self._state = windows.state
        self._endpoints: list[array[int] | array[float]] = []
        self._entries: list[array[int]] = [array("q") for _ in range(ENTRY_COLUMNS)]
        self._changed: dict[int, tuple[int, int]] = {}

    def note(self, slots: Iterable[int]) -> None:
        """These endpoints will change now: keep their newest entries, and the ticks of those."""
        state, changed = self._state, self._changed
        for slot in set(slots).difference(changed):
            known = slot < len(state.tail)  # otherwise it is added now
            tail = state.tail[slot] if known else 0
            changed[slot] = tail, state.entry_tick[tail] if known else NEVER

    def parts(self) -> Iterator[None]:
        """Copy the windows; requests may be counted whenever this yields."""
        for entries, column in zip(self._entries, self._entry_columns, strict=True):
            yield from _extend(entries, column, len(self._state.entry_tick))
        for name, numbers in zip(WindowState._fields, self._endpoint_columns, strict=False):
            copy: array[Any] = array("d" if name == "slo" else "q")
            self._endpoints.append(copy)
            yield from _extend(copy, numbers, len(numbers))
        for _ in range(_ROUNDS):
            changed, self._changed = list(self._changed.items()), {}
            for first in range(0, len(changed), _ENDPOINTS):
                yield from self._copy_changed(changed[first : first + _ENDPOINTS])

    def columns(self) -> Iterator[tuple[str, array[int] | array[float]]]:
        """The name and a copy of each column, as of now. The last ones are made when iterated."""
        for _ in self._copy_changed(self._changed.items()):
            pass
        copies = [*self._endpoints, *self._entries]
        # Copying a list takes a fifth of the time that making an array of it takes.
        others = [cast(list[int], column)[:] for column in self._state[len(copies) :]]
        return zip(WindowState._fields, chain(copies, map(_to_array, others)), strict=True)

    @property
    def _endpoint_columns(self) -> Sequence[list[Any]]:
        return cast("tuple[list[Any], ...]", self._state)[:ENDPOINT_COLUMNS]

    @property
    def _entry_columns(self) -> Sequence[list[int]]:
        columns = cast("tuple[list[int], ...]", self._state)
        return columns[ENDPOINT_COLUMNS : ENDPOINT_COLUMNS + ENTRY_COLUMNS]

    def _copy_changed(self, changed: Iterable[tuple[int, tuple[int, int]]]) -> Iterator[None]:
        """Copy these endpoints, and their blocks from these entries on, in parts."""
        rows = list(zip(self._endpoints, self._endpoint_columns, strict=True))
        for row, numbers in rows:
            row.extend(numbers[len(row) :])  # endpoints that were added
        blocks: list[int] = []
        for slot, (tail, clock) in changed:
            for row, numbers in rows:
                row[slot] = numbers[slot]
            blocks += self._find_blocks(slot, tail, clock)
        pairs = list(zip(self._entries, self._entry_columns, strict=True))
        for copy, column in pairs:
            copy.frombytes(bytes(copy.itemsize * (len(column) - len(copy))))
        for first in range(0, len(blocks), _BLOCKS):
            for block in blocks[first : first + _BLOCKS]:
                place = slice(block * BLOCK, (block + 1) * BLOCK)
                for copy, column in pairs:
                    copy[place] = array("q", column[place])
            yield

    def _find_blocks(self, slot: int, tail: int, clock: int) -> list[int]:
        """The blocks of a window from an entry on, which was the newest one at that tick."""
        state, head = self._state, self._state.head[slot]
        # If that entry has left the window, all that is in the window is newer.
        block = (tail if state.entry_tick[head] <= clock else head) // BLOCK
        blocks = [block]
        while block != state.tail[slot] // BLOCK:
            block = state.next_block[block]
            blocks.append(block)
        return blocks


def _extend(copy: array[Any], column: Sequence[Any], length: int) -> Iterator[None]:
    """Append the first numbers of a column to its copy, in parts."""
    for first in range(0, length, _NUMBERS):
        copy.extend(array(copy.typecode, column[first : min(first + _NUMBERS, length)]))
        yield


def _to_array(numbers: Sequence[int]) -> array[int]:
    copy = array("q")
    for _ in _extend(copy, numbers, len(numbers)):
        pass  # in parts, between which other threads run
    return copy

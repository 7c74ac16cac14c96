"""
A copy of a live monitor's windows, made in parts. Requests are counted between the parts, so that
saving a large state never holds the event loop for long.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final, cast

from slomon.core.windows import Windows
from slomon.kernels.windows import BLOCK, ENDPOINT_COLUMNS, ENTRY_COLUMNS, WindowState

_NEW: Final = (BLOCK - 1, -1, 0)
"""The tail of an endpoint that is found while its windows are copied, before its first request."""

_ENTRIES: Final = 1 << 13  # of a part: copying them takes about 2 ms
_BLOCKS: Final = 1 << 8  # of a part, if they are copied one by one


class WindowCopy:
    """
    The columns of windows as arrays, to be saved. `parts` copies most entries, and `columns` the
    rest: the copy is of the moment at which `columns` is called.

    That works because entries before the newest one of an endpoint never change. Of each endpoint,
    `_tails` has the newest entry at an earlier moment. All blocks from that entry on are copied
    again: they hold all entries that were changed or added since then.

    It costs O(1) per endpoint and block at once, and O(1) per entry in parts.
    """

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._state = windows.state
        self._tails = self._find_tails()
        self._copies: list[array[int]] = []

    def parts(self) -> Iterator[None]:
        """Copy the entries; requests may be counted whenever this yields."""
        length = len(self._state.entry_tick)
        for _ in range(ENTRY_COLUMNS):  # at their full lengths: growing may move all of a column
            self._copies.append(array("q", [0]) * length)
            yield
        for first in range(0, length, _ENTRIES):
            place = slice(first, min(first + _ENTRIES, length))
            for copy, column in zip(self._copies, self._entries, strict=True):
                copy[place] = array("q", column[place])
            yield
        for copy, column in zip(self._copies, self._entries, strict=True):
            _extend(copy, len(column))  # by an eighth, if there are new blocks
            yield
        changed = self._find_changed()  # many, if there are many requests
        self._tails = self._find_tails()
        for first in range(0, len(changed), _BLOCKS):
            self._copy_blocks(changed[first : first + _BLOCKS])
            yield

    def columns(self) -> Iterator[tuple[str, array[int] | array[float]]]:
        """The name and a copy of each column, as of now."""
        self._copy_blocks(self._find_changed())
        copies = dict(zip(_ENTRY_NAMES, self._copies, strict=True))
        for name, column in zip(WindowState._fields, self._state, strict=True):
            kept = copies.get(name)
            yield name, _copy(name, column) if kept is None else kept

    @property
    def _entries(self) -> Sequence[list[int]]:
        columns = cast("tuple[list[int], ...]", self._state)
        return columns[ENDPOINT_COLUMNS : ENDPOINT_COLUMNS + ENTRY_COLUMNS]

    def _find_tails(self) -> list[tuple[int, int, int]]:
        """Of each endpoint: its newest entry, the tick of that, and the number of requests."""
        state = self._state
        requests, _ = self._windows.totals()
        return [
            (tail, state.entry_tick[tail], count)
            for tail, count in zip(state.tail, requests, strict=True)
        ]

    def _find_changed(self) -> list[int]:
        """The blocks of all windows that have changed since `_tails`."""
        state, changed = self._state, []
        pairs = zip_longest(self._tails, self._find_tails(), fillvalue=_NEW)
        for slot, (then, now) in enumerate(pairs):
            if then == now:
                continue
            tail, clock, _ = then
            head = state.head[slot]
            # If that entry has left the window, all that is in the window is newer.
            block = (tail if state.entry_tick[head] <= clock else head) // BLOCK
            changed.append(block)
            while block != state.tail[slot] // BLOCK:
                block = state.next_block[block]
                changed.append(block)
        return changed

    def _copy_blocks(self, blocks: Sequence[int]) -> None:
        pairs = list(zip(self._copies, self._entries, strict=True))
        for copy, column in pairs:
            _extend(copy, len(column))
        for (
            block
        ) in blocks:  # no list of slices: collecting garbage takes long if windows are large
            place = slice(block * BLOCK, (block + 1) * BLOCK)
            for copy, column in pairs:
                copy[place] = array("q", column[place])


_ENTRY_NAMES: Final = WindowState._fields[ENDPOINT_COLUMNS : ENDPOINT_COLUMNS + ENTRY_COLUMNS]


def _extend(copy: array[int], length: int) -> None:
    copy.frombytes(bytes(copy.itemsize * (length - len(copy))))


def _copy(name: str, column: object) -> array[int] | array[float]:
    return array("d" if name == "slo" else "q", cast(list[int], column))

"""What windows hold, carried over to another set of endpoints, as after a new configuration."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Final, cast

from slomon.core.endpoint import Endpoint
from slomon.core.windows import Windows
from slomon.kernels.window import BLOCK, ENDPOINT_COLUMNS, MARKS, WindowState

_OWN: Final = {"width", "slo", "scout", "scout_tick"}
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

"""The kernel at its other speed: compiled by Numba as it stands, over arrays instead of lists."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import cache
from typing import TypeAlias, cast

import pytest

from slomon.core.window import Column, Rows, WindowState, advance

Kernel: TypeAlias = Callable[[WindowState, Rows, Column], int]


@cache
def compiled() -> Kernel:
    """`advance`, compiled once a session; skips the test where there is no Numba."""
    numba = pytest.importorskip("numba", reason="only Numba compiles the kernel")
    return cast(Kernel, numba.njit(nogil=True)(advance))


def in_arrays(state: WindowState) -> WindowState:
    """The same state in columns of 64-bit numbers, as the compiled kernel needs it."""
    return WindowState(
        *(array("d" if name == "slo" else "q", column) for name, column in state._asdict().items())
    )


def advance_arrays(state: WindowState, rows: Rows, crossings: Column) -> int:
    """The compiled kernel, on a state that lives in arrays."""
    slots, ticks, failures, positions = (array("q", column) for column in rows)
    found = array("q", crossings)
    count = compiled()(state, (slots, ticks, failures, positions), found)
    crossings[:] = found
    return count


def advance_lists(state: WindowState, rows: Rows, crossings: Column) -> int:
    """The compiled kernel, on a state that is moved to arrays for it and back to lists."""
    moved = in_arrays(state)
    count = advance_arrays(moved, rows, crossings)
    for column, result in cast(list[tuple[Column, Column]], zip(state, moved, strict=True)):
        column[:] = list(result)
    return count

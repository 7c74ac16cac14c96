"""The kernels for the hosts under test: compiled, and as plain Python."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest

from slomon.compiled import batching as batching_host
from slomon.compiled import line_reader as line_reader_host
from slomon.compiled import reorder as reorder_host
from slomon.compiled import request_table as request_table_host
from slomon.compiled import windows as windows_host
from slomon.compiled.library import Library, load
from slomon.kernels import hash_table, reorder, resolve, scan, wrappers
from slomon.kernels.sli_series import SeriesState, merge, sort
from slomon.kernels.windows import (
    ENDPOINT,
    ENTRY,
    EXCESS,
    WindowState,
    advance,
    expire,
    mark,
)

_HOSTS = (batching_host, line_reader_host, reorder_host, request_table_host, windows_host)


@cache
def compiled() -> Library:
    """The library; skips the test if there is none."""
    library = load()
    if library is None:  # pragma: no cover (coverage is measured with the extra)
        pytest.skip("the extra slomon[replay] is not installed")
    return library


@contextmanager
def uncompiled_kernels() -> Iterator[Library]:
    """
    The kernels as plain Python, in place of a library. The hosts pass the columns themselves
    instead of addresses, so an index out of bounds raises an error and does no damage.
    """
    with pytest.MonkeyPatch.context() as patch:
        for host in _HOSTS:
            patch.setattr(host, "address", lambda column: column)
        patch.setattr(windows_host, "address_columns", lambda sli_series: sli_series)
        yield cast(Library, _INTERPRETED)


@contextmanager
def compiled_kernels() -> Iterator[Library]:
    """The compiled kernels."""
    yield compiled()


Opened = Callable[[], AbstractContextManager[Library]]
BACKENDS: list[Opened] = [compiled_kernels, uncompiled_kernels]
LONG_IF_COMPILED: Final = [
    pytest.param(compiled_kernels, marks=pytest.mark.slow),
    uncompiled_kernels,
]
"""The backends of a test that gives the compiled kernels many more cases."""


def _advance(
    endpoints: array[int],
    _same: array[int],
    _count: int,
    excesses: array[int],
    entries: array[int],
    _entry_count: int,
    next_block: array[int],
    pool: array[int],
    *rest: Any,
) -> int:
    """`advance` over the columns of CompiledWindows, as strided views."""
    slots, ticks, failures, positions, _number, crossings, sli_series, _same_series, _buckets = rest
    state = _state(endpoints, excesses, entries, next_block, pool)
    return advance(state, (slots, ticks, failures, positions), crossings, sli_series)


def _merge(
    sli_series: SeriesState, _same: SeriesState, _count: int, _buckets: int, doublings: int
) -> int:
    return merge(sli_series, doublings)


def _sort(sli_series: SeriesState, _same: SeriesState, _count: int, _buckets: int) -> int:
    return sort(sli_series)


def _mark(  # noqa: PLR0917 (as the kernel has them)
    endpoints: array[int],
    _same: array[int],
    _count: int,
    excesses: array[int],
    entries: array[int],
    _entry_count: int,
    next_block: array[int],
    pool: array[int],
    slots: array[int],
    _number: int,
    marks: array[int],
) -> int:
    return mark(_state(endpoints, excesses, entries, next_block, pool), slots, marks)


def _expire(  # noqa: PLR0917 (as the kernel has them)
    endpoints: array[int],
    _same: array[int],
    _count: int,
    excesses: array[int],
    entries: array[int],
    _entry_count: int,
    next_block: array[int],
    pool: array[int],
    slot: int,
    tick: int,
) -> int:
    return expire(_state(endpoints, excesses, entries, next_block, pool), slot, tick)


def _state(
    endpoints: array[int],
    excesses: array[int],
    entries: array[int],
    next_block: array[int],
    pool: array[int],
) -> WindowState:
    numbers, numbered = memoryview(endpoints), memoryview(pool)
    by_excess, by_entry = memoryview(excesses), memoryview(entries)
    floats = numbers.cast("B").cast("d")
    columns: list[Any] = [numbers[column::ENDPOINT] for column in range(ENDPOINT)]
    columns[1] = floats[1::ENDPOINT]
    columns += [by_excess[column::EXCESS] for column in range(EXCESS)]
    columns += [by_entry[column::ENTRY] for column in range(ENTRY)]
    columns += [memoryview(next_block), *(numbered[number:] for number in range(5))]
    return WindowState(*columns)


_INTERPRETED = SimpleNamespace(
    scan=scan.scan,
    unwrap=wrappers.unwrap,
    resolve=resolve.resolve,
    find_or_add=resolve.find_or_add,
    add_request=resolve.add_request,
    rehash=hash_table.rehash,
    enter=reorder.enter,
    cut=reorder.cut,
    merge_runs=reorder.merge_runs,
    count=reorder.count,
    deal=reorder.deal,
    mark=_mark,
    merge=_merge,
    sort=_sort,
    expire=_expire,
    advance=_advance,
)

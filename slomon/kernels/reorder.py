"""
The reorder buffer: rows wait in order of (time, source) while an earlier row may still arrive. When
none may, they are released and dealt to their shards. `core/reorder.py` does the same in Python.

A row is four numbers:

    [ time | source | tick | code ]

The rows that wait are runs, one behind the other, each in order. New rows become a part of the last
run if few of its rows belong behind the first of them, as always if one source is read. Otherwise
they begin a run of their own, and only rows that are released are merged. So a row costs the same
however many rows wait.

The time of a row is its place in the order: its tick, or later if the row is out of order by more
than the lateness of its source. Consecutive events that no shard sees (unmatched, rejected,
excluded) share one row if their time, source and code are equal; its tick counts them.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.codes import BLANK, EXCLUDED, FIRST_CHANGE, NO_TICK, UNMATCHED
from slomon.kernels.resolve import MOST, accept

Column: TypeAlias = MutableSequence[int]

ROW: Final = 4

# The numbers of `clock`, one clock per source
NEWEST: Final = 0  # its newest tick
DISORDERED: Final = 1  # how many rows were older than a row before
LARGEST: Final = 2  # the largest difference to an older row, in ticks
BLANKS: Final = 3  # how many rows were blank lines

# The numbers of `tally`, over all released events
POSITION: Final = 0  # how many there were: the position of the next one
UNMATCHED_EVENTS: Final = 1
EXCLUDED_EVENTS: Final = 2
LATEST: Final = 3  # the newest tick of an access

CHANGE: Final = 3
"""Numbers that `deal` writes for a change: its position, its tick and its code."""


def enter(
    ticks: Sequence[int],
    codes: Sequence[int],
    count: int,
    source: int,
    lateness: int,
    clock: Column,
    rows: Column,
    first: int,
    end: int,
    other: Column,
) -> int:
    """
    Add the next `count` rows of a source behind the last run, which is from `first` to `end`.
    Return where they end; as a negative number if they are a run of their own. The caller ensures
    that `rows` has room for all rows, and `other`, which is scratch memory, as well.
    """
    newest = clock[NEWEST]
    new = end * ROW
    place = new
    for index in range(count):
        code = codes[index]
        if code == BLANK:
            clock[BLANKS] += 1
            continue
        tick = ticks[index]
        if tick == NO_TICK:
            tick = newest
        time = tick
        if tick < newest:
            clock[DISORDERED] += 1
            clock[LARGEST] = max(clock[LARGEST], newest - tick)
            time = max(tick, newest - lateness)
        else:
            newest = tick
        if FIRST_CHANGE < code < 0:
            before = place - ROW
            if before >= first * ROW and _is_alike(rows, before, time, source, code):
                rows[before + 2] += 1
                continue
            tick = 1
        rows[place] = time
        rows[place + 1] = source
        rows[place + 2] = tick
        rows[place + 3] = code
        place += ROW
    clock[NEWEST] = newest
    _sort(rows, new, place, other)
    is_joined = _join(rows, first * ROW, new, place, other)
    return place // ROW if is_joined else -(place // ROW)


def cut(rows: Sequence[int], first: int, end: int, last: int) -> int:
    """The first row of a run whose time is after the tick `last`. A binary search."""
    while first < end:
        middle = (first + end) >> 1
        if rows[middle * ROW] <= last:
            first = middle + 1
        else:
            end = middle
    return first


def merge_runs(
    rows: Sequence[int], runs: Column, count: int, last: int, into: Column, other: Column
) -> int:
    """
    Cut the rows up to the tick `last` off `count` runs, which are pairs of a first row and an end,
    and write them to `into`, in order. Return how many rows these are. The runs that have rows
    left are the first ones then; all others are 0. The caller ensures that `into` and `other`,
    which is scratch memory, have room for all rows.
    """
    place = left = 0
    for run in range(count):
        first, end = runs[2 * run], runs[2 * run + 1]
        final = cut(rows, first, end, last)
        for number in range(first * ROW, final * ROW):
            into[place] = rows[number]
            place += 1
        runs[2 * run] = runs[2 * run + 1] = 0
        if final < end:
            runs[2 * left], runs[2 * left + 1] = final, end
            left += 1
    _sort(into, 0, place, other)
    return place // ROW


def count(
    rows: Column,
    first: int,
    end: int,
    shards: int,
    admitted: Column,
    header: Column,
    counts: Column,
) -> int:
    """
    Count the accesses of each shard among rows that are released. Return how many there are. If
    endpoints are found in the stream, an access to an endpoint that is not admitted becomes an
    unmatched event.
    """
    accesses = 0
    for row in range(first, end):
        code = rows[row * ROW + 3]
        if code < 0:
            continue
        key = code >> 1
        if header[MOST] and not accept(key, admitted, header):
            rows[row * ROW + 2] = 1
            rows[row * ROW + 3] = UNMATCHED
            continue
        counts[key % shards if shards > 1 else 0] += 1
        accesses += 1
    return accesses


def deal(
    rows: Sequence[int],
    first: int,
    end: int,
    shards: int,
    places: Column,
    slots: Column,
    ticks: Column,
    failures: Column,
    positions: Column,
    changes: Column,
    tally: Column,
) -> int:
    """
    Deal rows to their shards. The columns of all shards lie one after the other; `places` says
    where each shard's next row goes. Write the changes among the rows to `changes`, CHANGE numbers
    each. Return how many changes there are.
    """
    found = 0
    position = tally[POSITION]
    for row in range(first, end):
        tick, code = rows[row * ROW + 2], rows[row * ROW + 3]
        if code >= 0:
            key = code >> 1
            shard = 0
            slot = key
            if shards > 1:
                shard = key % shards
                slot = key // shards
            place = places[shard]
            places[shard] = place + 1
            slots[place] = slot
            ticks[place] = tick
            failures[place] = code & 1
            positions[place] = position
            tally[LATEST] = max(tally[LATEST], tick)
        elif code <= FIRST_CHANGE:
            changes[CHANGE * found] = position
            changes[CHANGE * found + 1] = tick
            changes[CHANGE * found + 2] = code
            found += 1
        else:
            if code == UNMATCHED:
                tally[UNMATCHED_EVENTS] += tick
            elif code == EXCLUDED:
                tally[EXCLUDED_EVENTS] += tick
            position += tick - 1
        position += 1
    tally[POSITION] = position
    return found


def _sort(rows: Column, first: int, end: int, other: Column) -> None:
    """A natural merge sort, which is stable."""
    here, there = rows, other
    passes = 0
    while _end_of_run(here, first, end) < end:
        start = first
        while start < end:
            middle = _end_of_run(here, start, end)
            stop = _end_of_run(here, middle, end)
            _merge(here, start, middle, stop, there)
            start = stop
        here, there = there, here
        passes += 1
    if passes & 1:
        _copy(other, first, end, rows)


def _join(rows: Column, first: int, new: int, end: int, other: Column) -> bool:
    """
    Merge the run from `new` to `end` with the one before it, unless more rows of that than it has
    itself belong behind its first row. Return whether they are one run now.
    """
    start, stop = first // ROW, new // ROW
    while start < stop and new < end:
        middle = (start + stop) >> 1
        if _before(rows, new, middle * ROW):
            stop = middle
        else:
            start = middle + 1
    begin = stop * ROW
    if new - begin > end - new:
        return False
    if begin < new:
        _merge(rows, begin, new, end, other)
        _copy(other, begin, end, rows)
    return True


def _end_of_run(rows: Sequence[int], start: int, end: int) -> int:
    """Where the run of rows in order that begins at `start` ends."""
    start += ROW
    while start < end and not _before(rows, start, start - ROW):
        start += ROW
    return min(start, end)


def _merge(rows: Sequence[int], start: int, middle: int, end: int, into: Column) -> None:
    """Merge two adjacent runs. Of equal rows, those of the first run come first."""
    left, right = start, middle
    for place in range(start, end, ROW):
        if left < middle and (right >= end or not _before(rows, right, left)):
            taken = left
            left += ROW
        else:
            taken = right
            right += ROW
        for number in range(ROW):
            into[place + number] = rows[taken + number]


def _is_alike(rows: Sequence[int], row: int, time: int, source: int, code: int) -> bool:
    return rows[row] == time and rows[row + 1] == source and rows[row + 3] == code


def _before(rows: Sequence[int], one: int, other: int) -> bool:
    if rows[one] != rows[other]:
        return rows[one] < rows[other]
    return rows[one + 1] < rows[other + 1]


def _copy(rows: Sequence[int], start: int, end: int, into: Column) -> None:
    for place in range(start, end):
        into[place] = rows[place]

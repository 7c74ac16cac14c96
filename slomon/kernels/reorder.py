"""
`slomon.core.order` over flat memory: rows are kept in order of (time, source), as long as something
earlier may still come, and are dealt to their shards when nothing may.

A row is four numbers: the time it stands at, its source, its tick, its code. One row is a run of
events that no shard sees: its tick counts them.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.codes import BLANK, FIRST_CHANGE, NO_TICK, UNMATCHED
from slomon.kernels.resolve import MOST, accept

Column: TypeAlias = MutableSequence[int]

ROW: Final = 4

# What `clock` says of a source
NEWEST: Final = 0  # its newest tick
DISORDERED: Final = 1  # how many rows were older than one before
LARGEST: Final = 2  # by how much at most
BLANKS: Final = 3  # how many rows are no events

# What `tally` says of the events that went out
POSITION: Final = 0  # how many there were
UNMATCHED_EVENTS: Final = 1
LATEST: Final = 2  # the newest tick of an access

# What `deal` says of a change: its position, its tick and its code
CHANGE: Final = 3


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
    Add the next rows of a source behind those from `first` to `end`, and sort them; returns the
    new end. `rows` and `other`, a column for work, have room for them all.
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
    _sort(rows, first * ROW, new, place, other)
    return place // ROW


def cut(rows: Sequence[int], first: int, end: int, watermark: int) -> int:
    """The first of the rows in order that stands at the watermark or after it."""
    while first < end:
        middle = (first + end) >> 1
        if rows[middle * ROW] < watermark:
            first = middle + 1
        else:
            end = middle
    return first


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
    Count the accesses of each shard among rows that go out; returns how many these are. Where
    endpoints are found, an access to one that is not among the first becomes an unmatched event.
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
    Deal rows to their shards, whose columns stand one after the other: `places` says where that of
    each has room next. Changes are CHANGE numbers each; returns how many there are.
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
            position += tick - 1
        position += 1
    tally[POSITION] = position
    return found


def _sort(rows: Column, first: int, new: int, end: int, other: Column) -> None:
    """Sort rows of which those before `new` are in order: merge runs, two by two, while any."""
    here, there = rows, other
    passes = 0
    while _run(here, new, end) < end:
        start = new
        while start < end:
            middle = _run(here, start, end)
            stop = _run(here, middle, end)
            _merge(here, start, middle, stop, there)
            start = stop
        here, there = there, here
        passes += 1
    if passes & 1:
        _copy(other, new, end, rows)
    start = new
    while start > first and new < end and _before(rows, new, start - ROW):
        start -= ROW
    if start < new:
        _merge(rows, start, new, end, other)
        _copy(other, start, end, rows)


def _run(rows: Sequence[int], start: int, end: int) -> int:
    """Where the rows stop to be in order."""
    start += ROW
    while start < end and not _before(rows, start, start - ROW):
        start += ROW
    return min(start, end)


def _merge(rows: Sequence[int], start: int, middle: int, end: int, into: Column) -> None:
    """Merge two runs that follow each other; of equals, the first run's come first."""
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

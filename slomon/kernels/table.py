"""
The reading of one row of a table (`formats.tables`). A row is plain if each cell is what stands
between two separators.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.codes import NO_TICK
from slomon.kernels.line import NOT_PLAIN, Fields
from slomon.kernels.request import (
    CLOCK_PLACE,
    METHOD,
    REQUEST,
    STATUS_PLACE,
    TIME_PLACE,
    copy,
    find_request,
    is_letter,
    join_request,
)
from slomon.kernels.swar import find_byte
from slomon.kernels.times import DATES, number, read_time

# The numbers of a program: a header, then the steps
STEP_COUNT: Final = 0
SEPARATOR: Final = 1  # the byte between two cells
REFUSED: Final = 2  # a byte that only the reference parser understands
ALSO_REFUSED: Final = 3  # another one, if it is not 0
WITH_HOST: Final = 4  # does the host become a part of the request?
FORM: Final = 5  # of the time
HEADER: Final = 6

# The numbers of a step: how many separators come before a cell, and the field in it
STEP: Final = 2

_TAB: Final = 9
_NEWLINE: Final = 10
_SPACE: Final = 32
_HASH: Final = 35

Text: TypeAlias = Sequence[int]
Column: TypeAlias = Sequence[int]


def read_row(
    text: Text,
    start: int,
    stop: int,
    program: Column,
    offsets: Column,
    memory: MutableSequence[int],
    requests: MutableSequence[int],
) -> Fields:
    """Read a row by a program. The other arguments are those of `layout.read`."""
    if text[start] == _HASH or find_byte(text, start, stop, program[REFUSED]) < stop:
        return NOT_PLAIN
    also = program[ALSO_REFUSED]
    if also and find_byte(text, start, stop, also) < stop:
        return NOT_PLAIN
    memory[CLOCK_PLACE] = -1
    at, step = start, HEADER
    last = HEADER + program[STEP_COUNT] * STEP
    while step < last:
        at = _read_cell(text, at, stop, program, step, memory)
        if at < 0:
            return NOT_PLAIN
        step += STEP
    tick = _read_time(text, start, program[FORM], offsets, memory, requests)
    status = memory[STATUS_PLACE]
    if tick == NO_TICK or memory[STATUS_PLACE + 1] != status + 3 or number(text, status)[1] != 3:
        return NOT_PLAIN
    return join_request(text, start, tick, program[WITH_HOST], memory, requests)


def _read_cell(
    text: Text, at: int, stop: int, program: Column, step: int, memory: MutableSequence[int]
) -> int:
    """Find the cell of a step. Return where it ends; -1 if it is not there, or not plain."""
    separator = program[SEPARATOR]
    for _ in range(program[step]):
        at = find_byte(text, at, stop, separator) + 1
        if at > stop:
            return -1
    end = find_byte(text, at, stop, separator)
    field = program[step + 1]
    if field == REQUEST:
        return end if find_request(text, at, end, memory) == end else -1
    if field == METHOD and not _is_word(text, at, end):
        return -1
    place = DATES + 2 * field
    memory[place], memory[place + 1] = at, end
    return end


def _read_time(
    text: Text,
    start: int,
    form: int,
    offsets: Column,
    memory: MutableSequence[int],
    requests: MutableSequence[int],
) -> int:
    """The tick of the time, whose date and clock may be two cells; NO_TICK if it isn't plain."""
    at, end = memory[TIME_PLACE], memory[TIME_PLACE + 1]
    clock, clock_end = memory[CLOCK_PLACE], memory[CLOCK_PLACE + 1]
    source = text
    if clock == end + 1 and (text[end] == _SPACE or text[end] == _TAB):
        end = clock_end
    elif clock >= 0:
        place = copy(text, at, end, requests, start)
        requests[place] = _SPACE
        source, at, end = requests, start, copy(text, clock, clock_end, requests, place + 1)
        requests[end] = _NEWLINE
    tick, after = read_time(source, at, form, offsets, memory)
    return tick if after == end else NO_TICK


def _is_word(text: Text, at: int, end: int) -> bool:
    """Whether a text consists of letters."""
    while at < end and is_letter(text[at]):
        at += 1
    return at == end

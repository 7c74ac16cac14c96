"""
The scanner: blocks of bytes become columns of ticks and codes, a row a line. It takes the plain
lines of the fast formats, finds their request in the table of those seen before, and marks what it
can't take as odd: the careful parser alone decides and explains.

Plain Python that Numba compiles as it stands; `words.py` has the steps that differ.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.codes import BLANK, NO_TICK, UNMATCHED
from slomon.kernels.hash_table import BUCKET, MISSING, hash_step, lookup
from slomon.kernels.line import CLF_LINES, clf, number, plain
from slomon.kernels.swar import find, first_byte, leading, load, prefetch

Column: TypeAlias = MutableSequence[int]
Text: TypeAlias = Sequence[int]

PADDING: Final = 64  # bytes that must be readable behind a text

# What a row's code says beside those of core: the line is odd. The table doesn't know its request,
# or it is for the careful parser.
UNKNOWN: Final = -2
UNKNOWN_FAILED: Final = -3
CAREFUL: Final = -4

GROUP: Final = 32  # lines that are looked up together
LINE: Final = 8  # numbers of each: tick, code, request and its end, hash, line and its end

# An odd line is five numbers: its row, where it begins and ends, and where its request does.
UNRESOLVED: Final = 5

MALFORMED: Final = 2  # in the table of statuses, beside 0 for a success and 1 for a failure

_NEWLINES: Final = 0x0A0A0A0A0A0A0A0A
_QUERIES: Final = 0x3F3F3F3F3F3F3F3F
_CARRIAGE_RETURN: Final = 13
_SPACE: Final = 32
_QUOTE: Final = 34
_BACKSLASH: Final = 92
_LAST: Final = 126


def scan(
    text: Text,
    at: int,
    length: int,
    shape: Column,
    affixes: Text,
    statuses: Column,
    table: Column,
    arena: Text,
    dates: Column,
    ticks: Column,
    codes: Column,
    unresolved: Column,
    room: int,
    odd_room: int,
    unresolved_count: Column,
    group: Column,
) -> int:
    """
    Scan whole lines from `at` on, as long as there is room for them; returns how many rows were
    written, and in `unresolved_count` how many lines are odd and where the next line begins.

    `shape` is the kind of lines, the lengths of their prefix and suffix (which stand one after the
    other in `affixes`), whether they are a file's (then one may be blank, or end with a carriage
    return), whether a request ends at its question mark, and how many buckets the table has, less
    one. `dates` remembers the last one, and `group` is for work: GROUP times LINE numbers.
    """
    of_file = shape[3]
    rows = found = 0
    start = at
    while start < length and rows < room and found < odd_room:
        # By the group, since in a large table a look-up mostly waits for memory: first where its
        # lines' requests would stand is asked for, then the texts there, then they are compared.
        count = 0
        most = min(GROUP, room - rows, odd_room - found)
        while start < length and count < most:
            end = start + _until(text, start, _NEWLINES)
            stop = end
            if of_file and stop > start and text[stop - 1] == _CARRIAGE_RETURN:
                stop -= 1
            if of_file and stop == start:
                group[count * LINE] = NO_TICK
                group[count * LINE + 1] = BLANK
            else:
                _look(text, start, stop, shape, affixes, statuses, table, dates, group, count)
            group[count * LINE + 5] = start
            group[count * LINE + 6] = end  # the careful reader takes off what it takes for an end
            count += 1
            start = end + 1
        for line in range(count):
            place = line * LINE
            if group[place + 1] >= 0:
                bucket = (group[place + 4] & shape[5]) * BUCKET
                prefetch(arena, table[bucket + 1])
        for line in range(count):
            place = line * LINE
            code = _find(text, group, place, table, shape[5], arena)
            ticks[rows] = group[place]
            codes[rows] = code
            if CAREFUL <= code < UNMATCHED:
                unresolved[found * UNRESOLVED] = rows
                unresolved[found * UNRESOLVED + 1] = group[place + 5]
                unresolved[found * UNRESOLVED + 2] = group[place + 6]
                unresolved[found * UNRESOLVED + 3] = group[place + 2]
                unresolved[found * UNRESOLVED + 4] = group[place + 3]
                found += 1
            rows += 1
    unresolved_count[0] = found
    unresolved_count[1] = start
    return rows


def _look(
    text: Text,
    start: int,
    stop: int,
    shape: Column,
    affixes: Text,
    statuses: Column,
    table: Column,
    dates: Column,
    group: Column,
    line: int,
) -> None:
    """Write to the group what a line says by itself, and ask for its request's bucket."""
    kind, prefix, suffix, cuts = shape[0], shape[1], shape[2], shape[4]
    if kind == CLF_LINES:
        tick, request, target_end, status = clf(text, start, stop, dates)
    else:
        tick, request, target_end, status = plain(text, start, stop, affixes, prefix, suffix)
    code = CAREFUL
    request_end = hashed = 0
    if tick != NO_TICK:
        found, digits = number(text, status)
        if digits == 3 and statuses[found] != MALFORMED:
            hashed, request_end = hash_request(text, request, target_end, cuts)
            whole = request_end == target_end
            if whole or _is_query(text, request_end, target_end, suffix > 0):
                code = statuses[found]
                prefetch(table, (hashed & shape[5]) * BUCKET)
    place = line * LINE
    group[place] = tick
    group[place + 1] = code
    group[place + 2] = request
    group[place + 3] = request_end
    group[place + 4] = hashed


def _find(text: Text, group: Column, place: int, table: Column, mask: int, arena: Text) -> int:
    """The code of a line of the group."""
    failed = group[place + 1]
    if failed < 0:
        return failed
    request, request_end, hashed = group[place + 2], group[place + 3], group[place + 4]
    key = lookup(text, request, request_end, hashed, table, mask, arena)
    if key >= 0:
        return key << 1 | failed
    return UNKNOWN - failed if key == MISSING else key


def hash_request(text: Text, at: int, end: int, cuts: int) -> tuple[int, int]:
    """The hash of a request, and where it ends: at the first question mark if it `cuts`."""
    hashed = 0
    while at < end:
        count = min(end - at, 8)
        word = load(text, at)
        if count < 8:
            word = leading(word, count)
        marks = find(word, _QUERIES)
        if cuts and marks:
            count = first_byte(marks)
            end = at + count
            word = leading(word, count)
        if count:
            hashed = hash_step(hashed, word)
        at += count
    return hashed, at


def _until(text: Text, start: int, pattern: int) -> int:
    """How many bytes stand before the first one of a pattern, which must be there."""
    at = start
    marks = find(load(text, at), pattern)
    while marks == 0:
        at += 8
        marks = find(load(text, at), pattern)
    return at - start + first_byte(marks)


def _is_query(text: Text, at: int, end: int, escaped: int) -> int:
    """Whether there are no spaces, and where a format has escapes none of these either."""
    for place in range(at, end):
        byte = text[place]
        if byte == _SPACE:
            return False
        if escaped and (byte < _SPACE or byte > _LAST or byte in (_QUOTE, _BACKSLASH)):
            return False
    return True

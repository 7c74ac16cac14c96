"""
The scanner: it turns a block of lines into columns of ticks and codes, a row per line.

It reads plain lines of a few formats, and looks up the request of each in the table of known
requests, or its route if the table holds the routes of found endpoints. Every other line is
unresolved: either its request is not in the table, or the line is for the reference parser, which
alone decides what such a line is. `kernels.resolve` follows.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.codes import BLANK, EXCLUDED, NO_TICK, UNMATCHED
from slomon.kernels.hash_table import BUCKET, MISSING, hash_step, lookup
from slomon.kernels.json_lines import read_json
from slomon.kernels.layout import read, read_combined
from slomon.kernels.line import (
    COMBINED_LINES,
    JSON_LINES,
    PLAIN_LINES,
    TABLE_LINES,
    Fields,
    is_plain,
    plain,
)
from slomon.kernels.route import LONGEST
from slomon.kernels.route import group as write_route
from slomon.kernels.swar import WIDEST, count_path, find_line_end, hash_bytes, prefetch
from slomon.kernels.table import read_row
from slomon.kernels.times import number

Column: TypeAlias = MutableSequence[int]
Text: TypeAlias = Sequence[int]

# The codes of unresolved lines, beside those of `kernels.codes`
UNKNOWN: Final = -2  # a success whose request is not in the table
UNKNOWN_FAILED: Final = -3  # a failure whose request is not in the table
FOR_REFERENCE: Final = -4  # a line for the reference parser

GROUP: Final = 32  # lines that are looked up together
LINE: Final = 8
"""
Numbers of each line of a group: tick, code (or outcome), where its request begins and ends, the
hash of the request, where the line begins and ends, and whether the request was composed.
"""

UNRESOLVED: Final = 6
"""
Numbers of an unresolved line: its row, where the line begins and ends, where its request begins and
ends, and whether the request was composed.
"""

MALFORMED: Final = 2  # in the table of statuses, beside 0 for a success and 1 for a failure

_CARRIAGE_RETURN: Final = 13
_SPACE: Final = 32
_QUOTE: Final = 34
_BACKSLASH: Final = 92
_LAST: Final = 126  # the last printable byte of ASCII


def scan(  # noqa: C901 (one loop: a further call for each line takes time)
    text: Text,
    at: int,
    length: int,
    requests: Column,
    shape: Column,
    program: Column,
    literals: Text,
    offsets: Column,
    statuses: Column,
    table: Column,
    arena: Text,
    memory: Column,
    ticks: Column,
    codes: Column,
    unresolved: Column,
    room: int,
    unresolved_room: int,
    unresolved_count: Column,
    group: Column,
    route: Column,
    templates: Column,
) -> int:
    """
    Scan the lines of `text` from `at` to `length`, until there is no room for another row or
    another unresolved line. Return how many rows were written to `ticks` and `codes`. In
    `unresolved_count`, write how many lines are unresolved and where the next line begins.

    * `shape`: the kind of lines, the length of their prefix and of their suffix, whether they are a
      file's lines (which may be blank or end with a carriage return), whether a request ends at its
      question mark, the mask of the table, the first and the last tick of accesses that count, and
      whether the table holds routes (`kernels.route`)
    * `requests`: where requests are composed, if they are not a part of their lines; as long as the
      text
    * `program`, `literals`, `offsets`, `memory`: as `layout.read` takes them. For plain lines,
      `literals` is the text of the prefix, followed by that of the suffix.
    * `statuses`: the outcome of each status from 0 to 999
    * `group`, `route`: scratch memory, GROUP times LINE numbers, and SCRATCH bytes for a route
    * `templates`: as `route.group` takes them

    The text must end with a newline and have PADDING bytes behind it.
    """
    kind, of_file = shape[0], shape[3]
    rows = unresolved_rows = 0
    start = at
    while start < length and rows < room and unresolved_rows < unresolved_room:
        # In groups, because a look-up in a large table mostly waits for memory. The first pass
        # prefetches the buckets of the group's requests, the second their texts in the arena, and
        # the third compares.
        count = 0
        limit = min(GROUP, room - rows, unresolved_room - unresolved_rows)
        while start < length and count < limit:
            end = find_line_end(text, start)
            stop = end
            if of_file and stop > start and text[stop - 1] == _CARRIAGE_RETURN:
                stop -= 1
            if of_file and stop == start:
                group[count * LINE] = NO_TICK
                group[count * LINE + 1] = BLANK
            else:
                if kind == PLAIN_LINES:
                    fields = plain(text, start, stop, literals, shape[1], shape[2], memory)
                elif kind == COMBINED_LINES:
                    fields = read_combined(text, start, stop, program, offsets, memory)
                else:
                    fields = _read_fields(
                        kind, text, start, stop, program, literals, offsets, memory, requests
                    )
                _add_line(fields, text, requests, shape, statuses, table, group, count)
            group[count * LINE + 5] = start
            group[count * LINE + 6] = end  # the reference parser strips line ends by itself
            count += 1
            start = end + 1
        for line in range(count):
            place = line * LINE
            if group[place + 1] >= 0:
                bucket = (group[place + 4] & shape[5]) * BUCKET
                prefetch(arena, table[bucket + 1])
        for line in range(count):
            place = line * LINE
            source = requests if group[place + 7] else text
            code = _find(source, group, place, shape, table, arena, route, templates)
            ticks[rows] = group[place]
            codes[rows] = code
            if FOR_REFERENCE <= code < UNMATCHED:
                number_at = unresolved_rows * UNRESOLVED
                unresolved[number_at] = rows
                unresolved[number_at + 1] = group[place + 5]
                unresolved[number_at + 2] = group[place + 6]
                unresolved[number_at + 3] = group[place + 2]
                unresolved[number_at + 4] = group[place + 3]
                unresolved[number_at + 5] = group[place + 7]
                unresolved_rows += 1
            rows += 1
    unresolved_count[0] = unresolved_rows
    unresolved_count[1] = start
    return rows


def _read_fields(
    kind: int,
    text: Text,
    start: int,
    stop: int,
    program: Column,
    literals: Text,
    offsets: Column,
    memory: Column,
    requests: Column,
) -> Fields:
    """Read a line in a layout."""
    if kind == TABLE_LINES:
        return read_row(text, start, stop, program, offsets, memory, requests)
    if kind == JSON_LINES:
        return read_json(text, start, stop, program, literals, offsets, memory, requests)
    return read(text, start, stop, program, literals, offsets, memory, requests)


def _add_line(
    fields: Fields,
    text: Text,
    requests: Column,
    shape: Column,
    statuses: Column,
    table: Column,
    group: Column,
    line: int,
) -> None:
    """Write what a line says to the group, and prefetch the bucket of its request."""
    suffix, cut_query = shape[2], shape[4]
    tick, request, target_end, status, composed = fields
    source = requests if composed else text
    code = FOR_REFERENCE
    request_end = hashed = 0
    if tick != NO_TICK:
        value, digits = number(text, status)
        if digits == 3 and statuses[value] != MALFORMED:
            hashed, request_end = hash_request(source, request, target_end, cut_query)
            uncut = request_end == target_end
            if uncut or _is_query(source, request_end, target_end, suffix > 0):
                code = statuses[value]  # the outcome, until the key is known
                if shape[6] <= tick <= shape[7]:
                    prefetch(table, (hashed & shape[5]) * BUCKET)
                elif is_plain(source, request, request_end):
                    code = EXCLUDED
                else:
                    code = FOR_REFERENCE  # only if a request is plain, every format can read it
    place = line * LINE
    group[place] = tick
    group[place + 1] = code
    group[place + 2] = request
    group[place + 3] = request_end
    group[place + 4] = hashed
    group[place + 7] = composed


def _find(
    text: Text,
    group: Column,
    place: int,
    shape: Column,
    table: Column,
    arena: Text,
    route: Column,
    templates: Column,
) -> int:
    """The code of a line of the group, its request or the route of it looked up in the table."""
    failed = group[place + 1]
    if failed < 0:
        return failed
    at, end, mask = group[place + 2], group[place + 3], shape[5]
    key = lookup(text, at, end, group[place + 4], table, mask, arena)
    if key == MISSING and shape[8] and end - at <= LONGEST and is_plain(text, at, end):
        end = write_route(text, at, end, route, 0, templates)
        hashed, _ = hash_request(route, 0, end, 0)
        key = lookup(route, 0, end, hashed, table, mask, arena)
    if key >= 0:
        return key << 1 | failed
    return UNKNOWN - failed if key == MISSING else key


def hash_request(text: Text, at: int, end: int, cut_query: int) -> tuple[int, int]:
    """
    The hash of a request, and where the request ends: with `cut_query` at its first question mark.
    """
    hashed = 0
    while at < end:
        count = min(end - at, WIDEST)
        if cut_query:
            path = count_path(text, at, count)
            if path < count:
                count, end = path, at + path
        if count:
            hashed = hash_step(hashed, hash_bytes(text, at, count))
        at += count
    return hashed, at


def _is_query(text: Text, at: int, end: int, has_escapes: int) -> int:
    """Whether a text has no space and, if the format has escapes, no byte that may be one."""
    for place in range(at, end):
        byte = text[place]
        if byte == _SPACE:
            return False
        if has_escapes and (byte < _SPACE or byte > _LAST or byte in (_QUOTE, _BACKSLASH)):
            return False
    return True

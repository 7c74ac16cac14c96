"""
The reading of one line by a layout. A layout is compiled to a program, whose steps are taken from
left to right by the rules of `formats.layout`, as the reference parser takes them.

`read` accepts plain lines only. If a line is unusual in any way, the reference parser reads it.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.codes import NO_TICK
from slomon.kernels.line import NOT_PLAIN, Fields
from slomon.kernels.request import (
    MEMORY,
    REQUEST,
    TIME,
    find_mark,
    find_request,
    is_digit,
    is_letter,
    join_request,
    skip_protocol,
)
from slomon.kernels.swar import byte_bits, find_byte, first_bit, leading_bytes, load
from slomon.kernels.times import CLF, DATES, number, read_time

# The numbers of a program: a header, then the steps
STEP_COUNT: Final = 0
MAY_BE_QUOTED: Final = 1  # are quotes around a whole line removed?
ONLY_ASCII: Final = 2  # is every line with another byte left to the reference parser?
WITH_HOST: Final = 3  # does the host become a part of the request?
HEADER: Final = 4

# The numbers of a step: the field, how it ends, and where the literals before and after it are
FIELD: Final = 0
ENDING: Final = 1  # for a time, its form
SEARCHED: Final = 2
LITERAL: Final = 3
LITERAL_END: Final = 4
STOP: Final = 5
STOP_END: Final = 6  # where the literal after the field ends; equal to STOP if there is none
STEP: Final = 7

# How a field ends
NOWHERE: Final = 0  # it has no end of its own: the time after it is searched for
AT_SPACE: Final = 1  # at a space that doesn't belong to a list (rule 2), after `STOP` such fields
AT_STOP: Final = 2  # where the next literal begins
AT_STOP_OR_END: Final = 3  # there, or at the end of the line
IN_QUOTES: Final = 4  # at the next quote that no backslash escapes
AT_WORD_END: Final = 5  # at a space, or at the end of the line
AT_PROTOCOL: Final = 6  # of a request
LETTERS: Final = 7  # of a method
DIGITS: Final = 8  # of a status

_SPACE: Final = 32
_QUOTE: Final = 34
_COMMA: Final = 44
_MINUS: Final = 45
_POINT: Final = 46
_SLASH: Final = 47
_COLON: Final = 58
_BRACKET: Final = 91
_BACKSLASH: Final = 92
_UNDERSCORE: Final = 95
_JOINING: Final = (_MINUS, _POINT, _UNDERSCORE)
_CHUNK: Final = 63  # bytes that are looked at together
_TIME_LENGTH: Final = 29  # as in 17/May/2015:10:05:03 +0000] "
_AFTER_TIME: Final = int.from_bytes(b'] "', "little")

Text: TypeAlias = Sequence[int]
Column: TypeAlias = Sequence[int]


def read(
    text: Text,
    start: int,
    stop: int,
    program: Column,
    literals: Text,
    offsets: Column,
    memory: MutableSequence[int],
    requests: MutableSequence[int],
) -> Fields:
    """
    Read a line by a program. `literals` holds the literals of the layout, and `offsets` those of
    the zone of times that name none (`kernels.times`).

    `requests` is for `join_request`.
    """
    if program[MAY_BE_QUOTED] and text[start] == _QUOTE:
        return NOT_PLAIN
    if program[ONLY_ASCII] and not _is_ascii(text, start, stop):
        return NOT_PLAIN
    at, tick = start, NO_TICK
    step = HEADER
    last = HEADER + program[STEP_COUNT] * STEP
    while step < last:
        if program[step + FIELD] == TIME:
            tick, at = _read_time(text, at, stop, program, step, literals, offsets, memory)
            if tick == NO_TICK:
                return NOT_PLAIN
        else:
            at = _read_field(text, at, stop, program, step, literals, memory)
            if at < 0:
                return NOT_PLAIN
        step += STEP
    return join_request(text, start, tick, program[WITH_HOST], memory, requests)


def read_combined(
    text: Text,
    start: int,
    stop: int,
    program: Column,
    offsets: Column,
    memory: MutableSequence[int],
) -> Fields:
    """
    Read a line of the common or the combined format, as `read` does, but faster: most logs are in
    these. The program skips some fields, each before a space, then one field before the time:

        <fields> <field> [<time>] "<request>" <status>
    """
    if text[start] == _QUOTE:
        return NOT_PLAIN
    at = _skip_fields(text, start, stop, program[HEADER + STOP])
    if at < 0:
        return NOT_PLAIN
    while text[at] == _SPACE:
        at += 1
    bracket = find_byte(text, at + 1, stop, _BRACKET)
    if bracket == stop or text[bracket - 1] != _SPACE or bracket - at < 2:
        return NOT_PLAIN
    tick, request = _read_cached_time(text, bracket + 1, offsets, memory)
    if tick == NO_TICK:
        return NOT_PLAIN
    target = find_mark(text, request, stop) + 1
    target_end = find_mark(text, target, stop) if target else -1
    at = skip_protocol(text, target_end, stop)
    if at < 0 or text[target] != _SLASH or text[at] != _QUOTE or text[at + 1] != _SPACE:
        return NOT_PLAIN
    if text[at + 5] != _SPACE and at + 5 != stop:
        return NOT_PLAIN
    return tick, request, target_end, at + 2, 0


def _read_cached_time(
    text: Text, at: int, offsets: Column, memory: MutableSequence[int]
) -> tuple[int, int]:
    """The tick of a time as in 17/May/2015:10:05:03 +0000, and where the request begins."""
    first, second, third = load(text, at), load(text, at + 8), load(text, at + 16)
    last = load(text, at + _TIME_LENGTH - 8)
    if (
        first == memory[MEMORY - 5]
        and second == memory[MEMORY - 4]
        and third == memory[MEMORY - 3]
        and last == memory[MEMORY - 2]
    ):
        return memory[MEMORY - 1], at + _TIME_LENGTH
    tick, end = read_time(text, at, CLF, offsets, memory)
    if tick == NO_TICK or leading_bytes(load(text, end), 3) != _AFTER_TIME:
        return NO_TICK, 0
    if end + 3 == at + _TIME_LENGTH:
        memory[MEMORY - 5], memory[MEMORY - 4], memory[MEMORY - 3] = first, second, third
        memory[MEMORY - 2], memory[MEMORY - 1] = last, tick
    return tick, end + 3


def _read_time(
    text: Text,
    at: int,
    stop: int,
    program: Column,
    step: int,
    literals: Text,
    offsets: Column,
    memory: MutableSequence[int],
) -> tuple[int, int]:
    """The tick of a time after its literal, and where it ends (rule 3)."""
    literal, literal_end = program[step + LITERAL], program[step + LITERAL_END]
    form, searched = program[step + ENDING], program[step + SEARCHED]
    first = literals[literal]
    while True:
        if searched:
            at = find_byte(text, at + 1, stop, first)
            if at == stop:
                return NO_TICK, 0
        begin = _match(text, at, literals, literal, literal_end)
        if begin >= 0:
            tick, end = read_time(text, begin, form, offsets, memory)
            if end >= 0:
                return tick, end
        if not searched:
            return NO_TICK, 0


def _read_field(
    text: Text,
    at: int,
    stop: int,
    program: Column,
    step: int,
    literals: Text,
    memory: MutableSequence[int],
) -> int:
    """Find a field after its literal. Return where it ends; -1 if it is not there, or not plain."""
    begin = _match(text, at, literals, program[step + LITERAL], program[step + LITERAL_END])
    if begin < 0:
        return -1
    field = program[step + FIELD]
    if field == REQUEST:
        end = find_request(text, begin, stop, memory)
        literal, literal_end = program[step + STOP], program[step + STOP_END]
        return end if end > 0 and _match(text, end, literals, literal, literal_end) >= 0 else -1
    end = _find_end(text, begin, stop, program, step, literals)
    place = DATES + 2 * field
    memory[place], memory[place + 1] = begin, end
    return end


def _match(text: Text, at: int, literals: Text, literal: int, literal_end: int) -> int:
    """
    Where a literal that begins at `at` ends; -1 if it does not begin there. A space in it stands
    for one or more (rule 7). No literal contains the byte that ends a line.
    """
    while literal < literal_end:
        byte = literals[literal]
        if text[at] != byte:
            return -1
        at += 1
        if byte == _SPACE:
            while text[at] == _SPACE:
                at += 1
        literal += 1
    return at


def _find_end(text: Text, at: int, stop: int, program: Column, step: int, literals: Text) -> int:
    """Where a field that begins at `at` ends; -1 if it has no plain end."""
    ending = program[step + ENDING]
    if ending == AT_SPACE:
        return _skip_fields(text, at, stop, program[step + STOP])
    if ending == IN_QUOTES:
        return _find_quote(text, at, stop)
    if ending == NOWHERE:
        return at
    literal, literal_end = program[step + STOP], program[step + STOP_END]
    if ending == AT_WORD_END:
        return find_byte(text, at, stop, _SPACE)
    if ending in (DIGITS, LETTERS):
        at = _skip_digits(text, at) if ending == DIGITS else _skip_letters(text, at)
        return at if at > 0 and _is_end(text, at, stop, literals, literal, literal_end) else -1
    at = _find_literal(text, at, stop, literals, literal, literal_end)
    return -1 if at == stop and ending == AT_STOP else at


def _skip_fields(text: Text, at: int, stop: int, count: int) -> int:
    """Where the last of some fields ends that spaces separate; -1 if there are fewer."""
    at = _find_space(text, at, stop)
    while count > 1 and at >= 0:
        while text[at] == _SPACE:
            at += 1
        at = _find_space(text, at, stop)
        count -= 1
    return at


def _find_space(text: Text, at: int, stop: int) -> int:
    """Where a field ends that a space ends. `, ` and ` : ` join the values of a list (rule 2)."""
    at = find_byte(text, at, stop, _SPACE)
    while at < stop:
        if at > 0 and text[at - 1] == _COMMA:
            at += 1
        elif text[at + 1] == _COLON and text[at + 2] == _SPACE:
            at += 3
        else:
            return at
        at = find_byte(text, at, stop, _SPACE)
    return -1


def _find_literal(
    text: Text, at: int, stop: int, literals: Text, literal: int, literal_end: int
) -> int:
    """Where a literal begins first, from `at` on; `stop` if it is not there."""
    first = literals[literal]
    at = find_byte(text, at, stop, first)
    while at < stop and _match(text, at, literals, literal, literal_end) < 0:
        at = find_byte(text, at + 1, stop, first)
    return at


def _find_quote(text: Text, at: int, stop: int) -> int:
    """Where the next quote is that no backslash escapes; -1 if there is none."""
    while at < stop:
        count = min(stop - at, _CHUNK)
        found = byte_bits(text, at, count, _QUOTE) | byte_bits(text, at, count, _BACKSLASH)
        if found:
            at += first_bit(found)
            if text[at] == _QUOTE:
                return at
            at += 2
        else:
            at += count
    return -1


def _skip_digits(text: Text, at: int) -> int:
    """Where a status of three digits ends; -1 if it has more or fewer."""
    return at + 3 if number(text, at)[1] == 3 else -1


def _skip_letters(text: Text, at: int) -> int:
    """Where a method of letters ends; -1 if there is no letter."""
    end = at
    while is_letter(text[end]):
        end += 1
    return end if end > at else -1


def _is_end(text: Text, at: int, stop: int, literals: Text, literal: int, literal_end: int) -> bool:
    """Whether the next literal or the line's end follows a status or a method."""
    if literal == literal_end:
        joins = text[at] in _JOINING or is_letter(text[at]) or is_digit(text[at])
        return not joins
    return at == stop or _match(text, at, literals, literal, literal_end) >= 0


def _is_ascii(text: Text, at: int, stop: int) -> bool:
    while at < stop and text[at] < 128:
        at += 1
    return at >= stop

"""
The reading of one JSON line. The object of the line is walked once, from its brace to its end, and
the values of the keys that are wanted are noted.

A line is plain if the reference parser reads the same fields in it. A key that is written with an
escape or twice, a wanted value with an escape, and any byte that is not ASCII are left to the
reference parser, and so is text that is not strict JSON.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels import request
from slomon.kernels.codes import NO_TICK
from slomon.kernels.line import NOT_PLAIN, Fields
from slomon.kernels.request import (
    HOST_PLACE,
    METHOD_PLACE,
    PATH_PLACE,
    REQUEST,
    SKIP,
    STATUS_PLACE,
    TIME_PLACE,
    find_request,
    is_letter,
    join_request,
)
from slomon.kernels.swar import WIDE, count_plain, find_byte, leading_bytes, load, wrap
from slomon.kernels.times import (
    CLF,
    CTIME,
    DATES,
    EPOCH,
    ISO,
    SLASHES,
    count_digits,
    number,
    read_time,
)

# The numbers of a program: a header, then the keys. The first key stands for the whole object.
WITH_HOST: Final = 0  # does the host become a part of the request?
WANTED: Final = 1  # the fields that a line must have, a bit each
HEADER: Final = 2

# The numbers of a key: the field whose value it has; the object it stands in, the keys in its own
# object, and the next key beside it, each by its place in the program, 0 if there is none; its text
# among the literals, and the first eight bytes of it. `FILTER` has a bit for each of the keys in
# its own object, so that most other keys are passed over at once.
FIELD: Final = 0
OUTER: Final = 1
INNER: Final = 2
NEXT: Final = 3
TEXT: Final = 4
LENGTH: Final = 5
WORD: Final = 6
FILTER: Final = 7
BIT: Final = 8  # of the key itself, among the keys of a line that were seen
KEY: Final = 9

_FORESEEN: Final = 24  # keys of a line that are compared with those of the line before
_KEYS: Final = request.MEMORY
_KEY_MEMORY: Final = 6
MEMORY: Final = _KEYS + _KEY_MEMORY * _FORESEEN
"""
Numbers of the memory of `read_json`: that of other lines, then for each of the first keys of a line
where it stands in the text, where its value begins behind that, its place in the program, and that
of its object; then where its value stands and how long it is, if that is an object or a list. Such
a memory is for one text only.
"""

_BRACES: Final = 0x7B7B7B7B7B7B7B7B
_SPACES: Final = 0x2020202020202020
_MIX: Final = 0x61C8864680B583EB
_TRUE: Final = int.from_bytes(b"true", "little")
_NULL: Final = int.from_bytes(b"null", "little")
_FALSE: Final = int.from_bytes(b"false", "little")
_SPACE: Final = 32
_QUOTE: Final = 34
_PLUS: Final = 43
_COMMA: Final = 44
_MINUS: Final = 45
_POINT: Final = 46
_SLASH: Final = 47
_ZERO: Final = 48
_NINE: Final = 57
_COLON: Final = 58
_OPEN_LIST: Final = 91
_BACKSLASH: Final = 92
_CLOSE_LIST: Final = 93
_E: Final = 101
_U: Final = 117
_OPEN: Final = 123
_CLOSE: Final = 125
_DEEPEST: Final = 60  # objects and lists in each other
_ESCAPES: Final = (34, 47, 92, 98, 102, 110, 114, 116)  # "/\bfnrt

Text: TypeAlias = Sequence[int]
Column: TypeAlias = Sequence[int]


def read_json(
    text: Text,
    start: int,
    stop: int,
    program: Column,
    literals: Text,
    offsets: Column,
    memory: MutableSequence[int],
    requests: MutableSequence[int],
) -> Fields:
    """Read a line by a program. The arguments are those of `layout.read`."""
    at = find_byte(text, start, stop, _BRACES)
    if at == stop:
        return NOT_PLAIN
    memory[HOST_PLACE] = memory[HOST_PLACE + 1] = 0
    if not _is_end(text, _walk(text, at, program, literals, memory), stop):
        return NOT_PLAIN
    tick = _read_time(text, offsets, memory)
    status = memory[STATUS_PLACE]
    if tick == NO_TICK or memory[STATUS_PLACE + 1] != status + 3 or number(text, status)[1] != 3:
        return NOT_PLAIN
    if not _is_plain_request(text, memory):
        return NOT_PLAIN
    return join_request(text, start, tick, program[WITH_HOST], memory, requests)


def hash_key(word: int, length: int) -> int:
    """The bit of a key in the filter of its object, given the first eight bytes of the key."""
    return wrap((word ^ length) * _MIX) >> 58 & 63


def _walk(  # noqa: C901, PLR0912 (one loop, which reads as one)
    text: Text, at: int, program: Column, literals: Text, memory: MutableSequence[int]
) -> int:
    """
    Note the values of the wanted keys of the object at `at`. Return where the object ends; -1 if
    the line is not plain.
    """
    outer = HEADER
    seen = fields = 0
    known, last_known = _KEYS, MEMORY - _KEY_MEMORY
    at = _skip_spaces(text, at + 1)
    while text[at] == _QUOTE:
        key, at = _read_key(text, at + 1, program, outer, literals, memory, known)
        if at < 0:
            return -1
        field = SKIP
        if key:
            if seen >> program[key + BIT] & 1:
                return -1
            seen |= 1 << program[key + BIT]
            field = program[key + FIELD]
            if field == SKIP and text[at] == _OPEN:
                outer = key
                at = _skip_spaces(text, at + 1)
                if text[at] == _QUOTE:
                    known = min(known + _KEY_MEMORY, last_known)
                    continue
                if text[at] != _CLOSE:
                    return -1
        if field != SKIP:
            if fields >> field & 1:
                return -1
            fields |= 1 << field
            at = _note_value(text, at, field, memory)
        elif outer != key:
            at = _skip_value(text, at, memory, known)
        if at < 0:
            return -1
        known = min(known + _KEY_MEMORY, last_known)
        at = _skip_spaces(text, at)
        while text[at] == _CLOSE:
            if outer == HEADER:
                return at + 1 if fields & program[WANTED] == program[WANTED] else -1
            outer = program[outer + OUTER]
            at = _skip_spaces(text, at + 1)
        if text[at] != _COMMA:
            return -1
        at = _skip_spaces(text, at + 1)
    return -1


def _read_key(
    text: Text,
    at: int,
    program: Column,
    outer: int,
    literals: Text,
    memory: MutableSequence[int],
    place: int,
) -> tuple[int, int]:
    """
    The wanted key that begins at `at`, 0 if it is another, and where its value begins; -1 if it is
    not plain. Mostly it is the same as in the line before, of which the memory at `place` tells.
    """
    before, length = memory[place], memory[place + 1]
    if before >= 0 and memory[place + 3] == outer and _is_same(text, at, before, length):
        return memory[place + 2], at + length
    end = _skip_plain(text, at)
    value = _skip_colon(text, end + 1) if text[end] == _QUOTE else -1
    if value < 0:
        return 0, -1
    key = _find_key(text, at, end, program, outer, literals)
    memory[place], memory[place + 1] = at, value - at
    memory[place + 2], memory[place + 3] = key, outer
    return key, value


def _is_same(text: Text, at: int, before: int, length: int) -> bool:
    """Whether two parts of a text are the same."""
    while length >= 8:
        if load(text, at) != load(text, before):
            return False
        at += 8
        before += 8
        length -= 8
    return leading_bytes(load(text, at) ^ load(text, before), length) == 0


def _find_key(text: Text, at: int, end: int, program: Column, outer: int, literals: Text) -> int:
    """The wanted key of an object that stands there; 0 if it is another."""
    length = end - at
    word = load(text, at)
    if length < 8:
        word = leading_bytes(word, length)
    if not program[outer + FILTER] >> hash_key(word, length) & 1:
        return 0
    key = program[outer + INNER]
    while key:
        if program[key + WORD] == word and program[key + LENGTH] == length:
            place, byte = program[key + TEXT] + 8, at + 8
            while byte < end and text[byte] == literals[place]:
                byte += 1
                place += 1
            if byte >= end:
                return key
        key = program[key + NEXT]
    return 0


def _note_value(text: Text, at: int, field: int, memory: MutableSequence[int]) -> int:
    """Note where a text or a number begins and ends. Return the end of the value, or -1."""
    begin = at
    if text[at] == _QUOTE:
        begin = at + 1
        end = _skip_plain(text, begin)
        at = end + 1 if text[end] == _QUOTE else -1
    else:
        end = at = _skip_number(text, at)
    if at > 0 and field == REQUEST:
        return at if find_request(text, begin, end, memory) == end else -1
    place = DATES + 2 * field
    memory[place], memory[place + 1] = begin, end
    return at


def _skip_value(text: Text, at: int, memory: MutableSequence[int], place: int) -> int:
    """
    Where a value ends that is not wanted; -1 if it is not valid. An object or a list is often the
    same as in the line before, of which the memory at `place` tells.
    """
    if text[at] != _OPEN and text[at] != _OPEN_LIST:
        return _skip_scalar(text, at)
    before, length = memory[place + 4], memory[place + 5]
    if before >= 0 and _is_same(text, at, before, length):
        return at + length
    end = _skip_container(text, at)
    if end > 0:
        memory[place + 4], memory[place + 5] = at, end - at
    return end


def _skip_container(text: Text, at: int) -> int:  # noqa: C901 (one loop)
    """Where an object or a list ends; -1 if it is not valid."""
    lists = depth = 0  # a bit for each level that is a list, the lowest for the deepest
    while True:
        # A value begins at `at`.
        if text[at] == _OPEN or text[at] == _OPEN_LIST:
            if depth == _DEEPEST:
                return -1
            depth += 1
            lists = lists << 1 | (text[at] == _OPEN_LIST)
            at = _skip_spaces(text, at + 1)
            if text[at] != (_CLOSE_LIST if lists & 1 else _CLOSE):
                at = at if lists & 1 else _skip_key(text, at)
                if at < 0:
                    return -1
                continue
        else:
            at = _skip_spaces_after(text, _skip_scalar(text, at))
            if at < 0:
                return -1
        while text[at] == (_CLOSE_LIST if lists & 1 else _CLOSE):
            at += 1
            depth -= 1
            lists >>= 1
            if depth == 0:
                return at
            at = _skip_spaces(text, at)
        if text[at] != _COMMA:
            return -1
        at = _skip_spaces(text, at + 1)
        if not lists & 1:
            at = _skip_key(text, at)
            if at < 0:
                return -1


def _skip_key(text: Text, at: int) -> int:
    """Where the value of the key begins that begins at `at`; -1 if there is no key."""
    if text[at] != _QUOTE:
        return -1
    at = _skip_string(text, at + 1)
    return _skip_colon(text, at) if at > 0 else -1


def _skip_colon(text: Text, at: int) -> int:
    """Where the value after a colon begins; -1 if there is no colon."""
    at = _skip_spaces(text, at)
    return _skip_spaces(text, at + 1) if text[at] == _COLON else -1


def _skip_scalar(text: Text, at: int) -> int:
    """Where a string, a number or a literal ends; -1 if it is not valid."""
    byte = text[at]
    if byte == _QUOTE:
        return _skip_string(text, at + 1)
    if byte == _MINUS or _ZERO <= byte <= _NINE:
        return _skip_number(text, at)
    word = load(text, at)
    four = leading_bytes(word, 4)
    if four in (_TRUE, _NULL):
        return at + 4
    return at + 5 if leading_bytes(word, 5) == _FALSE else -1


def _skip_string(text: Text, at: int) -> int:
    """Where a string ends, after its quote, whose text begins at `at`; -1 if it is not valid."""
    at = _skip_plain(text, at)
    while text[at] == _BACKSLASH:
        if text[at + 1] == _U:
            for place in range(at + 2, at + 6):
                if not _is_hexadecimal(text[place]):
                    return -1
            at += 6
        elif text[at + 1] in _ESCAPES:
            at += 2
        else:
            return -1
        at = _skip_plain(text, at)
    return at + 1 if text[at] == _QUOTE else -1


def _skip_plain(text: Text, at: int) -> int:
    """Where the first quote, backslash, control character or byte that is not ASCII is."""
    count = count_plain(text, at)
    while count == WIDE:
        at += WIDE
        count = count_plain(text, at)
    return at + count


def _skip_number(text: Text, at: int) -> int:
    """Where a number ends; -1 if it is not valid. What follows it is not looked at."""
    if text[at] == _MINUS:
        at += 1
    end = at + 1 if text[at] == _ZERO else _skip_digits(text, at)
    if end > 0 and text[end] == _POINT:
        end = _skip_digits(text, end + 1)
    if end > 0 and text[end] | 32 == _E:
        end += 1
        if text[end] == _PLUS or text[end] == _MINUS:
            end += 1
        end = _skip_digits(text, end)
    return end


def _skip_digits(text: Text, at: int) -> int:
    """Where the last of some digits ends; -1 if there is none."""
    end = at
    count = count_digits(text, end)
    while count == 8:
        end += 8
        count = count_digits(text, end)
    end += count
    return end if end > at else -1


def _skip_spaces(text: Text, at: int) -> int:
    while text[at] == _SPACE:
        at += 1
    return at


def _skip_spaces_after(text: Text, at: int) -> int:
    """Where the spaces end that follow a value; -1 if the value is not valid."""
    return _skip_spaces(text, at) if at > 0 else -1


def _is_end(text: Text, at: int, stop: int) -> bool:
    """Whether nothing but spaces and one comma follows the object. `at` may be -1."""
    if at < 0:
        return False
    at = _skip_spaces(text, at)
    if text[at] == _COMMA:
        at = _skip_spaces(text, at + 1)
    return at == stop


def _read_time(text: Text, offsets: Column, memory: MutableSequence[int]) -> int:
    """The tick of the time, whose form is found from its text; NO_TICK if it is not plain."""
    at, end = memory[TIME_PLACE], memory[TIME_PLACE + 1]
    form = _find_form(text, at, end)
    if form < 0:
        return NO_TICK
    tick, after = read_time(text, at, form, offsets, memory)
    return tick if after == end else NO_TICK


def _find_form(text: Text, at: int, end: int) -> int:
    """The form that a time can have; -1 if it has none."""
    if end - at < 9:
        return -1
    if text[at + 4] == _MINUS:
        return ISO
    if text[at + 2] == _SLASH:
        return CLF
    if text[at + 4] == _SLASH:
        return SLASHES
    if is_letter(text[at]):
        return CTIME
    digits = _skip_digits(text, at) - at
    return EPOCH + min(max(digits - 9, 0) // 3 * 3, 9)


def _is_plain_request(text: Text, memory: MutableSequence[int]) -> bool:
    """Whether the method consists of letters and there is no space in the target."""
    at, end = memory[METHOD_PLACE], memory[METHOD_PLACE + 1]
    while at < end and is_letter(text[at]):
        at += 1
    target, target_end = memory[PATH_PLACE], memory[PATH_PLACE + 1]
    return at == end and find_byte(text, target, target_end, _SPACES) == target_end


def _is_hexadecimal(byte: int) -> bool:
    return _ZERO <= byte <= _NINE or 97 <= byte | 32 <= 102

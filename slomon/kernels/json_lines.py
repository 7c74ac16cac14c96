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
    CONTENT,
    CONTENT_PLACE,
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
from slomon.kernels.swar import (
    WIDE,
    copy_wide,
    count_plain,
    count_same,
    find_byte,
    first_bit,
    leading_bytes,
    load,
    special_bits,
    wrap,
)
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

# What the memory of `read_json` holds of each of the first keys of the line before, in their order:
# where the text stands that comes before the value of the key and after the value before it, and
# how long it is; the field of the value, `_END` at the end of the line; the object in which the key
# stands; the keys and the fields up to this one, a bit each; and where the value stands and how
# long it is, if that is an object or a list.
_BEFORE: Final = 0  # -1 if it is not known
_LENGTH: Final = 1
_FIELD: Final = 2
_OUTER: Final = 3
_SEEN: Final = 4
_FOUND: Final = 5
_VALUE: Final = 6
_VALUE_LENGTH: Final = 7
_EXPECTED: Final = 8

ANY: Final = request.FIELDS
"""The field of a key that must be there, whatever its value is."""

_END: Final = -1
_START: Final = request.MEMORY  # of what is known before the first key
_FIRST: Final = _START + _EXPECTED
_LAST: Final = _START + 40 * _EXPECTED  # of this key and all behind it, nothing is expected
MEMORY: Final = _LAST + _EXPECTED
"""
Numbers of the memory of `read_json`: that of other lines, then what is expected of the keys. Such a
memory is for one text only.
"""

_MIX: Final = 0x61C8864680B583EB
_TRUE: Final = int.from_bytes(b"true", "little")
_NULL: Final = int.from_bytes(b"null", "little")
_FALSE: Final = int.from_bytes(b"false", "little")
_ZEROS: Final = int.from_bytes(b"00", "little")
_ESCAPED_QUOTE: Final = int.from_bytes(b'\\"', "little")
_TAB: Final = 9
_NEWLINE: Final = 10
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
_N: Final = 110
_R: Final = 114
_T: Final = 116
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
    at = find_byte(text, start, stop, _OPEN)
    if at == stop:
        return NOT_PLAIN
    memory[HOST_PLACE] = memory[HOST_PLACE + 1] = 0
    if not _is_end(text, walk(text, at, program, literals, memory, requests), stop):
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


def walk(
    text: Text,
    at: int,
    program: Column,
    literals: Text,
    memory: MutableSequence[int],
    contents: MutableSequence[int],
) -> int:
    """
    Note the values of the wanted keys of the object at `at`. Return where the object ends; -1 if
    the line is not plain. The value of `CONTENT` is copied to `contents`.

    Most lines have the same keys in the same order as the line before. So the text between two
    values is merely compared with that of the line before, and read only from the first difference
    on.
    """
    memory[_START + _OUTER], memory[_START + _SEEN], memory[_START + _FOUND] = HEADER, 0, 0
    last, expected = _START, _FIRST
    while True:
        before, length = memory[expected + _BEFORE], memory[expected + _LENGTH]
        if before >= 0 and _is_same(text, at, before, length):
            at += length
        else:
            at = _read_key(text, at, program, literals, memory, last, expected)
        field = memory[expected + _FIELD]
        if at < 0 or field == _END:
            return at
        if field != SKIP:
            at = _note_value(text, at, field, memory, contents)
        elif text[at] == _QUOTE:
            at = _skip_plain(text, at + 1)
            at = at + 1 if text[at] == _QUOTE else _skip_string(text, at)
        else:
            at = _skip_value(text, at, memory, expected)
        if at < 0:
            return -1
        last, expected = expected, min(expected + _EXPECTED, _LAST)


def _read_key(  # noqa: C901 (one loop)
    text: Text,
    begin: int,
    program: Column,
    literals: Text,
    memory: MutableSequence[int],
    last: int,
    expected: int,
) -> int:
    """
    Read the text between the last value and the next one, and expect it in the next line. Return
    where the value begins, or where the object ends; -1 if the text is not plain.
    """
    outer, seen = memory[last + _OUTER], memory[last + _SEEN]
    found, opened = memory[last + _FOUND], last == _START
    memory[expected + _BEFORE] = -1
    memory[min(expected + _EXPECTED, _LAST) + _BEFORE] = -1  # it was expected of other keys
    at = skip_spaces(text, begin + opened)
    while True:
        while not opened and text[at] == _CLOSE:
            if outer == HEADER:
                if found & program[WANTED] != program[WANTED]:
                    return -1
                memory[expected + _FIELD] = _END
                _expect(memory, expected, begin, at + 1)
                return at + 1
            outer = program[outer + OUTER]
            at = skip_spaces(text, at + 1)
        if not opened:
            if text[at] != _COMMA:
                return -1
            at = skip_spaces(text, at + 1)
        end = _skip_plain(text, at + 1) if text[at] == _QUOTE else at
        value = _skip_colon(text, end + 1) if end > at and text[end] == _QUOTE else -1
        if value < 0:
            return -1
        key = _find_key(text, at + 1, end, program, outer, literals)
        field = program[key + FIELD] if key else SKIP
        if key:
            if seen >> program[key + BIT] & 1 or found >> field & 1:
                return -1
            seen |= 1 << program[key + BIT]
            found |= (field != SKIP) << field
        if key and field == SKIP and text[value] == _OPEN:
            outer = key
            at = skip_spaces(text, value + 1)
            opened = text[at] != _CLOSE
            continue
        memory[expected + _FIELD] = SKIP if field == ANY else field
        memory[expected + _OUTER] = outer
        memory[expected + _SEEN], memory[expected + _FOUND] = seen, found
        if not key or field != SKIP:  # else the value may be an object in the next line
            _expect(memory, expected, begin, value)
        return value


def _expect(memory: MutableSequence[int], expected: int, begin: int, end: int) -> None:
    """Expect the text from `begin` to `end` at this place of the next line."""
    if expected < _LAST:
        memory[expected + _BEFORE], memory[expected + _LENGTH] = begin, end - begin


def _is_same(text: Text, at: int, before: int, length: int) -> bool:
    """Whether two parts of a text are the same."""
    count = count_same(text, at, before)
    while count == WIDE < length:
        at += WIDE
        before += WIDE
        length -= WIDE
        count = count_same(text, at, before)
    return count >= length


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


def _note_value(
    text: Text,
    at: int,
    field: int,
    memory: MutableSequence[int],
    contents: MutableSequence[int],
) -> int:
    """Note where a text or a number begins and ends. Return the end of the value, or -1."""
    if field == CONTENT:
        return _copy_string(text, at + 1, memory, contents) if text[at] == _QUOTE else -1
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


def _copy_string(
    text: Text, at: int, memory: MutableSequence[int], contents: MutableSequence[int]
) -> int:
    """
    Copy the text of a string that begins at `at`, its escapes undone, and one line end behind it as
    a newline. Return the end of the value; -1 if it is not plain. The end of the copy is noted.
    """
    place = memory[CONTENT_PLACE]
    while text[at] != _QUOTE:
        begin = at
        at, place = _copy_plain(text, at, contents, place)
        if at == begin + WIDE or text[at] == _QUOTE:
            continue
        byte, length = _read_escape(text, at)
        if length == 0:
            return -1
        contents[place] = byte
        place += 1
        at += length
        if byte == _NEWLINE and text[at] != _QUOTE:
            return -1
    memory[CONTENT_PLACE + 1] = place
    return at + 1


def _copy_plain(text: Text, at: int, contents: MutableSequence[int], place: int) -> tuple[int, int]:
    """
    Copy some of the next bytes of a string, up to a special one. Quotes with a backslash are copied
    without it. Return where the bytes and the copy end.
    """
    copy_wide(text, at, contents, place)
    bits, begin = special_bits(text, at), 0
    while bits:
        end = first_bit(bits)
        place += end - begin
        if end == WIDE - 1 or leading_bytes(load(text, at + end), 2) != _ESCAPED_QUOTE:
            return at + end, place
        begin = end + 1
        copy_wide(text, at + begin, contents, place)
        bits &= bits - 1  # without the backslash
        bits &= bits - 1  # without the quote
    return at + WIDE, place + WIDE - begin


def _read_escape(text: Text, at: int) -> tuple[int, int]:
    """The byte that an escape stands for, and how long the escape is; 0 if it is not plain."""
    byte = text[at + 1]
    if text[at] != _BACKSLASH:
        return 0, 0
    if byte in (_QUOTE, _BACKSLASH, _SLASH):
        return byte, 2
    if byte == _N:
        return _NEWLINE, 2
    if byte == _R and text[at + 2] == _BACKSLASH and text[at + 3] == _N:
        return _NEWLINE, 4
    if byte == _T:
        return _TAB, 2
    if byte == _U and leading_bytes(load(text, at + 2), 2) == _ZEROS:
        high, low = _read_hexadecimal(text[at + 4]), _read_hexadecimal(text[at + 5])
        if 2 <= high <= 7 and low >= 0:
            return high << 4 | low, 6
    return 0, 0


def _skip_value(text: Text, at: int, memory: MutableSequence[int], expected: int) -> int:
    """
    Where a value ends that is not wanted; -1 if it is not valid. An object or a list is often the
    same as in the line before.
    """
    if text[at] != _OPEN and text[at] != _OPEN_LIST:
        return _skip_scalar(text, at)
    before, length = memory[expected + _VALUE], memory[expected + _VALUE_LENGTH]
    if before >= 0 and _is_same(text, at, before, length):
        return at + length
    end = _skip_container(text, at)
    if end > 0:
        memory[expected + _VALUE], memory[expected + _VALUE_LENGTH] = at, end - at
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
            at = skip_spaces(text, at + 1)
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
            at = skip_spaces(text, at)
        if text[at] != _COMMA:
            return -1
        at = skip_spaces(text, at + 1)
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
    at = skip_spaces(text, at)
    return skip_spaces(text, at + 1) if text[at] == _COLON else -1


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
    """Where a string ends, after its quote, whose text is at `at`; -1 if it is not valid."""
    at = _skip_plain(text, at)
    while text[at] == _BACKSLASH:
        if text[at + 1] == _U:
            for place in range(at + 2, at + 6):
                if _read_hexadecimal(text[place]) < 0:
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
    end = at + 1 if text[at] == _ZERO else skip_digits(text, at)
    if end > 0 and text[end] == _POINT:
        end = skip_digits(text, end + 1)
    if end > 0 and text[end] | 32 == _E:
        end += 1
        if text[end] == _PLUS or text[end] == _MINUS:
            end += 1
        end = skip_digits(text, end)
    return end


def skip_digits(text: Text, at: int) -> int:
    """Where the last of some digits ends; -1 if there is none."""
    end = at
    count = count_digits(text, end)
    while count == 8:
        end += 8
        count = count_digits(text, end)
    end += count
    return end if end > at else -1


def skip_spaces(text: Text, at: int) -> int:
    while text[at] == _SPACE:
        at += 1
    return at


def _skip_spaces_after(text: Text, at: int) -> int:
    """Where the spaces end that follow a value; -1 if the value is not valid."""
    return skip_spaces(text, at) if at > 0 else -1


def _is_end(text: Text, at: int, stop: int) -> bool:
    """Whether nothing but spaces and one comma follows the object. `at` may be -1."""
    if at < 0:
        return False
    at = skip_spaces(text, at)
    if text[at] == _COMMA:
        at = skip_spaces(text, at + 1)
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
    digits = skip_digits(text, at) - at
    return EPOCH + min(max(digits - 9, 0) // 3 * 3, 9)


def _is_plain_request(text: Text, memory: MutableSequence[int]) -> bool:
    """Whether the method consists of letters and there is no space in the target."""
    at, end = memory[METHOD_PLACE], memory[METHOD_PLACE + 1]
    while at < end and is_letter(text[at]):
        at += 1
    target, target_end = memory[PATH_PLACE], memory[PATH_PLACE + 1]
    return at == end and find_byte(text, target, target_end, _SPACE) == target_end


def _read_hexadecimal(byte: int) -> int:
    """The value of a hexadecimal digit; -1 if it is another byte."""
    if _ZERO <= byte <= _NINE:
        return byte - _ZERO
    return (byte | 32) - 87 if 97 <= byte | 32 <= 102 else -1

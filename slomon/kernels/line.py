"""
The lines that the scanner reads by itself: `plain` and `clf` find the tick, the request and the
status of one line. They accept plain lines only. If a line is unusual in any way they return no
tick, and the reference parser reads it.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.codes import NO_TICK
from slomon.kernels.swar import HIGHS, equal_bytes, first_byte, leading_bytes, load, shift_up, wrap

Fields: TypeAlias = tuple[int, int, int, int]
"""
The tick of a line (NO_TICK if the line isn't plain), and where its request begins, its target ends
and its status begins.
"""

# The kinds of lines
PLAIN_LINES: Final = 0  # `<timestamp> <verb> <resource> <status>`, between a prefix and a suffix
CLF_LINES: Final = 1  # Apache's and nginx's common and combined logs

DATES: Final = 5  # numbers of the date that `clf` caches: its text in four words, and its tick

_NOT_PLAIN: Final = (NO_TICK, 0, 0, 0)
_SPACES: Final = 0x2020202020202020
_QUOTES: Final = 0x2222222222222222
_BACKSLASHES: Final = 0x5C5C5C5C5C5C5C5C
_BRACKETS: Final = 0x5B5B5B5B5B5B5B5B
_ZEROS: Final = 0x3030303030303030
_PAST_NINE: Final = 0x7676767676767676
_SPACE: Final = 32
_QUOTE: Final = 34
_HASH: Final = 35
_PLUS: Final = 43
_MINUS: Final = 45
_POINT: Final = 46
_SLASH: Final = 47
_COLON: Final = 58
_QUESTION_MARK: Final = 63
_BACKSLASH: Final = 92
_BRACKET: Final = 93
_LAST: Final = 126  # the last printable byte of ASCII
_HTTP: Final = int.from_bytes(b"HTTP/", "little")
_SECOND: Final = 1_000_000_000
_LAST_SECOND: Final = 9_223_372_035  # whole seconds that fit 63 bits of nanoseconds
_DATE_LENGTH: Final = 26  # as in 17/May/2015:10:05:03 +0000
_MONTHS: Final = tuple(
    int.from_bytes(name, "little")
    for name in (
        *(b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun"),
        *(b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"),
    )
)


def plain(
    text: Sequence[int], start: int, stop: int, affixes: Sequence[int], prefix: int, suffix: int
) -> Fields:
    """
    Read `<timestamp> <verb> <resource> <status>` between a prefix and a suffix. `affixes` holds the
    text of both; `prefix` and `suffix` are their lengths.
    """
    at = start + prefix
    end = stop - suffix
    if end - at < 8:  # a digit, a verb, a resource, a status and the spaces between
        return _NOT_PLAIN
    for byte in range(prefix):
        if text[start + byte] != affixes[byte]:
            return _NOT_PLAIN
    for byte in range(suffix):
        if text[end + byte] != affixes[prefix + byte]:
            return _NOT_PLAIN
    tick, request = _read_seconds(text, at)
    if tick == NO_TICK or text[request - 1] != _SPACE or request > end - 4:
        return _NOT_PLAIN
    if text[end - 4] != _SPACE:
        return _NOT_PLAIN
    return tick, request, end - 4, end - 3


def clf(text: Sequence[int], start: int, stop: int, dates: MutableSequence[int]) -> Fields:
    """
    Read `<host> <ident> <user> [<date>] "<verb> <target> HTTP/<version>" <status>`; anything may
    follow. `dates` caches the last date.
    """
    date = _find_byte(text, start, stop, _BRACKETS) + 1
    request = date + _DATE_LENGTH + 3
    if request >= stop or not _has_date(text, start, date):
        return _NOT_PLAIN
    target = _find_byte(text, request, stop, _SPACES) + 1
    target_end = _find_byte(text, target, stop, _SPACES)
    if target <= request + 1 or target_end <= target or _has_quotes(text, request, target_end):
        return _NOT_PLAIN
    status = _find_status(text, target_end + 1, stop)
    if status < 0:
        return _NOT_PLAIN
    return _cached_date(text, date, dates), request, target_end, status


def is_plain(text: Sequence[int], at: int, end: int) -> int:
    """
    Whether a text is a verb of letters, a space and a path, in printable ASCII, without characters
    that formats escape or at which routes are cut. Every format reads such a text alike, and it is
    its own name.
    """
    spaces = 0
    for place in range(at, end):
        byte = text[place]
        if byte < _SPACE or byte > _LAST:
            return False
        if byte in (_QUOTE, _HASH, _QUESTION_MARK, _BACKSLASH):
            return False
        if byte == _SPACE:
            spaces += 1
            if place == at or place + 1 == end or text[place + 1] != _SLASH:
                return False
        elif spaces == 0 and not 97 <= byte | 32 <= 122:
            return False  # a letter, whatever its case
    return spaces == 1


def _has_date(text: Sequence[int], start: int, date: int) -> bool:
    """Whether three words and ` [` precede a date, and `] "` follows it."""
    if date - 2 < start or text[start] == _QUOTE or text[date - 2] != _SPACE:
        return False
    if _count_words(text, start, date - 1) < 3:
        return False
    end = date + _DATE_LENGTH
    return text[end] == _BRACKET and text[end + 1] == _SPACE and text[end + 2] == _QUOTE


def _has_quotes(text: Sequence[int], at: int, end: int) -> bool:
    while at < end:
        word = load(text, at)
        if end - at < 8:
            word = leading_bytes(word, end - at)
        if equal_bytes(word, _QUOTES) or equal_bytes(word, _BACKSLASHES):
            return True
        at += 8
    return False


def _find_status(text: Sequence[int], at: int, stop: int) -> int:
    """Where the status after `HTTP/<version>" ` begins; -1 if the text is anything else."""
    if stop - at < 11 or leading_bytes(load(text, at), 5) != _HTTP:
        return -1
    digits = number(text, at + 5)[1]
    at += 6
    if text[at] == _POINT:
        digits *= number(text, at + 1)[1]
        at += 2
    status = at + 2
    if digits != 1 or text[at] != _QUOTE or text[at + 1] != _SPACE or status + 3 > stop:
        return -1
    return status if status + 3 == stop or text[status + 3] == _SPACE else -1


def number(text: Sequence[int], at: int) -> tuple[int, int]:
    """The number that begins at `at`, of at most eight digits, and how many digits it has."""
    word = load(text, at) ^ _ZEROS
    digits = _count_digits(word)
    if digits < 8:
        word = shift_up(leading_bytes(word, digits), 8 - digits) if digits else 0
    return _combine_digits(word), digits


def _fraction(text: Sequence[int], at: int) -> tuple[int, int]:
    """At most eight digits after a point, in units of 10**-8, and how many digits there are."""
    word = load(text, at) ^ _ZEROS
    digits = _count_digits(word)
    return _combine_digits(word if digits == 8 else leading_bytes(word, digits)), digits


def _count_digits(word: int) -> int:
    """How many bytes of a word, from the first on, are at most nine."""
    others = (wrap((word & ~HIGHS) + _PAST_NINE) | word) & HIGHS
    return first_byte(others) if others else 8


def _combine_digits(word: int) -> int:
    """The number of eight digits, the first in the lowest byte: by pairs, then fours, then all."""
    word = (word * 10 + (word >> 8)) & 0x00FF00FF00FF00FF
    word = (word * 100 + (word >> 16)) & 0x0000FFFF0000FFFF
    return (word * 10000 + (word >> 32)) & 0xFFFFFFFF


def _read_seconds(text: Sequence[int], at: int) -> tuple[int, int]:
    """The tick of decimal seconds, and the position after the byte that follows them."""
    whole, digits = number(text, at)
    at += digits
    if digits == 8:
        low, digits = number(text, at)
        if digits > 2:
            return NO_TICK, 0
        for _ in range(digits):
            whole *= 10
        whole += low
        at += digits
    elif digits == 0:
        return NO_TICK, 0
    if whole > _LAST_SECOND:
        return NO_TICK, 0
    tick = whole * _SECOND
    if text[at] == _POINT:
        fraction, digits = _fraction(text, at + 1)
        if digits == 0:
            return NO_TICK, 0
        at += 1 + digits
        tick += fraction * 10
        if digits == 8:
            ninth, digits = number(text, at)
            if digits > 1:
                return NO_TICK, 0
            tick += ninth
            at += digits
    return tick, at + 1


def _cached_date(text: Sequence[int], at: int, dates: MutableSequence[int]) -> int:
    """The tick of a date as in 17/May/2015:10:05:03 +0000. Most dates are in the cache."""
    first, second, third = load(text, at), load(text, at + 8), load(text, at + 16)
    last = load(text, at + _DATE_LENGTH - 8)
    if first == dates[0] and second == dates[1] and third == dates[2] and last == dates[3]:
        return dates[4]
    tick = _read_date(text, at)
    dates[0], dates[1], dates[2], dates[3], dates[4] = first, second, third, last, tick
    return tick


def _read_date(text: Sequence[int], at: int) -> int:
    day, day_digits = number(text, at)
    year, year_digits = number(text, at + 7)
    hour, hour_digits = number(text, at + 12)
    minute, minute_digits = number(text, at + 15)
    second, second_digits = number(text, at + 18)
    zone, zone_digits = number(text, at + 22)
    sign = text[at + 21]
    month = _month(leading_bytes(load(text, at + 3), 3))
    if day_digits * hour_digits * minute_digits * second_digits != 16:
        return NO_TICK
    if year_digits != 4 or zone_digits != 4 or month == 0 or sign not in (_PLUS, _MINUS):
        return NO_TICK
    if text[at + 2] != _SLASH or text[at + 6] != _SLASH or text[at + 20] != _SPACE:
        return NO_TICK
    if text[at + 11] != _COLON or text[at + 14] != _COLON or text[at + 17] != _COLON:
        return NO_TICK
    if year < 1971 or year > 2261 or hour > 23 or minute > 59 or second > 59:
        return NO_TICK
    if zone % 100 > 59 or zone // 100 > 23 or day < 1 or day > _month_length(year, month):
        return NO_TICK
    offset = (zone // 100 * 60 + zone % 100) * 60
    if sign == _MINUS:
        offset = -offset
    seconds = (
        ((_days_since_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset
    )
    return seconds * _SECOND


def _days_since_epoch(year: int, month: int, day: int) -> int:
    """
    Days since the epoch. Years are counted from March, so that the leap day is the last day
    (Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2021).
    """
    month_from_march = (month + 9) % 12
    if month <= 2:
        year -= 1
    days = 365 * year + year // 4 - year // 100 + year // 400
    return days + (153 * month_from_march + 2) // 5 + day - 1 - 719468


def _month_length(year: int, month: int) -> int:
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 + ((month + (month >> 3)) & 1)  # the long ones are odd up to July, then even


def _month(name: int) -> int:
    """The number of a month, 1 to 12, or 0 if there is none of that name."""
    for month, known in enumerate(_MONTHS):
        if known == name:
            return month + 1
    return 0


def _find_byte(text: Sequence[int], start: int, stop: int, pattern: int) -> int:
    """Where the byte that a pattern repeats occurs first, or `stop`."""
    at = start
    while at < stop:
        equal = equal_bytes(load(text, at), pattern)
        if equal:
            return min(at + first_byte(equal), stop)
        at += 8
    return stop


def _count_words(text: Sequence[int], start: int, stop: int) -> int:
    """How many words from `start` to `stop` are followed by a space."""
    count = 0
    before = _SPACE
    for at in range(start, stop):
        byte = text[at]
        if byte == _SPACE and before != _SPACE:
            count += 1
        before = byte
    return count

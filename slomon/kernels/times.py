"""
The times of lines, in the forms of `formats.times`. The functions accept plain times only: an
unusual one, such as a leap second, is left to the reference parser.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final

from slomon.kernels.codes import NO_TICK
from slomon.kernels.swar import HIGHS, first_byte, leading_bytes, load, shift_up, wrap

# The forms of times. `EPOCH` plus 0, 3, 6 or 9 is an epoch time, in units of 10**-n seconds.
CLF: Final = 0
ISO: Final = 1
SLASHES: Final = 2
CTIME: Final = 3
EPOCH: Final = 4

DATES: Final = 8
"""
Numbers of the cache of dates: three words of the text of a date, its year if that follows the
clock, and its seconds; the word of text that follows a time, the offset that it names, and how long
the name is.
"""

# The offsets of a zone: the first day, how many days follow, and the offset of each in seconds
FIRST_DAY: Final = 0
DAY_COUNT: Final = 1
OFFSETS: Final = 2
NO_OFFSET: Final = 1 << 40  # of a day with a clock change; also of a text that names no zone

_ABSENT: Final = -1  # no time in the form begins there
_UNUSUAL: Final = -2

_ZEROS: Final = 0x3030303030303030
_PAST_NINE: Final = 0x7676767676767676
_TAB: Final = 9
_SPACE: Final = 32
_PLUS: Final = 43
_COMMA: Final = 44
_MINUS: Final = 45
_POINT: Final = 46
_SLASH: Final = 47
_ZERO: Final = 48
_NINE: Final = 57
_COLON: Final = 58
_T: Final = 84
_Z: Final = 90
_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400
_LAST_SECOND: Final = 9_223_372_035  # whole seconds that fit 63 bits of nanoseconds
_POWERS: Final = tuple(10**exponent for exponent in range(10))
_UTC: Final = int.from_bytes(b"UTC", "little")
_GMT: Final = int.from_bytes(b"GMT", "little")
_MONTHS: Final = tuple(
    int.from_bytes(name, "little")
    for name in (
        *(b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun"),
        *(b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"),
    )
)


def read_time(
    text: Sequence[int], at: int, form: int, offsets: Sequence[int], dates: MutableSequence[int]
) -> tuple[int, int]:
    """
    The tick of the time that begins at `at`, and where the time ends. The end is -1 if no time in
    this form begins there; the tick is NO_TICK then, and if the time is unusual.

    `offsets` are those of the zone of times that name none. `dates` caches the last date.
    """
    if form >= EPOCH:
        return _read_epoch(text, at, form - EPOCH)
    end = at + _count_fixed(text, at, form)
    fraction, after = _read_fraction(text, end)
    following = load(text, after)
    if following == dates[5] and dates[7] >= 0:
        offset, after = dates[6], after + dates[7]
    else:
        offset, zone_end = _read_zone(text, after)
        dates[5], dates[6], dates[7] = following, offset, zone_end - after
        after = zone_end
    year = 0
    if form == CTIME:
        year, after = _read_last_year(text, after)
    first, second, last = load(text, at), load(text, at + 8), load(text, end - 8)
    if first == dates[0] and second == dates[1] and last == dates[2] and year == dates[3]:
        seconds = dates[4]
    else:
        seconds = _read_local(text, at, form, year)
        if seconds < 0:
            return NO_TICK, at if seconds == _UNUSUAL else -1
        dates[0], dates[1], dates[2], dates[3], dates[4] = first, second, last, year, seconds
    if form == CTIME and not _is_ctime_zone(text, end, fraction, offset, after):
        return NO_TICK, at
    if offset == NO_OFFSET:
        offset = _find_offset(offsets, seconds)
    if fraction < 0 or year < 0 or offset == NO_OFFSET:
        return NO_TICK, at
    return (seconds - offset) * _SECOND + fraction, after


def read_seconds(text: Sequence[int], at: int, cache: MutableSequence[int]) -> tuple[int, int]:
    """
    The tick of decimal seconds, and the position after the byte that follows them. `cache` keeps
    the last whole seconds of ten digits, as most lines have: two words of their text, and their
    tick. It begins with -1 in all numbers, which is no such text.
    """
    first, last = load(text, at), leading_bytes(load(text, at + 8), 3)
    if first == cache[0] and last == cache[1]:
        tick = cache[2]
        at += 10
    else:
        whole, digits = number(text, at)
        at += digits
        if digits == 8:
            low, more = number(text, at)
            if more > 2:
                return NO_TICK, 0
            whole = whole * _POWERS[more] + low
            at += more
            digits += more
        elif digits == 0:
            return NO_TICK, 0
        if whole > _LAST_SECOND:
            return NO_TICK, 0
        tick = whole * _SECOND
        if digits == 10:
            cache[0], cache[1], cache[2] = first, last, tick
    if text[at] == _POINT:
        fraction, digits = _read_decimals(text, at + 1)
        if fraction < 0 or digits == 0:
            return NO_TICK, 0
        tick += fraction
        at += 1 + digits
    return tick, at + 1


def number(text: Sequence[int], at: int) -> tuple[int, int]:
    """The number that begins at `at`, of at most eight digits, and how many digits it has."""
    word = load(text, at) ^ _ZEROS
    digits = _count_digits(word)
    if digits < 8:
        word = shift_up(leading_bytes(word, digits), 8 - digits) if digits else 0
    return _combine_digits(word), digits


def _read_decimals(text: Sequence[int], at: int) -> tuple[int, int]:
    """
    Digits after a point, in units of 10**-9, and how many there are. The first number is negative
    if there are more than nine.
    """
    word = load(text, at) ^ _ZEROS
    digits = _count_digits(word)
    decimals = _combine_digits(word if digits == 8 else leading_bytes(word, digits)) * 10
    if digits == 8:
        ninth, more = number(text, at + 8)
        if more > 1:
            return -1, digits
        decimals += ninth
        digits += more
    return decimals, digits


def count_digits(text: Sequence[int], at: int) -> int:
    """How many of the next eight bytes, from the first on, are digits."""
    return _count_digits(load(text, at) ^ _ZEROS)


def _count_digits(word: int) -> int:
    """How many bytes of a word, from the first on, are at most nine."""
    others = (wrap((word & ~HIGHS) + _PAST_NINE) | word) & HIGHS
    return first_byte(others) if others else 8


def _combine_digits(word: int) -> int:
    """The number of eight digits, the first in the lowest byte: by pairs, then fours, then all."""
    word = (word * 10 + (word >> 8)) & 0x00FF00FF00FF00FF
    word = (word * 100 + (word >> 16)) & 0x0000FFFF0000FFFF
    return (word * 10000 + (word >> 32)) & 0xFFFFFFFF


def _read_epoch(text: Sequence[int], at: int, exponent: int) -> tuple[int, int]:
    """
    The tick of an epoch time in units of 10**-exponent seconds, and where it ends, as `read_time`.
    """
    whole, digits = number(text, at)
    more = digits
    while more == 8 and digits < 24:
        part, more = number(text, at + digits)
        whole = wrap(whole * _POWERS[more] + part)
        digits += more
    least = 9 + exponent
    if digits < least:
        return NO_TICK, -1
    if digits > least + 1 or (digits == 19 and text[at] == _NINE):
        return NO_TICK, at
    if exponent < 9 and whole > _LAST_SECOND * _POWERS[exponent]:
        return NO_TICK, at
    at += digits
    tick = whole * _POWERS[9 - exponent]
    if exponent > 3 or text[at] != _POINT:
        return tick, at
    decimals, digits = _read_decimals(text, at + 1)
    if digits == 0:
        return tick, at
    if decimals < 0 or digits > 9 - exponent:
        return NO_TICK, at
    return tick + decimals // _POWERS[exponent], at + 1 + digits


def _count_fixed(text: Sequence[int], at: int, form: int) -> int:
    """How many bytes a date and its clock take, without the fraction."""
    if form == CLF:
        return 20
    if form == SLASHES and text[at + 10] == _SPACE and text[at + 11] == _MINUS:
        return 21
    if form == CTIME and text[at + 9] == _SPACE:
        return 18  # the day has one digit
    return 19


def _read_local(text: Sequence[int], at: int, form: int, year: int) -> int:
    """The seconds of a date and its clock since the epoch, by the clock of its zone."""
    if form == CLF:
        return _read_clf(text, at)
    if form == CTIME:
        return _read_ctime(text, at, year)
    return _read_numbers(text, at, _SLASH if form == SLASHES else _MINUS)


def _read_clf(text: Sequence[int], at: int) -> int:
    """The seconds of a date as in 17/May/2015:10:05:03."""
    if text[at + 2] != _SLASH or text[at + 6] != _SLASH:
        return _ABSENT
    if text[at + 11] != _COLON and text[at + 11] != _SPACE:
        return _ABSENT
    day, year, clock = _two(text, at), _four(text, at + 7), _read_clock(text, at + 12)
    return _join(year, _month(text, at + 3), day, clock)


def _read_numbers(text: Sequence[int], at: int, separator: int) -> int:
    """The seconds of a date as in 2015-05-17T10:05:03 or 2015/05/17 - 10:05:03."""
    if text[at + 4] != separator or text[at + 7] != separator:
        return _ABSENT
    clock_at = at + 11
    between = text[at + 10]
    if separator == _SLASH and between == _SPACE and text[clock_at] == _MINUS:
        if text[at + 12] != _SPACE:
            return _ABSENT
        clock_at = at + 13
    elif between not in (_SPACE, _T) and (between != _TAB or separator == _SLASH):
        return _ABSENT
    clock = _read_clock(text, clock_at)
    return _join(_four(text, at), _two(text, at + 5), _two(text, at + 8), clock)


def _read_ctime(text: Sequence[int], at: int, year: int) -> int:
    """The seconds of a date as in Sun May 17 10:05:03, in that year."""
    clock_at = at + 11
    day = _digit(text, at + 9)
    if text[at + 9] == _SPACE:
        day, clock_at = _digit(text, at + 8), at + 10
    elif text[at + 8] != _SPACE:
        day = _two(text, at + 8)
    if text[at + 3] != _SPACE or text[at + 7] != _SPACE or text[clock_at - 1] != _SPACE:
        return _ABSENT
    if year < 0 or not _is_name(text, at) or _month(text, at + 4) == 0:
        return _ABSENT
    return _join(year, _month(text, at + 4), day, _read_clock(text, clock_at))


def _join(year: int, month: int, day: int, clock: int) -> int:
    """The seconds of a day and a clock. The month is 0 if its name is not known."""
    if year < 0 or month < 0 or day < 0 or clock == _ABSENT:
        return _ABSENT
    if clock < 0 or year < 1971 or year > 2261 or month < 1 or month > 12:
        return _UNUSUAL
    if day < 1 or day > _month_length(year, month):
        return _UNUSUAL
    return _days_since_epoch(year, month, day) * _DAY + clock


def _read_clock(text: Sequence[int], at: int) -> int:
    """The seconds of a clock as in 10:05:03."""
    hour, minute, second = _two(text, at), _two(text, at + 3), _two(text, at + 6)
    if hour < 0 or minute < 0 or second < 0:
        return _ABSENT
    if text[at + 2] != _COLON or text[at + 5] != _COLON:
        return _ABSENT
    if hour > 23 or minute > 59 or second > 59:
        return _UNUSUAL
    return (hour * 60 + minute) * 60 + second


def _read_fraction(text: Sequence[int], at: int) -> tuple[int, int]:
    """
    The fraction of a second, in nanoseconds, and where it ends. The number is negative if there are
    more than nine digits.
    """
    if text[at] != _POINT and text[at] != _COMMA:
        return 0, at
    decimals, digits = _read_decimals(text, at + 1)
    return decimals, at + 1 + digits if digits else at


def _read_zone(text: Sequence[int], at: int) -> tuple[int, int]:
    """The offset that a time names, in seconds, and where it ends; NO_OFFSET if there is none."""
    place = at + 1 if text[at] == _SPACE else at
    byte = text[place]
    if byte == _Z:
        return 0, place + 1
    if byte in (_PLUS, _MINUS):
        minutes_at = place + 4 if text[place + 3] == _COLON else place + 3
        hours, minutes = _two(text, place + 1), _two(text, minutes_at)
        if hours < 0 or minutes < 0 or hours > 23 or minutes > 59:
            return NO_OFFSET, at
        offset = (hours * 60 + minutes) * 60
        return -offset if byte == _MINUS else offset, minutes_at + 2
    name = leading_bytes(load(text, place), 3)
    if name in (_UTC, _GMT):
        return 0, place + 3
    return NO_OFFSET, at


def _read_last_year(text: Sequence[int], at: int) -> tuple[int, int]:
    """The year after a space, and where it ends. The year is -1 if there is none."""
    return _four(text, at + 1) if text[at] == _SPACE else -1, at + 5


def _is_ctime_zone(text: Sequence[int], at: int, fraction: int, offset: int, end: int) -> bool:
    """Whether the zone before the year is as `ctime` allows it; or there is neither."""
    if offset == NO_OFFSET:
        return True
    zone = end - 5 - at
    if fraction:
        return False
    return text[at] == _SPACE and (zone == 4 or (zone == 6 and text[at + 4] != _COLON))


def _find_offset(offsets: Sequence[int], seconds: int) -> int:
    """The offset of a local time; NO_OFFSET if the zone is not known, or its clock changes."""
    day = seconds // _DAY - offsets[FIRST_DAY]
    return offsets[OFFSETS + day] if 0 <= day < offsets[DAY_COUNT] else NO_OFFSET


def _digit(text: Sequence[int], at: int) -> int:
    byte = text[at]
    return byte - _ZERO if _ZERO <= byte <= _NINE else _ABSENT


def _two(text: Sequence[int], at: int) -> int:
    """The number of two digits, or -1."""
    tens, ones = _digit(text, at), _digit(text, at + 1)
    return tens * 10 + ones if tens >= 0 and ones >= 0 else _ABSENT


def _four(text: Sequence[int], at: int) -> int:
    """The number of four digits, or -1."""
    high, low = _two(text, at), _two(text, at + 2)
    return high * 100 + low if high >= 0 and low >= 0 else _ABSENT


def _is_name(text: Sequence[int], at: int) -> bool:
    """Whether three letters stand there, the first one a capital."""
    return 65 <= text[at] <= 90 and 97 <= text[at + 1] <= 122 and 97 <= text[at + 2] <= 122


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


def _month(text: Sequence[int], at: int) -> int:
    """The number of the month whose name stands there, 1 to 12; 0 if it is no month's name."""
    name = leading_bytes(load(text, at), 3)
    for month, known in enumerate(_MONTHS):
        if known == name:
            return month + 1
    return 0

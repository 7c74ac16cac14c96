"""
Durations, dates and zones: read from the texts that people and programs write, and shown to people.

A duration or an instant is a whole number of ticks. Its digits never pass through a float.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from typing import Final

from slomon.core.ticks import LAST_TICK, STAMPS, TICKS_PER_SECOND, parse_seconds
from slomon.errors import ConfigurationError
from slomon.text import quote


def parse_duration(text: str) -> int:
    """
    The ticks of a duration such as `1h30m`: numbers with units, the largest unit first, each unit
    at most once. A bare number is seconds. `m` is minutes; months and years don't exist, because
    their lengths differ.

    Raises ConfigurationError if the text is no duration, if it is not a whole number of ticks, or
    if it is 2**63 ticks or more.
    """
    ticks = _count_ticks(text)
    if ticks is None or ticks.denominator != 1 or ticks > LAST_TICK:
        raise ConfigurationError(f"the duration is {quote(text)}; allowed: {_DURATIONS}")
    return ticks.numerator


def show_duration(ticks: int) -> str:
    """The shortest text of whole numbers that `parse_duration` reads as `ticks`: `90m`, `4w`."""
    if ticks == 0:
        return "0s"
    single = [f"{ticks // size}{unit}" for unit, size in _UNITS.items() if ticks % size == 0]
    return min(*single, _mix_units(ticks), key=len)


def show_span(ticks: int) -> str:
    """A duration in its largest unit and the next one: `2d 3h`, `12m`. The rest is cut off."""
    if ticks < 0:
        return f"-{show_span(-ticks)}"
    counts: list[tuple[int, str]] = []
    for unit, size in _SPAN_UNITS.items():
        count, ticks = divmod(ticks, size)
        if count or counts:
            counts.append((count, unit))
    return " ".join(f"{count}{unit}" for count, unit in counts[:2] if count) or "0s"


def show_seconds(seconds: float) -> str:
    """A duration in seconds, shown as `show_span` does."""
    return show_span(round(seconds * TICKS_PER_SECOND))


@dataclass(frozen=True, slots=True)
class Undated:
    """The result for a text that is no instant: `reason` names the text and what is allowed."""

    reason: str


def parse_zone(text: str) -> tzinfo:
    """The zone of an IANA name or an offset. Raises ConfigurationError if the text is neither."""
    if _OFFSET.fullmatch(text):
        return _parse_offset(text)
    if text == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415 (few runs have a zone, and it takes some time)

    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # unknown, an invalid key, a directory of zones
        raise ConfigurationError(f"the zone is {quote(text)}; allowed: {_ZONES}") from None


def read_date(text: str, zone: tzinfo | None = None) -> int | Undated:
    """
    The tick of a date with a time. The formats are seconds since the epoch (git's raw format adds
    an offset, which is ignored), ISO 8601 and RFC 3339, RFC 2822, git's default format, the output
    of `date`, and what programs in Go and Java print.

    A date without an offset is in `zone`. If a date names its zone by an abbreviation that RFC 2822
    (4.3) doesn't define, the abbreviation is ignored, since most stand for several zones: `zone`
    applies. If the zone skips a local time or has it twice, the offset from before the clock change
    applies (of two instants, the earlier). A leap second is the second after it, as in POSIX.
    """
    text = " ".join(text.split())
    if epoch := _EPOCH_SECONDS.fullmatch(text):
        tick = parse_seconds(epoch[1])
        return Undated(f"the date is {quote(text)}; allowed: {STAMPS}") if tick is None else tick
    fields = next(
        (found for pattern in _FORMATS if (found := re.fullmatch(pattern, text, _FLAGS))), None
    )
    if fields is None:
        return Undated(f"the date is {quote(text)}; allowed: {_DATES}")
    own_zone = _find_zone(fields["zone"]) or zone
    if own_zone is None:
        lack = f"a zone {quote(fields['zone'])} of no fixed offset" if fields["zone"] else "no zone"
        return Undated(f"the date {quote(text)} has {lack}; allowed: {_ZONED}")
    tick = _date_ticks(fields.groupdict(default="0"), own_zone)
    return Undated(f"the date is {quote(text)}; allowed: {_TIMES}") if tick is None else tick


def read_rough_date(text: str, zone: tzinfo | None = None) -> int | Undated:
    """
    The same for a date of a program that is not known. It may be a number of milliseconds,
    microseconds or nanoseconds since the epoch: its size tells the unit. It may lack the time: then
    it is the first instant of its day.
    """
    if is_day(text):
        return read_date(f"{text} 00:00", zone)
    tick = _read_epoch(text.strip())
    return read_date(text, zone) if tick is None else tick


def is_day(text: str) -> bool:
    """Is this a date without a time?"""
    return _DAY_ONLY.fullmatch(text.strip()) is not None


def parse_instant(text: str, zone: tzinfo) -> int:
    """
    The tick of an instant that a user names: a day such as `2025-03-10`, which begins then, or
    anything that `read_date` reads. Raises ConfigurationError if the text is neither.
    """
    tick = read_date(f"{text} 00:00" if is_day(text) else text, zone)
    if isinstance(tick, Undated):
        raise ConfigurationError(f"the time is {quote(text)}; allowed: {_INSTANTS}")
    return tick


def show_instant(tick: int) -> str:
    """A tick as RFC 3339 writes it, in UTC, with all places of its second that are not 0."""
    seconds, rest = divmod(tick, TICKS_PER_SECOND)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def show_stamp(seconds: float, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A UTC time, in seconds since the epoch, by a `strftime` format; the rest is cut off."""
    return datetime.fromtimestamp(seconds, UTC).strftime(form)


def _mix_units(ticks: int) -> str:
    parts = []
    for unit, size in _UNITS.items():
        count, ticks = divmod(ticks, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)


def _count_ticks(text: str) -> Fraction | None:
    if _NUMBER.fullmatch(text):
        return Fraction(text) * TICKS_PER_SECOND
    parts = _PARTS.fullmatch(text)
    if parts is None or not text:
        return None
    return sum(
        (Fraction(count) * _UNITS[unit] for unit, count in parts.groupdict().items() if count),
        start=Fraction(0),
    )


def _read_epoch(text: str) -> int | None:
    """The ticks of a number of a unit smaller than a second; None for any other text."""
    whole, _, fraction = text.partition(".")
    digits = len(whole)
    places = next((places for size, places in _EPOCH_UNITS if size - 3 < digits <= size), 0)
    return parse_seconds(f"{whole[:-places]}.{whole[-places:]}{fraction}") if places else None


def _date_ticks(fields: Mapping[str, str], zone: tzinfo) -> int | None:
    fraction = fields["fraction"].rstrip("0").ljust(_DECIMALS, "0")
    try:
        minute = _read_minute(fields, zone)
    except ValueError:  # a month 13, a 30th of February
        return None
    if len(fraction) > _DECIMALS:
        return None
    seconds = (minute - _EPOCH) // timedelta(seconds=1) + int(fields["second"])
    tick = seconds * TICKS_PER_SECOND + int(fraction)
    return tick if 0 <= tick <= LAST_TICK else None


def _read_minute(fields: Mapping[str, str], zone: tzinfo) -> datetime:
    month = _MONTHS.get(fields["month"].lower()) or int(fields["month"])
    hour = _read_hour(int(fields["hour"]), fields["half"].lower())
    day = int(fields["day"])
    return datetime(int(fields["year"]), month, day, hour, int(fields["minute"]), tzinfo=zone)


def _read_hour(hour: int, half: str) -> int:
    if half not in _HALVES:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return hour % 12 + _HALVES[half]


def _find_zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    if _OFFSET.fullmatch(name):
        return _parse_offset(name)
    hours = _ZONE_HOURS.get(name.lower())
    return None if hours is None else timezone(timedelta(hours=hours))


def _parse_offset(text: str) -> tzinfo:
    digits = text[1:].replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-size if text[0] == "-" else size)


_UNITS: Final = {  # the ticks of each, the largest first
    "w": 7 * 86_400 * TICKS_PER_SECOND,
    "d": 86_400 * TICKS_PER_SECOND,
    "h": 3_600 * TICKS_PER_SECOND,
    "m": 60 * TICKS_PER_SECOND,
    "s": TICKS_PER_SECOND,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_SPAN_UNITS: Final = {unit: size for unit, size in _UNITS.items() if unit != "w"}  # 28d, not 4w

_DIGITS: Final = r"\d{1,19}(?:\.\d{1,19})?"
_NUMBER: Final = re.compile(_DIGITS, re.ASCII)
_PARTS: Final = re.compile(
    "".join(f"(?:(?P<{unit}>{_DIGITS}){unit})?" for unit in _UNITS), re.ASCII
)
_DURATIONS: Final = (
    "seconds, or numbers with the units w, d, h, m (minutes), s, ms, us and ns in this order, "
    "such as '1h30m', in whole nanoseconds, fewer than 2**63 of these"
)

_DECIMALS: Final = 9
_EPOCH_UNITS: Final = ((14, 3), (17, 6), (20, 9))  # most digits, and their places of a second
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HALVES: Final = {"am": 0, "pm": 12}
_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_ZONE_HOURS: Final = {  # ahead of UTC, by RFC 2822
    "z": 0, "ut": 0, "utc": 0, "gmt": 0,
    "est": -5, "cst": -6, "mst": -7, "pst": -8,
    "edt": -4, "cdt": -5, "mdt": -6, "pdt": -7,
}  # fmt: skip

_WEEKDAY: Final = "(?:mon|tue|wed|thu|fri|sat|sun)"
_MONTH: Final = rf"(?P<month>{'|'.join(_MONTHS)})"
_DAY_ONLY: Final = re.compile(r"\d{4}[-/]\d\d[-/]\d\d", re.ASCII)
_DAY: Final = r"(?P<day>\d\d?)"
_YEAR: Final = r"(?P<year>\d{4})"
_TIME: Final = (
    r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>[0-5]\d|60)(?:[.,](?P<fraction>\d+))?)?"
    r"(?: (?P<half>[ap]m))?"
)
_BASIC_TIME: Final = (
    r"(?P<hour>\d\d)(?P<minute>\d\d)(?:(?P<second>[0-5]\d|60)(?:[.,](?P<fraction>\d+))?)?"
    r"(?P<half>)"
)
_SIGNED: Final = r"[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?"
_ZONE: Final = rf"(?P<zone>[a-z]{{1,5}}|{_SIGNED})"

_NAMED: Final = r"(?:(?<=\d) [a-z]{1,5}|\[[a-z_/+-]{1,40}\])?(?: m=[+-][\d.]+)?"

_FLAGS: Final = re.ASCII | re.IGNORECASE
_OFFSET: Final = re.compile(_SIGNED, _FLAGS)
_EPOCH_SECONDS: Final = re.compile(rf"([\d.]+)(?: {_SIGNED})?", _FLAGS)
# Compiled when the first date is read: few runs read any.
_FORMATS: Final = (
    # ISO 8601, git's iso; Go adds the zone's name to the offset, and Java its IANA name.
    rf"{_YEAR}([-/])(?P<month>\d\d)\2(?P<day>\d\d)[T ]{_TIME} ?{_ZONE}?{_NAMED}",
    rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)T{_BASIC_TIME}{_ZONE}?",  # basic ISO 8601
    rf"(?:{_WEEKDAY},? )?{_DAY} {_MONTH} {_YEAR} {_TIME}(?: {_ZONE})?",  # RFC 2822
    rf"{_WEEKDAY} {_MONTH} {_DAY} {_TIME} {_YEAR}(?: {_ZONE})?",  # git's default
    rf"{_WEEKDAY} {_MONTH} {_DAY} {_TIME} {_ZONE} {_YEAR}",  # date
    rf"{_MONTH} {_DAY}, {_YEAR} @ {_TIME}(?P<zone>)",  # Kibana
)

_ZONES: Final = (
    "an IANA name that this machine knows, such as 'Europe/Berlin', 'UTC', or an offset such as "
    "'+02:00'"
)
_INSTANTS: Final = (
    "a day, such as '2025-03-10', a date and time as in RFC 3339, or seconds since the epoch"
)
_DATES: Final = (
    "seconds since the epoch, or a date and time as in ISO 8601, RFC 2822, git log or date"
)
_ZONED: Final = "a date with an offset, such as '+02:00', or in UTC; or one zone for all dates"
_TIMES: Final = "a time of the calendar from 1970 to 2262, of at most 9 places of a second"

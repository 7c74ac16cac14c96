"""
The times that access logs write, each in one of a few forms.

A layout names the form of its time, so that a line is read without guessing. `find_time_form` is
for the place where a form is inferred.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND, parse_seconds
from slomon.dates import Undated, read_date
from slomon.text import quote

_MONTHS: Final = {
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6,
    "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11, "Dec": 12,
}  # fmt: skip
_MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK: Final = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
_FRACTION: Final = r"(?:[.,][0-9]{1,9})?"
_ZONE: Final = "(?: ?(?:Z|UTC|GMT|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9]))?"


@dataclass(frozen=True, slots=True)
class TimeForm:
    """
    A way to write a time. `pattern` matches it, and `example` shows it.

    `unit` is the number of ticks in one unit of an epoch time; it is 0 for dates.
    """

    name: str
    pattern: str
    example: str
    unit: int = 0


FORMS: Final = {
    form.name: form
    for form in (
        TimeForm(
            "clf",
            rf"[0-9]{{2}}/[A-Za-z]{{3}}/[0-9]{{4}}[: ]{_CLOCK}{_FRACTION}{_ZONE}",
            "10/Mar/2025:12:00:00 +0000",
        ),
        TimeForm(
            "iso",
            rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T \t]{_CLOCK}{_FRACTION}{_ZONE}",
            "2025-03-10T12:00:00.5+01:00",
        ),
        TimeForm(
            "slashes",
            rf"[0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}}(?: - |[T ]){_CLOCK}{_FRACTION}{_ZONE}",
            "2025/03/10 - 12:00:00",
        ),
        TimeForm(
            "ctime",
            rf"[A-Z][a-z]{{2}} {_MONTH} [ 0-9]?[0-9] {_CLOCK}{_FRACTION}"
            "(?: (?:UTC|GMT|[+-](?:[01][0-9]|2[0-3])[0-5][0-9]))? [0-9]{4}",
            "Mon Mar 10 12:00:00 2025",
        ),
        TimeForm("seconds", r"[0-9]{9,10}(?:\.[0-9]{1,9})?", "1741608000.250", TICKS_PER_SECOND),
        TimeForm("milliseconds", r"[0-9]{12,13}(?:\.[0-9]{1,6})?", "1741608000250", 1_000_000),
        TimeForm("microseconds", "[0-9]{15,16}", "1741608000250000", 1_000),
        TimeForm("nanoseconds", "[0-9]{18,19}", "1741608000250000000", 1),
    )
}
"""All forms by name. At most one of them matches a text as a whole."""

_DATES: Final = "|".join(form.pattern for form in FORMS.values() if not form.unit)
_NUMBERS: Final = "|".join(form.pattern for form in FORMS.values() if form.unit)
_ANYWHERE: Final = rf"(?<![\w.])({_DATES})(?!\w)|\A\W*({_NUMBERS})(?![\w.])"

_PARTS: Final = (
    r"(?:(?P<day>[0-9]{2})/(?P<name>[A-Za-z]{3})/(?P<year>[0-9]{4})"
    r"|(?P<year2>[0-9]{4})[-/](?P<month2>[0-9]{2})[-/](?P<day2>[0-9]{2}))(?: - |[:T \t])"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:[.,](?P<fraction>[0-9]{1,9}))? ?(?P<zone>.*)"
)
_CTIME: Final = (
    r"[A-Z][a-z]{2} (?P<name>[A-Z][a-z]{2}) (?P<day>[ 0-9]?[0-9])"
    r" (?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:[.,](?P<fraction>[0-9]{1,9}))? ?(?P<zone>.*) (?P<year>[0-9]{4})"
)
_ALLOWED: Final = "a time of the calendar from 1970 to 2262"
_ZONED: Final = "a time with an offset, such as +02:00, or --zone (zone=) for all times of the logs"


def find_time_form(text: str) -> TimeForm | None:
    """Return the form of a text that is a time, or None if it is no time."""
    forms = FORMS.values()
    return next((form for form in forms if re.fullmatch(form.pattern, text)), None)


def find_time(text: str) -> str:
    """
    Return the first time in a text; "" if there is none. A number is a time only at the beginning.
    """
    found = re.search(_ANYWHERE, text)
    return found[1] or found[2] if found else ""


def read_time(text: str, form: TimeForm, zone: tzinfo | None) -> int | Undated:
    """
    Return the tick of a time in a form that matches it. A date without an offset is in `zone`.

    If the zone skips a local time or has it twice, the offset before the clock change applies.
    """
    if "." not in text and "," not in text and not form.unit:
        return _read_second(text, form.name, zone)  # nearly always known
    if form.unit:
        tick = _read_epoch(text, form.unit)
        return Undated(f"the time is {quote(text)}; allowed: {_ALLOWED}") if tick is None else tick
    parts = re.fullmatch(_CTIME if form.name == "ctime" else _PARTS, text)
    if parts is None:
        return Undated(f"the time is {quote(text)}; allowed: as in {quote(form.example)}")
    start, end = parts.span("fraction")
    if start < 0:
        return _read_second(text, form.name, zone)
    second = _read_second(text[: start - 1] + text[end:], form.name, zone)
    if isinstance(second, Undated):
        without = quote(text[: start - 1] + text[end:])
        return Undated(second.reason.replace(without, quote(text), 1))
    tick = second + int(parts["fraction"].ljust(9, "0"))
    return tick if tick <= LAST_TICK else Undated(f"the time is {quote(text)}; allowed: {_ALLOWED}")


def read_any_time(text: str, zone: tzinfo | None) -> int | Undated:
    """
    Return the tick of a time in any form: those of FORMS, decimal seconds since the epoch, and what
    `dates.read_date` reads. The unit of an epoch time is found from the number of its digits.
    Brackets may stand around the text.
    """
    text = text.strip("[]")
    form = find_time_form(text)
    if form is not None:
        return read_time(text, form, zone)
    tick = parse_seconds(text)
    return read_date(text, zone) if tick is None else tick


def _read_epoch(text: str, unit: int) -> int | None:
    if unit == TICKS_PER_SECOND:
        return parse_seconds(text)
    whole, _, fraction = text.partition(".")
    digits = len(str(unit)) - 1
    if len(fraction) > digits:
        return None
    tick = int(whole) * unit + int(fraction.ljust(digits, "0") or "0")
    return tick if tick <= LAST_TICK else None


@lru_cache(maxsize=1024)  # lines are nearly in order of time, so seconds come again
def _read_second(text: str, form: str, zone: tzinfo | None) -> int | Undated:
    parts = re.fullmatch(_CTIME if form == "ctime" else _PARTS, text)
    if parts is None:
        return Undated(f"the time is {quote(text)}; allowed: {_ALLOWED}")
    found = parts.groupdict()
    month = _MONTHS.get(found["name"] or "", 0) or int(found.get("month2") or 0)
    year, day = found["year"] or found["year2"], found["day"] or found["day2"]
    own = _read_offset(found["zone"]) or zone
    if own is None:
        return Undated(f"the time {quote(text)} has no zone; allowed: {_ZONED}")
    second = int(found["second"])
    try:
        moment = datetime(
            *(int(year), month, int(day), int(found["hour"]), int(found["minute"])),
            min(second, 59) if second <= 60 else second,
            tzinfo=own,
        )
        seconds = (moment - _EPOCH) // timedelta(seconds=1) + (second == 60)
    except (ValueError, OverflowError):  # a month Foo, the 31st of February, the hour 24
        return Undated(f"the time is {quote(text)}; allowed: {_ALLOWED}")
    tick = seconds * TICKS_PER_SECOND
    if not 0 <= tick <= LAST_TICK:
        return Undated(f"the time is {quote(text)}; allowed: {_ALLOWED}")
    return tick


def _read_offset(text: str) -> tzinfo | None:
    if text in ("Z", "UTC", "GMT"):
        return _UTC
    if not text:
        return None
    digits = text[1:].replace(":", "")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-ahead if text[0] == "-" else ahead)


_UTC: Final = timezone.utc  # noqa: UP017 (the same type as every other offset)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=_UTC)

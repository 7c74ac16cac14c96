"""
What is a request, and what is none, in the lines of a log.

The common log format and its kin: Apache's and nginx's common and combined, with or without the
virtual host before, Traefik's, ingress-nginx's. This is their law, for faster readers too:

1. A line that begins and ends with a quote is read without these two.
2. The first `[` that a date of the form `dd/Mon/yyyy:HH:MM:SS +zzzz]` follows begins the date.
   Before it stand three words or more (runs of anything but spaces), then a space.
3. After it stand ` "` and the request, up to the first quote that no backslash escapes. A space,
   the status of three digits, and a space or the line's end follow this quote.
4. Where they don't, the request holds a quote, or has none at its end: it ends with the first
   ` HTTP/x.y` that such a status follows, with or without a quote between them.
5. A request is what `split_request` takes for one. Whatever follows the status is passed over.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from slomon.core.events import Access, Malformed, StatusRule, read_outcome
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.dates import Undated
from slomon.text import quote

# A method is letters, as in PROPFIND or M-SEARCH: narrower than HTTP's token (RFC 9110, 5.6.2), so
# that what was no HTTP at all, such as "-" or the bytes of a TLS handshake, is never taken for one.
METHOD: Final = "[A-Za-z][A-Za-z_-]*"
PROTOCOL: Final = r"HTTP/[0-9](?:\.[0-9])?"
REQUESTS: Final = "'<method> <target> HTTP/<version>', or for HTTP/0.9 '<method> /<target>'"


def split_request(text: str) -> tuple[str, str] | None:
    """
    The method and the target of a request line, as they stand there; None where it is none. The
    target may hold spaces, and begins with `/` where no protocol follows it (HTTP/0.9).
    """
    found = _REQUEST_LINE.fullmatch(text)
    return (found[1], found[2] or found[3]) if found else None


_REQUEST_LINE = re.compile(rf"({METHOD}) (?:([^ ].*) {PROTOCOL}|(/.*))", re.DOTALL)


def parse_combined(line: str, is_failure: StatusRule) -> Access | Malformed:
    """The access of a line in the common log format or one that extends it."""
    text = line[1:-1] if line.startswith('"') and line.endswith('"') else line
    plain = _PLAIN.match(text)
    fields = plain.groups() if plain else _read_odd(text)
    if isinstance(fields, str):
        return Malformed(line, fields)
    date, verb, target, status = fields
    tick = read_clf_date(date)
    if isinstance(tick, Undated):
        return Malformed(line, tick.reason)
    return read_outcome(line, tick, (verb, target), status, is_failure)


@lru_cache(maxsize=1024)  # lines stand nearly in order: the dates of a few minutes come again
def read_clf_date(text: str) -> int | Undated:
    """The ticks of a date `dd/Mon/yyyy:HH:MM:SS +zzzz`, with the offset that it says itself."""
    found = _DATE.fullmatch(text)
    tick = _count_ticks(found) if found else None
    return Undated(f"the date is {quote(text)}; allowed: {_DATES}") if tick is None else tick


def is_clf_date(text: str) -> bool:
    """Is it written as such a date? (Its day may still be in no calendar.)"""
    return _DATE.fullmatch(text) is not None


def _count_ticks(date: re.Match[str]) -> int | None:
    ahead = timedelta(hours=int(date["hours"]), minutes=int(date["minutes"]))
    zone = timezone(-ahead if date["sign"] == "-" else ahead)
    year, day, hour, minute, second = map(int, date.group(*_NUMBERS))
    month = _MONTHS.get(date["month"], 0)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:  # a month Foo, the 31st of February, the hour 24
        return None
    tick = (moment - _EPOCH) // timedelta(seconds=1) * TICKS_PER_SECOND
    return tick if 0 <= tick <= LAST_TICK else None


def _read_odd(text: str) -> tuple[str, ...] | str:
    """Date, method, target and status of a line that isn't plain, or what is wrong with it."""
    date = _BRACKETS.search(text)
    if date is None:
        return f"it has no date in brackets; allowed: {_LINES}"
    before, after = text[: date.start()], text[date.end() :]
    if not (_WORDS.match(before) and before.endswith(" ")):
        return f"before the date stands {quote(before)}; allowed: {_LINES}"
    found = _CLOSED.match(after) or _UNCLOSED.match(after)
    if found is None:
        return f"after the date stands {quote(after)}; allowed: {_LINES}"
    request = split_request(found[1])
    if request is None:
        return f"the request is {quote(found[1])}; allowed: {REQUESTS}"
    return date[1], *request, found[2]


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS: Final = {
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6,
    "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11, "Dec": 12,
}  # fmt: skip
_NUMBERS: Final = ("year", "day", "hour", "minute", "second")
_DATE: Final = re.compile(
    "(?P<day>[0-9]{2})/(?P<month>[A-Za-z]{3})/(?P<year>[0-9]{4})"
    ":(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    " (?P<sign>[+-])(?P<hours>[01][0-9]|2[0-3])(?P<minutes>[0-5][0-9])"
)

_STAMP: Final = "[0-9]{2}/[A-Za-z]{3}/[0-9]{4}(?::[0-9]{2}){3} [+-][0-9]{4}"
_STATUS: Final = "([0-9]{3})(?![^ ])"
_PLAIN: Final = re.compile(
    rf"(?:[^ \[]+ ){{3}}(?:[^\[]* )?\[({_STAMP})\]"
    rf' "({METHOD}) ([^ "\\][^"\\]*) {PROTOCOL}" {_STATUS}'
)
_BRACKETS: Final = re.compile(rf"\[({_STAMP})\]")
_WORDS: Final = re.compile(" *[^ ]+ +[^ ]+ +[^ ]+ ")
_CLOSED: Final = re.compile(rf' "([^"\\]*+(?:\\.[^"\\]*+)*)" {_STATUS}', re.DOTALL)
_UNCLOSED: Final = re.compile(rf' "(.*? {PROTOCOL})"? {_STATUS}', re.DOTALL)

_LINES: Final = (
    "'<host> <identity> <user> [dd/Mon/yyyy:HH:MM:SS +zzzz] \"<request>\" <status>', "
    "whatever stands after"
)
_DATES: Final = "a time of the calendar from 1970 to 2262, as dd/Mon/yyyy:HH:MM:SS +zzzz"

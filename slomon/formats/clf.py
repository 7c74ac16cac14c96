"""
The common log format and the formats that extend it.

These are Apache's and nginx's common and combined formats, with or without the virtual host in
front, and the formats of Traefik and ingress-nginx. Every reader of them follows these rules:

1. If a line begins and ends with a quote, these two quotes are removed.
2. The date begins at the first `[` that is followed by `dd/Mon/yyyy:HH:MM:SS +zzzz]`. At least
   three words (runs of anything but spaces) and then a space come before it.
3. A space and a quote follow the date, then the request, up to the first quote that no backslash
   escapes. A space, the status of three digits, and a space or the line's end follow this quote.
4. If they do not follow, the request contains a quote, or has none at its end. It then ends with
   the first ` HTTP/x.y` that such a status follows, with or without a quote between them.
5. `split_request` decides what a request is. Any text may follow the status.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from slomon.core.events import Access, Excluded, Malformed, read_response
from slomon.core.statuses import StatusRule
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.dates import Undated
from slomon.text import quote

# Letters, as in PROPFIND or M-SEARCH. This is narrower than HTTP's token (RFC 9110, 5.6.2), so that
# text that is no HTTP, such as "-" or the bytes of a TLS handshake, is never taken for a method.
METHOD: Final = "[A-Za-z][A-Za-z_-]*"
PROTOCOL: Final = r"HTTP/[0-9](?:\.[0-9])?"
REQUESTS: Final = "'<method> <target> HTTP/<version>', or for HTTP/0.9 '<method> /<target>'"

_REQUEST_LINE: Final = re.compile(rf"({METHOD}) (?:([^ ].*) {PROTOCOL}|(/.*))", re.DOTALL)
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


def parse_combined(line: str, is_failure: StatusRule) -> Access | Malformed | Excluded:
    """Parse a line in the common log format or in one that extends it."""
    text = line[1:-1] if line.startswith('"') and line.endswith('"') else line
    plain = _PLAIN.match(text)
    fields = plain.groups() if plain else _split_line(text)
    if isinstance(fields, str):
        return Malformed(line, fields)
    date, verb, target, status = fields
    tick = read_clf_date(date)
    if isinstance(tick, Undated):
        return Malformed(line, tick.reason)
    return read_response(line, tick, (verb, target), status, is_failure)


def split_request(text: str) -> tuple[str, str] | None:
    """
    Return the method and the target of a request line, as written; None if it is malformed.

    The target may contain spaces. If no protocol follows it (HTTP/0.9), it begins with `/`.
    """
    found = _REQUEST_LINE.fullmatch(text)
    return (found[1], found[2] or found[3]) if found else None


@lru_cache(maxsize=1024)  # lines are nearly in order of time, so dates come again
def read_clf_date(text: str) -> int | Undated:
    """Return the tick of a date `dd/Mon/yyyy:HH:MM:SS +zzzz`, which names its own offset."""
    found = _DATE.fullmatch(text)
    tick = _count_ticks(found) if found else None
    return Undated(f"the date is {quote(text)}; allowed: {_DATES}") if tick is None else tick


def is_clf_date(text: str) -> bool:
    """Return whether a text has the form of such a date. The day may still not exist."""
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


def _split_line(text: str) -> tuple[str, ...] | str:
    """Return date, method, target and status of any line, or the reason why it is malformed."""
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

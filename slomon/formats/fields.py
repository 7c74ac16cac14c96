"""The fields that make an access, by their names in a user's mapping or expression."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import tzinfo
from functools import lru_cache
from typing import Final

from slomon.core.event import Access, Malformed, StatusRule, judge
from slomon.core.tick import LAST_TICK, TICKS_PER_SECOND, parse_seconds
from slomon.dates import Undated, read_date
from slomon.errors import ConfigurationError
from slomon.formats.clf import is_clf_date, read_clf_date
from slomon.formats.request import METHOD, REQUESTS, split_request
from slomon.text import quote

NAMES: Final = "time, status, and either method and path, or request (the whole request line)"


def check_names(names: Collection[str], what: str) -> None:
    """Raises ConfigurationError unless `names` are those of all the fields of an access."""
    if set(names) not in _FORMS:
        found = ", ".join(quote(name) for name in names) or "none"
        raise ConfigurationError(f"the {what} are {found}; allowed: {NAMES}")


def read_fields(
    line: str, fields: Mapping[str, str], is_failure: StatusRule, zone: tzinfo | None
) -> Access | Malformed:
    """
    The access of `line`, from its fields by name. A time that says no zone is in `zone`; it is
    seconds since the epoch (never milliseconds), a CLF date or what `read_date` reads.
    """
    tick = _read_time(fields["time"], zone)
    if isinstance(tick, Undated):
        return Malformed(line, tick.reason)
    request = _read_request(fields)
    if isinstance(request, str):
        return Malformed(line, request)
    return judge(line, tick, request, fields["status"], is_failure)


def _read_time(text: str, zone: tzinfo | None) -> int | Undated:
    tick = parse_seconds(text)
    if tick is not None:
        return tick
    if is_clf_date(text):
        return read_clf_date(text)
    return _read_fraction(text, zone) or read_date(text, zone)


def _read_fraction(text: str, zone: tzinfo | None) -> int | None:
    """What `read_date` says of the plainest dates, but it reads each second's once; else None."""
    found = _FRACTION.fullmatch(text)
    if found is None:
        return None
    second = _read_second(found[1] + found[3], zone)
    if isinstance(second, Undated) or second > LAST_TICK - TICKS_PER_SECOND:
        return None
    return second + int(found[2].ljust(9, "0"))


def _read_request(fields: Mapping[str, str]) -> tuple[str, str] | str:
    if "request" in fields:
        found = fields["request"]
        return split_request(found) or f"the request is {quote(found)}; allowed: {REQUESTS}"
    verb, resource = fields["method"], fields["path"]
    if not _METHOD.fullmatch(verb):
        return f"the method is {quote(verb)}; allowed: letters, as in GET or M-SEARCH"
    if resource in {"", "-"}:
        return f"the path is {quote(resource)}; allowed: any text but '-'"
    return verb, resource


_read_second: Final = lru_cache(maxsize=1024)(read_date)
_FRACTION: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{1,9})(Z|[+-][0-9]{2}:[0-9]{2}|)"
)
_FORMS: Final = ({"time", "status", "method", "path"}, {"time", "status", "request"})
_METHOD: Final = re.compile(METHOD)

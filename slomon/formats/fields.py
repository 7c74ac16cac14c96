"""
Formats whose fields the user names: JSON lines by keys, any text by a regular expression.

The fields are `time`, `status`, and either `method` and `path` or `request`. `read_fields` makes an
access of them, for other formats, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import tzinfo
from functools import lru_cache
from typing import Final

from slomon.core.events import Access, Excluded, Malformed, read_response
from slomon.core.statuses import StatusRule
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND, parse_seconds
from slomon.dates import Undated, read_date
from slomon.errors import ConfigurationError
from slomon.formats.clf import METHOD, REQUESTS, is_clf_date, read_clf_date, split_request
from slomon.text import quote

NAMES: Final = "time, status, and either method and path, or request (the whole request line)"

# https://caddyserver.com/docs/caddyfile/directives/log
CADDY_KEYS: Final = {
    "time": "ts",
    "method": "request.method",
    "path": "request.uri",
    "status": "status",
}

_read_second: Final = lru_cache(maxsize=1024)(read_date)  # lines are nearly in order of time
_FRACTION: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{1,9})(Z|[+-][0-9]{2}:[0-9]{2}|)"
)
_FORMS: Final = ({"time", "status", "method", "path"}, {"time", "status", "request"})
_METHOD: Final = re.compile(METHOD)
_decode: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode


def read_fields(
    line: str, fields: Mapping[str, str], is_failure: StatusRule, zone: tzinfo | None
) -> Access | Malformed | Excluded:
    """
    Return the access of `line`, given its fields by name.

    The time is in seconds since the epoch (never milliseconds), a CLF date, or what `read_date`
    reads. A time without a zone is in `zone`.
    """
    tick = _read_time(fields["time"], zone)
    if isinstance(tick, Undated):
        return Malformed(line, tick.reason)
    request = _read_request(fields)
    if isinstance(request, str):
        return Malformed(line, request)
    return read_response(line, tick, request, fields["status"], is_failure)


def check_names(names: Collection[str], what: str) -> None:
    """Raise ConfigurationError unless `names` are those of all fields of an access."""
    if set(names) not in _FORMS:
        found = ", ".join(quote(name) for name in names) or "none"
        raise ConfigurationError(f"the {what} are {found}; allowed: {NAMES}")


def check_keys(keys: Mapping[str, str]) -> None:
    """Raise ConfigurationError unless `keys` gives a key to every field of an access."""
    check_names(keys, "fields with a key")
    for name, key in keys.items():
        if not key:
            raise ConfigurationError(f"the key of {name} is ''; allowed: a key for each of {NAMES}")


def parse_json(
    line: str, keys: Mapping[str, str], is_failure: StatusRule, zone: tzinfo | None
) -> Access | Malformed | Excluded:
    """
    Parse the JSON object of a line; a container's log may write text before its brace.

    A dot in a key leads into an object, unless there is a key with that dot. A number is taken as
    its text, as it is written: a time never passes through a float.
    """
    record = _read_object(line)
    if isinstance(record, Malformed):
        return record
    fields: dict[str, str] = {}
    for name, key in keys.items():
        value = _find(record, key)
        if not isinstance(value, str):
            return Malformed(line, f"{_show(key, value)}; allowed: the {name}, a number or text")
        fields[name] = value
    return read_fields(line, fields, is_failure, zone)


def compile_pattern(text: str) -> re.Pattern[str]:
    """Return the expression. Raises ConfigurationError if it is invalid or lacks a group."""
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigurationError(
            f"the pattern is {quote(text)}: {error}; allowed: a regular expression as Python "
            f"writes it, with groups (?P<name>...) for {NAMES}"
        ) from None
    check_names(pattern.groupindex, "pattern's named groups")
    return pattern


def parse_match(
    line: str, pattern: re.Pattern[str], is_failure: StatusRule, zone: tzinfo | None
) -> Access | Malformed | Excluded:
    """Parse a line that the pattern matches from its start; further text may follow the match."""
    # With most expressions, a search would take quadratic time in the length of the line.
    found = pattern.match(line)
    if found is None:
        return Malformed(line, "the pattern does not match it from its start")
    return read_fields(line, found.groupdict(default=""), is_failure, zone)


def _read_time(text: str, zone: tzinfo | None) -> int | Undated:
    tick = parse_seconds(text)
    if tick is not None:
        return tick
    if is_clf_date(text):
        return read_clf_date(text)
    return _read_fraction(text, zone) or read_date(text, zone)


def _read_fraction(text: str, zone: tzinfo | None) -> int | None:
    """Read the most common dates as `read_date` does, but each second only once; else None."""
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


def _read_object(line: str) -> object:
    start = line.find("{")
    if start < 0:
        return Malformed(line, "it has no JSON object; allowed: one a line")
    try:
        return _decode(line[start:])
    except (ValueError, RecursionError) as error:
        return Malformed(line, f"it is not JSON: {error}")


def _find(value: object, key: str) -> object:
    """Return the value of a key, or else of the path that its dots describe; None if missing."""
    if not isinstance(value, dict):
        return None
    if key in value:
        return value[key]
    head, dot, rest = key.partition(".")
    while dot:
        found = _find(value.get(head), rest)
        if found is not None:
            return found
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None


def _show(key: str, value: object) -> str:
    return f"it has no {quote(key)}" if value is None else f"{quote(key)} is {quote(value)}"

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
from typing import Final

from slomon.core.events import Access, Excluded, Malformed
from slomon.core.statuses import StatusRule
from slomon.dates import Undated
from slomon.errors import ConfigurationError
from slomon.formats.requests import read_request
from slomon.formats.times import read_any_time
from slomon.text import quote

NAMES: Final = "time, status, and either method and path, or request (the whole request line)"

# https://caddyserver.com/docs/caddyfile/directives/log
CADDY_KEYS: Final = {
    "time": "ts",
    "method": "request.method",
    "path": "request.uri",
    "status": "status",
}

_FORMS: Final = ({"time", "status", "method", "path"}, {"time", "status", "request"})
_decode: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode


def read_fields(
    line: str, fields: Mapping[str, str], is_failure: StatusRule, zone: tzinfo | None
) -> Access | Excluded | Malformed:
    """
    Return the access of `line`, given its fields by name.

    The time is what `read_any_time` reads. A time without a zone is in `zone`.
    """
    tick = read_any_time(fields["time"], zone)
    if isinstance(tick, Undated):
        return Malformed(line, tick.reason)
    return read_request(line, tick, fields, is_failure)


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
) -> Access | Excluded | Malformed:
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
) -> Access | Excluded | Malformed:
    """Parse a line that the pattern matches from its start; further text may follow the match."""
    # With most expressions, a search would take quadratic time in the length of the line.
    found = pattern.match(line)
    if found is None:
        return Malformed(line, "the pattern does not match it from its start")
    return read_fields(line, found.groupdict(default=""), is_failure, zone)


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

"""
JSON lines: each line has an object, and perhaps text before it, such as a container's.

A time in that text is read as if the object had it at the key "": some tools write the time there,
and only there.

A number is taken as its text, as it is written: a time never passes through a float. Its size tells
the unit of an epoch time (`formats.times`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Final, TypeAlias

from slomon.core.events import Access, Excluded, Malformed
from slomon.core.statuses import StatusRule
from slomon.dates import Undated
from slomon.errors import ConfigurationError
from slomon.formats.json_keys import JsonKeys
from slomon.formats.requests import read_request
from slomon.formats.times import find_time, read_any_time
from slomon.text import quote

_Parse: TypeAlias = Callable[[str], Access | Excluded | Malformed]

_FIELDS: Final = frozenset({"time", "status", "method", "path", "request", "host"})
_ALLOWED: Final = "time, status, method and path, or request (the whole request line), and host"
_OPTIONAL: Final = frozenset({"host"})
_decode: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode


def check_keys(keys: Mapping[str, str]) -> None:
    """Raise ConfigurationError unless `keys` gives keys to fields of a request."""
    both = "request" in keys and not keys.keys().isdisjoint(("method", "path"))
    if both or not (keys and _FIELDS.issuperset(keys)):
        found = ", ".join(quote(name) for name in keys) or "none"
        raise ConfigurationError(f"the fields with a key are {found}; allowed: {_ALLOWED}")
    for name, key in keys.items():
        if not key:
            raise ConfigurationError(f"the key of {name} is ''; allowed: the name of a key")


def make_json_parser(keys: JsonKeys, is_failure: StatusRule, zone: tzinfo | None) -> _Parse:
    """The parser of one line. A time without a zone is in `zone`."""
    fields = dict(keys.fields)
    with_time = not fields["time"]

    def parse(line: str) -> Access | Excluded | Malformed:
        record = read_object(line, with_time=with_time)
        if isinstance(record, Malformed):
            return record
        texts: dict[str, str] = {}
        for name, key in fields.items():
            value = find_value(record, key)
            if isinstance(value, str):
                texts[name] = value
            elif name not in _OPTIONAL:
                return Malformed(
                    line, f"{_show(key, value)}; allowed: the {name}, a number or text"
                )
        tick = read_any_time(texts["time"], zone)
        if isinstance(tick, Undated):
            return Malformed(line, tick.reason)
        return read_request(line, tick, texts, is_failure)

    return parse


def read_object(line: str, *, with_time: bool = True) -> dict[str, object] | Malformed:
    """
    The object of a line, its numbers as text. If a time stands before its brace, it is at "", but
    only `with_time`.
    """
    start = line.find("{")
    if start < 0:
        return Malformed(line, "it has no JSON object; allowed: one a line")
    try:
        record = _decode(line[start:].rstrip().removesuffix(","))
    except (ValueError, RecursionError) as error:
        return Malformed(line, f"it is not JSON: {error}")
    if not isinstance(record, dict):
        return Malformed(line, "it has no JSON object")
    if start and with_time and (time := find_time(line[:start])):
        record.setdefault("", time)
    return record


def read_text(line: str, key: str) -> str | None:
    """The text or number at a key of a line; None if there is none."""
    value = find_value(read_object(line), key)
    return value if isinstance(value, str) else None


def find_value(value: object, key: str) -> object:
    """
    The value of a key, or else of the path that its dots describe; None if it is missing. Two keys
    with a space between are a date and a time of day, which become one text.
    """
    if not isinstance(value, dict):
        return None
    if key in value:
        return value[key]
    head, dot, rest = key.partition(".")
    while dot:
        found = find_value(value.get(head), rest)
        if found is not None:
            return found
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"
    date, space, clock = key.partition(" ")
    day, time = (find_value(value, date), find_value(value, clock)) if space else (None, None)
    return f"{day} {time}" if isinstance(day, str) and isinstance(time, str) else None


def _show(key: str, value: object) -> str:
    return f"it has no {quote(key)}" if value is None else f"{quote(key)} is {quote(value)}"

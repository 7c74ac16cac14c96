"""JSON lines: an object a line, whose keys say what was asked for and how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

from slomon.core.event import Access, Malformed, StatusRule
from slomon.errors import ConfigurationError
from slomon.formats.fields import NAMES, check_names, read_fields
from slomon.text import quote

# https://caddyserver.com/docs/caddyfile/directives/log
CADDY_KEYS: Final = {
    "time": "ts",
    "method": "request.method",
    "path": "request.uri",
    "status": "status",
}


def check_keys(keys: Mapping[str, str]) -> None:
    """Raises ConfigurationError unless `keys` gives a key to every field of an access."""
    check_names(keys, "fields with a key")
    for name, key in keys.items():
        if not key:
            raise ConfigurationError(f"the key of {name} is ''; allowed: a key for each of {NAMES}")


def parse_json(
    line: str, keys: Mapping[str, str], is_failure: StatusRule, zone: tzinfo | None
) -> Access | Malformed:
    """
    The access of a JSON object, after whatever a container's log writes before its brace. A dot
    in a key leads into an object, unless a key with that very dot is there. Numbers and text are
    taken alike, both as they are written: a time never passes through a float.
    """
    record = _read_object(line)
    if isinstance(record, Malformed):
        return record
    fields: dict[str, str] = {}
    for name, key in keys.items():
        value = _find(record, key)
        if not isinstance(value, str):
            return Malformed(line, f"{_tell(key, value)}; allowed: the {name}, a number or text")
        fields[name] = value
    return read_fields(line, fields, is_failure, zone)


def _read_object(line: str) -> object:
    start = line.find("{")
    if start < 0:
        return Malformed(line, "it has no JSON object; allowed: one a line")
    try:
        return _decode(line[start:])
    except (ValueError, RecursionError) as error:
        return Malformed(line, f"it is not JSON: {error}")


def _find(value: object, key: str) -> object:
    """What is at a key as it stands, or else at the path that it is with one of its dots."""
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


def _tell(key: str, value: object) -> str:
    return f"it has no {quote(key)}" if value is None else f"{quote(key)} is {quote(value)}"


_decode: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode

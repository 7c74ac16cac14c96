"""The formats of a log: how to read a line of each, and which one a file is in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import TypeAlias

from slomon.core.events import Access, Change, End, Malformed, StatusRule, parse_access, read_event
from slomon.formats.clf import parse_combined
from slomon.formats.fields import CADDY_KEYS, check_keys, compile_pattern, parse_json, parse_match
from slomon.formats.proxies import parse_alb, parse_envoy

Parse: TypeAlias = Callable[[str], Access | Change | Malformed | End]
"""Reads one line, which has no line end. It raises nothing, whatever the line."""


@dataclass(frozen=True, slots=True)
class Format:
    """
    A format of log lines. Where it is `ordered`, its events count in the order of their lines;
    otherwise a line's time says where it belongs.
    """

    name: str
    parse: Parse
    ordered: bool = False


def known_formats(is_failure: StatusRule, zone: tzinfo | None = None) -> list[Format]:
    """
    The formats that need no configuration, in order of priority. `is_failure` judges the
    statuses; times that say no zone are in `zone`, and are malformed without one.
    """
    parse_caddy = partial(parse_json, keys=CADDY_KEYS, is_failure=is_failure, zone=zone)
    return [
        Format("events", partial(_parse_event, is_failure=is_failure), ordered=True),
        Format("plain", partial(parse_access, is_failure=is_failure)),
        Format("combined", partial(parse_combined, is_failure=is_failure)),
        Format("caddy", parse_caddy),
        Format("envoy", partial(parse_envoy, is_failure=is_failure, zone=zone)),
        Format("alb", partial(parse_alb, is_failure=is_failure, zone=zone)),
    ]


def json_format(
    keys: Mapping[str, str], is_failure: StatusRule, zone: tzinfo | None = None
) -> Format:
    """
    JSON lines with these keys for the fields `time`, `status`, and either `method` and `path` or
    `request`, the whole request line. `request.uri` is the key `uri` in the object `request`, or
    a key with a dot. Raises ConfigurationError where a field is missing or unknown.
    """
    check_keys(keys)
    parse = partial(parse_json, keys=dict(keys), is_failure=is_failure, zone=zone)
    return Format("json", parse)


def regex_format(pattern: str, is_failure: StatusRule, zone: tzinfo | None = None) -> Format:
    """
    Lines that a regular expression matches from their start, with named groups for the fields
    that `json_format` gives keys to. Raises ConfigurationError where it is invalid, or has other
    named groups than these.
    """
    compiled = compile_pattern(pattern)
    return Format("regex", partial(parse_match, pattern=compiled, is_failure=is_failure, zone=zone))


def detect(lines: Sequence[str], formats: Sequence[Format]) -> Format | None:
    """
    The format that reads the most of these lines, the first of several; None where none reads at
    least half of those that aren't blank.
    """
    written = [line for line in lines if line.strip()]
    counts = [_count_read(written, form) for form in formats]
    most = max(counts, default=0)
    return formats[counts.index(most)] if most and 2 * most >= len(written) else None


def _count_read(lines: Sequence[str], form: Format) -> int:
    return sum(not isinstance(form.parse(line), Malformed) for line in lines)


def _parse_event(line: str, is_failure: StatusRule) -> Access | Change | Malformed | End:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Malformed(line, f"it is not JSON: {error}")
    item = read_event(event)
    return parse_access(item, is_failure) if isinstance(item, str) else item

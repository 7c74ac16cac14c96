"""The formats of a log: the parser of each, and the detection of the format of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import TypeAlias

from slomon.core.events import (
    Access,
    Change,
    End,
    Excluded,
    Malformed,
    parse_access,
    read_event,
)
from slomon.core.statuses import StatusRule
from slomon.formats.clf import parse_combined
from slomon.formats.fields import CADDY_KEYS, check_keys, compile_pattern, parse_json, parse_match
from slomon.formats.proxies import parse_alb, parse_envoy

Parse: TypeAlias = Callable[[str], Access | Change | Malformed | Excluded | End]
"""Parses one line, given without its line end. It never raises, whatever the line is."""


@dataclass(frozen=True, slots=True)
class Format:
    """
    A format of log lines.

    If it is `ordered`, events count in the order of their lines; otherwise in the order of time.
    """

    name: str
    parse: Parse
    ordered: bool = False


def known_formats(is_failure: StatusRule, zone: tzinfo | None = None) -> list[Format]:
    """
    Return the formats that need no configuration, in order of priority.

    `is_failure` classifies the statuses. A time without a zone is in `zone`; if `zone` is None, it
    is malformed.
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
    Return the format of JSON lines in which the fields of an access have these keys.

    The fields are `time`, `status`, and either `method` and `path` or `request`, the whole request
    line. A key `request.uri` means the key `uri` in the object `request`, or a key with a dot.
    Raises ConfigurationError if a field is missing or unknown.
    """
    check_keys(keys)
    parse = partial(parse_json, keys=dict(keys), is_failure=is_failure, zone=zone)
    return Format("json", parse)


def regex_format(pattern: str, is_failure: StatusRule, zone: tzinfo | None = None) -> Format:
    """
    Return the format of lines that a regular expression matches from their start.

    Its named groups are the fields of `json_format`. Raises ConfigurationError if the expression is
    invalid or has other named groups.
    """
    compiled = compile_pattern(pattern)
    return Format("regex", partial(parse_match, pattern=compiled, is_failure=is_failure, zone=zone))


def detect(lines: Sequence[str], formats: Sequence[Format]) -> Format | None:
    """
    Return the format that can read the most of these lines, and the first of several such formats.

    Returns None if it cannot read at least half of the lines that are not blank.
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

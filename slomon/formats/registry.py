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
from slomon.formats.layout import Layout, parse_layout
from slomon.formats.proxies import parse_alb, parse_envoy
from slomon.formats.text import make_parser

Item: TypeAlias = Access | Change | Excluded | Malformed | End | None
"""What a line is. None is a line without an event, such as a header."""

Parse: TypeAlias = "Callable[[str], Item | Switch]"
"""Parses one line, given without its line end. It never raises, whatever the line is."""

AnyLayout: TypeAlias = Layout
"""What a compiled scanner may read by itself."""


@dataclass(frozen=True, slots=True)
class Format:
    """
    A format of log lines.

    If it is `ordered`, events count in the order of their lines; otherwise in the order of time.
    A scanner that follows the `layout` finds in each plain line what `parse` finds; None if only
    `parse` reads the format. A time without a zone is in `zone`. `spec` is the text from which
    `restore_format` makes the same format again.
    """

    name: str
    parse: Parse
    ordered: bool = False
    layout: AnyLayout | None = None
    spec: str = ""
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Switch:
    """
    A line that changes how the lines after it are read: what the line itself is, and the format of
    the lines after it. So a format can have a state, such as the columns that a header names.
    """

    item: Item
    format: Format


def known_formats(is_failure: StatusRule, zone: tzinfo | None = None) -> list[Format]:
    """
    Return the formats that need no configuration, in order of priority.

    `is_failure` classifies the statuses. A time without a zone is in `zone`; if `zone` is None, it
    is malformed.
    """
    parse_caddy = partial(parse_json, keys=CADDY_KEYS, is_failure=is_failure, zone=zone)
    return [
        Format("events", partial(_parse_event, is_failure=is_failure), ordered=True, spec="events"),
        Format("plain", partial(parse_access, is_failure=is_failure), spec="plain"),
        Format("combined", partial(parse_combined, is_failure=is_failure), spec="combined"),
        Format("caddy", parse_caddy, spec="caddy"),
        Format("envoy", partial(parse_envoy, is_failure=is_failure, zone=zone), spec="envoy"),
        Format("alb", partial(parse_alb, is_failure=is_failure, zone=zone), spec="alb"),
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
    return Format("json", parse, spec=f"json:{json.dumps(dict(keys))}")


def regex_format(pattern: str, is_failure: StatusRule, zone: tzinfo | None = None) -> Format:
    """
    Return the format of lines that a regular expression matches from their start.

    Its named groups are the fields of `json_format`. Raises ConfigurationError if the expression is
    invalid or has other named groups.
    """
    compiled = compile_pattern(pattern)
    parse = partial(parse_match, pattern=compiled, is_failure=is_failure, zone=zone)
    return Format("regex", parse, spec=f"regex:{pattern}")


def layout_format(layout: Layout, is_failure: StatusRule, zone: tzinfo | None = None) -> Format:
    """Return the format of lines of text in this layout."""
    parse = make_parser(layout, is_failure, zone)
    return Format(layout.name, parse, layout=layout, spec=f"layout:{layout.show()}", zone=zone)


def restore_format(spec: str, is_failure: StatusRule, zone: tzinfo | None = None) -> Format | None:
    """
    Return the format that has this `spec`; None if no format has it. Raises ConfigurationError if
    the layout, the pattern or the keys in it are invalid.
    """
    kind, _, text = spec.partition(":")
    match kind:
        case "layout":
            return layout_format(parse_layout(text, "layout"), is_failure, zone)
        case "regex":
            return regex_format(text, is_failure, zone)
        case "json":
            return json_format(json.loads(text), is_failure, zone)
        case _:
            known = known_formats(is_failure, zone)
            return next((form for form in known if form.spec == spec), None)


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

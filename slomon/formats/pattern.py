"""
The format whose fields are the named groups of a regular expression: `time`, `status`, either
`method` and `path` or `request`, and perhaps `host`.
"""

from __future__ import annotations

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

_NAMES: Final = (
    "time, status, either method and path, or request (the whole request line), and perhaps host"
)

_FORMS: Final = ({"time", "status", "method", "path"}, {"time", "status", "request"})


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
    if set(names) - {"host"} not in _FORMS:
        found = ", ".join(quote(name) for name in names) or "none"
        raise ConfigurationError(f"the {what} are {found}; allowed: {_NAMES}")


def compile_pattern(text: str) -> re.Pattern[str]:
    """Return the expression. Raises ConfigurationError if it is invalid or lacks a group."""
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigurationError(
            f"the pattern is {quote(text)}: {error}; allowed: a regular expression as Python "
            f"writes it, with groups (?P<name>...) for {_NAMES}"
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

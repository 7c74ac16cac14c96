"""Lines that a user's regular expression reads, by its named groups."""

from __future__ import annotations

import re
from datetime import tzinfo

from slomon.core.event import Access, Malformed, StatusRule
from slomon.errors import ConfigurationError
from slomon.formats.fields import NAMES, check_names, read_fields
from slomon.text import quote


def compile_pattern(text: str) -> re.Pattern[str]:
    """The expression, checked; ConfigurationError where it is none or lacks a group."""
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
) -> Access | Malformed:
    """The access of a line that the pattern matches from its start; the line may go on after."""
    # Not searched for: most expressions would take time by the square of a long line's length.
    found = pattern.match(line)
    if found is None:
        return Malformed(line, "the pattern does not match it from its start")
    return read_fields(line, found.groupdict(default=""), is_failure, zone)

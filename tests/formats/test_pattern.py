"""A user's expression says what a line's fields are, or is refused with what is allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import Access, Malformed
from slomon.core.statuses import server_errors_fail
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.errors import ConfigurationError
from slomon.formats.pattern import compile_pattern, parse_match

PATTERN = r"(?P<time>\S+) (?P<method>\S+) (?P<path>\S+) -> (?P<status>\S+)?"
NAMES = (
    "time, status, either method and path, or request (the whole request line), and perhaps host"
)


def parse(line: str, pattern: str = PATTERN) -> object:
    return parse_match(line, compile_pattern(pattern), server_errors_fail, None)


def test_an_access_is_read_by_named_groups() -> None:
    access = parse("1970-01-01T00:00:05Z GET /a?b=1 -> 500 in 3 ms")
    assert access == Access(5 * TICKS_PER_SECOND, "GET", "/a?b=1", failed=True)


def test_a_group_may_hold_the_whole_request() -> None:
    pattern = r'.*?\[(?P<time>.*?)\] "(?P<request>.*?)" (?P<status>\d+)'
    access = parse('ana [01/Jan/1970:02:00:05 +0200] "GET /a HTTP/1.1" 200 5', pattern)
    assert access == Access(5 * TICKS_PER_SECOND, "GET", "/a", failed=False)


@pytest.mark.parametrize("line", ["", "Traceback", " 5 GET /a -> 200", "at 5 GET /a -> 200"])
def test_a_line_that_does_not_match_from_its_start_is_malformed(line: str) -> None:
    assert parse(line) == Malformed(line, "the pattern does not match it from its start")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("yesterday GET /a -> 200", "the date is 'yesterday'"),
        ("5 get! /a -> 200", "the method is 'get!'"),
        ("5 GET - -> 200", "the path is '-'"),
        ("5 GET /a -> ok", "the status is 'ok'"),
        ("5 GET /a -> ", "the status is ''"),
    ],
)
def test_a_wrong_field_is_named(line: str, reason: str) -> None:
    malformed = parse(line)
    assert isinstance(malformed, Malformed)
    assert malformed.text == line
    assert malformed.reason.startswith(reason)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "the pattern is '(': missing ), unterminated subpattern at position 0; allowed: "),
        ("(?<time>.)", "the pattern is '(?<time>.)': unknown extension ?<t at position 1; allowed"),
        ("a{99999999999}", "the pattern is 'a{99999999999}': the repetition number is too large"),
        ("(" * 10_000 + ")" * 10_000, "the pattern is '((((((((("),
        ("", f"the pattern's named groups are none; allowed: {NAMES}"),
        ("(.) (.)", f"the pattern's named groups are none; allowed: {NAMES}"),
        ("(?P<time>.)", f"the pattern's named groups are 'time'; allowed: {NAMES}"),
        (
            PATTERN + "(?P<port>.)",
            "the pattern's named groups are 'time', 'method', 'path', 'status', 'port'; "
            f"allowed: {NAMES}",
        ),
    ],
)
def test_a_wrong_pattern_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        compile_pattern(pattern)
    assert str(caught.value).startswith(reason)


def test_a_pattern_that_is_no_expression_learns_how_groups_are_written() -> None:
    with pytest.raises(ConfigurationError) as caught:
        compile_pattern("(?<time>.)")
    assert str(caught.value).endswith(
        f"allowed: a regular expression as Python writes it, with groups (?P<name>...) for {NAMES}"
    )


@given(
    second=st.integers(0, 9_223_372_035),
    path=st.from_regex(r"/\S*", fullmatch=True),
    status=st.integers(100, 599),
)
def test_a_line_that_is_well_formed_comes_back(second: int, path: str, status: int) -> None:
    access = parse(f"{second} GET {path} -> {status}")
    assert access == Access(second * TICKS_PER_SECOND, "GET", path, failed=status >= 500)

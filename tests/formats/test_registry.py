"""A file's format is found from its first lines, and no line of any kind stops a parser."""

from __future__ import annotations

from datetime import timedelta, timezone
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import Access, Change, End, Malformed
from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.errors import ConfigurationError
from slomon.formats.registry import Format, detect, json_format, known_formats, regex_format

KEYS = {"time": "ts", "method": "request.method", "path": "request.uri", "status": "status"}
PATTERN = r"(?P<time>\S+) (?P<request>.*) (?P<status>\d+)"
FORMATS = [
    *known_formats(server_errors_fail),
    json_format(KEYS, server_errors_fail),
    regex_format(PATTERN, server_errors_fail),
]
LINES = {
    "events": '{"type": "access", "value": "1531005192 GET /a 500"}',
    "plain": "1531005192 GET /a 500",
    "combined": '192.0.2.1 - - [07/Jul/2018:23:13:12 +0000] "GET /a HTTP/1.1" 500 5',
    "caddy": '{"ts": 1531005192.0, "request": {"method": "GET", "uri": "/a"}, "status": 500}',
    "envoy": '[2018-07-07T23:13:12.000Z] "GET /a HTTP/1.1" 500 - 0 5 12 - "-" "-" "-" "-" "-"',
    "alb": "h2 2018-07-07T23:13:12.000000Z app/a 192.0.2.1:1 192.0.2.2:80 0.0 0.1 0.0 500 500 0 5 "
    '"GET https://a.example.com:443/a HTTP/2.0" "-" - -',
    "json": '{"ts": 1531005192.0, "request": {"method": "GET", "uri": "/a"}, "status": 500}',
    "regex": "2018-07-07T23:13:12Z GET /a HTTP/1.1 500",
}
ACCESS = Access(1531005192 * TICKS_PER_SECOND, "GET", "/a", failed=True)


def known(name: str, rule: StatusRule = server_errors_fail) -> Format:
    return next(form for form in known_formats(rule) if form.name == name)


def name_of(form: Format | None) -> str | None:
    return form.name if form else None


def test_the_formats_that_need_no_configuration_stand_by_priority() -> None:
    formats = known_formats(server_errors_fail)
    assert [form.name for form in formats] == [
        "events",
        "plain",
        "combined",
        "caddy",
        "envoy",
        "alb",
    ]
    assert [form.name for form in formats if form.ordered] == ["events"]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_reads_the_same_access_from_its_own_line(form: Format) -> None:
    assert form.parse(LINES[form.name]) == ACCESS


@pytest.mark.parametrize("form", known_formats(lambda status: status < 500), ids=lambda f: f.name)
def test_every_format_asks_the_rule_what_failed(form: Format) -> None:
    access = form.parse(LINES[form.name])
    assert isinstance(access, Access)
    assert access.failed is False


@pytest.mark.parametrize("form", known_formats(lambda _: None), ids=lambda f: f.name)
def test_a_status_that_the_rule_does_not_know_is_malformed(form: Format) -> None:
    malformed = form.parse(LINES[form.name])
    assert isinstance(malformed, Malformed)
    assert malformed.reason == (
        "the status is '500'; allowed: one that the rule knows, by default 100 to 599"
    )


def test_a_time_that_says_no_zone_is_in_the_zone_that_was_given() -> None:
    east = timezone(timedelta(hours=2))
    envoy = next(form for form in known_formats(server_errors_fail, east) if form.name == "envoy")
    assert envoy.parse(LINES["envoy"].replace("23:13:12.000Z", "01:13:12.000")) == Access(
        ACCESS.tick - 24 * 3600 * TICKS_PER_SECOND, "GET", "/a", failed=True
    )


def test_a_recorded_stream_has_changes_and_an_end() -> None:
    parse = known("events").parse
    change = '{"type": "change", "value": "commit: c1\\nAuthor: a\\nDate: d\\nService: s"}'
    assert parse(change) == Change("c1", "a", "d", "s")
    assert parse('{"type": "end-of-stream"}') == End()


@pytest.mark.parametrize(
    ("line", "text", "reason"),
    [
        ("", "", "it is not JSON: Expecting value"),
        ("5 GET /a 200", "5 GET /a 200", "it is not JSON: Extra data"),
        ("[" * 100_000, "[" * 100_000, "it is not JSON: maximum recursion depth exceeded"),
        ("9" * 5000, "9" * 5000, "it is not JSON: Exceeds the limit"),
        ("[5]", "[5]", "an event is a dict, not list"),
        ('{"type": "x"}', "{'type': 'x'}", "the type is 'x'; allowed: 'access', 'change'"),
        ('{"type": "access", "value": "5 GET"}', "5 GET", "it has fields: 2; allowed: "),
        ('{"type": "change", "value": "c1"}', "c1", "it has lines: 1; allowed: "),
    ],
)
def test_a_line_that_is_no_event_says_why(line: str, text: str, reason: str) -> None:
    malformed = known("events").parse(line)
    assert isinstance(malformed, Malformed)
    assert malformed.text == text
    assert malformed.reason.startswith(reason)


def test_keys_and_patterns_are_checked_before_any_line_is_read() -> None:
    with pytest.raises(ConfigurationError, match="the fields with a key are none; allowed: time"):
        json_format({}, server_errors_fail)
    with pytest.raises(ConfigurationError, match="the pattern's named groups are none; allowed"):
        regex_format(".*", server_errors_fail)


def test_keys_that_change_later_change_no_format() -> None:
    keys = dict(KEYS)
    form = json_format(keys, server_errors_fail)
    keys.clear()
    assert form.parse(LINES["json"]) == ACCESS


@pytest.mark.parametrize("name", ["events", "plain", "combined", "caddy", "envoy", "alb"])
def test_a_format_is_detected_from_its_lines(name: str) -> None:
    assert name_of(detect([LINES[name]], FORMATS)) == name


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ([], None),
        (["", "  ", "\t"], None),
        (["x"], None),
        (["x", LINES["plain"]], "plain"),
        (["x", "", LINES["plain"], " "], "plain"),
        (["x", "y", LINES["plain"]], None),
        ([LINES["combined"], LINES["plain"]], "plain"),
        ([LINES["combined"], LINES["plain"], LINES["combined"]], "combined"),
        ([LINES["alb"], LINES["envoy"], LINES["combined"]], None),
        (['{"type": "end-of-stream"}'], "events"),
        ([LINES["combined"].replace("GET /a HTTP/1.1", "-")], None),
    ],
)
def test_the_format_that_reads_most_wins_if_it_reads_half(
    lines: list[str], name: str | None
) -> None:
    assert name_of(detect(lines, known_formats(server_errors_fail))) == name


def test_of_formats_that_read_as_much_the_first_wins() -> None:
    lines = [LINES["caddy"]]
    caddy, json = known("caddy"), json_format(KEYS, server_errors_fail)
    assert detect(lines, [caddy, json]) is caddy
    assert detect(lines, [json, caddy]) is json


def test_of_no_formats_none_is_detected() -> None:
    assert detect([LINES["plain"]], []) is None


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A good line with pieces cut out, doubled and put in."""
    line = draw(st.sampled_from(sorted(LINES.values())))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(line)))
        end = draw(st.integers(start, min(len(line), start + 8)))
        piece = draw(
            st.text(max_size=4) | st.sampled_from([line[start:end] * 2, '"', "\\", "[", "{"])
        )
        line = line[:start] + piece + line[end:]
    return line


@given(st.text() | mangled())
def test_no_line_of_any_kind_makes_a_parser_raise(line: str) -> None:
    for form in FORMATS:
        outcome = form.parse(line)
        if isinstance(outcome, Malformed):
            assert outcome.reason.isprintable()
            assert len(outcome.reason) < 1000


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS[:-1], ids=lambda form: form.name)
def test_a_line_of_a_million_characters_is_read_in_no_time(form: Format) -> None:
    # By the square of its length, it would take a day.
    starts = "", LINES["combined"][:50], LINES["envoy"][:32], LINES["alb"][:110]
    pieces = "[", '"', "\\", " ", "a ", '{"a":', '" 20', " HTTP/1.1", LINES["combined"]
    for start, piece in product(starts, pieces):
        outcome = form.parse(start + piece * (1_000_000 // len(piece)))
        assert isinstance(outcome, Malformed | Access), (start, piece)

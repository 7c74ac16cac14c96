"""A file's format is found from its first lines, and no line of any kind stops a parser."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import Access, Change, End, Malformed
from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.errors import ConfigurationError
from slomon.formats.builtin import ALIASES, BUILT_IN
from slomon.formats.format import Format, Reading
from slomon.formats.recognition import recognise
from slomon.formats.registry import (
    find_format,
    find_json_format,
    known_formats,
    regex_format,
    restore_format,
)

READING = Reading(server_errors_fail)
KEYS = {"time": "ts", "method": "request.method", "path": "request.uri", "status": "status"}
PATTERN = r"(?P<time>\S+) (?P<request>.*) (?P<status>\d+)"


def without_tables(rule: StatusRule) -> list[Format]:
    """All known formats but those whose columns or keys are found in the lines."""
    return [form for form in known_formats(rule) if form.name not in {"w3c", "csv", "json"}]


FORMATS = [
    *without_tables(server_errors_fail),
    find_json_format(KEYS, READING),
    regex_format(PATTERN, server_errors_fail),
]
HOST = "a.example.com"
COMBINED = '192.0.2.1 - - [07/Jul/2018:23:13:12 +0000] "GET /a HTTP/1.1" 500 5 "-" "curl/8.0"'
BALANCER = (
    "2018-07-07T23:13:12.000000Z app/a 192.0.2.1:1 192.0.2.2:80 0.0 0.1 0.0 500 500 0 5 "
    '"GET https://a.example.com:443/a HTTP/2.0" "-" - -'
)
ENVOY = '[2018-07-07T23:13:12.000Z] "GET /a HTTP/1.1" 500'
LINES = {
    "events": '{"type": "access", "value": "1531005192 GET /a 500"}',
    "plain": "1531005192 GET /a 500",
    "vhost": f"a.example.com:443 {COMBINED}",
    "lighttpd": COMBINED.replace("- -", "a.example.com -"),
    "traefik": f'{COMBINED} 7 "web@docker" "http://192.0.2.2:80" 22ms',
    "ingress-nginx": f"{COMBINED} 120 0.022 [shop-web-80] [] 192.0.2.2:80 5 0.020 500 4f1a",
    "apisix": '192.0.2.1 - - [07/Jul/2018:23:13:12 +0000] a.example.com "GET /a HTTP/1.1" '
    '500 5 0.002 "-" "curl/8.0" 192.0.2.9:80 500 0.001 "http://a.example.com"',
    "combined": COMBINED,
    "common": COMBINED.removesuffix(' "-" "curl/8.0"'),
    "istio": f'{ENVOY} - via_upstream - "-" 0 5 12 9 "-" "curl" "1" "{HOST}" "192.0.2.2:80" a b c',
    "envoy": f'{ENVOY} - 0 5 12 9 "-" "curl/8.0" "1" "{HOST}" "192.0.2.2:80"',
    "envoy-custom": f"{ENVOY} UF",
    "alb": f"h2 {BALANCER}",
    "clb": BALANCER,
    "haproxy": "192.0.2.1:4711 [07/Jul/2018:23:13:12.000 +0000] web~ app/a1 0/0/1/17/18 500 5 - - "
    '---- 1/1/0/0/0 0/0 "GET /a HTTP/1.1"',
    "squid": "1531005192.000    120 192.0.2.1 TCP_MISS/500 5 GET http://a.example.com/a - "
    "HIER_DIRECT/192.0.2.9 text/html",
    "uwsgi": "[pid: 7|app: 0|req: 1/2] 192.0.2.1 () {38 vars in 696 bytes} [Sat Jul  7 23:13:12 "
    "UTC 2018] GET /a => generated 47 bytes in 129 msecs (HTTP/1.1 500) 9 headers in 378 bytes",
    "litespeed": '["a.example.com"] [07/Jul/2018:23:13:12 +0000] 192.0.2.1 GET /a HTTP/1.1 500 '
    '**QUIC** TLS_AES_128_GCM_SHA256 "text/html" "-" 47546B 131417us "-" "curl/8.0"',
    "gin": '[GIN] 2018/07/07 - 23:13:12 UTC | 500 |  132.7\u00b5s |  192.0.2.1 | GET      "/a"',
    "django": '[07/Jul/2018 23:13:12 +0000] "GET /a HTTP/1.1" 500 5',
    "s3": "79a59df9 shop-bucket [07/Jul/2018:23:13:12 +0000] 192.0.2.1 79a59df9 3E57427F "
    'REST.GET.OBJECT a "GET /a HTTP/1.1" 500 InternalError 5 - 7 - "-" "curl/8.0" -',
    "nginx-proxy-manager": '[07/Jul/2018:23:13:12 +0000] - 502 500 - GET https a.example.com "/a" '
    '[Client 192.0.2.1] [Length 5] [Gzip -] [Sent-to 192.0.2.9] "curl/8.0" "-"',
    "nginx-proxy-manager-standard": "[07/Jul/2018:23:13:12 +0000] 500 - GET https a.example.com "
    '"/a" [Client 192.0.2.1] [Length 5] [Gzip -] "curl/8.0" "-"',
    "caddy": '{"ts": 1531005192.0, "request": {"method": "GET", "uri": "/a"}, "status": 500}',
    "ltsv": "time:2018-07-07T23:13:12Z\tmethod:GET\turi:/a\tstatus:500\tua:curl/8.0",
    "logfmt": "2018-07-07T23:13:12.000000+00:00 heroku[router]: at=info method=GET "
    'path="/a" host=a.example.com fwd="192.0.2.1" dyno=web.1 service=5ms status=500 bytes=5',
    "json": '{"ts": 1531005192.0, "request": {"method": "GET", "uri": "/a"}, "status": 500}',
    "regex": "2018-07-07T23:13:12Z GET /a HTTP/1.1 500",
}
NAMED_HOST = {
    *("vhost", "lighttpd", "apisix", "squid", "istio", "envoy", "alb", "clb", "litespeed"),
    *("logfmt", "nginx-proxy-manager", "nginx-proxy-manager-standard"),
}
ACCESS = Access(1531005192 * TICKS_PER_SECOND, "GET", "/a", failed=True)


def known(name: str, rule: StatusRule = server_errors_fail) -> Format:
    return next(form for form in known_formats(rule) if form.name == name)


def detect(lines: list[str], formats: list[Format]) -> str | None:
    """The name of the format that is recognised."""
    found = recognise(lines, formats, Reading(server_errors_fail), lambda _: None)
    return None if isinstance(found, str) else found.format.name


def test_the_formats_that_need_no_configuration_stand_by_priority() -> None:
    formats = known_formats(server_errors_fail)
    names = [form.name for form in formats]
    assert names == ["events", "plain", *(one.name for one in BUILT_IN), *names[-6:]]
    assert names[-6:] == ["caddy", "json", "w3c", "ltsv", "logfmt", "csv"]
    assert [form.name for form in formats if form.ordered] == ["events"]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_reads_the_same_access_from_its_own_line(form: Format) -> None:
    host = HOST if form.name in NAMED_HOST else ""
    assert form.parse(LINES[form.name]) == replace(ACCESS, host=host)


@pytest.mark.parametrize("form", without_tables(lambda status: status < 500), ids=lambda f: f.name)
def test_every_format_asks_the_rule_what_failed(form: Format) -> None:
    access = form.parse(LINES[form.name])
    assert isinstance(access, Access)
    assert access.failed is False


@pytest.mark.parametrize("form", without_tables(lambda _: None), ids=lambda f: f.name)
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
        ACCESS.tick - 24 * 3600 * TICKS_PER_SECOND, "GET", "/a", failed=True, host=HOST
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


def test_a_pattern_is_checked_before_any_line_is_read() -> None:
    with pytest.raises(ConfigurationError, match="the pattern's named groups are none; allowed"):
        regex_format(".*", server_errors_fail)


def test_keys_that_change_later_change_no_format() -> None:
    keys = dict(KEYS)
    form = find_json_format(keys, READING)
    keys.clear()
    assert form.parse(LINES["json"]) == ACCESS


@pytest.mark.parametrize("name", [name for name in LINES if name not in {"common", "json"}])
def test_a_format_is_detected_from_its_lines(name: str) -> None:
    assert detect([LINES[name]], FORMATS) == name


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ([], None),
        (["", "  ", "\t"], None),
        (["x"], None),
        (["x", LINES["plain"]], "plain"),
        (["x", "", LINES["plain"], " "], "plain"),
        (["x", "y", LINES["plain"]], "plain"),  # only requests are judged
        ([LINES["combined"], LINES["plain"]], "plain"),
        ([LINES["combined"], LINES["plain"], LINES["combined"]], "combined"),
        ([LINES["alb"], LINES["envoy"], LINES["combined"]], None),
        (['{"type": "end-of-stream"}'], "events"),
        ([LINES["combined"].replace("GET /a HTTP/1.1", "-")], "combined"),
    ],
)
def test_the_format_that_reads_most_wins_if_it_reads_half(
    lines: list[str], name: str | None
) -> None:
    assert detect(lines, known_formats(server_errors_fail)) == name


def test_of_formats_that_read_as_much_the_first_wins() -> None:
    lines = [LINES["caddy"]]
    caddy, json = known("caddy"), find_json_format(KEYS, READING)
    assert detect(lines, [caddy, json]) == "caddy"
    assert detect(lines, [json, caddy]) == "json"


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
def test_the_time_for_a_line_grows_with_its_length_and_not_with_the_square_of_it(
    form: Format,
) -> None:
    # Reading that takes the square of the length would need minutes.
    starts = "", LINES["combined"][:50], LINES["envoy"][:32], LINES["alb"][:110]
    pieces = "[", '"', "\\", " ", "a ", '{"a":', '" 20', " HTTP/1.1", LINES["combined"]
    for start, piece in product(starts, pieces):
        outcome = form.parse(start + piece * (40_000 // len(piece)))
        assert isinstance(outcome, Malformed | Access), (start, piece)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_format_is_restored_from_its_spec(form: Format) -> None:
    restored = restore_format(form.spec, Reading(server_errors_fail))
    assert restored is not None
    assert (restored.name, restored.spec) == (form.name, form.spec)
    assert restored.parse(LINES[form.name]) == form.parse(LINES[form.name])


def test_an_unknown_spec_restores_no_format() -> None:
    assert restore_format("unknown", Reading(server_errors_fail)) is None


def test_an_alias_is_the_same_format() -> None:
    formats = known_formats(server_errors_fail)
    assert {
        name for alias in ALIASES if (form := find_format(alias, formats)) for name in [form.name]
    }
    assert find_format("nginx", formats) is find_format("combined", formats)
    assert find_format("no such format", formats) is None

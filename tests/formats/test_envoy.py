"""Envoy's lines, and those of what is built on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import NO_STATUS, Access, Malformed
from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.formats.registry import find_format, known_formats

TIME = "2016-04-15T20:17:00.310Z"
TICK = 1460751420_310_000_000
REST = '- 154 0 226 100 "192.0.2.28" "nsq2http" "cc21d9b0" "locations" "tcp://192.0.2.1:80"'
HOST = "locations"
SHOWN = """allowed: '[$time_iso8601] "$request" $status', whatever stands after"""


def parse_by(
    name: str, line: str, rule: StatusRule = server_errors_fail, zone: tzinfo | None = None
) -> object:
    form = find_format(name, known_formats(rule, zone))
    assert form is not None
    return form.parse(line)


def parse(line: str) -> object:
    return parse_by("envoy-custom", line)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (f'[{TIME}] "POST /api HTTP/2" 503 {REST}', "/api"),
        (f'[{TIME}] "POST /api HTTP/1.1" 503', "/api"),
        (f'[{TIME}] "POST /api -" 503 {REST}', "/api"),
        (f'[{TIME}] "POST /a b HTTP/1.1" 503 {REST}', "/a b"),
        (f'[{TIME}] "POST /"a" HTTP/1.1" 503 {REST}', '/"a"'),
    ],
)
def test_an_access_is_read(line: str, path: str) -> None:
    assert parse(line) == Access(TICK, "POST", path, failed=True)
    if line.endswith(REST):
        assert parse_by("envoy", line) == Access(TICK, "POST", path, failed=True, host=HOST)


@pytest.mark.parametrize("request_", ["GET /slow HTTP/1.1", "- - HTTP/1.1", "- - -"])
def test_a_status_of_0_says_that_there_was_no_response(request_: str) -> None:
    assert parse(f'[{TIME}] "{request_}" 0 DC {REST}') == NO_STATUS


def test_a_rule_may_know_the_status_0() -> None:
    line = f'[{TIME}] "GET /slow HTTP/1.1" 0 {REST}'
    read = parse_by("envoy", line, lambda status: status == 0)
    assert read == Access(TICK, "GET", "/slow", failed=True, host=HOST)


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        ("- /a HTTP/1.1", "400", "the request is '- /a HTTP/1.1'"),
        ("GET - HTTP/1.1", "400", "the path is '-'"),
        ("GET /a HTTP/1.1", "999", "the status is '999'"),
    ],
)
def test_a_wrong_field_is_named(request_: str, status: str, reason: str) -> None:
    malformed = parse(f'[{TIME}] "{request_}" {status} {REST}')
    assert isinstance(malformed, Malformed)
    assert malformed.reason.startswith(reason)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[",
        f"[{TIME}]",
        "[2023-01-04 09:08:23.950][7][info][main] initializing epoch 0",
        f'[{TIME}] "GET /a HTTP/1.1"',
        f'[{TIME}] "GET /a HTTP/1.1" 2000',
        f'[17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 {REST}',
    ],
)
def test_a_line_of_another_form_is_malformed(line: str) -> None:
    malformed = parse(line)
    assert isinstance(malformed, Malformed)
    assert malformed.reason.endswith(SHOWN)


def test_a_time_without_a_zone_is_in_the_zone_that_was_given() -> None:
    line = f'[{TIME[:-1]}] "GET /a HTTP/1.1" 200 {REST}'
    assert isinstance(parse(line), Malformed)
    read = parse_by("envoy", line, zone=UTC)
    assert read == Access(TICK, "GET", "/a", failed=False, host=HOST)


@given(
    moment=st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2262, 4, 11)),
    path=st.text(st.characters(codec="utf-8", exclude_characters='"\n\r ')).map("/{}".format),
    status=st.integers(100, 599),
)
def test_a_line_that_is_well_formed_comes_back(moment: datetime, path: str, status: int) -> None:
    line = f'[{moment.isoformat(timespec="milliseconds")}Z] "GET {path} HTTP/2" {status} {REST}'
    milliseconds = (moment - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    assert parse(line) == Access(milliseconds * 1_000_000, "GET", path, failed=status >= 500)

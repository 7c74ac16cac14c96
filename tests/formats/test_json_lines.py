"""JSON lines are read by the keys that were given, and no number is rounded on the way."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import Access, Excluded, Malformed
from slomon.core.statuses import server_errors_fail
from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.errors import ConfigurationError
from slomon.formats.json_keys import CADDY, JsonKeys
from slomon.formats.json_lines import check_keys, make_json_parser

KEYS = {"time": "t", "method": "m", "path": "p", "status": "s"}
GOOD = {"t": 5, "m": "GET", "p": "/a", "s": 500}
ACCESS = Access(5 * TICKS_PER_SECOND, "GET", "/a", failed=True)


def parse(line: str, keys: dict[str, str] = KEYS) -> Access | Excluded | Malformed:
    return make_json_parser(JsonKeys(keys), server_errors_fail, None)(line)


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(GOOD),
        json.dumps({**GOOD, "t": "5", "s": "500"}),
        '{"t": 5.000000000, "m": "GET", "p": "/a", "s": 500}',
        '{"t": "1970-01-01T00:00:05Z", "m": "GET", "p": "/a", "s": 500}',
        '{"s": 200, "t": 5, "m": "GET", "p": "/a", "s": 500}',
        f"caddy  | {json.dumps(GOOD)} ",
        f"Nov 20 00:12:09 host caddy[772]: {json.dumps(GOOD)}",
    ],
)
def test_an_access_is_read_by_its_keys(line: str) -> None:
    assert parse(line) == ACCESS


@pytest.mark.parametrize(
    ("record", "key"),
    [
        ({"request": {"m": "GET"}}, "request.m"),
        ({"request.m": "GET"}, "request.m"),
        ({"request.m": "GET", "request": {"m": "PUT"}}, "request.m"),
        ({"a": {"b": {"c": {"d": "GET"}}}}, "a.b.c.d"),
        ({"a": {"b.c": {"d": "GET"}}}, "a.b.c.d"),
        ({"a.b": {"c.d": "GET"}}, "a.b.c.d"),
        ({"a": {"b": 5}, "a.b": {"c": {"d": "GET"}}}, "a.b.c.d"),
        ({"a.": {"b": "GET"}}, "a..b"),
        ({".m": "GET"}, ".m"),
    ],
)
def test_a_dot_leads_into_an_object_or_is_part_of_a_key(
    record: dict[str, object], key: str
) -> None:
    line = json.dumps({**GOOD, "m": None, **record})
    assert parse(line, {**KEYS, "method": key}) == ACCESS


def test_a_whole_request_line_may_stand_at_one_key() -> None:
    line = '{"t": 5, "r": "GET /a HTTP/1.1", "s": 500}'
    assert parse(line, {"time": "t", "request": "r", "status": "s"}) == ACCESS


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "it has no JSON object; allowed: one a line"),
        ("[5]", "it has no JSON object; allowed: one a line"),
        ("null", "it has no JSON object; allowed: one a line"),
        ('{"t": 5, "m": "GE', "it is not JSON: Unterminated string"),
        ('{"t": 5} {"t": 6}', "it is not JSON: Extra data"),
        ('[{"t": 5}]', "it is not JSON: Extra data"),
        (r'{"t": "\x22"}', "it is not JSON: Invalid \\escape"),
        ('{"a":' * 100_000, "it is not JSON: maximum recursion depth exceeded"),
        ("{}", "it has no 't'; allowed: the time, a number or text"),
        ('{"t": 5, "m": null}', "it has no 'm'; allowed: the method, a number or text"),
        ('{"t": 5, "m": ["GET"]}', "'m' is ['GET']; allowed: the method, a number or text"),
        ('{"t": true}', "'t' is True; allowed: the time, a number or text"),
        ('{"t": {"t": 5}}', "'t' is {'t': '5'}; allowed: the time, a number or text"),
        ('{"t": NaN, "m": "GET", "p": "/", "s": 200}', "the date is 'NaN'"),
        ('{"t": 5e3, "m": "GET", "p": "/", "s": 200}', "the date is '5e3'"),
        ('{"t": ' + "9" * 5000 + ', "m": "GET", "p": "/", "s": 200}', "the date is '999"),
        ('{"t": 5, "m": 5, "p": "/", "s": 200}', "the method is '5'"),
        ('{"t": 5, "m": "GET", "p": "/", "s": 200.0}', "the status is '200.0'"),
        ('{"t": 5, "m": "GET", "p": "/", "s": -200}', "the status is '-200'"),
    ],
)
def test_a_line_that_is_no_access_says_why(line: str, reason: str) -> None:
    malformed = parse(line)
    assert isinstance(malformed, Malformed)
    assert malformed.text == line
    assert malformed.reason.startswith(reason)


@pytest.mark.parametrize("key", ["request.method", "request.uri", "ts", "status"])
def test_a_message_of_caddy_that_is_no_access_names_the_first_key_it_lacks(key: str) -> None:
    record = {"ts": 5, "request": {"method": "GET", "uri": "/"}, "status": 200}
    holder = record["request"] if "." in key else record
    assert isinstance(holder, dict)
    del holder[key.rpartition(".")[2]]
    malformed = parse(json.dumps(record), dict(CADDY.fields))
    assert isinstance(malformed, Malformed)
    assert malformed.reason.startswith(f"it has no '{key}'; allowed: ")


@given(tick=st.integers(0, LAST_TICK), uri=st.text(min_size=1), status=st.integers(100, 599))
def test_a_line_of_caddy_comes_back_to_the_nanosecond(tick: int, uri: str, status: int) -> None:
    record = {"request": {"method": "GET", "uri": f"/{uri}"}, "status": status}
    stamp = f"{tick // TICKS_PER_SECOND}.{tick % TICKS_PER_SECOND:09}"
    line = f'{{"ts":{stamp},{json.dumps(record)[1:]}'
    assert parse(line, dict(CADDY.fields)) == Access(tick, "GET", f"/{uri}", failed=status >= 500)


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"time": "t", "url": "u"}, "'time', 'url'"),
        ({"request": "r", "method": "m"}, "'request', 'method'"),
        ({}, "none"),
    ],
)
def test_only_known_fields_have_keys(keys: dict[str, str], found: str) -> None:
    check_keys(KEYS)
    check_keys({"host": "h"})
    with pytest.raises(ConfigurationError) as caught:
        check_keys(keys)
    assert str(caught.value) == (
        f"the fields with a key are {found}; allowed: time, status, method and path, or request "
        "(the whole request line), and host"
    )


def test_a_key_is_some_text() -> None:
    with pytest.raises(ConfigurationError, match="the key of path is ''; allowed: the name of a"):
        check_keys({**KEYS, "path": ""})


def test_a_host_that_is_no_text_is_left_out() -> None:
    keys = {**KEYS, "host": "h"}
    assert parse(json.dumps({**GOOD, "h": None}), keys) == ACCESS
    assert parse(json.dumps({**GOOD, "h": "A.example:80"}), keys) == replace(
        ACCESS, host="a.example"
    )

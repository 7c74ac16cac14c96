"""JSON logs are recognised without keys, and keys that are given count."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from slomon.core.events import Access
from slomon.errors import ConfigurationError
from slomon.formats.durations import describe_duration
from slomon.formats.format import Format
from slomon.formats.recognition import Recognition, recognise, recognise_given
from slomon.formats.registry import find_json_format, restore_format
from slomon.log_replay.detect import FormatDetector
from tests.formats.parsing import KNOWN, READING
from tests.formats.test_json_keys import LINES

RECORD = {"at": "2025-03-10T12:00:00Z", "method": "GET", "uri": "/a", "status": 200, "took": "5ms"}
ENVOY = (
    '[2025-03-10T12:00:00.000Z] "GET /b HTTP/1.1" 200 - 0 256 50 25 "192.0.2.1" "curl/8.10.1" '
    '"id" "example.com" "192.0.2.2:8080"'
)


def lines_of(*changes: dict[str, object]) -> list[str]:
    return [json.dumps({**RECORD, **change}) for change in changes or ({}, {})]


def recognised(lines: Sequence[str], formats: Sequence[Format] = KNOWN) -> Recognition:
    found = recognise(lines, formats, READING, lambda _: None)
    assert isinstance(found, Recognition), found
    return found


@pytest.mark.parametrize("name", LINES)
def test_the_lines_of_a_server_are_recognised_and_the_format_is_restored(name: str) -> None:
    line = LINES[name][0]
    form = recognised([line]).format
    assert form.name in {"json", "caddy"}
    access = form.parse(line)
    assert isinstance(access, Access)
    restored = restore_format(form.spec, READING)
    assert restored
    assert (restored.name, restored.spec, restored.parse(line)) == (form.name, form.spec, access)


def test_text_before_the_brace_needs_no_wrapper() -> None:
    lines = [f"web-1  | {line}" for line in lines_of({"ts": 1741608000})]
    assert recognised(lines).format.name == "json"


def test_a_log_of_labels_in_braces_is_unwrapped() -> None:
    lines = [f'2025-03-10T12:00:00Z {{app="x"}} {line}' for line in lines_of({"ts": 1741608000})]
    assert recognised(lines).format.name == "logcli/json"


def test_times_without_a_zone_are_in_utc() -> None:
    lines = lines_of({"time": "2025-03-10 12:00:00"})
    found = recognised(lines)
    assert found.assumed_utc
    assert found.format.spec.startswith("utc:json:")
    access = found.format.parse(lines[0])
    assert isinstance(access, Access)
    assert access.tick == 1741608000 * 10**9


def test_a_key_that_is_given_counts_and_the_others_are_found() -> None:
    lines = lines_of({"ts": 5, "code": 500}, {"ts": 6, "code": 503})
    form = recognised(lines, [find_json_format({"time": "at", "status": "code"}, READING)]).format
    assert form.layout
    assert form.layout.show() == "time=at,status=code,method=method,path=uri"
    access = form.parse(lines[0])
    assert isinstance(access, Access)
    assert access.failed


def test_all_keys_that_are_given_are_enough_for_a_log_that_looks_like_no_requests() -> None:
    keys = {"time": "a", "status": "b", "request": "c"}
    form = find_json_format(keys, READING)
    found = recognise_given(['{"a":5,"b":200}', '{"d":1}'], form, READING)
    assert isinstance(found, Recognition)
    assert found.format is form
    assert restore_format(form.spec, READING)


def test_two_statuses_that_differ_are_refused_and_both_are_shown() -> None:
    lines = lines_of(
        {"status": None, "ts": 1741608000, "proxy": {"status": 200}, "app": {"status": 502}}
    )
    found = recognise(lines, KNOWN, READING, lambda _: None)
    assert found == (
        "the status may be at 'proxy.status' or at 'app.status', and their values differ; allowed: "
        "--json-keys status=proxy.status, or --json-keys status=app.status"
    )
    form = recognised(lines, [find_json_format({"status": "app.status"}, READING)]).format
    assert form.name == "json"


def test_keys_that_are_not_found_are_an_error() -> None:
    detector = FormatDetector(
        [find_json_format({"time": "when"}, READING)],
        lambda **_: pytest.fail("no log is read"),
        lambda *_: None,
    )
    with pytest.raises(ConfigurationError, match=r"a\.log: no format reads line 1 of its first"):
        detector("a.log", "\n".join(lines_of()).encode() + b"\n")


def test_the_reason_names_the_fields_whose_keys_are_not_known() -> None:
    line = '{"when": "2025-03-10T12:00:00Z", "verb": "GET", "where": "/a", "status": 200}'
    found = recognise([line], KNOWN, READING, lambda _: None)
    assert isinstance(found, str)
    assert found.endswith(
        ": no key is known to be the time, path; --json-keys time=KEY,path=KEY names them"
    )
    whole = recognise(['{"when": 5, "request": "GET / HTTP/1.1"}'], KNOWN, READING, lambda _: None)
    assert str(whole).endswith("; --json-keys time=KEY,status=KEY names them")


def test_the_duration_is_reported_with_its_unit() -> None:
    lines = lines_of({"ts": 1741608000})
    assert describe_duration(recognised(lines).format, lines) == (
        "took: milliseconds, median 0.005 s"
    )


@pytest.mark.parametrize("more", ["json", "envoy"])
def test_a_log_of_two_writers_is_read_whole(more: str) -> None:
    lines = [*lines_of({"ts": 1741608000}, {"ts": 1741608001}), ENVOY, ENVOY]
    lines += lines_of({"ts": 1741608000}) if more == "json" else [ENVOY]
    form = recognised(lines).format
    assert form.name == ("json+envoy" if more == "json" else "envoy+json")
    assert all(isinstance(form.parse(line), Access) for line in lines)
    restored = restore_format(form.spec, READING)
    assert restored
    assert [restored.parse(line) for line in lines] == [form.parse(line) for line in lines]
    assert not isinstance(form.parse("x"), Access)

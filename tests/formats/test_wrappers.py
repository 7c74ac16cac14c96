"""What tools put around lines is taken off, in any combination, whatever format is inside."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from slomon.core.events import Access, Malformed
from slomon.formats.registry import restore_format
from slomon.formats.wrappers import WRAPPERS, find_wrapper, unwrap_lines
from tests.formats.parsing import READING, accesses, read_all, recognised

COMBINED = '192.0.2.1 - - [07/Jul/2018:23:13:12 +0000] "GET /a HTTP/1.1" 500 5 "-" "curl/8.0"'
ENVOY = (
    '[2018-07-07T23:13:12.000Z] "GET /a HTTP/1.1" 500 UF 0 43 217 216 "192.0.2.1" "curl/8.0" '
    '"5f3c" "shop.example.com" "192.0.2.9:80"'
)
VHOST = f"shop.example.com:443 {COMBINED}"
CADDY = '{"ts": 1531005192.0, "request": {"method": "GET", "uri": "/a"}, "status": 500}'
LOGFMT = 'time=2018-07-07T23:13:12Z method=GET path="/a" status=500'
TIME = "2018-07-07T23:13:12.123456789Z"
ACCESS = Access(1531005192_000_000_000, "GET", "/a", failed=True)

ENVOY_ACCESS = replace(ACCESS, host="shop.example.com")


def wrap_json(**fields: object) -> str:
    return json.dumps(fields)


WRAPPED = {
    "docker": lambda line: wrap_json(log=f"{line}\n", stream="stdout", time=TIME),
    "cri": lambda line: f"{TIME} stdout F {line}",
    "journald": lambda line: wrap_json(__REALTIME_TIMESTAMP="1531005192000000", MESSAGE=line),
    "loki": lambda line: wrap_json(labels={"app": "shop"}, line=line, timestamp=TIME),
    "message": lambda line: wrap_json(_index="logs", _source={"message": line}),
    "logcli": lambda line: f'{TIME} {{app="shop", pod="web-1"}} {line}',
    "compose": lambda line: f"shop-web-1  | {line}",
    "kubectl": lambda line: f"[pod/web-6d4b75cb6d-hx7zz/nginx] {line}",
    "stern": lambda line: f"web-6d4b75cb6d-hx7zz nginx {line}",
    "syslog": lambda line: f"<134>Jul  7 23:13:12 web1 nginx[4711]: {line}",
    "rsyslog": lambda line: f"2018-07-07T23:13:12.123456+02:00 web1 nginx: {line}",
    "syslog-5424": lambda line: f"<134>1 {TIME} web1 nginx 4711 - - {line}",
    "syslog-data": lambda line: f'<134>1 {TIME} web1 nginx 4711 - [a@1 b="c d"] \ufeff{line}',
    "timestamps": lambda line: f"{TIME} {line}",
    "colours": lambda line: f"\x1b[32m{line}\x1b[0m",
}


def test_each_wrapper_is_tested() -> None:
    assert {*WRAPPED, "label"} == set(WRAPPERS)


@pytest.mark.parametrize("label", ["ACCESS", "[mesh-access]", "inbound listener 8080:", "a [b]"])
@pytest.mark.parametrize("outer", [None, "docker", "cri", "syslog"])
def test_a_line_of_envoy_may_begin_with_any_text(label: str, outer: str | None) -> None:
    line = f"{label} {ENVOY}"
    found, (access,) = accesses([WRAPPED[outer](line) if outer else line])
    assert found == (f"{outer}/label/envoy" if outer else "label/envoy")
    assert access == ENVOY_ACCESS


def test_texts_before_lines_of_envoy_may_differ_in_length() -> None:
    lines = [f"{label} {ENVOY}" for label in ("ACCESS", "in bound", "[a b c]")]
    assert accesses(lines) == ("label/envoy", [ENVOY_ACCESS] * 3)


def test_only_the_response_flags_of_envoy_tell_a_text_before_its_lines() -> None:
    wrapper = WRAPPERS["label"]
    assert wrapper.unwrap('app [2018-07-07T23:13:12Z] "GET /a HTTP/1.1" 500 12') is None
    assert wrapper.unwrap(f'"quoted" {ENVOY}') is None
    assert wrapper.unwrap(ENVOY) is None


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize(
    ("line", "inner", "host"),
    [(COMBINED, "combined", ""), (VHOST, "vhost", "shop.example.com"), (CADDY, "caddy", "")],
)
def test_a_wrapped_line_is_read_as_the_line_itself(
    name: str, line: str, inner: str, host: str
) -> None:
    found, (access,) = accesses([WRAPPED[name](line)])
    in_front = inner == "caddy" and name != "logcli" and WRAPPERS[name].prefix is not None
    assert found == (inner if in_front else f"{name}/{inner}")  # no brace stands before the object
    assert access == Access(ACCESS.tick, "GET", "/a", failed=True, host=host)


@pytest.mark.parametrize("outer", ["docker", "cri", "compose", "journald"])
@pytest.mark.parametrize("inner", ["colours", "syslog", "kubectl"])
def test_wrappers_are_taken_off_one_by_one(outer: str, inner: str) -> None:
    found, read = accesses([WRAPPED[outer](WRAPPED[inner](LOGFMT))] * 3)
    assert found in {f"{outer}/{inner}/logfmt", f"colours/{outer}/logfmt"}
    assert read == [ACCESS] * 3


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize("line", [VHOST, CADDY, LOGFMT])
def test_a_wrapped_format_is_restored_from_its_spec(name: str, line: str) -> None:
    form = recognised([WRAPPED[name](line)]).format
    restored = restore_format(form.spec, READING)
    assert restored is not None
    assert (restored.name, restored.spec) == (form.name, form.spec)
    assert restored.parse(WRAPPED[name](line)) == form.parse(WRAPPED[name](line))


def cri(text: str, tag: str) -> str:
    return f"{TIME} stdout {tag} {text}"


def docker(text: str) -> str:
    return wrap_json(log=text, stream="stderr", time=TIME)


@pytest.mark.parametrize(
    "lines",
    [
        [cri(COMBINED[:40], "P"), cri(COMBINED[40:60], "P"), cri(COMBINED[60:], "F")],
        [docker(COMBINED[:40]), docker(COMBINED[40:60]), docker(f"{COMBINED[60:]}\n")],
    ],
)
def test_the_parts_of_a_line_are_joined(lines: list[str]) -> None:
    whole = [cri(COMBINED, "F")] if "stdout P" in lines[0] else [docker(f"{COMBINED}\n")]
    form = recognised(whole).format
    items, after = read_all(form, [*lines, *whole])
    assert items == [None, None, ACCESS, ACCESS]
    assert after.spec == form.spec


def test_a_line_that_is_not_complete_yet_is_part_of_the_spec() -> None:
    form = recognised([cri(COMBINED, "F")]).format
    _, pending = read_all(form, [cri(COMBINED[:40], "P")])
    restored = restore_format(pending.spec, READING)
    assert restored is not None
    items, after = read_all(restored, [cri(COMBINED[40:], "F")])
    assert (items, after.spec) == ([ACCESS], form.spec)


def test_text_that_is_no_utf8_is_an_array_of_bytes_in_a_journal() -> None:
    line = COMBINED.replace("curl", "\u00e9").encode("latin-1")
    message = wrap_json(__REALTIME_TIMESTAMP="1", MESSAGE=list(line))
    assert accesses([message]) == ("journald/combined", [ACCESS])


def test_a_line_without_the_wrapper_is_malformed() -> None:
    form = recognised([cri(COMBINED, "F")]).format
    read = form.parse("Traceback")
    assert read == Malformed("Traceback", "it is not wrapped as the log of cri is")


@pytest.mark.parametrize("field", ["192.0.2.1", "https://shop.example.com/", '"curl/8.0"'])
def test_bars_between_columns_are_no_prefix_of_compose(field: str) -> None:
    assert find_wrapper([f"shop.example.com | {field} | GET /a HTTP/1.1 | 500"]) is None


def test_a_wrapper_is_found_if_most_lines_have_it() -> None:
    wrapped = WRAPPED["compose"](COMBINED)
    assert find_wrapper([wrapped, COMBINED]) is None
    assert find_wrapper([]) is None
    wrapper = find_wrapper([wrapped, wrapped, "banner"])
    assert wrapper is WRAPPERS["compose"]
    assert unwrap_lines(wrapper, [wrapped, "banner"]) == [COMBINED]

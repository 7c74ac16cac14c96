"""A recorded stream is read back as it was, and what is wrong with a file is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slomon import ConfigurationError, Malformed, get_service_monitor
from slomon.streams import open_recording

ENTRY = {
    "name": "users",
    "email": "ana@example.com",
    "verb": "GET",
    "resource": "/users",
    "slo": "0.9",
    "window": "30",
}


@pytest.fixture
def info(tmp_path: Path) -> Path:
    path = tmp_path / "info.json"
    path.write_text(json.dumps([ENTRY]), encoding="utf-8")
    return path


def write_events(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(data)
    return path


def test_events_come_back_line_by_line_and_the_file_ends_the_stream(
    tmp_path: Path, info: Path
) -> None:
    events = write_events(tmp_path, b'{"type": "access", "value": "1 GET /users 200"}\n')

    with open_recording(events, info) as stream:
        assert stream.get_info() == [ENTRY]
        assert stream.generate_event() == {"type": "access", "value": "1 GET /users 200"}
        assert stream.generate_event() == {"type": "end-of-stream", "value": ""}
        assert stream.generate_event() == {"type": "end-of-stream", "value": ""}


def test_a_byte_order_mark_blank_lines_and_a_missing_last_newline_do_no_harm(
    tmp_path: Path, info: Path
) -> None:
    line = b'{"type": "access", "value": "1 GET /users 200"}'
    events = write_events(tmp_path, b"\xef\xbb\xbf" + line + b"\r\n\r\n  \n" + line)

    with open_recording(events, info) as stream:
        accounting = get_service_monitor(stream).accounting

    assert (accounting.events, accounting.accesses) == (2, 2)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"type": "access", "value": ', "line 2 is not JSON: Expecting value"),
        (b"[" * 100_000, "line 2 is not JSON: maximum recursion depth exceeded"),
        (b"1" * 5_000, "line 2 is not JSON: Exceeds the limit"),
        (b"\xff\xfe", "line 2 is not JSON: Expecting value"),
        (b"[1]", "an event is a dict, not list"),
        (b'"text"', "an event is a dict, not str"),
    ],
    ids=["cut off", "nested too deep", "huge number", "not UTF-8", "a list", "text"],
)
def test_a_line_that_is_no_event_is_rejected_and_costs_no_other(
    tmp_path: Path, info: Path, line: bytes, reason: str
) -> None:
    good = b'{"type": "access", "value": "1 GET /users 200"}'
    events = write_events(tmp_path, b"\n".join([good, line, good]))

    with open_recording(events, info) as stream:
        monitor = get_service_monitor(stream)

    assert monitor.accounting.accesses == 2
    (rejection,) = monitor.rejections
    assert rejection.position == 1
    assert rejection.reason.startswith(reason)


def test_a_line_that_is_not_utf8_stays_visible(tmp_path: Path, info: Path) -> None:
    with open_recording(write_events(tmp_path, b"\xff"), info) as stream:
        event = stream.generate_event()

    assert isinstance(event, Malformed)
    assert event.text == "\\xff"


@pytest.mark.parametrize(
    "text", ["[", "", "[" * 100_000, "\ud800"], ids=["cut", "empty", "deep", "bytes"]
)
def test_an_info_file_that_is_not_json_is_named(tmp_path: Path, text: str) -> None:
    info = tmp_path / "info.json"
    info.write_bytes(text.encode(errors="surrogatepass"))

    recording = open_recording(write_events(tmp_path, b""), info)

    with pytest.raises(ConfigurationError, match="not JSON in UTF-8: "):
        recording.__enter__()


def test_a_field_that_an_entry_has_twice_is_named(tmp_path: Path) -> None:
    info = tmp_path / "info.json"
    info.write_text('[5, {"name": "users", "slo": 0.9, "slo": 0.99}]', encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        open_recording(info, info).__enter__()

    assert str(caught.value) == (
        "entry 1: field 'slo' stands there twice, as 0.9 and 0.99; allowed: once"
    )

"""
A recorded stream is read back as it was written, and errors name what is wrong with its files.
A simulated stream has the format of real ones, and equal seeds give equal streams.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from slomon import ConfigurationError, Malformed, example_streams, get_service_monitor
from slomon.example_streams import SimulatedStream, open_recording

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
def test_a_line_that_is_no_event_is_rejected_and_the_others_count(
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


def test_a_line_that_is_too_long_is_one_malformed_event(
    tmp_path: Path, info: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(example_streams, "MAX_LINE", 60)
    good = b'{"type": "access", "value": "1 GET /users 200"}'
    events = write_events(tmp_path, b"\n".join([good, b"x" * 1000, b"x" * 61, good]))

    with open_recording(events, info) as stream:
        monitor = get_service_monitor(stream)

    assert monitor.accounting.accesses == 2
    assert [one.reason for one in monitor.rejections] == [
        "line 2 has over 60 characters",
        "line 3 has over 60 characters",
    ]


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


def record(stream: SimulatedStream) -> list[dict[str, str]]:
    return list(iter(stream.generate_event, {"type": "end-of-stream", "value": "end-of-stream"}))


def changes(events: list[dict[str, str]]) -> list[str]:
    return [event["value"] for event in events if event["type"] == "change"]


def digest(seed: int) -> str:
    stream = SimulatedStream(seed=seed, max_events=5_000)
    text = json.dumps([stream.get_info(), record(stream)])
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_same_seed_gives_the_same_stream_on_every_machine() -> None:
    assert digest(1337) == "edc5f2187fa33cef3bc709936b11612d6f8638aabe60bb7b3c9ecfe81b29be24"


def test_another_seed_gives_another_stream() -> None:
    assert digest(1) != digest(2)


def test_the_stream_has_as_many_events_as_asked_for_and_then_ends_again_and_again() -> None:
    stream = SimulatedStream(max_events=3)

    assert len(record(stream)) == 3
    assert stream.generate_event()["type"] == stream.generate_event()["type"] == "end-of-stream"


def test_every_event_has_the_format_of_real_ones() -> None:
    access = re.compile(r"\d{10}\.\d{4} GET /api/v1/[a-z]+\d+ (200|500)")
    change = re.compile(
        r"commit: [0-9a-f]{32}\nAuthor: <[a-z]+@[a-z]+\.com>\n"
        r"Date: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\nService: [a-z]+\d+\n"
    )

    for event in record(SimulatedStream(max_events=20_000)):
        form = access if event["type"] == "access" else change
        assert form.fullmatch(event["value"])


def test_requests_come_in_order_at_the_rates_of_their_endpoints_within_a_tenth() -> None:
    stamps: dict[str, list[float]] = {}
    events = record(SimulatedStream(max_events=20_000))
    lines = [event["value"].split() for event in events if event["type"] == "access"]
    for stamp, _, resource, _ in lines:
        stamps.setdefault(resource, []).append(float(stamp))

    assert [line[0] for line in lines] == sorted(line[0] for line in lines)
    for times in stamps.values():
        intervals = [later - earlier for earlier, later in pairwise(times)]
        rate = round(1 / (sum(intervals) / len(intervals)))
        assert rate in (1, 5, 10)
        assert all(0.899 < interval * rate < 1.101 for interval in intervals)


def test_changes_are_ten_seconds_apart_and_their_dates_are_local_to_no_named_zone() -> None:
    events = record(SimulatedStream(max_events=50_000))
    dates = [
        datetime.strptime(text.split("\n")[2], "Date: %Y-%m-%d %H:%M:%S.%f")
        for text in changes(events)
    ]
    first = datetime(2018, 11, 28, 14, 11, 31)  # eight hours behind UTC

    assert len(dates) > 20
    assert first < dates[0] < first + timedelta(seconds=21)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(dates)]
    assert min(gaps) > 9.999


def test_endpoints_have_slos_and_windows_as_promised() -> None:
    entries = SimulatedStream(endpoints=500).get_info()

    assert {entry["slo"] for entry in entries} == {0.9, 0.95, 0.99, 0.999, 0.9999}
    assert {entry["window"] for entry in entries} == {30}
    assert len({entry["name"] for entry in entries}) == 500
    assert len({entry["resource"] for entry in entries}) == 500


def test_without_bugs_nothing_ever_fails() -> None:
    monitor = get_service_monitor(SimulatedStream(max_events=20_000, prob_bug=0))

    assert monitor.api_histogram() == {}


def test_if_every_change_to_a_healthy_api_breaks_it_the_next_one_repairs_it() -> None:
    stream = SimulatedStream(max_events=30_000, prob_bug=1, prob_error=1, endpoints=2)
    deploys: dict[str, list[str]] = {}
    events = record(stream)
    for text in changes(events):
        commit, _, _, service = (line.split(": ")[1] for line in text.splitlines())
        deploys.setdefault(service, []).append(commit)

    replayed = iter(events)
    stream.generate_event = lambda: next(replayed, {"type": "end-of-stream", "value": ""})  # type: ignore[method-assign]
    details = get_service_monitor(stream).incident_details()

    assert sum(map(len, details.values())) > 20
    for service, incidents in details.items():
        for incident in incidents:
            order = deploys[service]
            assert order.index(incident["break"]) % 2 == 0
            if incident["fix"]:
                assert order.index(incident["fix"]) > order.index(incident["break"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prob_bug": 1.5}, "prob_bug is 1.5; allowed: a probability, from 0 to 1"),
        ({"prob_error": -0.1}, "prob_error is -0.1; allowed: a probability, from 0 to 1"),
        ({"prob_bug": float("nan")}, "prob_bug is nan; allowed: a probability, from 0 to 1"),
        ({"max_events": -1}, "max_events is -1; allowed: a whole number from 0 up"),
        ({"endpoints": 0}, "endpoints is 0; allowed: a whole number from 1 up"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SimulatedStream(**settings)

    assert str(caught.value) == message

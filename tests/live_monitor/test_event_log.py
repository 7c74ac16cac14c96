"""What a live monitor records, replayed: the same answers. Nothing stops the service."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.typing import EventDict

from slomon import StateFileError
from slomon.core.batching import Item
from slomon.core.events import Change, End, Malformed, read_event
from slomon.live_monitor.batching import LONGEST_EVENT, show_change
from slomon.live_monitor.event_log import EventLog
from tests.live_monitor.limits import files_end_at
from tests.live_monitor.services import access, change, replay

TEXT = st.text(st.characters(codec=None), max_size=20)
LINE = TEXT.filter(lambda text: text.strip() and "\n" not in text and "\r" not in text)
ITEMS = st.lists(
    TEXT | st.builds(Change, LINE, LINE, LINE, LINE) | st.builds(Malformed, TEXT, TEXT), max_size=8
)

END = End(7)

in_any_folder = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def record(path: Path, *batches: list[Item]) -> None:
    recording = EventLog(path)
    recording.begin()
    for items in batches:
        recording.write(items)
    recording.end(7)


def read(path: Path) -> list[Any]:
    """What its lines say."""
    events = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    return [read_event(event) for event in events]


@in_any_folder
@given(ITEMS, ITEMS)
def test_events_are_read_as_they_were_written(
    tmp_path: Path, first: list[Item], second: list[Item]
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        path = Path(folder) / "events"
        record(path, first, second)
        record(path, [])
        found = read(path)
    assert found.pop() == END
    for event, item in zip(found, first + second, strict=True):
        if isinstance(item, Malformed):
            assert isinstance(event, Malformed)
            assert event.text == item.text
        else:
            assert event == item


def test_who_goes_on_takes_the_end_back(tmp_path: Path) -> None:
    path = tmp_path / "events"
    for number in range(3):
        record(path, [f"{number}", change("c1")])
    assert read(path) == ["0", change("c1"), "1", change("c1"), "2", change("c1"), END]


LONG = "\U0001f600" * LONGEST_EVENT
"""As long in the file as any."""


@pytest.mark.parametrize("last", ["x", LONG], ids=["short", "long"])
def test_a_line_that_was_cut_off_is_cut_away(tmp_path: Path, last: str) -> None:
    path = tmp_path / "events"
    record(path, ["a", "b", last])
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    begin = len(data) - len(lines[-1]) - len(lines[-2])
    step = max(len(lines[-2]) // 20, 1)
    for size in [*range(begin, len(data), step), len(data) - 1, len(data)]:
        path.write_bytes(data[:size])
        record(path, ["c"])
        whole = [last] if size >= begin + len(lines[-2]) else []
        assert read(path) == ["a", "b", *whole, "c", END]


@pytest.mark.parametrize(
    "data", [b"", b'{"ty', b'{"type": "access", "va', b'{"type": "end-of-stream"}\n']
)
def test_where_no_event_is_whole_the_first_one_follows(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "events").write_bytes(data)
    record(tmp_path / "events", ["a"])
    assert read(tmp_path / "events") == ["a", END]


def test_a_long_line_that_was_cut_off_after_a_long_one_is_cut_away(tmp_path: Path) -> None:
    path = tmp_path / "events"
    record(path, ["a", LONG, LONG])
    data = path.read_bytes()
    path.write_bytes(data[: data.rfind(b'"}', 0, data.rfind(b"{"))])
    record(path, ["b"])
    assert read(path) == ["a", LONG, "b", END]


@pytest.mark.parametrize(
    "data",
    [
        *(b'{"precious": 1}', b'{"type": "access", "from": "another program"}\n', b"cut off"),
        *(b"\x89PNG\n\x00\xff" + b"\n\x00" * 99, b"\n", b"[]\n", b'"change"\n', b"[" * 200_000),
        *(b"[" * 50_000 + b"\n", b'{"type": []}\n', b'{"type": "x"}\nmore', b"slomon state 4\n"),
    ],
    ids=range(12),
)
def test_what_is_no_recording_is_refused_and_untouched(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "precious"
    path.write_bytes(data)
    with pytest.raises(StateFileError, match="precious is no recording of a live monitor"):
        EventLog(path).begin()
    assert path.read_bytes() == data


@pytest.mark.parametrize("where", ["no/folder/events", "folder", "pipe", "/dev/full", "/dev/zero"])
def test_a_place_where_nothing_can_be_recorded_is_reported_at_once(
    tmp_path: Path, where: str
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"No such file|no file") as caught:
        EventLog(tmp_path / where).begin()
    assert caught.value.filename == str(tmp_path / where)


def test_a_full_disk_ends_the_recording_and_nothing_else(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    path = tmp_path / "events"
    recording = EventLog(path)
    recording.begin()
    recording.write(["a"])
    with files_end_at(100):
        recording.write(["b" * 50, "c" * 50])
    recording.write(["d"])
    recording.end(7)

    assert [(entry["event"], entry["file"]) for entry in logs] == [("recording.ended", str(path))]
    assert path.stat().st_size == 100
    record(path, ["e"])  # where the disk has room again
    assert read(path) == ["a", "e", END]


def test_a_recording_is_replayed_as_the_format_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "events"
    change_text = show_change("users", "c1", "<ana@example.com>", "today")
    assert read_event({"type": "change", "value": change_text}) == change("c1")
    record(path, [change("c1"), access(100, status=500)])
    monitor = replay(path, slo=0.9, window=30, service="users")
    assert monitor.incident_details() == {
        "users": [{"start": 100.0, "end": -1, "fix": "", "break": "c1"}]
    }

"""What a live monitor records, replayed: the same answers. Nothing stops the service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.typing import EventDict

import slomon
from slomon import StateFileError
from slomon.core.batching import Item
from slomon.core.events import Change, End, Gap, Malformed, read_event
from slomon.live_monitor.batching import LONGEST_EVENT, show_change
from slomon.live_monitor.event_log import EventLog
from slomon.report.terminal import show_accounting
from tests.live_monitor.limits import files_end_at
from tests.live_monitor.services import ENTRIES, access, answers, change, recorded, replay

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
        recording.write(items, 5)
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


def describe(logs: list[EventDict]) -> list[list[object]]:
    return [
        [one["event"], *(one[name] for name in ("missing", "began", "ended") if name in one)]
        for one in logs
    ]


SECOND = 10**9


def test_a_full_disk_leaves_a_gap_and_no_part_of_a_line(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    path = tmp_path / "events"
    recording = EventLog(path)
    recording.begin()
    recording.write(["a"], SECOND)
    whole = path.stat().st_size
    with files_end_at(100):
        recording.write(["b" * 50, "c" * 50], 2 * SECOND)
        assert path.stat().st_size == whole
        recording.write(["d"] * 5, 4 * SECOND)
        recording.write(["e"], 5 * SECOND - 1)
    recording.write(["f"], 5 * SECOND)
    recording.write(["g"], 5 * SECOND)
    recording.end(6 * SECOND)

    gap = Gap(8, 2 * SECOND, 5 * SECOND - 1)
    assert read(path) == ["a", gap, "f", "g", End(6 * SECOND)]
    assert describe(logs) == [
        ["recording.interrupted"],
        ["recording.resumed", 8, 2.0, 4.999999999],
    ]
    record(path, ["h"])
    assert read(path) == ["a", gap, "f", "g", "h", END]


def test_it_is_tried_once_a_second_whether_there_is_room_again(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    recording = EventLog(tmp_path / "events")
    recording.begin()
    with files_end_at(0):
        recording.write(["a"], 5 * SECOND)
    recording.write(["b"], 6 * SECOND - 1)  # there is room, but it was tried just before
    recording.write(["c"], 6 * SECOND)
    with files_end_at(0):
        recording.write(["d"], 6 * SECOND)
    recording.write(["e"], 3 * SECOND)  # the clock was set back
    recording.end(3 * SECOND)
    gaps = Gap(2, 5 * SECOND, 6 * SECOND - 1), Gap(1, 6 * SECOND, 6 * SECOND)
    assert read(tmp_path / "events") == [gaps[0], "c", gaps[1], "e", End(3 * SECOND)]
    assert [one["event"] for one in logs] == ["recording.interrupted", "recording.resumed"] * 2


def test_a_file_that_could_not_be_opened_is_opened_with_later_events(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    path = tmp_path / "events"
    record(path, ["a"])
    path.rename(tmp_path / "elsewhere")
    path.mkdir()
    recording = EventLog(path)
    with pytest.raises(OSError, match="no file"):
        recording.begin()
    recording.write(["b"], SECOND)
    path.rmdir()
    (tmp_path / "elsewhere").rename(path)
    recording.write(["c"], 2 * SECOND - 1)  # it was tried just before
    recording.write(["d"], 2 * SECOND)
    recording.end(3 * SECOND)
    assert read(path) == ["a", Gap(2, SECOND, 2 * SECOND - 1), "d", End(3 * SECOND)]
    assert [one["event"] for one in logs] == ["recording.interrupted", "recording.resumed"]


def test_a_gap_at_the_end_is_written_when_the_recording_ends(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    recording = EventLog(tmp_path / "events")
    recording.begin()
    with files_end_at(0):
        recording.write(["a"], 5)
    recording.end(7)
    assert read(tmp_path / "events") == [Gap(1, 5, 5), END]
    assert len(logs) == 2


def test_a_gap_that_cannot_be_written_at_the_end_follows_when_the_monitor_goes_on(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    recording = EventLog(tmp_path / "events")
    recording.begin()
    recording.write(["a"], 5)
    with files_end_at(60):
        recording.write(["b", "c"], 6)
        recording.end(7)
    assert read(tmp_path / "events") == ["a"]
    recording.begin()
    recording.write(["d"], 2 * SECOND)
    recording.end(2 * SECOND)
    assert read(tmp_path / "events") == ["a", Gap(2, 6, 7), "d", End(2 * SECOND)]
    assert [one["event"] for one in logs] == [
        *("recording.interrupted", "recording.incomplete", "recording.resumed")
    ]


def test_a_file_that_another_program_shortened_is_not_lengthened(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    path = tmp_path / "events"
    recording = EventLog(path)
    recording.begin()
    recording.write(["a" * 50], 5)
    path.write_bytes(b"")  # as log rotation does that copies a file and empties it
    with files_end_at(10):
        recording.write(["b"], 6)
    recording.end(7)
    assert read(path) == [Gap(1, 6, 6), END]
    assert len(logs) == 2


@pytest.mark.parametrize("backend", ["python", "compiled"])
def test_a_replay_counts_missing_events_and_warns_of_them(
    tmp_path: Path, logs: list[EventDict], backend: str
) -> None:
    path = tmp_path / "events"
    recording = EventLog(path)
    recording.begin()
    recording.write([change("c1"), access(100, status=500)], 100 * SECOND)
    with files_end_at(0):
        recording.write([access(101)] * 3, 101 * SECOND)
    recording.write([access(200)], 200 * SECOND)
    recording.end(201 * SECOND)
    logs.clear()

    replayed = replay(path, endpoints=ENTRIES, backend=backend)
    assert [one["code"] for one in logs if one["log_level"] == "warning"] == ["missing_events"]
    accounting = asdict(replayed.accounting)
    counts = {"lines": 5, "events": 3, "accesses": 2, "changes": 1, "rejected": 0, "blank": 2}
    assert {name: accounting[name] for name in counts} == counts
    assert accounting["missing"] == 3
    assert "3 events are missing" in slomon.Report(replayed).to_html()
    assert ", missing 3" in show_accounting(replayed.accounting)

    consumed = slomon.get_service_monitor(recorded(path))
    assert consumed.accounting.missing == 3
    assert consumed.incident_details() == replayed.incident_details()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can mount a disk")
def test_a_disk_that_is_full_and_has_room_again_leaves_a_gap(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=65536", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted")
    try:
        recording = EventLog(disk / "events")
        recording.begin()
        recording.write([access(1)], SECOND)
        (disk / "other").write_bytes(b"x" * 40_000)
        for second in range(2, 50):
            recording.write([access(second)] * 50, second * SECOND)
        torn = (disk / "events").read_bytes()
        (disk / "other").unlink()
        recording.write([access(60)], 60 * SECOND)
        recording.end(61 * SECOND)
        found = read(disk / "events")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
    gap = next(one for one in found if isinstance(one, Gap))
    before, after = found[: found.index(gap)], found[found.index(gap) + 1 :]
    assert torn.endswith(b"\n")
    assert after == [access(60), End(61 * SECOND)]
    assert len(before) + gap.events == 1 + 48 * 50
    assert gap.ended == 49 * SECOND
    assert [one["event"] for one in logs] == ["recording.interrupted", "recording.resumed"]


def test_a_recording_is_replayed_as_the_format_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "events"
    change_text = show_change("users", "c1", "<ana@example.com>", "today")
    assert read_event({"type": "change", "value": change_text}) == change("c1")
    record(path, [change("c1"), access(100, status=500)])
    monitor = replay(path, slo=0.9, window=30, service="users")
    assert monitor.incident_details() == {
        "users": [{"start": 100.0, "end": -1, "fix": "", "break": "c1"}]
    }


async def kill_between(folder: Path, *, count: int) -> None:
    """A process that is killed when it has written its last events, but not counted them."""
    script = f"""
import os
import anyio, slomon
from slomon.live_monitor.persistence import StateFile
from tests.live_monitor.services import ENTRIES

async def serve(state, event_log):
    async with slomon.live(ENTRIES, state=state, event_log=event_log) as monitor:
        for _ in range(3):
            monitor.access("GET", "/users", 200)
            await monitor.flush()
        StateFile.append = lambda *_: os._exit(0)
        for _ in range({count}):
            monitor.access("GET", "/users", 500)
        await monitor.flush()

anyio.run(serve, {str(folder / "state")!r}, {str(folder / "events")!r})
"""
    await anyio.run_process([sys.executable, "-c", script])


async def test_events_that_were_recorded_but_not_counted_are_removed(tmp_path: Path) -> None:
    state, events = tmp_path / "state", tmp_path / "events"
    await kill_between(tmp_path, count=2)
    log, kept = events.read_bytes(), [state, state.with_name("state.journal")]
    saved = [file.read_bytes() for file in kept]
    assert log.count(b"\n") == 5
    others = [
        log.replace(b" 200", b" 201"),
        log * 200,  # more than is counted at once
        log[: log.index(b"\n") + 1],
        b"",
    ]
    for other in others:  # of another log nothing is removed
        events.write_bytes(other)
        async with slomon.live(ENTRIES, state=state, event_log=events):
            assert events.read_bytes() == other
        for file, content in zip(kept, saved, strict=True):
            file.write_bytes(content)
    events.write_bytes(log)
    async with slomon.live(ENTRIES, state=state, event_log=events) as monitor:
        assert events.read_bytes() == b"".join(log.splitlines(keepends=True)[:3])
        monitor.access("GET", "/users", 500)
    replayed = slomon.get_service_monitor(recorded(events))
    assert answers(replayed) == answers(monitor.snapshot())
    assert replayed.accounting.events == monitor.snapshot().accounting.events == 4

"""The file of malformed lines, which a run can go on with."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from slomon.core.events import RejectedLine
from slomon.errors import ConfigurationError
from slomon.log_replay.rejects import RejectsFile

LINES = [RejectedLine("a.log", number, f"text \x1b{number}", "why") for number in (1, 2)]


def records(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_each_line_is_a_record(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    path.write_text("old", encoding="utf-8")
    with RejectsFile(path) as file:
        for line in LINES:
            file.write(line)

    assert records(path) == [
        {"file": "a.log", "line": 1, "reason": "why", "text": "text \x1b1"},
        {"file": "a.log", "line": 2, "reason": "why", "text": "text \x1b2"},
    ]


def test_a_resumed_run_goes_on_where_it_was_synced(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    with RejectsFile(path) as file:
        file.write(LINES[0])
        synced = file.sync()
        assert path.stat().st_size == synced
        file.write(LINES[0])
    with RejectsFile(path, synced) as file:
        file.write(LINES[1])
        assert file.sync() == 2 * synced

    assert [record["line"] for record in records(path)] == [1, 2]  # type: ignore[index]


def test_a_file_that_is_shorter_than_what_is_to_be_kept_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    path.write_text("old", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="has 3 bytes, 4 of them are to be kept; allowed"):
        RejectsFile(path, 4)
    assert path.read_text(encoding="utf-8") == "old"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_a_file_that_another_run_writes_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    with RejectsFile(path) as file:
        file.write(LINES[0])
        synced = file.sync()
        for keep in (0, synced, 10 * synced):
            with pytest.raises(OSError, match="is in use by another process") as caught:
                RejectsFile(path, keep)
            assert caught.value.filename == str(path)
        file.write(LINES[1])

    assert len(records(path)) == 2


def test_a_device_may_be_shared() -> None:
    with RejectsFile(Path(os.devnull)) as one, RejectsFile(Path(os.devnull)) as other:
        one.write(LINES[0])
        other.write(LINES[0])


def test_a_full_disk_is_reported_with_the_name() -> None:
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        write("/dev/full")


def write(path: str) -> None:
    with RejectsFile(Path(path)) as file:
        file.write(LINES[0])
        file.sync()

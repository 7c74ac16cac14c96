"""The changes of several files are one history."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from slomon.dates import parse_zone
from slomon.deploys import history as history_module
from slomon.deploys.history import History, read_history
from slomon.errors import ConfigurationError
from tests.histories import write

HEADER = "commit,date,service\n"


def commits(history: History) -> list[str]:
    return [change.commit for _, change in history.changes]


def test_changes_of_several_files_are_merged_by_time(tmp_path: Path) -> None:
    one = write(tmp_path, "one.csv", HEADER + "a,1,x\nc,3,x\n")
    two = write(tmp_path, "two.csv.gz", gzip.compress((HEADER + "b,2,\nd,3,\n").encode()))
    history = read_history([one, two], None, "shop")

    assert commits(history) == ["a", "b", "c", "d"]
    assert [change.service for _, change in history.changes] == ["x", "shop", "x", "shop"]


def test_a_malformed_record_is_rejected_with_its_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", HEADER + "a,1,x\nb,soon,x\n")
    (rejected,) = read_history([path], None, "").rejected

    assert (rejected.file, rejected.line) == (path, 3)
    assert "'soon'" in rejected.reason


def test_dates_without_a_zone_need_one(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", HEADER + "a,2018-11-28 14:11:31,x\n")

    with pytest.raises(ConfigurationError, match=r"a\.csv: line 2: .* --change-zone"):
        read_history([path], None, "")
    ((tick, _),) = read_history([path], parse_zone("-08:00"), "").changes
    assert tick == 1_543_443_091_000_000_000


def test_the_exclusions_of_several_files_are_added(tmp_path: Path) -> None:
    header = "commit,date,env\n"
    one = write(tmp_path, "one.csv", header + "a,1,qa\nb,2,dev\n")
    two = write(tmp_path, "two.csv", header + "c,1,dev\nd,2,production\n")
    found = read_history([one, two], None, "")

    assert found.excluded == {"environment is dev": 2, "environment is qa": 1}
    assert commits(found) == ["d"]


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    damaged = write(tmp_path, "a.csv.gz", b"\x1f\x8b\x08\x00")

    with pytest.raises(OSError, match=r"a\.csv\.gz: "):
        read_history([damaged], None, "")


@pytest.mark.slow
def test_all_records_may_stand_on_one_long_line(tmp_path: Path) -> None:
    records = [
        {"sha": str(number), "ts": number, "author": "\u00e9" * 300} for number in range(9_000)
    ]
    path = write(tmp_path, "a.json", json.dumps(records, ensure_ascii=False))
    found = read_history([path], None, "")

    assert [change.author for _, change in found.changes] == ["\u00e9" * 300] * 9_000
    assert found.rejected == []


@pytest.mark.parametrize(
    ("bound", "reason"),
    [
        ("MAX_BYTES", "it has over 40 bytes of text; allowed: at most 40"),
        ("MAX_LINES", "it has over 40 lines; allowed: at most 40"),
        ("MAX_RECORDS", "it has over 40 records; allowed: at most 40"),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_is_bounded(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    reason: str,
    compress: Callable[[bytes], bytes],
) -> None:
    path = write(tmp_path, "a.csv", compress((HEADER + "a,1,x\n" * 41).encode()))
    assert len(read_history([path], None, "").changes) == 41

    monkeypatch.setattr(history_module, bound, 40)
    with pytest.raises((OSError, ConfigurationError)) as caught:
        read_history([path], None, "")
    assert str(caught.value) == f"{path}: {reason}"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the device is Unix's")
def test_a_device_that_never_ends_is_an_error() -> None:
    with pytest.raises(OSError, match=r"^/dev/zero: it has over 67108864 bytes of text; allowed: "):
        read_history(["/dev/zero"], None, "")


def test_blank_lines_before_the_first_record_are_skipped(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "\n \n" * 100_000 + HEADER + "a,1,x\n")
    assert commits(read_history([path], None, "")) == ["a"]


def test_the_format_is_detected_near_the_first_line_that_is_not_blank(tmp_path: Path) -> None:
    near = write(tmp_path, "near.csv", "note\n" * 1000 + HEADER + "a,1,x\n")
    assert commits(read_history([near], None, "")) == ["a"]

    far = write(tmp_path, "far.csv", "note\n" * 20_000 + HEADER + "a,1,x\n")
    with pytest.raises(ConfigurationError, match=r"far\.csv: the changes begin with 'note"):
        read_history([far], None, "")

"""The changes of several files are one history."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from slomon.core.events import Change
from slomon.dates import parse_zone
from slomon.deploys.history import History, read_history
from slomon.errors import ConfigurationError
from slomon.sources.source import MAX_LINE
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


def test_services_that_own_no_endpoint_are_listed_once() -> None:
    changes = [(1, Change("a", "-", "-", name)) for name in ("shop", "", "cart", "blog", "cart")]
    assert History(changes, []).find_unmatched_services("shop".__eq__) == ["cart", "blog"]


def test_a_damaged_or_oversized_file_is_an_error(tmp_path: Path) -> None:
    damaged = write(tmp_path, "a.csv.gz", b"\x1f\x8b\x08\x00")
    endless = write(tmp_path, "b.csv", HEADER + "x" * (MAX_LINE + 1))

    with pytest.raises(OSError, match=r"a\.csv\.gz: "):
        read_history([damaged], None, "")
    with pytest.raises(OSError, match=r"b\.csv: the line has \d+ bytes; allowed"):
        read_history([endless], None, "")

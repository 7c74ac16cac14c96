"""The changes of several files are one history."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from slomon.core.events import Change, RejectedLine
from slomon.dates import parse_zone
from slomon.deploys.history import History, read_history, show_reasons
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
    assert History([], []).find_unmatched_services(set()) == []


SECOND = 1_000_000_000


def history(
    *ticks: int, service: str = "", date: str = "5", bad: int = 0, **excluded: int
) -> History:
    changes = [(tick * SECOND, Change("c", "", date, service)) for tick in ticks]
    rejected = [RejectedLine("a.csv", 2, "x", "it has no commit")] * bad
    return History(changes, rejected, excluded)


@pytest.mark.parametrize(
    ("found", "warnings"),
    [
        (history(), []),
        (history(5), []),
        (history(0, 100), []),  # the deploys before and after the log
        (history(5, bad=3, failed=9), []),
        (
            history(bad=3),
            [("deploys_rejected", "all 3 deploys were rejected: it has no commit")],
        ),
        (
            history(bad=3, qa=2),
            [("deploys_excluded", "no deploy counts, 2 were left out: qa 2")],
        ),
        (
            history(5, service="cart"),
            [("deploys_unmatched", "deploys are of services that no endpoint has: cart")],
        ),
        (
            history(100, 101),
            [
                (
                    "deploys_outside",
                    "all deploys (1970-01-01 00:01:40 to 1970-01-01 00:01:41) are outside of the "
                    "log (1970-01-01 00:00:02 to 1970-01-01 00:00:09)",
                )
            ],
        ),
        (
            history(5, date="1970-01-01"),
            [
                (
                    "deploys_without_time",
                    "dates of deploys without a time: 1; they count from midnight",
                )
            ],
        ),
    ],
)
def test_a_history_that_does_not_fit_the_log_has_warnings(
    found: History, warnings: list[tuple[str, str]]
) -> None:
    assert found.find_warnings({"shop"}, 2 * SECOND, 9 * SECOND) == warnings


def test_a_log_without_accesses_has_no_deploys_outside() -> None:
    assert history(100).find_warnings({"shop"}, None, 0) == []


def test_a_history_before_a_log_has_a_deploy_that_may_have_broken_it() -> None:
    assert [code for code, _ in history(0, 1).find_warnings({""}, 2 * SECOND, 9 * SECOND)] == [
        "deploys_outside"
    ]


def test_the_exclusions_of_several_files_are_added_and_the_most_frequent_come_first(
    tmp_path: Path,
) -> None:
    header = "commit,date,env\n"
    one = write(tmp_path, "one.csv", header + "a,1,qa\nb,2,dev\n")
    two = write(tmp_path, "two.csv", header + "c,1,dev\nd,2,production\n")
    found = read_history([one, two], None, "")

    assert list(found.excluded.items()) == [("environment is dev", 2), ("environment is qa", 1)]
    assert commits(found) == ["d"]


def test_reasons_are_shown_on_one_line() -> None:
    assert show_reasons({"status is failed": 1200, "environment is qa": 3}) == (
        "status is failed 1,200, environment is qa 3"
    )
    assert show_reasons({str(number): 2 for number in range(9)}) == (
        "0 2, 1 2, 2 2, 3 2, 4 2, other reasons 8"
    )


def test_a_damaged_or_oversized_file_is_an_error(tmp_path: Path) -> None:
    damaged = write(tmp_path, "a.csv.gz", b"\x1f\x8b\x08\x00")
    endless = write(tmp_path, "b.csv", HEADER + "x" * (MAX_LINE + 1))

    with pytest.raises(OSError, match=r"a\.csv\.gz: "):
        read_history([damaged], None, "")
    with pytest.raises(OSError, match=r"b\.csv: the line has \d+ bytes; allowed"):
        read_history([endless], None, "")

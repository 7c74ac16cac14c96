"""A replay whose result can't be trusted says so; one that can be says nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import slomon
from slomon.core.trust import ResultWarning
from tests.histories import ENTRY, write

MINUTE = 60
BEGIN = 1_741_608_000  # 2025-03-10, 12:00 UTC


def lines(minutes: Iterable[int], resource: str = "/cart") -> str:
    return "".join(
        f"{BEGIN + MINUTE * minute} GET {resource} {500 if 10 <= minute < 15 else 200}\n"
        for minute in minutes
    )


def warn(*logs: str, **options: Any) -> list[ResultWarning]:
    return slomon.replay(list(logs), backend="python", **options).warnings


def codes(warnings: Iterable[ResultWarning]) -> list[tuple[str, bool]]:
    return [(warning.code, warning.certain) for warning in warnings]


def deploy(folder: Path, *minutes: int, service: str = "", zone: str = "Z") -> str:
    records = [
        {
            "commit": f"c{minute}",
            "deployed_at": f"2025-03-10T{12 + minute // 60:02}:{minute % 60:02}:00{zone}",
            "service": service,
        }
        for minute in minutes
    ]
    return write(folder, "deploys.json", "".join(json.dumps(record) + "\n" for record in records))


def test_a_log_in_order_with_its_deploys_has_no_warning(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", lines(range(60)))
    assert warn(log, changes=deploy(tmp_path, 9, 14)) == []
    assert warn(log, changes=deploy(tmp_path, 9, 90)) == []
    assert warn(log) == []


def test_a_log_whose_first_lines_run_from_new_to_old_is_sorted(tmp_path: Path) -> None:
    minutes = list(range(60))
    log = write(tmp_path, "a.log", lines(reversed(minutes)))
    in_order = slomon.replay(write(tmp_path, "b.log", lines(minutes)))
    (warning,) = warn(log)
    assert (warning.code, warning.certain) == ("newest_first", False)
    assert slomon.replay(log).incident_details() == in_order.incident_details()
    assert slomon.replay(log).accounting.late == 0


def test_a_log_that_later_runs_from_new_to_old_is_certainly_wrong(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", lines([58, 59, *reversed(range(58))]))
    (warning,) = warn(log, changes=deploy(tmp_path, 9), lateness="5s")
    assert (warning.code, warning.certain) == ("newest_first", True)
    assert f"the lines of {log} run from new to old" in warning.text.replace("... (", log)[:2000]
    assert "tac" in warning.text


def test_a_log_that_runs_from_new_to_old_within_the_lateness_is_in_order(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", lines(reversed(range(60))))
    assert warn(log, lateness="1h") == []


def test_of_several_hosts_the_one_that_runs_backwards_is_named(tmp_path: Path) -> None:
    good = write(tmp_path, "good.log", lines(range(60)))
    bad = write(tmp_path, "bad.log", lines(reversed(range(60))))
    (warning,) = warn(good, bad)
    assert "bad.log" in warning.text
    assert "good.log" not in warning.text


def test_parts_that_follow_each_other_are_late_and_certainly_wrong(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", lines(range(60)) + lines(range(60)))
    (warning,) = warn(log, lateness="5s")
    assert (warning.code, warning.certain) == ("late_accesses", True)
    assert "58 of 120 accesses (48.3%)" in warning.text
    assert "--lateness 59m" in warning.text
    assert "give each part as a file of its own" in warning.text


@pytest.mark.parametrize(
    ("disorder", "found"),
    [
        pytest.param([59], [("late_accesses", False)], id="few, though by hours"),
        pytest.param(range(57, 60), [("late_accesses", False)], id="few"),
    ],
)
def test_some_late_accesses_are_a_warning_that_may_be_wrong(
    tmp_path: Path, disorder: Iterable[int], found: list[tuple[str, bool]]
) -> None:
    late = lines(minute - 59 for minute in disorder)
    log = write(tmp_path, "a.log", lines(range(60)) + late)
    assert codes(warn(log, lateness="5s")) == found


def test_many_accesses_that_are_late_by_less_than_a_window_are_not_certainly_wrong(
    tmp_path: Path,
) -> None:
    log = write(tmp_path, "a.log", lines(minute + 2 - 2 * (minute % 3) for minute in range(60)))
    assert codes(warn(log, lateness="5s")) == [("late_accesses", False)]
    assert codes(warn(log, lateness="5s", window="1m")) == [("late_accesses", True)]


@pytest.mark.parametrize(
    "minutes",
    [
        pytest.param([58, 59, *reversed(range(58))], id="new to old"),
        pytest.param([*range(30), *range(60)], id="parts"),
        pytest.param([2, 1, 0], id="few"),
        pytest.param([minute + 2 - 2 * (minute % 3) for minute in range(900)], id="long"),
    ],
)
def test_a_log_whose_first_lines_show_its_disorder_is_sorted(
    tmp_path: Path, minutes: list[int]
) -> None:
    log = write(tmp_path, "a.log", lines(minutes))
    in_order = slomon.replay(write(tmp_path, "b.log", lines(sorted(minutes))), backend="python")
    monitor = slomon.replay(log, backend="python")
    assert monitor.warnings == []
    assert monitor.incident_details() == in_order.incident_details()
    assert monitor.accounting.late == 0


def test_one_late_access_in_a_hundred_is_no_warning(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", lines(range(100, 200)) + lines([100]))
    assert warn(log) == []


def test_a_log_without_a_line_that_can_be_read_is_certainly_wrong(tmp_path: Path) -> None:
    bad, good = write(tmp_path, "bad.log", "what?\n" * 9), write(tmp_path, "a.log", lines([1]))
    assert codes(warn(bad, format="plain")) == [("unread_log", True)]
    (warning,) = warn(good, bad, format="plain")
    assert (warning.code, warning.certain) == ("unread_log", True)
    assert "bad.log" in warning.text


def test_an_empty_or_blank_log_is_a_warning_only_if_all_are(tmp_path: Path) -> None:
    blank, good = write(tmp_path, "b.log", "\n \n"), write(tmp_path, "a.log", lines([1]))
    assert warn(good, blank, format="plain") == []
    assert codes(warn(blank, write(tmp_path, "c.log", ""))) == [("empty_logs", False)]


@pytest.mark.parametrize("text", ["", "[]", "commit,deployed_at\n"])
def test_a_history_without_a_record_is_a_warning(tmp_path: Path, text: str) -> None:
    log = write(tmp_path, "a.log", lines([1]))
    assert codes(warn(log, changes=write(tmp_path, "d.txt", text))) == [("empty_deploys", False)]


def test_a_log_of_requests_without_a_response_may_be_right(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", '[2016-04-15T20:17:00.310Z] "GET / HTTP/1.1" 0 DC 1\n')
    assert codes(warn(log)) == [("unread_log", False)]


def test_a_log_of_other_endpoints_is_certainly_wrong(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", lines(range(5)))
    assert codes(warn(log, endpoints=[ENTRY])) == [("unmatched_accesses", True)]


def test_a_time_range_without_an_access_is_a_warning(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", lines(range(5)))
    (warning,) = warn(log, from_="2026-01-01")
    assert (warning.code, warning.certain) == ("empty_range", False)
    assert "the logs are from 2025-03-10T12:00:00Z to 2025-03-10T12:04:00Z" in warning.text


def test_deploys_of_services_that_own_no_endpoint_are_named(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", lines(range(20), "/users"))
    changes = [deploy(tmp_path, 9, service="users")]
    assert warn(log, endpoints=[ENTRY], changes=changes) == []
    changes.append(
        write(
            tmp_path,
            "more.json",
            '{"commit": "c", "deployed_at": "2025-03-10T12:01:00Z", "service": "sh\\u001bop"}\n',
        )
    )
    (warning,) = warn(log, endpoints=[ENTRY], changes=changes)
    assert (warning.code, warning.certain) == ("unmatched_services", False)
    assert warning.text == (
        "no endpoint belongs to these services of deploys: sh\\x1bop; the services of endpoints "
        "are users"
    )


def test_the_hosts_that_a_deploy_can_name_are_shown_if_it_names_another(tmp_path: Path) -> None:
    requests = [
        f'{host}:443 192.0.2.1 - - [10/Mar/2025:12:00:{second:02} +0000] "GET / HTTP/1.1" 200 5\n'
        for second, host in enumerate(["shop.example.com", "blog.example.com"] * 6)
    ]
    log = write(tmp_path, "a.log", "".join(requests))
    (warning,) = warn(log, changes=deploy(tmp_path, 0, service="shop"))
    assert (warning.code, warning.certain) == ("lost_deploys", True)
    assert "services of deploys: shop; the services of endpoints are blog.e" in warning.text


def test_deploys_none_of_which_counts_are_certainly_wrong(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", lines(range(20)))
    (warning,) = warn(log, changes=deploy(tmp_path, 1, 2, service="shop"))
    assert (warning.code, warning.certain) == ("lost_deploys", True)
    assert "records rejected 0, unmatched 2, excluded 0; no endpoint belongs" in warning.text
    assert "shop; --service (service=) names the service" in warning.text

    undated = write(tmp_path, "bad.json", '{"commit": "c", "deployed_at": "yesterday"}\n')
    (warning,) = warn(log, changes=undated)
    assert (warning.code, warning.certain) == ("lost_deploys", True)
    assert warning.text == (
        "no deploy counts: records rejected 1, unmatched 0, excluded 0; --change-keys "
        "(change_keys=) names the fields of deploys"
    )


def test_deploys_that_all_came_after_the_logs_may_have_a_wrong_clock(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", lines(range(20)))
    (warning,) = warn(log, changes=deploy(tmp_path, 79, 80))
    assert (warning.code, warning.certain) == ("deploys_outside", False)
    assert "every deploy is after the last access, by 1h or more" in warning.text
    assert "--change-zone" in warning.text


def test_deploys_that_all_came_before_the_logs_may_have_a_wrong_zone_if_one_was_given(
    tmp_path: Path,
) -> None:
    log = write(tmp_path, "a.log", lines(range(60, 80)))
    assert warn(log, changes=deploy(tmp_path, 0)) == []
    changes = deploy(tmp_path, 9, zone="")
    (warning,) = warn(log, changes=changes, change_zone="UTC")
    assert warning.code == "deploys_outside"
    assert "every deploy is before the first access, by 51m or more" in warning.text
    assert warn(log, changes=changes, change_zone="-01:00") == []


def test_deploys_without_any_access_are_no_further_warning(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "what?\n")
    assert codes(warn(log, format="plain", changes=deploy(tmp_path, 1))) == [("unread_log", True)]

"""The terminal report: its metrics and services; it fits, is harmless and repeatable."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.core.events import Accounting, ReplayAccounting
from slomon.core.incident_records import IncidentRecord
from slomon.core.metrics import Budget, DoraMetrics, Repair
from slomon.core.outages import find_outages
from slomon.core.summary import Summary
from slomon.core.totals import sum_requests
from slomon.core.trust import ResultWarning
from slomon.report.screen import Screen, measure
from slomon.report.terminal import show_accounting, show_metrics, show_report, show_services
from tests.report.records import record, records
from tests.report.terminal_summaries import build, metrics, summary


def run() -> Summary:
    overall = replace(
        metrics(),
        incidents=4,
        repair=Repair(2, 1, 1, 1554.0, 1200.5, 3600.0, 7380.0),
        detection=123.0,
        budget=Budget(6000, 123, 60.0, -1.05),
        delivery=DoraMetrics(14, 2.333, 3, 3 / 14, 1200.0),
    )
    found = [record(resource="/a"), record(resource="/a"), record("cart"), record("mail")]
    accounting = Accounting(events=6014, accesses=6000, changes=14)
    return replace(summary(*found), overall=overall, accounting=accounting)


def test_every_metric_has_its_line() -> None:
    assert list(show_metrics(run(), Screen(120))) == [
        "Incidents    4 on 3 of 3 endpoints: 2 closed, 1 open, 1 expired",
        "Repair       MTTR 25m 54s, median 20m, p90 1h, longest 2h 3m",
        "Detection    median 2m 3s from the deploy that broke it to the incident",
        "Error budget 123 of 6,000 requests failed, 60.0 allowed: 105.0% overspent",
        "Deploys      14 (2.33 a day), failed 3 (21.4%; clear or likely causes of an incident), "
        "recovery time 20m",
        "Accounting   events 6,014 = accesses 6,000 + changes 14 + unmatched 0 + rejected 0; "
        "late 0",
    ]


@pytest.mark.parametrize(
    ("frequency", "shown"),
    [(24.0, "24"), (30.0, "30"), (2.333, "2.33"), (14_400.0, "14,400"), (1e-5, "0.00001")],
)
def test_a_rate_is_a_plain_number(frequency: float, shown: str) -> None:
    one = run()
    overall = replace(one.overall, delivery=DoraMetrics(2, frequency, 0, None, None))
    lines = list(show_metrics(replace(one, overall=overall), Screen(100)))

    assert f"Deploys      2 ({shown} a day), failed 0" in lines


@pytest.mark.parametrize(
    ("allowed", "shown"), [(1234.5, "1,234.5"), (0.25, "0.25"), (1e-5, "0.00001")]
)
def test_the_allowed_failures_are_a_plain_number(allowed: float, shown: str) -> None:
    one = run()
    overall = replace(one.overall, budget=Budget(9, 0, allowed, 1.0))
    lines = list(show_metrics(replace(one, overall=overall), Screen(100)))

    assert f"Error budget 0 of 9 requests failed, {shown} allowed: 100.0% left" in lines


def test_what_is_not_known_is_omitted() -> None:
    one = run()
    overall = replace(
        one.overall,
        repair=Repair(0, 1, 0, None, None, None, None),
        detection=None,
        budget=Budget(10, 1, 0.0, None),
        delivery=DoraMetrics(2, None, 0, None, None),
    )
    lines = list(show_metrics(replace(one, overall=overall), Screen(100)))

    assert lines[:3] == [
        "Incidents    4 on 3 of 3 endpoints: 0 closed, 1 open",
        "Error budget 1 of 10 requests failed, none allowed",
        "Deploys      2, failed 0",
    ]


def test_lines_are_wrapped_below_their_text() -> None:
    assert list(show_metrics(run(), Screen(40)))[2:5] == [
        "Repair       MTTR 25m 54s, median 20m,",
        "             p90 1h, longest 2h 3m",
        "Detection    median 2m 3s from the",
    ]


def test_the_services_that_broke_have_a_row_each_most_incidents_first() -> None:
    found = [record("a"), record("b", lasted=None), record("b", lasted=120.0)]
    lines = list(show_services(summary(*found, quiet=["calm"]), Screen(120)))

    assert lines == [
        "service  incidents  open  MTTR   detected  budget left  deploys failed",
        "b                2     1    2m  12s 500ms         0.0%               -",
        "a                1     0    1m  12s 500ms        50.0%               -",
    ]


def test_a_service_that_broke_alone_makes_no_table_and_many_are_counted() -> None:
    assert list(show_services(summary(record("shop"), quiet=["calm"]), Screen())) == []
    many = summary(*(record(f"s{number}") for number in range(1057)))
    assert list(show_services(many, Screen()))[-1] == "… and 1,047 more"
    assert len(list(show_services(many, Screen(40)))) == 12


@pytest.mark.parametrize("width", [1, 20, 40, 41, 80, 133, 400])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp437"])
def test_a_run_with_hostile_names_fits_any_width_and_encoding(width: int, encoding: str) -> None:
    lines = list(show_report(build(7, services=30, hostile=True), Screen(width, encoding)))

    assert all(measure(line) <= width and line.isprintable() for line in lines)
    "\n".join(lines).encode(encoding)


@settings(deadline=None)
@given(st.lists(records, max_size=4), st.integers(1, 120))
def test_no_line_is_wider_than_asked_and_none_holds_a_control_character(
    found: list[IncidentRecord], width: int
) -> None:
    run = summary(*found, began=0.0, ended=2.0**32)
    run = replace(run, outages=find_outages(found, sum_requests(run.endpoints)))
    for line in show_report(run, Screen(width)):
        assert measure(line) <= width
        assert line.isprintable()


def test_colours_change_nothing_but_the_colour() -> None:
    run = build(8, hostile=True)
    plain = list(show_report(run, Screen(100)))
    coloured = list(show_report(run, Screen(100, colour=True)))

    assert coloured != plain
    assert [re.sub(r"\x1b\[[0-9]+m", "", line) for line in coloured] == plain


def test_its_parts_stand_apart_and_those_with_nothing_to_show_are_left_out() -> None:
    lines = list(show_report(build(9), Screen()))
    starts = [after.split(" ")[0] for line, after in itertools.pairwise(lines) if not line]

    assert starts[:4] == ["Incidents", "outage", "endpoint", "service"]
    assert lines.count("") == 5
    assert "" not in show_report(summary(), Screen())


def test_the_same_run_gives_the_same_lines() -> None:
    assert list(show_report(build(1), Screen())) == list(show_report(build(1), Screen()))


def test_a_run_without_incidents_shows_only_its_metrics() -> None:
    assert list(show_report(summary(began=0.0, ended=0.0), Screen(120))) == [
        "Incidents    none",
        "Error budget 0 of 1,000 requests failed, 10.0 allowed: 100.0% left",
        "Accounting   lines 1,000 = accesses 1,000 + changes 0 + unmatched 0 + rejected 0 + "
        "blank 0; late 0, out of order 0,",
        "             capped 0",
    ]


def test_deploys_that_do_not_count_are_shown_by_reason() -> None:
    reasons = {str(number): 2 for number in range(7)} | {"environment is qa": 3}
    counts = ReplayAccounting(records=17, excluded=17, excluded_by_reason=reasons)

    assert show_accounting(counts) == (
        "lines 0 + records 17 = accesses 0 + changes 0 + unmatched 0 + rejected 0 + excluded 17 "
        "(environment is qa 3, 0 2, 1 2, 2 2, 3 2, other reasons 6) + blank 0; late 0, out of "
        "order 0, capped 0"
    )


def test_a_result_that_can_not_be_trusted_says_so_in_the_first_lines() -> None:
    warnings = [
        ResultWarning("a", "the lines of \x1b.log run from new to old; turn them", certain=True),
        ResultWarning("b", "some are late"),
    ]
    lines = list(show_report(replace(run(), warnings=warnings), Screen(50)))

    assert lines[:5] == [
        r"Wrong result the lines of \x1b.log run from new to",
        "             old; turn them",
        "Warning      some are late",
        "",
        "Incidents    4 on 3 of 3 endpoints: 2 closed, 1",
    ]
    assert next(iter(show_report(run(), Screen(50)))).startswith("Incidents")


def test_what_is_excluded_is_counted_by_reason() -> None:
    counted = Accounting(
        events=9, accesses=3, excluded=6, excluded_by_reason={"no_status": 1, "out_of_range": 5}
    )
    assert "+ rejected 0 + excluded 6 (out_of_range 5, no_status 1); late 0" in show_accounting(
        counted
    )


def test_the_same_path_of_two_services_is_two_endpoints() -> None:
    incidents = [
        replace(run().incidents[0], service=service, verb="GET", resource="/") for service in "ab"
    ]
    first = next(iter(show_metrics(replace(run(), incidents=incidents), Screen(100))))
    assert first.startswith("Incidents    2 on 2 of 3 endpoints")

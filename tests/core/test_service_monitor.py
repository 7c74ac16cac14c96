"""The three answers of the contract, and the accounting of events."""

from __future__ import annotations

import json
import re
from array import array

import pytest

from slomon.core.events import Accounting, Change, Rejection
from slomon.core.incident import Incident
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.totals import Totals
from slomon.errors import ConfigurationError
from tests.core.builders import make_endpoint
from tests.incidents import make_incident

SECOND = 1_000_000_000


def change(commit: str) -> Change:
    return Change(commit, "<ana@example.com>", "2018-11-28", "shop")


def incident(
    name: str = "shop",
    *,
    at: int = 0,
    start: float = 0,
    end: float | None = None,
    fixed_by: Change | None = None,
    broken_by: Change | None = None,
    expired: bool = False,
) -> Incident:
    """An incident that opened at a position in the stream; start and end are seconds."""
    return make_incident(
        make_endpoint(name, window=SECOND),
        start=round(start * SECOND),
        position=at,
        broken_by=broken_by,
        end=None if end is None else round(end * SECOND),
        end_position=None if end is None or expired else at + 1,
        fixed_by=fixed_by,
    )


def report(*incidents: Incident) -> ServiceMonitor:
    return ServiceMonitor(incidents, Accounting())


@pytest.mark.parametrize(
    ("repairs", "mttr"),
    [
        ([], 0.0),
        ([0.0], 0.0),
        ([2.0151], 2.02),
        ([2.0149], 2.01),
        ([1.0, 2.0], 1.5),
        ([1.0, 1.0, 2.0], 1.33),
        ([1.0, 2.0, 2.0], 1.67),
        ([0.125], 0.12),  # a tie, exactly: to even
        ([0.375], 0.38),
        ([86_400.0], 86_400.0),
    ],
)
def test_mttr_is_the_mean_of_the_repairs_to_two_decimals(repairs: list[float], mttr: float) -> None:
    found = report(*(incident(start=5, end=5 + repair) for repair in repairs)).mttr()
    assert (type(found), found) == (float, mttr)


def test_mttr_leaves_out_what_is_still_open() -> None:
    assert report(incident(start=5)).mttr() == 0.0
    assert report(incident(start=5), incident(start=5, end=8)).mttr() == 3.0


def test_mttr_leaves_out_expired_incidents() -> None:
    assert report(incident(start=5, end=9, expired=True)).mttr() == 0.0
    assert report(incident(start=5, end=9, expired=True), incident(start=5, end=8)).mttr() == 3.0


def test_mttr_is_exact_over_the_longest_incidents() -> None:
    assert report(*[incident(start=0, end=9e9)] * 1000).mttr() == 9e9


def test_services_are_in_the_order_in_which_they_first_broke() -> None:
    # The incidents come in the order in which the workers happened to find them.
    monitor = report(
        incident("a", at=30), incident("c", at=20), incident("b", at=10), incident("a", at=25)
    )
    assert list(monitor.incident_details()) == ["b", "c", "a"]
    assert list(monitor.api_histogram().items()) == [("b", 1), ("c", 1), ("a", 2)]


def test_details_of_a_service_are_in_order_of_start_and_all_else_in_that_of_the_stream() -> None:
    # The clock of another endpoint of the same service may be behind.
    bugs = [change("a"), change("b"), change("c")]
    monitor = report(
        incident(at=9, start=1, broken_by=bugs[0]),
        incident(at=3, start=5, broken_by=bugs[1]),
        incident(at=6, start=1, broken_by=bugs[2]),
        incident("cart", at=7, start=0),
    )
    details = monitor.incident_details()
    assert list(details) == ["shop", "cart"]
    assert [(one["start"], one["break"]) for one in details["shop"]] == [
        (1.0, "c"),
        (1.0, "a"),
        (5.0, "b"),
    ]
    assert [found.start_position for found in monitor.incidents] == [3, 6, 7, 9]


def test_a_closed_incident_has_its_four_facts_in_the_contracts_order() -> None:
    closed = incident(
        start=1543443091.2745, end=1543443093.2896, fixed_by=change("fix"), broken_by=change("bug")
    )
    closed_by_nobody = incident(at=5, start=2e9, end=2e9 + 1)
    assert json.dumps(report(closed, closed_by_nobody).incident_details()) == (
        '{"shop": ['
        '{"start": 1543443091.2745, "end": 1543443093.2896, "fix": "fix", "break": "bug"}, '
        '{"start": 2000000000.0, "end": 2000000001.0, "fix": "", "break": ""}]}'
    )


def test_an_open_incident_ends_at_minus_one_and_has_no_fix() -> None:
    monitor = report(incident(start=5, broken_by=change("bug")))
    assert json.dumps(monitor.incident_details()) == (
        '{"shop": [{"start": 5.0, "end": -1, "fix": "", "break": "bug"}]}'
    )
    assert monitor.api_histogram() == {"shop": 1}


def test_an_expired_incident_has_an_end_and_no_fix() -> None:
    monitor = report(incident(start=5, end=8, expired=True, broken_by=change("bug")))
    assert json.dumps(monitor.incident_details()) == (
        '{"shop": [{"start": 5.0, "end": 8.0, "fix": "", "break": "bug"}]}'
    )
    assert monitor.api_histogram() == {"shop": 1}


def test_a_run_without_incidents_has_empty_answers() -> None:
    monitor = report()
    assert (monitor.mttr(), monitor.api_histogram(), monitor.incident_details()) == (0.0, {}, {})
    assert (monitor.incidents, monitor.rejections) == ([], [])


def test_a_report_keeps_the_accounting_and_the_rejections() -> None:
    accounting = Accounting(events=2, accesses=1, rejected=1)
    rejections = [Rejection(1, "x", "1 fields")]

    monitor = ServiceMonitor([], accounting, rejections)

    assert monitor.accounting == accounting
    assert monitor.rejections == rejections


def test_the_answers_are_the_callers_to_change() -> None:
    monitor = report(incident())
    monitor.incident_details().clear()
    monitor.api_histogram().clear()
    assert monitor.api_histogram() == {"shop": 1}


@pytest.mark.parametrize("value", ["1d", True, -1, float("nan"), b"1", [1]])
def test_what_is_no_number_of_seconds_makes_no_change_stale(value: float) -> None:
    expected = rf"^option 'stale_after' is .*{re.escape(str(value))}.*; allowed: seconds, 0 or"
    for ask in (report().records, report().summary):
        with pytest.raises(ConfigurationError, match=expected):
            ask(stale_after=value)


@pytest.mark.parametrize("value", [0, 0.5, 10**30, float("inf")])
def test_any_other_number_is_an_age(value: float) -> None:
    found = incident(start=5, broken_by=change("c1"))
    totals = Totals([found.endpoint], array("q", [1]), array("q", [1]))
    [record] = ServiceMonitor([found], Accounting(), (), totals).records(stale_after=value)
    assert record.broken_by.commit == "c1"
    assert (record.broken_by.suspect is None) == (value < 5)


def test_a_notebook_shows_a_row_for_each_service_and_no_markup_of_a_log() -> None:
    names = ["<b>", *(f"s{number}" for number in range(60))]
    shown = report(*(incident(name, at=at) for at, name in enumerate(names)))._repr_html_()

    assert "<td>&lt;b&gt;</td><td>1</td>" in shown
    assert shown.count("<tr><td>") + int(re.findall(r"and (\d+) more", shown)[0]) == len(names)

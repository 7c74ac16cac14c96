"""Outages in words and as JSON: the costliest first, with its cause, or with no known change."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from slomon.core.attribution import Verdict
from slomon.core.incident_records import IncidentRecord
from slomon.core.outages import find_outages
from slomon.core.summary import Summary
from slomon.core.totals import EndpointTotal
from slomon.report.outages import (
    describe_cost,
    name_suspect,
    outage_documents,
    rank_outages,
    show_budget,
    show_probability,
)
from slomon.report.page import render_page
from slomon.report.screen import Screen
from slomon.report.tables import show_outages
from slomon.report.terminal import show_report
from tests.report.records import BEGAN, attribution, record
from tests.report.terminal_summaries import summary

HASH = "6d0080a" + "0" * 33


def run(*found: IncidentRecord, ended: float = BEGAN + 7200) -> Summary:
    """A run with these incidents, each of which recovered 10 s before it closed."""
    records = [replace(one, recovery=None if one.end is None else one.end - 10.0) for one in found]
    made = summary(*records, ended=ended)
    endpoints = [
        EndpointTotal(name, "GET", "/", 0.9, 30.0, 1000, 20)
        for name in dict.fromkeys(one.service for one in records)
    ]
    return replace(made, outages=find_outages(records, endpoints))


def test_the_cost_of_a_commit_is_its_time_its_failures_and_its_share_of_the_budget() -> None:
    one = record(lasted=2468.5, failures=12, broken_by=attribution(HASH))
    two = record("cart", start=BEGAN + 1, lasted=60.0, failures=64, broken_by=attribution(HASH))

    (cost,) = rank_outages(run(one, two))
    assert describe_cost(cost) == (
        "Commit 6d0080a0 cost 41m, 76 failed requests and 38 % of the run's error budget"
    )


@pytest.mark.parametrize(
    ("verdict", "subject"),
    [
        (Verdict.LIKELY, "An outage of shop, probably (0.60) by commit c1,"),
        (Verdict.AMBIGUOUS, "An outage of shop, possibly (0.40) by commit c1,"),
        (Verdict.UNEXPLAINED, "An outage of shop, by no known change,"),
    ],
)
def test_a_cause_that_is_not_clear_is_not_stated_as_one(verdict: Verdict, subject: str) -> None:
    (cost,) = rank_outages(run(record(broken_by=attribution("c1", verdict=verdict))))
    assert describe_cost(cost).startswith(f"{subject} cost ")


def test_an_open_outage_has_cost_what_it_cost_so_far() -> None:
    (cost,) = rank_outages(run(record(lasted=None), ended=BEGAN + 58.5))
    assert describe_cost(cost) == (
        "Commit c1 has cost so far 1m, 5 failed requests and 5 % of the run's error budget"
    )


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0 %"), (0.004, "0.4 %"), (1.0, "100 %"), (1.44, "1.4 times"), (333.3, "333 times")],
)
def test_more_than_the_whole_budget_is_shown_as_times(share: float, shown: str) -> None:
    [outage] = run(record(broken_by=attribution("c1"))).outages
    assert show_budget(replace(outage, error_budget_consumed=share)) == shown


def test_an_slo_that_allows_no_failure_has_no_share_of_a_budget() -> None:
    made = run(record())
    none = replace(made, outages=[replace(made.outages[0], error_budget_consumed=None)])

    assert describe_cost(rank_outages(none)[0]) == "Commit c1 cost 51s 500ms and 5 failed requests"


def test_the_costliest_has_the_most_failures_and_then_lasted_longest() -> None:
    found = [
        record("a", failures=1, lasted=900.0, broken_by=attribution("c1")),
        record("b", failures=9, lasted=20.0, broken_by=attribution("c2")),
        record("c", failures=9, lasted=None, broken_by=attribution("c3")),
    ]
    assert [cost.commit for cost in rank_outages(run(*found))] == ["c3", "c2", "c1"]


def test_a_probability_below_the_limit_of_clear_is_not_rounded_up_to_it() -> None:
    doubtful = attribution("c1", verdict=Verdict.LIKELY)
    nearly = replace(
        doubtful, candidates=tuple(c._replace(probability=0.899) for c in doubtful.candidates)
    )
    assert show_probability(nearly) == "0.89"


def test_no_known_change_has_a_probability_of_its_own() -> None:
    unexplained = attribution("c1", verdict=Verdict.UNEXPLAINED)
    assert (name_suspect(unexplained), show_probability(unexplained)) == ("", "0.80")


def test_the_first_line_of_the_report_is_the_costliest_outage_and_a_table_has_all() -> None:
    made = run(record(lasted=60.0), record("cart", broken_by=attribution(), failures=9))
    lines = list(show_report(made, Screen(160)))

    assert lines[0].startswith("An outage of cart, by no known change, cost 51s")
    assert list(show_outages(made, Screen(160))) == [
        "outage caused by      services  endpoints  failed  budget  first onset (UTC)    "
        "last recovery (UTC)",
        "no known change 1.00  cart              1       9     9 %  2018-11-28 22:11:29  "
        "2018-11-28 22:12:21",
        "c1 0.97 clear         shop              1       5     5 %  2018-11-28 22:11:29  "
        "2018-11-28 22:12:21",
    ]


def test_further_outages_are_counted() -> None:
    found = [record(f"s{number}", broken_by=attribution(f"c{number}")) for number in range(1_012)]
    assert list(show_outages(run(*found), Screen()))[-1] == "… and 1,002 more"


def test_the_page_has_the_same_sentence_and_the_outages_as_markup() -> None:
    hostile = "<img src=x>"
    made = run(record(hostile, broken_by=attribution(hostile)), record("cart", failures=2))
    page = render_page(made)

    sentence = "Commit &lt;img src=x&gt; cost 51s 500ms, 5 failed requests and 5 % of the run"
    assert sentence in page
    assert page.index(sentence) < page.index('id="metrics"')
    assert '<span class="badge clear">clear</span>' in page
    assert hostile not in page


def test_a_run_without_an_outage_has_neither_a_sentence_nor_a_table() -> None:
    assert '<p id="cost"></p>' in render_page(run())
    assert 'id="outages"' not in render_page(run())
    assert list(show_outages(run(), Screen())) == []


def test_outages_are_json_with_the_probability_and_the_ids_of_their_incidents() -> None:
    found = run(record(broken_by=attribution("c0", "c1")))
    (one,) = outage_documents(found.outages, found.ended)

    assert json.loads(json.dumps(one)) == {
        "summary": "Commit c1 cost 51s 500ms, 5 failed requests and 5 % of the run's error budget",
        "commit": "c1",
        "author": "ana",
        "verdict": "clear",
        "probability": 0.97,
        "unexplained": pytest.approx(0.03),
        "services": ["shop"],
        "endpoints": [{"service": "shop", "verb": "GET", "resource": "/"}],
        "start": BEGAN - 1.5,
        "end": BEGAN + 50,
        "duration": 51.5,
        "failures": 5,
        "error_budget_consumed": 0.05,
        "incidents": [f"shop-{BEGAN}"],
    }


def test_an_outage_without_a_known_cause_names_no_commit_in_json() -> None:
    found = run(record(broken_by=attribution("c1", verdict=Verdict.UNEXPLAINED)))
    (one,) = outage_documents(found.outages, found.ended)
    assert (one["commit"], one["author"], one["probability"]) == ("", "", None)
    assert one["unexplained"] == pytest.approx(0.8)

"""The table of incidents: their order, their attributions and the verdicts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slomon.core.attribution import Attribution, Verdict
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.report.screen import Screen
from slomon.report.tables import show_incidents
from tests.report.records import BEGAN, attribution, record
from tests.report.terminal_summaries import summary

HASH = "6d0080a" + "0" * 33


def table(*found: IncidentRecord, width: int = 140) -> list[str]:
    return list(show_incidents(summary(*found, ended=BEGAN + 600), Screen(width)))


def test_a_row_is_all_of_an_incident() -> None:
    lines = table(record(broken_by=attribution(HASH), fixed_by=attribution("c2")))

    assert lines == [
        "endpoint     failed  lasted  lowest SLI  started (UTC)        broken by            after"
        "  fixed by",
        "shop: GET /       5      1m      75.00%  2018-11-28 22:11:31  6d0080a0 0.97 clear    11s"
        "  c2 0.97 clear",
    ]


def test_those_with_the_most_failures_come_first_and_then_the_longest() -> None:
    lines = table(
        record("a", failures=1, lasted=500.0),
        record("b", failures=2, lasted=1.0),
        record("c", failures=2, lasted=None),
        record("d", failures=2, lasted=2.0),
    )

    assert [line[0] for line in lines[1:]] == ["c", "d", "b", "a"]


@pytest.mark.parametrize(
    ("one", "broken", "fixed"),
    [
        (attribution("c1"), "c1 0.97 clear    11s", "c1 0.97 clear"),
        (
            attribution("c1", "c2", verdict=Verdict.AMBIGUOUS),
            "c2 0.40 ambiguous    11s",
            "c2 0.40 ambiguous",
        ),
        (attribution("c1", verdict=Verdict.LIKELY), "c1 0.60 likely    11s", "c1 0.60 likely"),
        (
            attribution("c1", verdict=Verdict.UNEXPLAINED),
            "no known change 0.80      -",
            "recovered by itself 0.80",
        ),
        (
            Attribution(Verdict.NONE),
            "no known change 1.00      -",
            "recovered by itself 1.00",
        ),
        (
            attribution("v2025.10.09-rc.1+build"),
            "v2025.10.09-rc.… 0.97 clear    11s",
            "v2025.10.09-rc.… 0.97 clear",
        ),
    ],
)
def test_the_verdict_stands_beside_the_commit_and_what_it_means_below(
    one: Attribution, broken: str, fixed: str
) -> None:
    lines = table(record(broken_by=one, fixed_by=one))

    assert lines[1].endswith(f"  {broken}  {fixed}")
    assert [line.split(":")[0] for line in lines[2:]] == [
        *([one.verdict] if one.verdict is not Verdict.CLEAR else []),
    ]


def test_a_narrow_screen_still_shows_who_did_it_and_how_sure_that_is() -> None:
    one = attribution("c" * 40, "d" * 40, verdict=Verdict.AMBIGUOUS)

    assert table(record("a-service", broken_by=one), width=40)[1] == (
        "a-service: GET /  dddddddd 0.40 ambiguo…"
    )


def test_what_did_not_close_says_why_and_how_long_it_has_lasted() -> None:
    still_open, expired = table(record(lasted=None, failures=9), record(state=State.EXPIRED))[1:]

    assert still_open.endswith("c1 0.97 clear    11s  still open")
    assert " >10m " in still_open
    assert expired.endswith("c1 0.97 clear    11s  expired")


def test_a_name_of_its_own_stands_before_the_endpoint_and_the_request_alone_otherwise() -> None:
    assert table(record("GET /"))[1].startswith("GET /  ")
    assert table(record("shop"))[1].startswith("shop: GET /  ")


def test_the_worst_are_shown_and_the_others_counted() -> None:
    found = [record(start=BEGAN + number) for number in range(1_057)]

    assert table(*found)[16:] == ["… and 1,042 more; --incidents FILE has them all"]


def test_co_occurring_incidents_are_counted() -> None:
    lines = table(
        record(co_occurring=("cart",)), record("cart", co_occurring=("shop",)), record("x")
    )

    assert lines[-1].startswith("2 of 3 began within a minute of an incident of another service")


def test_the_lowest_sli_is_never_rounded_up_to_an_slo() -> None:
    for sli, shown in (
        (0.999_999_9, "99.99%"),
        (0.57, "57.00%"),
        (2 / 3, "66.66%"),
        (0.0, "0.00%"),
    ):
        assert f" {shown} " in table(replace(record(), min_sli=sli))[1]


def test_no_incident_is_no_table() -> None:
    assert table() == []

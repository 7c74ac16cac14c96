"""Outages: which incidents are one, and what it cost."""

from __future__ import annotations

from slomon.core.attribution import Verdict
from slomon.core.outages import Outage
from tests.core.runs import Event, ask, run


def outages(*events: Event) -> list[Outage]:
    return run(list(events)).outages()


BOTH: list[Event] = [
    event for at in range(1000) for path in ("/a", "/b") for event in ask(path, "o", at)
]


def test_endpoints_that_one_commit_clearly_broke_are_one_outage() -> None:
    broken = [*ask("/a", "x" * 7, 1003), *ask("/b", "x" * 7, 1010), *ask("/a", "x" * 83, 1017)]
    ends = [*ask("/a", "o" * 20, 1100), *ask("/b", "o" * 20, 1120)]
    [outage] = outages(*BOTH, "shop", *broken, *ends)
    assert (outage.commit, outage.author) == ("c2000", "author 2000")
    assert (outage.services, len(outage.endpoints), len(outage.incidents)) == (("shop",), 2, 2)
    assert (outage.start, outage.end, outage.duration) == (1003, 1099, 96)
    assert outage.failures == sum(one.failures for one in outage.incidents)
    # 0.3 of the 1000 + 90 + 20 requests of /a, and of the 1000 + 7 + 20 of /b, may fail.
    assert outage.error_budget_consumed == outage.failures / (0.3 * (1110 + 1027))


def test_while_an_incident_is_open_the_outage_has_no_end() -> None:
    [outage] = outages(*BOTH, "shop", *ask("/a", "x" * 50, 1003))
    assert (outage.end, outage.duration) == (None, None)


def test_without_a_clear_cause_incidents_of_a_service_whose_times_overlap_are_one() -> None:
    #   /a   1000 xxxxx 1020            3000 xxxxx
    #   /b          1010 xxxxx 1030
    #   /c          1010 xxxxx 1030
    first = [*ask("/a", "x" * 10, 1000), *ask("/b", "x" * 10, 1010), *ask("/a", "x" * 10, 1010)]
    ends = [event for path in ("/a", "/b", "/c") for event in ask(path, "o" * 20, 1040)]
    later = ask("/a", "x" * 10, 3000)
    found = outages(*BOTH, *first, *ask("/c", "x" * 10, 1010), *ends, *later)
    assert [one.commit for one in found] == ["", "", ""]
    assert [(one.services, len(one.incidents)) for one in found] == [
        (("shop",), 2),
        (("cart",), 1),
        (("shop",), 1),
    ]
    assert all(
        one.broken_by.verdict is Verdict.NONE for outage in found for one in outage.incidents
    )


def test_services_that_one_commit_broke_are_one_outage_and_a_run_without_incidents_has_none() -> (
    None
):
    assert outages(*BOTH) == []


def test_an_slo_of_one_has_no_error_budget() -> None:
    assert Outage("", "", (), (), 0.0, None, 1, None, ()).error_budget_consumed is None

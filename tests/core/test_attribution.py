"""
Attribution, worked by hand: small streams, and the probabilities that follow from the formulas of
`docs/attribution.md`. They are computed here without trees: by summing over all combinations of
causes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import exp, fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.attribution import Verdict
from slomon.core.causes import (
    AGAIN,
    BAD,
    DELAYS,
    DOUBT,
    FIXED,
    LEAST_AGAIN,
    RATE,
    RECOVERED,
    SHARES,
    SIBLING,
    Case,
    Deployments,
    Repair,
    Suspect,
    _infer,
    _make_nodes,
    _Node,
    _Rates,
    find_causes,
    first_failure,
    last_failure,
)
from slomon.core.incident_records import IncidentRecord
from tests.core.runs import Event, ask, run

MINUTE = 60


def records(*events: Event) -> list[IncidentRecord]:
    """The records of events, in order of time; a change counts at the time of the event before."""
    return run(list(events)).records()


def steady(path: str, start: int, end: int, step: int = 1) -> list[Event]:
    """Requests that succeed."""
    return ask(path, "o" * ((end - start) // step), start, step)


def failing(path: str, start: int, end: int, step: int = 1) -> list[Event]:
    """Requests that fail."""
    return ask(path, "x" * ((end - start) // step), start, step)


def suspected(record: IncidentRecord) -> tuple[str, Verdict]:
    """Who is suspected of the start, and the verdict."""
    suspect = record.broken_by.suspect
    return suspect.commit if suspect else "", record.broken_by.verdict


def test_a_deploy_and_an_immediate_outage() -> None:
    before = steady("/a", 0, 1000)
    [record] = records(*before, "shop", *failing("/a", 1003, 1400))
    assert suspected(record) == ("c1000", Verdict.CLEAR)
    [candidate] = record.broken_by.candidates
    assert (candidate.delay, record.onset) == (1003 - 999, 1003)
    # By hand. A request a second, all fail: the mean time between failures is 1 s (and a little
    # more, because the number is small). 1 change in 23 min, and 2 services. Of 4 s delay:
    error = record.onset_error
    assert error == pytest.approx(1.0, abs=0.02)
    density = fsum(
        share * first_failure(4, mean, error) for share, mean in zip(SHARES, DELAYS, strict=True)
    )
    assert density == pytest.approx(0.6 * (exp(-4 / 8) - exp(-4 / error)) / (8 - error), rel=0.05)
    # The weights without what is learnt: it is nearly sure, and 2 % are kept for bystanders.
    change, alone = BAD[0] * density * 0.99, RATE[0] * 0.65
    assert change / (change + alone) > 0.998
    assert candidate.probability == pytest.approx(1 - DOUBT, abs=0.003)
    assert record.broken_by.unexplained == pytest.approx(DOUBT, abs=0.003)


def test_an_outage_three_hours_after_a_deploy() -> None:
    early = steady("/a", 0, 1000)
    late = steady("/a", 1000, 11_800, 10)
    [record] = records(*early, "shop", *late, *failing("/a", 11_800, 12_400, 10))
    assert record.broken_by.commit == "c1000", "the newest change, as the contract has it"
    assert record.broken_by.verdict == Verdict.UNEXPLAINED
    assert record.broken_by.unexplained > 0.9


def test_of_two_deploys_inside_the_lag_the_first_is_guilty() -> None:
    # The SLI crosses at 1003; c2 came after the first failure.
    before = [*steady("/a", 0, 1000), "shop", *steady("/a", 1000, 1002)]
    [record] = records(*before, *failing("/a", 1002, 1004), "shop", *failing("/a", 1004, 1400))
    assert [one.commit for one in record.broken_by.candidates] == ["c1000", "c1005"]
    assert record.broken_by.commit == "c1005"
    assert suspected(record) == ("c1000", Verdict.CLEAR)
    assert record.broken_by.candidates[1].probability == 0


def test_of_two_deploys_before_the_onset_the_one_shortly_before_is_guilty() -> None:
    before = [*steady("/a", 0, 1000), "shop", *steady("/a", 1000, 1300), "shop"]
    [record] = records(*before, *steady("/a", 1300, 1303), *failing("/a", 1303, 1700))
    assert suspected(record) == ("c1301", Verdict.CLEAR)
    first, second = record.broken_by.candidates
    assert 0 < first.probability < 0.02 < second.probability


def test_a_ramp_is_of_the_deploy_at_its_beginning() -> None:
    # From 1000 on every 20th request fails, then every 10th, every 5th, every 2nd, all. The SLO
    # allows 3 of 10, so it is missed 10 min after the deploy.
    outcomes = "".join(("o" * (gap - 1) + "x") * (240 // gap) for gap in (20, 10, 5, 2, 1))
    found = records(*steady("/a", 0, 1000), "shop", *ask("/a", outcomes, 1000))
    assert found[0].start > 1000 + 10 * MINUTE > found[0].onset
    assert {suspected(record) for record in found} <= {
        ("c1000", Verdict.CLEAR),
        ("c1000", Verdict.LIKELY),
    }


def test_at_a_quiet_endpoint_two_deploys_are_hard_to_tell_apart() -> None:
    # Three requests a minute, every other fails: the onset is known to within a minute.
    before = [*steady("/a", 0, 2000, 20), "shop", *steady("/a", 2000, 2040, 20), "shop"]
    found = records(*before, *ask("/a", "xo" * 40, 2040, 20))
    assert found[0].onset_error > 15
    first, second = found[0].broken_by.candidates
    assert (first.commit, second.commit) == ("c100", "c103")
    assert second.probability > first.probability > 0.05
    assert found[0].broken_by.verdict != Verdict.CLEAR


def test_an_outage_of_all_services_is_nobodys() -> None:
    both = [event for at in range(1000) for path in ("/a", "/c") for event in ask(path, "o", at)]
    broken = [
        event for at in range(1060, 1300) for path in ("/a", "/c") for event in ask(path, "x", at)
    ]
    deploy = [*both, "shop"]
    alone = records(*deploy, *failing("/a", 1060, 1300))[0]
    shop, cart = records(*deploy, *broken)
    assert shop.co_occurring == ("cart",)
    assert alone.broken_by.candidates[0].probability > shop.broken_by.candidates[0].probability
    assert cart.broken_by.verdict == Verdict.NONE


def test_services_that_were_deployed_together_break_together() -> None:
    both = [event for at in range(1000) for path in ("/a", "/c") for event in ask(path, "o", at)]
    broken = [
        event for at in range(1003, 1300) for path in ("/a", "/c") for event in ask(path, "x", at)
    ]
    found = records(*both, "shop", "cart", *broken)
    assert [suspected(one) for one in found] == [("c2000", Verdict.CLEAR), ("c2001", Verdict.CLEAR)]


def test_a_fix_before_the_incident_opened() -> None:
    # At 1003 3 of 10 fail, as the SLO allows. After the fix the successes of before leave the
    # window, and one more failure opens it.
    broken = [*steady("/a", 0, 1000), "shop", *failing("/a", 1000, 1003), "shop"]
    [record] = records(*broken, *ask("/a", "ooooox" + "o" * 60, 1003))
    assert record.start > 1003
    assert record.broken_by.commit == "c1004"
    assert suspected(record)[0] == "c1000"


def test_a_fix_and_a_recovery_without_any_deploy() -> None:
    broken = [*steady("/a", 0, 1000), "shop", *failing("/a", 1003, 1400)]
    [fixed] = records(*broken, "shop", *steady("/a", 1400, 1600))
    assert fixed.fixed_by
    assert fixed.fixed_by.verdict == Verdict.CLEAR
    assert fixed.fixed_by.suspect == fixed.fixed_by.newest
    assert fixed.fixed_by.commit == "c1398"
    [alone] = records(*broken, *steady("/a", 1400, 1600))
    assert alone.fixed_by
    assert (alone.fixed_by.commit, alone.fixed_by.suspect) == ("c1000", None)
    assert alone.fixed_by.unexplained == 1
    # By hand: the last failure, at 1399, is 0 s after the fix; 2 changes in 1600 s and an hour.
    weight = FIXED[0] * last_failure(0, fixed.onset_error) / (3 / (1599 + 3600))
    expected = weight / (weight + RECOVERED[0]) * (1 - DOUBT)
    stated = fixed.fixed_by.candidates[-1].probability
    assert stated == pytest.approx(expected, abs=0.001)


def test_a_rollback_points_at_what_it_took_back() -> None:
    # Two changes shortly before the onset at a quiet endpoint. Then a new commit is deployed, or
    # the one before both, or the first one again.
    case = Case("shop", 0, onset=1000.0, onset_error=60.0)
    case.suspects = [Suspect(1, [(1.0, 100.0, 60.0)]), Suspect(2, [(1.0, 40.0, 60.0)])]
    case.recovery = 2000.0

    def causes(taken_back: frozenset[int] | None) -> dict[int, float]:
        case.repairs = [Repair(3, 1.0, taken_back)]
        [finding] = find_causes([case], Deployments({"shop": 3}, {}, {}), 1, 7200.0)
        return finding.causes

    new, both, second = causes(None), causes(frozenset({1, 2})), causes(frozenset({2}))
    assert new[1] / new[2] == pytest.approx(both[1] / both[2], rel=0.01)
    assert second[1] / second[2] < new[1] / new[2] / 3, "the first was not taken back"


def test_an_incident_that_goes_on_has_the_cause_of_the_first() -> None:
    flapping = "".join(("x" * 8 + "o" * 12) for _ in range(12))
    found = records(*steady("/a", 0, 1000), "shop", *ask("/a", flapping, 1003))
    assert len(found) > 5
    assert {suspected(one)[0] for one in found} == {"c1000"}
    assert found[-1].broken_by.candidates[0].probability == pytest.approx(
        found[0].broken_by.candidates[0].probability, abs=0.05
    )


def test_endpoints_that_break_with_one_deploy_are_one_statement() -> None:
    # /b fails at a tenth of the rate of /a.
    before = [event for at in range(1000) for path in ("/a", "/b") for event in ask(path, "o", at)]
    one = records(*before, "shop", *failing("/a", 1003, 1300))
    both = [*ask("/a", "x" * 7, 1003), *ask("/b", "x" * 7, 1010), *ask("/a", "x" * 90, 1017)]
    two = records(*before, "shop", *both)
    assert [suspected(record) for record in two] == [("c2000", Verdict.CLEAR)] * 2
    assert two[0].broken_by.unexplained == pytest.approx(one[0].broken_by.unexplained, abs=0.01)


# Against the sum over all combinations of causes


DEPLOYMENTS = Deployments({"shop": 3}, {}, {})
STATED = _Rates(BAD[0], RATE[0], {}, SHARES)


def posterior(nodes: Sequence[_Node]) -> list[dict[int, float]]:
    """
    The probability of each cause of each node, by the weights of all combinations of causes and of
    all choices which incidents go on from their parents.
    """
    totals: list[dict[int, float]] = [{} for _ in nodes]
    for causes, weight in combinations(nodes):
        for total, cause in zip(totals, causes, strict=True):
            total[cause] = total.get(cause, 0.0) + weight
    whole = fsum(totals[0].values())
    return [{cause: weight / whole for cause, weight in total.items()} for total in totals]


def combinations(nodes: Sequence[_Node]) -> Iterator[tuple[tuple[int, ...], float]]:
    fresh = [weigh(node) for node in nodes]
    known = list(dict.fromkeys(cause for weights in fresh for cause in weights))
    for causes in product(known, repeat=len(nodes)):
        weight = 1.0
        for node, weights, cause in zip(nodes, fresh, causes, strict=True):
            own = weights.get(cause, 0.0)
            if node.parent >= 0 and causes[node.parent] == cause != -2:
                own += node.again
            weight *= own * (node.end_weight(cause) if node.judged_by_end else 1.0)
        yield causes, weight


def weigh(node: _Node) -> dict[int, float]:
    """The rates of the onset: of changes, by itself (-1), and by strays (-2)."""
    case = node.case
    weights = {
        change: BAD[0]
        * fsum(share * one for share, one in zip(SHARES, densities, strict=True))
        * other
        * case.brief
        for change, other, densities in node.suspects
    }
    return {**weights, -1: RATE[0] * node.others * case.brief, -2: case.strays}


cases = st.builds(
    Case,
    st.sampled_from(["shop", "cart"]),
    st.integers(0, 2),
    st.floats(0, 3000),
    st.floats(0.1, 200),
    st.floats(0, 1e-3),
    st.floats(0.01, 1),
    st.lists(
        st.builds(
            Suspect,
            st.integers(0, 2),
            st.floats(0.1, 4000).map(lambda delay: [(1.0, delay, 30.0)]),
        ),
        max_size=2,
        unique_by=lambda one: one.change,
    ),
    st.none() | st.floats(3000, 4000),
    st.none() | st.floats(2000, 3000),
)


@given(st.lists(cases, min_size=1, max_size=4))
def test_beliefs_in_trees_are_those_of_all_combinations(found: list[Case]) -> None:
    found.sort(key=lambda case: case.onset)
    nodes = _make_nodes(found, DEPLOYMENTS, 2, 7200.0)
    _infer(nodes, 0, STATED)
    for node, expected in zip(nodes, posterior(nodes), strict=True):
        for cause, probability in expected.items():
            assert node.belief.get(cause, 0.0) == pytest.approx(probability, abs=1e-9)


def test_an_incident_goes_on_soon_after_the_recovery_or_beside_an_open_one() -> None:
    def link(first: Case, second: Case) -> _Node:
        return _make_nodes([first, second], DEPLOYMENTS, 1, 7200.0)[1]

    closed = Case("shop", 0, 100.0, 1.0, end=250.0, recovery=200.0)
    again = link(closed, Case("shop", 0, 260.0, 1.0))
    delay, means = 60.0, [mean + 2.0 for _, mean in AGAIN]
    expected = [
        share * exp(-delay / mean) / mean for (share, _), mean in zip(AGAIN, means, strict=True)
    ]
    assert (again.parent, again.same) == (0, True)
    assert again.again == pytest.approx(fsum(expected))
    assert link(closed, Case("shop", 0, 3000.0, 1.0)).parent == -1, "too late"
    assert link(closed, Case("shop", 1, 260.0, 1.0)).parent == -1, "the other one is over"
    beside = link(closed, Case("shop", 1, 110.0, 1.0))
    assert (beside.parent, beside.same) == (0, False)
    assert beside.again > SIBLING[0][0] * exp(-10 / 17) / 17 > LEAST_AGAIN

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
    BAD,
    DELAYS,
    DEPLOY_PRIOR,
    DOUBT,
    FORGOTTEN,
    LEAST_RATE,
    RATE,
    SHARES,
    Deployments,
    find_causes,
)
from slomon.core.fault_chains import Node, Rates, infer
from slomon.core.fault_times import TimeDensity
from slomon.core.faults import Case, Fault
from slomon.core.incident_records import IncidentRecord
from slomon.core.repairs import FIXED, RECOVERED, Ending, Repair
from slomon.core.sightings import Sighting
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
    # By hand: a change fails with 0.2, at once with 0.6, and then after 5 s on average; a service
    # breaks by itself twice a day. The beginning is known to within a second or two.
    assert record.onset_error == pytest.approx(1.0, abs=0.05)
    at_once = BAD[0] * SHARES[0] * exp(-4 / DELAYS[0]) / DELAYS[0]
    change, alone = at_once * 0.99, RATE[0] * 0.65
    assert change / (change + alone) > 0.998
    assert candidate.probability == pytest.approx(1 - DOUBT, abs=0.004)
    assert record.broken_by.unexplained == pytest.approx(DOUBT, abs=0.004)


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
    # By hand: the end is 1 to 2 s after the last failure, which came 1 s after the fix, so its
    # density is about exp(-2/5)/5. The service has 2 changes in 1600 s and two hours.
    weight = FIXED[0] * exp(-2 / 5) / 5 / (3 / (1599 + DEPLOY_PRIOR))
    expected = weight / (weight + RECOVERED[0]) * (1 - DOUBT)
    stated = fixed.fixed_by.candidates[-1].probability
    assert stated == pytest.approx(expected, abs=0.002)


def test_a_change_that_is_long_ago_is_forgotten_when_its_density_is_the_least_that_counts() -> None:
    onset = Sighting(1e5, 1.0, 3.0, 60.0)
    case = Case("shop", 0, 20.0, [onset], 1.1e5)
    beginning = TimeDensity.of_beginning([[case.see(onset)]], DELAYS)
    earliest = beginning.first - FORGOTTEN
    assert fsum(beginning.after(earliest)) < LEAST_RATE

    case.suspects = {1: earliest - 1.0, 2: earliest + 1.0, 3: 99_000.0}
    [finding] = find_causes([case], Deployments({"shop": 3}, {}, {}), 1, 2e5)
    assert list(finding.causes) == [3]


def test_a_rollback_points_at_what_it_took_back() -> None:
    # Two changes shortly before the onset at a quiet endpoint. Then a new commit is deployed, or
    # the one before both, or the first one again.
    onset = Sighting(1000.0, 1.0, 3.0, 60.0)
    case = Case("shop", 0, 20.0, [onset], 2000.0, 2000.0, 2000.0, suspects={1: 900.0, 2: 960.0})

    def causes(taken_back: frozenset[int] | None) -> dict[int, float]:
        case.repairs = [Repair(3, 1999.0, taken_back)]
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


STATED = Rates(BAD[0], RATE[0], {}, SHARES)


def posterior(nodes: Sequence[Node]) -> list[dict[int, float]]:
    """
    The probability of each cause of each fault, by the weights of all combinations of causes and of
    all choices which faults go on.
    """
    totals: list[dict[int, float]] = [{} for _ in nodes]
    for causes, weight in combinations(nodes):
        for total, cause in zip(totals, causes, strict=True):
            total[cause] = total.get(cause, 0.0) + weight
    whole = fsum(totals[0].values())
    return [{cause: weight / whole for cause, weight in total.items()} for total in totals]


def combinations(nodes: Sequence[Node]) -> Iterator[tuple[tuple[int, ...], float]]:
    fresh = [weigh(node) for node in nodes]
    known = list(dict.fromkeys(cause for weights in fresh for cause in weights))
    for causes in product(known, repeat=len(nodes)):
        weight = 1.0
        for node, weights, cause in zip(nodes, fresh, causes, strict=True):
            own = weights.get(cause, 0.0)
            if node.fault.parent >= 0 and causes[node.fault.parent] == cause != -2:
                own += node.fault.again
            if node.endings and node.child < 0 and cause != -2:
                own *= node.find_ending(cause).whole
            weight *= own
        yield causes, weight


def weigh(node: Node) -> dict[int, float]:
    """The rates of the beginning: of changes, by itself (-1), and by strays (-2)."""
    weights = {
        change: BAD[0]
        * fsum(share * one for share, one in zip(SHARES, densities, strict=True))
        * other
        * node.brief
        for change, other, densities in node.suspects
    }
    return {**weights, -1: RATE[0] * node.others * node.brief, -2: node.strays}


@st.composite
def chains(draw: st.DrawFn) -> list[Node]:
    """One to four faults; each may go on in the next one."""
    rates = st.floats(1e-6, 1e-1)
    shares = st.floats(0.01, 1)
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 4))):
        fault = Fault([Case("shop", 0, 1.0, [Sighting(0.0, 1.0, 1.0, 1.0)], 0.0)])
        if number and draw(st.booleans()):
            fault.parent, fault.again = number - 1, draw(rates)
            nodes[-1].child = number
        suspects = draw(st.dictionaries(st.integers(0, 2), st.tuples(shares, rates), max_size=2))
        node = Node(
            fault,
            [(change, other, [rate] * len(SHARES)) for change, (other, rate) in suspects.items()],
            *(draw(shares), draw(st.floats(0, 1e-3)), draw(shares)),
        )
        if draw(st.booleans()):
            node.endings = {cause: Ending({}, draw(shares)) for cause in (-1, 0, 1)}
        nodes.append(node)
    return nodes


@given(chains())
def test_beliefs_in_chains_are_those_of_all_combinations(nodes: list[Node]) -> None:
    infer(nodes, 0, STATED)
    for node, expected in zip(nodes, posterior(nodes), strict=True):
        for cause, probability in expected.items():
            assert node.belief.get(cause, 0.0) == pytest.approx(probability, abs=1e-9)


def test_an_incident_that_opens_without_a_new_failure_is_the_one_before() -> None:
    # With 3 of 10 failed, an old success leaves the window; a new one closes it; and again.
    before = [*steady("/a", 0, 980), "shop", *ask("/a", "ooo", 995, 0)]
    broken = [*ask("/a", "xx", 1000), *ask("/a", "oo", 1004, 0), *ask("/a", "o", 1006)]
    first, second = records(*before, *broken, *steady("/a", 1010, 1030))
    assert first.last_failure == second.last_failure == second.onset
    assert first.broken_by.candidates[0].probability == second.broken_by.candidates[0].probability

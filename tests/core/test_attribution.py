"""Attribution on hand-made incidents: to which change a crossing is attributed, and how surely."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slomon.core.attribution import Attribution, Verdict, blame, credit
from slomon.core.events import Change, PositionedChange
from slomon.core.incident import Candidates
from slomon.core.statistics import Counts
from tests.core.builders import make_endpoint
from tests.incidents import make_incident

ENDPOINT = make_endpoint(window=30)


def credited(*positions: int, omitted: int) -> Attribution:
    """Credit an incident from position 100 to 200; the rate clearly fell with these candidates."""
    changes = [PositionedChange(at, at, Change(f"c{at}", "ana", "", "shop")) for at in positions]
    incident = make_incident(ENDPOINT, 100, 100, end=200, end_position=200)
    fixing = Candidates(tuple(changes), omitted, Counts(100, 90), Counts(100, 0))
    found = credit(replace(incident, fixing=fixing), stale_after=1_000)
    assert found
    return found


def test_candidates_before_the_opening_do_not_compete_with_one_that_came_since() -> None:
    found = credited(*range(91, 100), 150, omitted=3)
    assert (found.verdict, found.commit, len(found.candidates)) == (Verdict.CLEAR, "c150", 1)
    assert found.omitted == 0


def test_changes_since_the_opening_that_are_not_listed_are_counted() -> None:
    found = credited(*range(150, 160), omitted=3)
    assert (found.verdict, found.commit, len(found.candidates)) == (Verdict.AMBIGUOUS, "c159", 10)
    assert found.omitted == 3


def blamed(*positions: int, before: Counts, after: Counts) -> Attribution:
    """Blame for an incident at position and tick 1000, SLO 0.9; stale after 500 ticks."""
    changes = [PositionedChange(at, at, Change(f"c{at}", "ana", "", "shop")) for at in positions]
    incident = make_incident(ENDPOINT, 1000, 1000)
    breaking = Candidates(tuple(changes), 3, before, after)
    return blame(replace(incident, breaking=breaking), stale_after=500)


ROSE = Counts(100, 50)


@pytest.mark.parametrize(
    ("positions", "before", "after", "verdict"),
    [
        # 10 of 100 failed between the two, as the SLO of 0.9 allows, and half of them since.
        ((600, 900), Counts(100, 10), ROSE, Verdict.CLEAR),
        ((600, 900), Counts(100, 11), ROSE, Verdict.AMBIGUOUS),
        ((600, 900), Counts(100, 10), Counts(100, 11), Verdict.AMBIGUOUS),
        ((600, 900), Counts(0, 0), ROSE, Verdict.AMBIGUOUS),
        # The only candidate: the one at 499 is too old by a tick.
        ((499, 900), Counts(100, 11), ROSE, Verdict.CLEAR),
        ((500, 900), Counts(100, 11), ROSE, Verdict.AMBIGUOUS),
        ((900,), Counts(100, 11), Counts(100, 11), Verdict.AMBIGUOUS),
        ((900,), Counts(0, 0), ROSE, Verdict.CLEAR),
        ((300, 499), Counts(100, 0), ROSE, Verdict.STALE),
    ],
)
def test_a_change_is_clearly_to_blame_if_the_endpoint_met_its_slo_before_it_and_broke_with_it(
    positions: tuple[int, ...], before: Counts, after: Counts, verdict: Verdict
) -> None:
    assert blamed(*positions, before=before, after=after).verdict == verdict


def test_stale_changes_are_no_candidates_except_the_newest() -> None:
    found = blamed(400, 499, 500, 900, before=Counts(0, 0), after=ROSE)
    assert [one.commit for one in found.candidates] == ["c500", "c900"]
    assert found.omitted == 0, "what is older than a stale one is no candidate either"
    assert blamed(500, 900, before=Counts(0, 0), after=ROSE).omitted == 3
    [newest] = blamed(400, 499, before=Counts(0, 0), after=ROSE).candidates
    assert newest.commit == "c499"


@pytest.mark.parametrize(
    ("position", "after", "verdict"),
    [
        # The first failure was at 80, and the window lagged until 100.
        (80, Counts(100, 0), Verdict.CLEAR),
        (80, Counts(100, 85), Verdict.NONE),
        (79, Counts(100, 0), Verdict.NONE),
    ],
)
def test_a_fix_inside_the_lag_of_the_window_is_credited_if_the_failure_rate_fell_with_it(
    position: int, after: Counts, verdict: Verdict
) -> None:
    change = PositionedChange(position, position, Change("fix", "ana", "", "shop"))
    incident = make_incident(ENDPOINT, 100, 100, end=200, end_position=200)
    fixing = Candidates((change,), 0, Counts(100, 90), after)
    found = credit(replace(incident, onset=80, fixing=fixing), stale_after=1_000)
    assert found
    assert (found.verdict, found.commit) == (verdict, "fix")

"""Who is credited with a repair: what the records of a run show only together with much else."""

from __future__ import annotations

from dataclasses import replace

from slomon.core.attribution import credit
from slomon.core.comparison import Counts
from slomon.core.endpoint import Endpoint
from slomon.core.event import Change, Placed
from slomon.core.record import Attribution, Verdict
from slomon.core.suspicion import Suspicion
from tests.incidents import make_incident

ENDPOINT = Endpoint("shop", "-", "GET", "/", 0.9, 30)


def credited(*positions: int, earlier: int) -> Attribution:
    """Of an incident from position 100 to 200, with these suspects and a rate that clearly fell."""
    changes = [Placed(at, at, Change(f"c{at}", "ana", "", "shop")) for at in positions]
    incident = make_incident(ENDPOINT, 100, 100, end=200, end_position=200)
    fixing = Suspicion(tuple(changes), earlier, Counts(100, 90), Counts(100, 0))
    found = credit(replace(incident, fixing=fixing), stale_after=1_000)
    assert found
    return found


def test_changes_before_the_opening_take_nothing_from_the_one_that_came_since() -> None:
    found = credited(*range(91, 100), 150, earlier=3)
    assert (found.verdict, found.commit, len(found.candidates)) == (Verdict.CLEAR, "c150", 1)
    assert found.earlier == 0


def test_of_more_changes_since_the_opening_than_are_shown_the_others_are_counted() -> None:
    found = credited(*range(150, 160), earlier=3)
    assert (found.verdict, found.commit, len(found.candidates)) == (Verdict.AMBIGUOUS, "c159", 10)
    assert found.earlier == 3

"""What an incident says of itself."""

from __future__ import annotations

import pytest

from slomon.core.endpoints import Endpoint
from slomon.core.events import Change
from slomon.core.incident import State
from tests.incidents import make_incident

ENDPOINT = Endpoint("shop", "ana@example.com", "GET", "/a", 0.9, 30)
BUG, FIX = (Change(commit, "", "", "shop") for commit in ("bug", "fix"))


@pytest.mark.parametrize(("end", "duration"), [(None, None), (7, 4), (3, 0)])
def test_a_closed_incident_has_a_duration(end: int | None, duration: int | None) -> None:
    assert make_incident(ENDPOINT, 3, 0, end=end, end_position=1).duration == duration


@pytest.mark.parametrize(
    ("end", "position", "state"),
    [(None, None, State.OPEN), (7, 1, State.CLOSED), (7, None, State.SILENT)],
)
def test_an_incident_that_ended_and_that_nothing_in_the_stream_closed_is_silent(
    end: int | None, position: int | None, state: State
) -> None:
    assert make_incident(ENDPOINT, 3, 0, end=end, end_position=position).state == state


def test_the_newest_suspects_broke_it_and_fixed_it() -> None:
    incident = make_incident(ENDPOINT, 3, 0, BUG, 7, 1, FIX)
    assert (incident.broken_by, incident.fixed_by) == (BUG, FIX)
    assert make_incident(ENDPOINT, 3, 0).broken_by is None
    assert make_incident(ENDPOINT, 3, 0, BUG).fixed_by is None
    assert make_incident(ENDPOINT, 3, 0, BUG, 7, 1).fixed_by is None

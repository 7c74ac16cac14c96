"""The state of incidents, and the candidates that a ChangeLog lists for a crossing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import EVERY_SERVICE, Change, PositionedChange
from slomon.core.incident import ChangeLog, State
from tests.core.builders import make_endpoint
from tests.incidents import make_incident

ENDPOINT = make_endpoint(resource="/a", window=30)
BUG, FIX = (Change(commit, "", "", "shop") for commit in ("bug", "fix"))


@pytest.mark.parametrize(("end", "duration"), [(None, None), (7, 4), (3, 0)])
def test_a_closed_incident_has_a_duration(end: int | None, duration: int | None) -> None:
    assert make_incident(ENDPOINT, 3, 0, end=end, end_position=1).duration == duration


@pytest.mark.parametrize(
    ("end", "position", "state"),
    [(None, None, State.OPEN), (7, 1, State.CLOSED), (7, None, State.EXPIRED)],
)
def test_an_incident_that_ended_without_an_access_that_closed_it_is_expired(
    end: int | None, position: int | None, state: State
) -> None:
    assert make_incident(ENDPOINT, 3, 0, end=end, end_position=position).state == state


def test_the_newest_candidates_broke_it_and_fixed_it() -> None:
    incident = make_incident(ENDPOINT, 3, 0, BUG, 7, 1, FIX)
    assert (incident.broken_by, incident.fixed_by) == (BUG, FIX)
    assert make_incident(ENDPOINT, 3, 0).broken_by is None
    assert make_incident(ENDPOINT, 3, 0, BUG).fixed_by is None
    assert make_incident(ENDPOINT, 3, 0, BUG, 7, 1).fixed_by is None


SERVICES = ["shop", "cart", EVERY_SERVICE]
# A stream: each event is a change of a service, a change of every service, or something else.
STREAMS = st.lists(st.sampled_from([*SERVICES, None]), max_size=40)


def positioned(position: int, service: str) -> PositionedChange:
    change = Change(f"c{position}", "<ana@example.com>", "2018-11-28", service)
    return PositionedChange(position, 10 * position, change)


def test_the_newest_change_of_a_service_is_its_own() -> None:
    log = ChangeLog([positioned(1, "shop"), positioned(2, "shop"), positioned(3, EVERY_SERVICE)])
    assert [log.newest("shop"), log.newest("cart")] == [positioned(2, "shop").change, None]


def recorded(stream: Sequence[str | None]) -> ChangeLog:
    log = ChangeLog()
    for position, service in enumerate(stream):
        if service is not None:
            log.record(positioned(position, service))
    return log


def listed(log: ChangeLog, service: str, since: int) -> list[int]:
    changes, _ = log.list_candidates(service, since)
    return [candidate.position for candidate in changes]


@given(STREAMS, st.sampled_from(SERVICES))
def test_the_candidates_are_the_ten_newest_changes_up_to_a_time_and_the_ten_newest_since(
    stream: list[str | None], service: str
) -> None:
    log = recorded(stream)
    own = [at for at, changed in enumerate(stream) if changed in (service, EVERY_SERVICE)]
    for since in range(len(stream) + 1):
        tick = positioned(since, service).tick
        before = [at for at in own if positioned(at, service).tick <= tick][-10:]
        after = [at for at in own if positioned(at, service).tick > tick][-10:]
        changes, omitted = log.list_candidates(service, tick)
        assert [*changes] == [positioned(at, stream[at] or "") for at in before + after]
        assert omitted == len(own) - len(changes)


def test_a_service_that_never_changed_has_no_candidates() -> None:
    assert ChangeLog().list_candidates("shop", 5) == ((), 0)


def test_of_many_changes_the_newest_hundred_are_remembered() -> None:
    log = recorded(["shop"] * 250 + ["cart"])
    assert [change.position for change in log] == [*range(150, 250), 250]
    assert log.list_candidates("shop", 0) == (
        tuple(positioned(at, "shop") for at in range(240, 250)),
        90,
    )

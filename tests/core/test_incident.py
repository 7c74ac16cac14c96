"""A commit is attributed by where its change stands in the stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.endpoint import Endpoint
from slomon.core.event import Change
from slomon.core.incident import ChangeLog, Incident

SERVICES = ["shop", "cart", "user"]
# A stream, of which each event is a change of a service or something else.
STREAMS = st.lists(st.sampled_from([*SERVICES, None]), max_size=40)


def change(position: int, service: str) -> Change:
    return Change(f"c{position}", "<ana@example.com>", "2018-11-28", service)


def recorded(stream: list[str | None]) -> ChangeLog:
    log = ChangeLog()
    for position, service in enumerate(stream):
        if service is not None:
            log.record(position, change(position, service))
    return log


def last_before(stream: list[str | None], position: int, service: str) -> Change | None:
    """The model: look at every event before that position."""
    before = [earlier for earlier in range(position) if stream[earlier] == service]
    return change(before[-1], service) if before else None


@given(STREAMS, st.sampled_from(SERVICES))
def test_the_last_change_of_the_service_before_a_position_is_found(
    stream: list[str | None], service: str
) -> None:
    log = recorded(stream)
    for position in range(len(stream) + 1):
        assert log.last_before(position, service) == last_before(stream, position, service)


@given(STREAMS, STREAMS)
def test_what_is_forgotten_is_never_asked_for_again(
    stream: list[str | None], later: list[str | None]
) -> None:
    log = recorded(stream)

    log.forget({service for service in stream if service is not None})

    whole = stream + later
    for position in range(len(stream), len(whole)):
        for service in SERVICES:
            assert log.last_before(position, service) == last_before(whole, position, service)
        new = whole[position]
        if new is not None:
            log.record(position, change(position, new))


def test_a_service_that_never_changed_has_no_last_change() -> None:
    assert ChangeLog().last_before(5, "shop") is None


@pytest.mark.parametrize(("end", "duration"), [(None, None), (7, 4), (3, 0)])
def test_a_closed_incident_has_a_duration(end: int | None, duration: int | None) -> None:
    endpoint = Endpoint("shop", "ana@example.com", "GET", "/a", 0.9, 30)
    incident = Incident(endpoint, start=3, start_position=0, broken_by=None, end=end)
    assert incident.duration == duration

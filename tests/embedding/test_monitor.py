"""The live monitor, as a service uses it."""

from __future__ import annotations

from pathlib import Path

import anyio

import slomon
from slomon import IncidentClosed, IncidentEvent, IncidentOpened
from tests.embedding.clock import START, ManualClock

USERS = {
    "name": "users",
    "email": "ana@example.com",
    "verb": "GET",
    "resource": "/users/{id}",
    "slo": 0.9,
    "window": 30,
}


async def test_a_subscriber_is_told_what_broke_it_and_what_fixed_it() -> None:
    clock = ManualClock()
    async with slomon.live([USERS], clock=clock) as monitor:
        told = monitor.incidents()
        monitor.change(service="users", commit="191b6ce", author="ana@example.com")
        monitor.access("GET", "/users/{id}", 500)
        opened = await anext(told)
        clock.advance(31)
        monitor.change(service="users", commit="6d0080a", author="ben@example.com")
        monitor.access("GET", "/users/{id}", 200)
        closed = await anext(told)

        assert isinstance(opened, IncidentOpened)
        assert opened.incident.broken_by.commit == "191b6ce"
        assert isinstance(closed, IncidentClosed)
        assert closed.incident.fixed_by
        assert closed.incident.fixed_by.commit == "6d0080a"
        assert monitor.incident_details() == {
            "users": [{"start": START, "end": START + 31, "fix": "6d0080a", "break": "191b6ce"}]
        }


def test_silence_ends_an_incident_when_the_clock_says_so_and_replays_alike(tmp_path: Path) -> None:
    clock, events = ManualClock(), tmp_path / "events.jsonl"
    monitor = slomon.live([USERS], clock=clock, close_after_silence="1m", record=events)

    async def watch() -> tuple[IncidentEvent, IncidentEvent]:
        async with monitor:
            told = monitor.incidents()
            monitor.access("GET", "/users/{id}", 500)
            assert isinstance(await anext(told), IncidentOpened)
            clock.advance(60)
            ended = await anext(told)
            monitor.access("GET", "/users/{id}", 500, at=START + 59)  # it was told: counts at 60
            return ended, await anext(told)

    silent, again = anyio.run(watch)

    assert isinstance(silent, IncidentClosed)
    assert (silent.incident.state, silent.incident.end) == ("silent", START + 60)
    assert isinstance(again, IncidentOpened)
    assert again.incident.start == START + 60
    replayed = slomon.replay(events, endpoints=[USERS], close_after_silence="1m")
    assert replayed.records() == monitor.snapshot().records()

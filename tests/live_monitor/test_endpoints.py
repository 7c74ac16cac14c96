"""A live monitor finds endpoints as a replay of the same events does, and keeps them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from anyio import fail_after
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.typing import EventDict

import slomon
from slomon.live_monitor.inputs import pack_input, unpack_input
from tests.live_monitor.clock import ManualClock
from tests.live_monitor.services import access, answers, entry, make_engine, replay

OPTIONS: dict[str, Any] = {"slo": "90%", "window": "30s", "service": "users"}

paths = st.sampled_from(
    [
        *("/users/7", "/users/8", "/users/{id}", "/users/8;s=1?x#y", "/files/{name:path}"),
        *("/", "//", "users.show", "/caf\u00e9", "/0123456789abcdef", "http://a/users/7", "*"),
        *("/" + "x" * 3000, "/{", "-"),
    ]
)


def auto(**options: Any) -> slomon.LiveMonitor:
    return slomon.live("auto", **{**OPTIONS, **options})


def names(monitor: slomon.LiveMonitor) -> list[str]:
    return [f"{one.verb} {one.resource}" for one in monitor.snapshot().endpoints]


@settings(max_examples=12)
@given(st.lists(st.tuples(paths, st.sampled_from(["GET", "get", "-"]), st.booleans()), max_size=30))
@pytest.mark.slow
async def test_a_replay_of_what_it_recorded_gives_the_same_answers(
    tmp_path_factory: pytest.TempPathFactory, requests: list[tuple[str, str, bool]]
) -> None:
    events, clock = tmp_path_factory.mktemp("auto") / "events", ManualClock()
    async with auto(event_log=events, max_endpoints=5, clock=clock) as monitor:
        for number, (path, verb, failed) in enumerate(requests):
            clock.advance(1)
            if number % 7 == 3:
                monitor.change(service="users", commit=f"c{number}")
            monitor.access(verb, path, 500 if failed else 200)
        await monitor.flush()
        found, accounting = answers(monitor.snapshot()), monitor.snapshot().accounting
    again = replay(events, **OPTIONS, max_endpoints=5, group_paths="off")
    assert answers(again) == found
    assert (again.accounting.accesses, again.accounting.unmatched) == (
        accounting.accesses,
        accounting.unmatched,
    )


async def test_they_survive_a_restart_and_a_killed_process(tmp_path: Path) -> None:
    async with auto(state=tmp_path / "state") as monitor:
        monitor.access("GET", "/users/7", 500)
        await monitor.flush()
        for name in ("state", "state.journal"):  # as a killed process leaves them
            shutil.copy(tmp_path / name, tmp_path / f"killed-{name}")
        monitor.access("GET", "/orders", 200)
    for name, found in (
        ("state", ["GET /users/{id}", "GET /orders"]),
        ("killed-state", ["GET /users/{id}"]),
    ):
        async with auto(state=tmp_path / name) as monitor:
            assert names(monitor) == found
            assert monitor.snapshot().endpoints[0].failures == 1
            monitor.access("GET", "/users/8", 500)
            await monitor.flush()
            assert monitor.snapshot().endpoints[0].failures == 2
            assert len(monitor.snapshot().incidents) == 1


async def test_all_workers_of_a_group_agree_on_them(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with auto(state=state) as first, auto(state=state) as second:
        with fail_after(5):
            while not (await second.read()).accounting.accesses:
                second.access("GET", "/orders", 200)
                await second.flush()
        second.access("GET", "/users/7", 200)
        await second.flush()
        first.access("GET", "/users/8", 200)
        await first.flush()
        assert names(first) == ["GET /orders", "GET /users/{id}"]
        assert answers(await second.read()) == answers(first.snapshot())
        assert (await second.read()).endpoints == first.snapshot().endpoints


async def test_a_restart_may_bring_other_options(tmp_path: Path, logs: list[EventDict]) -> None:
    state, override = tmp_path / "state", {**entry("vip", "/orders"), "slo": 0.5}
    async with auto(state=state) as monitor:
        for path in ("/users", "/orders", "/carts"):
            monitor.access("GET", path, 500)
    async with auto(state=state, slo="40%", overrides=[override], max_endpoints=1) as monitor:
        found = [(one.service, one.resource, one.slo) for one in monitor.snapshot().endpoints]
        assert found == [("vip", "/orders", 0.5), ("users", "/users", 0.4)]
        monitor.access("GET", "/new", 200)
        await monitor.flush()
        assert monitor.snapshot().accounting.unmatched == 1
    events = [one["event"] for one in logs]
    assert events.count("endpoints.capped") == 1
    assert [one["endpoints"] for one in logs if one["event"] == "state.unwatched"] == [
        "users GET /orders, users GET /carts"
    ]


def test_a_journal_that_finds_an_endpoint_twice_is_invalid_from_there() -> None:
    engine = make_engine(finds=2)
    saved = dict(engine.save())
    counted = engine.feed([access(100, status=500)]).counted
    again = replace(
        counted, before=1, accounting=(2, 2, 0, 0, 0), batch=replace(counted.batch, positions=[1])
    )
    records = [pack_input(counted), pack_input(again)]
    assert unpack_input(records[0]) == counted
    following = make_engine(finds=2, saved=saved, records=records)
    assert "twice" in following.invalid_record


async def test_their_service_may_run_a_commit_and_be_deployed() -> None:
    async with auto(commit="c1") as monitor:
        monitor.change(service="users", commit="c2")
        monitor.change(service="other", commit="c3")
        await monitor.flush()
        accounting = monitor.snapshot().accounting
    assert (accounting.changes, accounting.unmatched) == (2, 1)


def test_the_service_is_called_service_unless_it_is_named() -> None:
    defaults = slomon.live("auto").discovery
    assert defaults is not None
    assert (defaults.defaults.name, defaults.defaults.slo, defaults.most) == (
        "service",
        0.999,
        1000,
    )


@pytest.mark.parametrize(
    ("endpoints", "options", "fault"),
    [
        ([entry("a")], {"slo": "90%"}, "option 'slo' is for found endpoints; allowed: with 'auto'"),
        ([entry("a")], {"max_endpoints": 5}, "option 'max_endpoints' is for found endpoints"),
        ([entry("a")], {"overrides": []}, "option 'overrides' is for found endpoints"),
        ("auto", {"slo": "9"}, "option 'slo' is '9'"),
        ("auto", {"window": 0}, "option 'window' is 0; allowed: a duration greater than 0"),
        ("auto", {"max_endpoints": 0}, "option 'max_endpoints' is 0; allowed: a whole number"),
        ("auto", {"service": ["a", "b"]}, "allowed: one service with 'auto'"),
        ("auto", {"overrides": [{}]}, "option 'overrides': entry 0"),
        ("auto", {"resolution": "5m"}, "'resolution'"),
    ],
)
def test_a_wrong_option_is_named(endpoints: Any, options: dict[str, Any], fault: str) -> None:
    with pytest.raises(slomon.ConfigurationError, match=fault):
        slomon.live(endpoints, **options)

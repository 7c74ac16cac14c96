"""Groups: monitors with a common state count as one. Here they share a process and a loop."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import fail_after, to_thread
from structlog.typing import EventDict

import slomon
from slomon.errors import LeaderError
from slomon.files import in_use
from slomon.live_monitor.group_protocol import VERSION, Channel, connect, find_socket
from slomon.live_monitor.inputs import Mark
from slomon.live_monitor.snapshot_document import pack_snapshot, unpack_snapshot
from tests.live_monitor.clock import ManualClock
from tests.live_monitor.services import (
    ENTRIES,
    access,
    answers,
    change,
    in_own_task,
    make_engine,
    recorded,
)
from tests.live_monitor.worlds import Machine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")


def live(folder: Path, **options: Any) -> slomon.LiveMonitor:
    return slomon.live(ENTRIES, state=folder / "state", **options)


async def until_joined(first: slomon.LiveMonitor, second: slomon.LiveMonitor) -> None:
    """The second one sends its events to the first."""
    second.access("GET", "/orders", 200)
    with fail_after(5):
        while first.snapshot().accounting.accesses == 0:
            await second.flush()


@asynccontextmanager
async def pair(
    folder: Path, **options: Any
) -> AsyncIterator[tuple[slomon.LiveMonitor, slomon.LiveMonitor]]:
    """One that leads, and one that has joined it and sent a request to the orders."""
    async with live(folder, **options) as first, live(folder, **options) as second:
        await until_joined(first, second)
        yield first, second


async def test_events_of_both_count_in_one_state(tmp_path: Path) -> None:
    async with pair(tmp_path, event_log=tmp_path / "events") as (first, second):
        assert (first.leads, second.leads) == (True, False)
        incidents = first.subscribe()
        second.change(service="users", commit="191b6ce")
        first.access("GET", "/users", 200)
        second.access("GET", "/users", 500)
        await second.flush()
        event = await anext(incidents)
        assert isinstance(event, slomon.IncidentOpened)
        assert event.incident.broken_by.commit == "191b6ce"
        found = await second.read()
        assert answers(found) == answers(first.snapshot())
        assert found.accounting.events == 4
    async with live(tmp_path) as monitor:
        snapshot = monitor.snapshot()
    assert answers(slomon.get_service_monitor(recorded(tmp_path / "events"))) == answers(snapshot)


async def test_the_other_leads_when_the_leader_has_left(tmp_path: Path) -> None:
    async with in_own_task(live(tmp_path)) as leave, live(tmp_path) as second:
        second.access("GET", "/users", 500)
        await leave()
        with fail_after(5):
            await second.leading()
            await second.flush()
        snapshot = second.snapshot()
        assert snapshot.accounting.accesses == 1
        assert len(snapshot.incidents) == 1


async def test_a_new_leader_records_as_soon_as_it_can_open_the_event_log(tmp_path: Path) -> None:
    clock, log, aside = ManualClock(), tmp_path / "events", tmp_path / "aside"
    options: dict[str, Any] = {"clock": clock, "event_log": log}
    async with in_own_task(live(tmp_path, **options)) as leave, live(tmp_path, **options) as second:
        log.rename(aside)
        log.mkdir()
        await leave()
        with fail_after(5):
            await second.leading()
        second.access("GET", "/users", 200)
        await second.flush()
        log.rmdir()
        aside.rename(log)
        clock.advance(1)
        second.access("GET", "/users", 500)
        await second.flush()
        assert second.snapshot().accounting.accesses == 2
    assert [json.loads(line)["type"] for line in log.read_text("ascii").splitlines()] == [
        *("gap", "access", "end-of-stream")
    ]


async def test_events_have_the_order_of_their_times_whoever_sent_them(tmp_path: Path) -> None:
    clock = ManualClock()
    async with pair(tmp_path, clock=clock) as (first, second):
        for _ in range(3):
            clock.advance(0.001)
            first.access("GET", "/users", 200)
            clock.advance(0.001)
            second.access("GET", "/users", 200)
        await first.flush()
        await second.flush()
        accounting = first.snapshot().accounting
        assert (accounting.accesses, accounting.late) == (7, 0)


async def test_a_process_that_joins_has_the_time_of_the_leader(tmp_path: Path) -> None:
    first_clock, second_clock = Machine(), Machine()
    second_clock.step(3600)  # the wall clock was set while the first one ran
    async with (
        live(tmp_path, clock=first_clock.clock) as first,
        live(tmp_path, clock=second_clock.clock) as second,
    ):
        await until_joined(first, second)
        second.access("GET", "/users", 200)
        await second.flush()
        first.access("GET", "/users", 200)
        await first.flush()
        accounting = first.snapshot().accounting
        assert (accounting.accesses, accounting.late) == (3, 0)
        assert second_clock.clock.now() - first_clock.clock.now() < 0.1 * 10**9


async def test_what_one_has_dropped_counts_for_all(tmp_path: Path) -> None:
    async with pair(tmp_path) as (first, second):
        assert not second.access("GET", "/" * 10_000, 200)
        second.access("GET", "/users", 200)
        await second.flush()
        assert first.snapshot().accounting.dropped == {"too long": 1}
        assert (await second.read()).accounting.dropped == {"too long": 1}
    async with live(tmp_path) as monitor:
        assert monitor.snapshot().accounting.dropped == {"too long": 1}


async def test_who_reaches_no_leader_counts_alone_and_merges_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: list[EventDict]
) -> None:
    monkeypatch.setattr("slomon.live_monitor.group._ALONE_AFTER", 0)
    async with live(tmp_path) as monitor:
        monitor.access("GET", "/orders", 200)
    monitor = live(tmp_path)
    with ExitStack() as lock:
        lock.enter_context(in_use(tmp_path / "state"))  # by a process on another machine
        async with monitor:
            incidents = monitor.subscribe()
            monitor.change(service="users", commit="191b6ce")
            monitor.access("GET", "/users", 500)
            with fail_after(5):
                assert isinstance(await anext(incidents), slomon.IncidentOpened)
            assert not monitor.leads
            assert monitor.snapshot().accounting.events == 2
            assert [one["event"] for one in logs].count("group.alone") == 1
            lock.close()
            with fail_after(5):
                await monitor.leading()
                await monitor.flush()
            snapshot = monitor.snapshot()
    assert snapshot.accounting.events == 3
    assert [one["break"] for one in snapshot.incident_details()["users"]] == ["191b6ce"]


async def test_what_nobody_takes_is_counted_as_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: list[EventDict]
) -> None:
    monkeypatch.setattr("slomon.live_monitor.group._LEAVE_SECONDS", 0.05)
    with in_use(tmp_path / "state"):
        async with live(tmp_path) as monitor:
            monitor.access("GET", "/users", 200)
        assert [one["events"] for one in logs if one["event"] == "group.lost"] == [1]


async def test_if_the_leader_does_not_answer_it_is_said(tmp_path: Path) -> None:
    with in_use(tmp_path / "state"):
        async with live(tmp_path) as monitor:
            with pytest.raises(LeaderError, match=r"counts for .*state does not answer"):
                monitor.snapshot()


async def test_a_process_of_another_version_is_refused_and_harms_nobody(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    async with pair(tmp_path) as (first, second):
        for message in (["hello", 99, "x"], ["events", 0, [], {}, False], ["nonsense"]):
            channel = Channel(connect(find_socket(tmp_path / "state"), 1))
            await channel.send(*message)
            assert await channel.receive() is None
            channel.close()
        assert [one["event"] for one in logs].count("group.disconnected") == 3
        second.access("GET", "/users", 200)
        await second.flush()
        assert first.snapshot().accounting.accesses == 2


async def test_a_process_that_never_sends_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slomon.live_monitor.group_ends._PATIENCE", 0.05)
    async with pair(tmp_path) as (first, second):
        channel = Channel(connect(find_socket(tmp_path / "state"), 1))
        await channel.send("hello", VERSION, "stuck")
        joined = await channel.receive()
        assert joined
        assert joined[0] == "joined"
        assert await channel.receive() == ["counted", 0]
        for _ in range(3):
            second.access("GET", "/users", 200)
            await second.flush()
        assert first.snapshot().accounting.accesses == 4
        assert [await channel.receive()] != [None]
        channel.close()


async def test_events_that_arrive_twice_count_once(tmp_path: Path) -> None:
    async with pair(tmp_path) as (monitor, _):
        channel = Channel(connect(find_socket(tmp_path / "state"), 1))
        await channel.send("hello", VERSION, "sender")
        kind = [[1_700_000_000 * 10**9] * 3, [0, 0, 0], [["GET", "/users", 200]], [None, 0.5, 1.0]]
        for _ in range(2):  # as if the count had not arrived
            await channel.send("waiting", True)
            with fail_after(5):
                while (await channel.receive() or [None])[0] != "send":
                    pass
                await channel.send("events", 0, kind, {}, False)
                while await channel.receive() != ["counted", 3]:
                    pass
        assert monitor.snapshot().accounting.accesses == 4
        channel.close()


async def test_another_thread_reads_without_blocking_the_loop(tmp_path: Path) -> None:
    async with pair(tmp_path) as (first, second):
        histogram = await to_thread.run_sync(second.api_histogram)
        assert histogram == first.api_histogram() == {}
        await anyio.lowlevel.checkpoint()


def test_a_snapshot_survives_the_way_to_another_process() -> None:
    engine = make_engine(sli_series=True)
    engine.feed([change("191b6ce"), access(1), access(2, status=500), "nonsense"])
    engine.feed([access(40), access(41, "orders", 500)])
    data = engine.read_data(50 * 10**9, {"full": 1})
    there = unpack_snapshot(pack_snapshot(data))
    assert answers(engine.show(there)) == answers(engine.show(data))
    assert engine.show(there).endpoints == engine.show(data).endpoints
    assert engine.show(there).accounting == engine.show(data).accounting
    assert engine.show(there).rejections == engine.show(data).rejections
    assert engine.show(there).summary() == engine.show(data).summary()


def test_the_oldest_of_many_senders_are_added_up() -> None:
    engine = make_engine()
    for number in range(1002):
        engine.feed([access(number)], {f"{number}": Mark(1, {"full": 1})})
    assert engine.mark("0") == Mark(0, {})
    assert engine.mark("1001") == Mark(1, {"full": 1})
    assert engine.read(0, {}).accounting.dropped == {"full": 1002}

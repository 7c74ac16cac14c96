"""The live monitor, as a service uses it."""

from __future__ import annotations

import asyncio
import gc
import json
import tempfile
import threading
import weakref
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

import anyio
import pytest
import structlog
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.typing import EventDict

import slomon
from slomon import (
    ConfigurationError,
    IncidentClosed,
    IncidentEvent,
    IncidentOpened,
    IncidentsMissed,
    LiveMonitor,
    StateFileError,
)
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.live_monitor.batching import LONGEST
from slomon.live_monitor.engine import Engine
from slomon.live_monitor.persistence import StateFile
from slomon.live_monitor.snapshot import LiveAccounting, Snapshot
from tests.live_monitor.clock import START, ManualClock
from tests.live_monitor.limits import files_end_at
from tests.live_monitor.services import ENTRIES, answers, recorded, replay
from tests.live_monitor.worlds import Machine
from tests.strategies import portion

USERS = {
    "name": "users",
    "email": "ana@example.com",
    "verb": "GET",
    "resource": "/users/{id}",
    "slo": 0.9,
    "window": 30,
}


async def test_a_subscriber_is_notified_of_what_broke_it_and_what_fixed_it() -> None:
    clock = ManualClock()
    async with slomon.live([USERS], clock=clock) as monitor:
        told = monitor.subscribe()
        monitor.change(service="users", commit="191b6ce", author="ana@example.com")
        monitor.access("GET", "/users/{id}", 500)
        opened = await anext(told)
        clock.advance(31)
        monitor.change(service="users", commit="6d0080a", author="ben@example.com")
        monitor.access("GET", "/users/{id}", 200)
        closed = await anext(told)

        assert isinstance(opened, IncidentOpened)
        assert opened.incident.broken_by.commit == "191b6ce"
        assert opened.incident.broken_by.suspect
        assert opened.incident.broken_by.suspect.probability >= 0.5
        assert opened.incident.fixed_by is None
        assert isinstance(closed, IncidentClosed)
        assert closed.incident.broken_by.suspect
        assert closed.incident.fixed_by
        assert closed.incident.fixed_by.suspect
        assert closed.incident.fixed_by.suspect.commit == "6d0080a"
        assert closed.incident.fixed_by.commit == "6d0080a"
        assert monitor.incident_details() == {
            "users": [{"start": START, "end": START + 31, "fix": "6d0080a", "break": "191b6ce"}]
        }


def test_silence_ends_an_incident_when_the_clock_says_so_and_replays_alike(tmp_path: Path) -> None:
    clock, events = ManualClock(), tmp_path / "events.jsonl"
    monitor = slomon.live([USERS], clock=clock, close_after_no_traffic="1m", event_log=events)

    async def watch() -> tuple[IncidentEvent, IncidentEvent]:
        async with monitor:
            told = monitor.subscribe()
            monitor.access("GET", "/users/{id}", 500)
            assert isinstance(await anext(told), IncidentOpened)
            clock.advance(60)
            ended = await anext(told)
            monitor.access("GET", "/users/{id}", 500, at=START + 59)  # it was told: counts at 60
            return ended, await anext(told)

    expired, again = anyio.run(watch)

    assert isinstance(expired, IncidentClosed)
    assert (expired.incident.state, expired.incident.end) == ("expired", START + 60)
    assert isinstance(again, IncidentOpened)
    assert again.incident.start == START + 60
    replayed = slomon.replay(events, endpoints=[USERS], close_after_no_traffic="1m")
    assert replayed.records() == monitor.snapshot().records()


@pytest.mark.parametrize(
    ("at", "ahead"),
    [(START + 86_400, "1d"), (f"{START + 3660}.000000001", "1h 1m"), (START + 360_000.0, "4d 4h")],
)
async def test_an_access_far_ahead_of_the_clock_is_rejected_and_delays_no_other(
    tmp_path: Path, at: float | str, ahead: str
) -> None:
    clock, events = ManualClock(), tmp_path / "events"
    async with slomon.live(ENTRIES, clock=clock, event_log=events) as monitor:
        monitor.access("GET", "/users", 500, at=at)
        await monitor.send("GET", "/users", 500, at=at)
        monitor.access("GET", "/users", 200.0, at=at)  # type: ignore[arg-type] # kept as its text
        for second in range(3):
            clock.advance(40)
            monitor.access("GET", "/users", 500 if second == 1 else 200)
    snapshot, consumed = monitor.snapshot(), slomon.get_service_monitor(recorded(events))

    assert snapshot.incident_details() == {
        "users": [{"start": START + 80, "end": START + 120, "fix": "", "break": ""}]
    }
    counted = snapshot.accounting
    assert (counted.events, counted.accesses, counted.rejected, counted.late) == (6, 3, 3, 0)
    reason = f"'{at}', {ahead} after the clock; allowed: at most 1h after it (max_ahead)"
    assert [one.reason for one in snapshot.rejections] == [f"the timestamp is {reason}"] * 3
    assert answers(consumed) == answers(snapshot)
    assert consumed.rejections == snapshot.rejections


@pytest.mark.parametrize(
    ("max_ahead", "ahead", "rejected"),
    [("1h", 3600, 0), ("5s", 5, 0), ("5s", 5.5, 1), (0, 0, 0), (0, 0.5, 1), ("3650d", 86_400, 0)],
)
async def test_an_option_says_how_far_ahead_an_access_may_be(
    max_ahead: float | str, ahead: float, rejected: int
) -> None:
    async with slomon.live(ENTRIES, clock=ManualClock(), max_ahead=max_ahead) as monitor:
        monitor.access("GET", "/users", 200, at=START + ahead)
    assert monitor.snapshot().accounting.rejected == rejected


async def test_a_clock_that_is_wrong_rejects_no_access_that_has_a_time() -> None:
    clock = ManualClock()
    clock.now = raise_it  # type: ignore[method-assign]
    async with slomon.live(ENTRIES, clock=clock) as monitor:
        monitor.access("GET", "/users", 200, at=START)
    assert monitor.snapshot().accounting.accesses == 1


Call = tuple[Any, ...]

RESOURCES = ["/users", "/orders", "/nobody", "/a b", "/a\n", "", "\ud800", "/" + "x" * LONGEST]
STATUSES: list[object] = [200, 500, 404, 599, 99, "200", "", None, 2.5, True]
STAMPS: list[object] = [
    START + 10_000,
    9e9,
    "",
    "yesterday",
    "-1",
    True,
    float("nan"),
    1e30,
    f"{START}.0000000001",
]
COMMITS = ["c1", "c2", "c3", "", "two\nlines", "\udcff", " "]
AUTHORS = ["ana@example.com", "Ana <ana@example.com>", "", "\r", "<"]
CALLS = st.one_of(
    st.tuples(st.just("access"), st.sampled_from(RESOURCES[:2]), st.sampled_from([200, 500])),
    st.tuples(
        st.just("access"),
        st.sampled_from(RESOURCES),
        st.sampled_from(STATUSES),
        st.none() | st.integers(START - 40, START + 200) | st.sampled_from(STAMPS),
    ),
    st.tuples(
        st.just("change"),
        st.sampled_from(["users", "orders", "nobody", ""]),
        st.sampled_from(COMMITS),
        st.sampled_from(AUTHORS),
    ),
    st.tuples(st.just("advance"), st.sampled_from([0.25, 1, 29.999999999, 30, 31, 300])),
    st.sampled_from([("flush",), ("restart",)]),
)


def call(monitor: LiveMonitor, kind: str, *values: Any) -> None:
    if kind == "access":
        resource, status, *at = values
        monitor.access("GET", resource, status, *at)
    else:
        service, commit, author = values
        monitor.change(service=service, commit=commit, author=author)


async def watch(folder: Path, calls: list[Call], **options: Any) -> Snapshot:
    """What a service finds that is called so, and restarted now and then."""
    clock = ManualClock()
    files: dict[str, Any] = {"state": folder / "state", "event_log": folder / "events"}
    for life in split(calls):
        monitor = slomon.live(ENTRIES, clock=clock, **files, **options)
        async with monitor:
            for kind, *values in life:
                if kind == "advance":
                    clock.advance(*values)
                elif kind == "flush":
                    await monitor.flush()
                else:
                    call(monitor, kind, *values)
    return monitor.snapshot()


def split(calls: list[Call]) -> list[list[Call]]:
    lives: list[list[Call]] = [[]]
    for one in calls:
        if one == ("restart",):
            lives.append([])
        else:
            lives[-1].append(one)
    return lives


@pytest.mark.slow
@settings(deadline=None, max_examples=portion(40))
@given(st.lists(CALLS, max_size=40), st.sampled_from([None, 10, 100]))
def test_a_recording_says_what_the_service_found(
    calls: list[Call], no_traffic: float | None
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        live = asyncio.run(watch(folder, calls, close_after_no_traffic=no_traffic))
        events = folder / "events"
        consumed = slomon.get_service_monitor(recorded(events), close_after_no_traffic=no_traffic)
        replayed = replay(
            events, endpoints=ENTRIES, format="events", close_after_no_traffic=no_traffic
        )
    assert answers(live) == answers(consumed) == answers(replayed)
    counted = asdict(live.accounting)
    del counted["dropped"]
    assert counted == asdict(consumed.accounting)


@pytest.mark.slow
@settings(deadline=None, max_examples=portion(40))
@given(
    st.lists(CALLS, max_size=40),
    st.sampled_from([None, 10, 100, 31.7]),
    st.sampled_from([0.3, 7, 29.9]),
)
def test_in_steps_it_finds_what_a_replay_in_the_same_steps_does(
    calls: list[Call], no_traffic: float | None, resolution: float
) -> None:
    options: dict[str, Any] = {"close_after_no_traffic": no_traffic, "resolution": resolution}
    with tempfile.TemporaryDirectory() as name:
        live = asyncio.run(watch(Path(name), calls, **options))
        events = Path(name) / "events"
        replayed = replay(events, endpoints=ENTRIES, format="events", **options)
    assert answers(live) == answers(replayed)
    assert live.accounting.late == replayed.accounting.late


def raise_it(*_: object) -> NoReturn:
    raise BrokenPipeError("nobody reads the log")


async def test_what_fits_is_counted_and_what_does_not_is_dropped_and_counted_too() -> None:
    calls, callers = 40_000, 4
    taken_in = []

    def ask() -> None:
        taken_in.append(sum(monitor.access("GET", "/users", 200) for _ in range(calls)))

    async with slomon.live(ENTRIES, clock=ManualClock(), buffer=3000) as monitor:
        threads = [threading.Thread(target=ask) for _ in range(callers)]
        for thread in threads:
            thread.start()
        mine = 0
        for _ in range(calls // 100):
            mine += sum(monitor.access("GET", "/orders", 200) for _ in range(100))
            await monitor.flush()
        for thread in threads:
            thread.join()
    snapshot = monitor.snapshot()
    users, orders = snapshot.endpoints

    assert snapshot.accounting.events == snapshot.accounting.accesses
    assert (users.all_requests, orders.all_requests) == (sum(taken_in), mine)
    dropped = snapshot.accounting.dropped.get("full", 0)  # the loop may have kept up
    assert snapshot.accounting.events + dropped == calls * (callers + 1)


async def test_what_threads_and_the_loop_did_is_replayed_alike(tmp_path: Path) -> None:
    events = tmp_path / "events"

    def ask(name: str) -> None:
        for number in range(3000):
            monitor.access("GET", f"/{name}", 500 if number % 100 > 80 else 200)
            if not number % 500:
                monitor.change(service=name, commit=f"{name} {number}")

    async with slomon.live(ENTRIES, event_log=events, buffer=2**20) as monitor:
        told = monitor.subscribe(bound=10_000)
        threads = [threading.Thread(target=ask, args=(name,)) for name in ("users", "orders") * 2]
        for thread in threads:
            thread.start()
        for _ in range(3000):
            await monitor.send("GET", "/orders", 200)
        for thread in threads:
            thread.join()
    snapshot = monitor.snapshot()
    moved = [event async for event in told]

    assert snapshot.accounting.accesses == 15_000
    assert snapshot.accounting.changes == 24
    assert answers(snapshot) == answers(slomon.get_service_monitor(recorded(events)))
    assert len(moved) == sum(1 + (one.end is not None) for one in snapshot.incidents) > 0


async def test_who_sends_waits_for_room_and_loses_nothing() -> None:
    async with slomon.live(ENTRIES, buffer=1) as monitor:
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                for _ in range(20):
                    tasks.start_soon(monitor.send, "GET", "/users", 200)
    assert monitor.snapshot().accounting.accesses == 20
    assert not await monitor.send("GET", "/users", 200)
    assert monitor.snapshot().accounting.dropped == {"closed": 1}


async def test_calls_before_and_after_are_dropped_as_closed() -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock())
    assert not monitor.access("GET", "/users", 200)
    assert monitor.snapshot().endpoints[0].sli is None
    async with monitor:
        assert monitor.access("GET", "/users", 200)
    assert not monitor.change(service="users", commit="c1")
    accounting = monitor.snapshot().accounting
    assert (accounting.events, accounting.dropped) == (1, {"closed": 2})


async def test_one_that_ended_goes_on_when_it_is_entered_again(tmp_path: Path) -> None:
    files: dict[str, Any] = {"state": tmp_path / "state", "event_log": tmp_path / "events"}
    monitor = slomon.live(ENTRIES, clock=ManualClock(), **files)
    for number in range(3):
        told = monitor.subscribe()
        async with monitor:
            monitor.access("GET", "/users", 500 if number < 2 else 200)
        assert [type(event) for event in [event async for event in told]] == [IncidentOpened] * (
            not number
        )
    assert monitor.snapshot().accounting.events == 3
    assert answers(monitor.snapshot()) == answers(
        slomon.get_service_monitor(recorded(tmp_path / "events"))
    )


async def test_it_runs_once_at_a_time(tmp_path: Path) -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock(), state=tmp_path / "state")
    refused = []

    async def run() -> None:
        try:
            async with monitor:
                monitor.access("GET", "/users", 200)
                with pytest.raises(RuntimeError, match="is running"):
                    await monitor.__aenter__()
        except RuntimeError as error:
            refused.append(str(error))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):  # the others come while the first one loads the state
            tasks.start_soon(run)
    assert (
        refused
        == ["this live monitor is running; allowed: one `async with` at a time, or to stop it"] * 2
    )
    assert monitor.snapshot().accounting.events == 1


async def test_an_event_log_of_another_one_that_runs_is_refused_until_that_has_ended(
    tmp_path: Path,
) -> None:
    files: dict[str, Any] = {"event_log": tmp_path / "file"}
    first, second = (slomon.live(ENTRIES, clock=ManualClock(), **files) for _ in range(2))
    async with first:
        for _ in range(2):
            with pytest.raises(OSError, match="is in use by another process") as caught:
                await second.__aenter__()
            assert caught.value.filename == str(tmp_path / "file")
        first.access("GET", "/users", 500)
    async with second:
        assert second.snapshot().accounting.events == 0


def test_the_state_and_the_record_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for name in ("file", "link"):
        with pytest.raises(ConfigurationError, match="'state' and 'event_log' are the same file"):
            slomon.live(ENTRIES, state=tmp_path / "file", event_log=tmp_path / name)


async def test_one_that_could_not_begin_can_be_entered_once_it_can(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with slomon.live(ENTRIES, clock=ManualClock(), state=state) as before:
        before.access("GET", "/users", 500)
    data = state.read_bytes()
    state.write_bytes(b"of something else")
    monitor = slomon.live(ENTRIES, clock=ManualClock(), state=state, event_log=tmp_path / "events")
    with pytest.raises(StateFileError):
        async with monitor:
            pytest.fail("it was entered")
    state.write_bytes(data)
    (tmp_path / "events").mkdir()
    for _ in range(2):
        with pytest.raises(OSError, match="events"):
            async with monitor:
                pytest.fail("it was entered")
    (tmp_path / "events").rmdir()
    async with monitor:
        pass
    assert monitor.snapshot().endpoints == before.snapshot().endpoints


class RefusedError(Exception):
    pass


async def fail(monitor: LiveMonitor, error: Exception) -> None:
    async with monitor:
        monitor.access("GET", "/users", 500)
        monitor.access("GET", "what is", 500)
        raise error


async def ask_until_cancelled(monitor: LiveMonitor) -> None:
    async with monitor:
        for _ in range(2000):
            monitor.access("GET", "/orders", 500)
            monitor.access("GET", "what is", 500)
        await anyio.sleep_forever()


async def test_what_the_body_raises_comes_out_as_it_is_and_all_is_counted() -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock())
    told = monitor.subscribe()
    refused = RefusedError()
    with pytest.raises(RefusedError) as caught:
        await fail(monitor, refused)
    assert caught.value is refused
    assert [type(event) async for event in told] == [IncidentOpened]


async def test_a_cancelled_scope_ends_it_and_all_is_counted(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock(), state=tmp_path / "state")
    with anyio.CancelScope() as scope:
        async with monitor:
            monitor.access("GET", "/users", 500)
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert monitor.snapshot().accounting.events == 1
    assert (tmp_path / "state").exists()
    assert [entry["event"] for entry in logs][-1] == "stream.finished"


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_a_cancelled_task_ends_and_all_is_counted(tmp_path: Path, times: int) -> None:
    files: dict[str, Any] = {"state": tmp_path / "state", "event_log": tmp_path / "events"}
    monitor = slomon.live(ENTRIES, clock=ManualClock(), **files)
    entered = anyio.Event()

    async def serve() -> None:
        async with monitor:
            monitor.access("GET", "/users", 500)
            entered.set()
            await anyio.sleep_forever()

    task = asyncio.create_task(serve())
    await entered.wait()
    for _ in range(times):  # whoever is impatient, in the middle of saving too
        task.cancel()
        await checkpoint()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "events").read_text(encoding="ascii").count("\n") == 2
    async with slomon.live(ENTRIES, clock=ManualClock(), state=tmp_path / "state") as following:
        assert following.snapshot().accounting.events == 1
    async with monitor:  # and it can be entered again
        assert monitor.snapshot().accounting.events == 1


def test_endpoints_may_be_written_as_for_a_replay(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.json"
    entry = {"name": "users", "verb": "GET", "resource": "/users", "slo": 0.9, "window": "5m"}
    file.write_text(json.dumps([entry]), encoding="utf-8")
    for endpoints in ([entry], file):
        [endpoint] = slomon.live(endpoints).catalogue.endpoints
        assert endpoint.window == 300 * TICKS_PER_SECOND


async def test_it_logs_as_the_program_has_set_that_up_by_the_time_it_is_entered() -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock())
    with structlog.testing.capture_logs() as logs:
        async with monitor:
            pass
    assert [entry["event"] for entry in logs] == ["stream.started", "stream.finished"]


class BrittleClock(ManualClock):
    """One that breaks."""

    broken = False

    def now(self) -> int:
        return raise_it() if self.broken else super().now()


async def test_a_clock_that_fails_keeps_nothing_from_its_end(tmp_path: Path) -> None:
    clock, refused = BrittleClock(), RefusedError()
    monitor = slomon.live(ENTRIES, clock=clock, state=tmp_path / "state")
    told = monitor.subscribe()

    async def serve() -> NoReturn:
        async with monitor:
            monitor.access("GET", "/users", 500)
            clock.broken = True
            raise refused

    with pytest.raises(RefusedError) as caught:
        await serve()
    assert caught.value is refused
    assert [type(event) async for event in told] == [IncidentOpened]
    assert not monitor.running
    assert monitor.snapshot().accounting.events == 1
    assert (tmp_path / "state").exists()


async def test_what_the_body_raises_comes_before_what_fails_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, refused = ManualClock(), RefusedError()

    async def sleep_until(_: int) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise_it()

    monkeypatch.setattr(clock, "sleep_until", sleep_until)

    async def serve() -> NoReturn:
        async with slomon.live([USERS], clock=clock, close_after_no_traffic="1m") as monitor:
            monitor.access("GET", "/users/{id}", 500)
            await monitor.flush()
            await anyio.wait_all_tasks_blocked()
            raise refused

    with pytest.raises(RefusedError) as caught:
        await serve()
    assert caught.value is refused


@pytest.mark.parametrize("event", ["incident.opened", "event.rejected"])
async def test_if_nobody_can_be_notified_it_ends_as_that_says_and_all_is_counted(
    tmp_path: Path, event: str
) -> None:
    def process(_: object, __: str, entry: EventDict) -> str:
        return raise_it() if entry["event"] == event else ""

    structlog.configure(processors=[process], logger_factory=structlog.ReturnLoggerFactory())
    try:
        monitor = slomon.live(ENTRIES, clock=ManualClock(), state=tmp_path / "state")
        with pytest.raises(BrokenPipeError):
            await ask_until_cancelled(monitor)
        with pytest.raises(RefusedError) as caught:
            await fail(monitor, RefusedError())
    finally:
        structlog.reset_defaults()
    assert isinstance(caught.value.__context__, BrokenPipeError)
    assert monitor.snapshot().accounting.events == 4002
    async with slomon.live(ENTRIES, clock=ManualClock(), state=tmp_path / "state") as following:
        assert following.snapshot().endpoints == monitor.snapshot().endpoints


async def test_it_saves_as_often_as_it_was_asked_to(tmp_path: Path) -> None:
    clock, state = ManualClock(), tmp_path / "state"
    async with slomon.live(ENTRIES, clock=clock, state=state, save_every="10s") as monitor:
        state.unlink()  # that of the beginning
        monitor.access("GET", "/users", 200)
        await monitor.flush()
        clock.advance(9.9)
        for _ in range(10):
            await checkpoint()
        assert not state.exists()
        with anyio.fail_after(20):
            for _ in range(3):
                while not state.exists():
                    clock.advance(0.1)
                    await checkpoint()
                state.unlink()


async def test_incidents_are_made_durable_and_the_state_is_saved_as_often_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    save, sync = StateFile.save, StateFile.sync

    async def noted_save(state: StateFile, engine: Engine, *, last: bool = False) -> None:
        calls.append("save")
        await save(state, engine, last=last)

    async def noted_sync(state: StateFile) -> None:
        calls.append("sync")
        await sync(state)

    monkeypatch.setattr(StateFile, "save", noted_save)
    monkeypatch.setattr(StateFile, "sync", noted_sync)
    clock, state = ManualClock(), tmp_path / "state"
    async with slomon.live(ENTRIES, clock=clock, state=state, save_every="10s") as monitor:
        for path in ("/users", "/orders"):  # several at once are made durable at once
            monitor.access("GET", path, 500)
        await monitor.flush()
        with anyio.fail_after(20):
            while calls != ["save", "sync"]:
                await checkpoint()
        await anyio.wait_all_tasks_blocked()
        clock.advance(9.9)
        await anyio.wait_all_tasks_blocked()
        assert calls == ["save", "sync"]
    assert calls == ["save", "sync", "save"]


async def test_between_two_saves_it_works_thirty_times_as_long_as_one_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves: list[int] = []
    save = StateFile.save

    async def noted_save(state: StateFile, engine: Engine, *, last: bool = False) -> None:
        await save(state, engine, last=last)
        saves.append(clock.now())

    monkeypatch.setattr(StateFile, "save", noted_save)
    ticks = iter(range(0, 10**15, TICKS_PER_SECOND))  # a second from one look to the next
    monkeypatch.setattr("slomon.live_monitor.persistence.perf_counter_ns", lambda: next(ticks))
    clock, state = ManualClock(), tmp_path / "state"
    async with slomon.live(ENTRIES, clock=clock, state=state, save_every="10s"):
        with anyio.fail_after(20):
            for number, seconds in enumerate((10, 30, 30), 1):
                await anyio.wait_all_tasks_blocked()
                clock.advance(seconds - 0.1)
                await anyio.wait_all_tasks_blocked()
                assert len(saves) == number
                clock.advance(0.1)
                while len(saves) == number:
                    await checkpoint()


class Unspeakable:
    def __str__(self) -> str:
        raise ValueError


HOSTILE: list[Any] = [
    *(None, True, -1, 10**5000, float("inf"), b"GET", [], object(), Unspeakable()),
    *("", " ", "GET ", "\n", "\0", "\ud800", "x" * 1_000_000, "\u2028", "%s {}"),
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
async def test_whatever_it_is_called_with_is_counted_and_raises_nothing(
    tmp_path: Path, value: Any
) -> None:
    events = tmp_path / "events"
    async with slomon.live(ENTRIES, clock=ManualClock(), event_log=events) as monitor:
        monitor.access(value, "/users", 200)
        monitor.access("GET", value, 200)
        monitor.access("GET", "/users", value)
        monitor.access("GET", "/users", 200, at=value)
        monitor.change(service=value, commit="c1")
        monitor.change(service="users", commit=value)
        monitor.change(service="users", commit="c1", author=value)
        monitor.change(service="users", commit="c1", date=value)
    counted = monitor.snapshot().accounting
    assert counted.events + sum(counted.dropped.values()) == 8
    assert counted.events == (
        counted.accesses + counted.changes + counted.unmatched + counted.rejected
    )
    consumed = slomon.get_service_monitor(recorded(events))
    assert replace(counted, dropped={}) == LiveAccounting(**asdict(consumed.accounting))


async def test_a_clock_that_raises_costs_an_event_its_time_and_raises_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> NoReturn:
        raise ValueError

    clock = ManualClock()
    async with slomon.live(ENTRIES, clock=clock) as monitor:
        with monkeypatch.context() as broken:
            broken.setattr(clock, "now", refuse)
            assert monitor.access("GET", "/users", 200)
            assert await monitor.send("GET", "/users", 200)
            assert monitor.change(service="users", commit="c1")
            assert monitor.change(service="users", commit="c1", date="today")
    counted = monitor.snapshot().accounting
    assert (counted.rejected, counted.changes, counted.events) == (3, 1, 4)


async def test_many_subscribers_are_each_notified_of_what_they_have_room_for() -> None:
    async with slomon.live(ENTRIES, clock=ManualClock()) as monitor:
        bounds = (1, 3, 100)
        told = [monitor.subscribe(bound=bound) for bound in bounds]
        closed, gone = monitor.subscribe(), weakref.ref(monitor.subscribe())
        closed.close()
        gc.collect()
        assert gone() is None
        for number in range(10):
            monitor.access("GET", "/users", 500, at=START + 100 * number)
            monitor.access("GET", "/users", 200, at=START + 100 * number + 30)
        await monitor.flush()
        monitor.access("GET", "/users", 500, at=START + 2000)

    got = [[event async for event in one] for one in told]
    assert [event async for event in closed] == []
    assert [len(events) for events in got] == [2, 4, 21]
    assert [events[0] for events in got[:2]] == [IncidentsMissed(20), IncidentsMissed(18)]
    assert got[1][1:] == got[2][-3:]
    assert [type(event) for event in got[2]] == [IncidentOpened, IncidentClosed] * 10 + [
        IncidentOpened
    ]


@pytest.mark.parametrize(
    "options",
    [
        *({"min_requests": 0}, {"buffer": 0}, {"history": True}, {"save_every": "0s"}),
        *({"is_failure": 500}, {"state": 7}, {"event_log": ""}, {"stale_after": "soon"}),
        *({"fail_status": "6xx"}, {"fail_status": 404}),
        *({"clock": 5}, {"clock": ManualClock}, {"resolution": 0}, {"resolution": "30s"}),
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_by_its_name(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"'{next(iter(options))}'"):
        slomon.live(ENTRIES, **options)


def test_a_rule_that_raises_of_an_ordinary_status_is_refused_with_what_it_raises() -> None:
    known = {status: status >= 500 for status in range(100, 600)}
    slomon.live(ENTRIES, is_failure=known.__getitem__)
    del known[404]
    with pytest.raises(ConfigurationError, match="'is_failure' raises KeyError: 404, of 404"):
        slomon.live(ENTRIES, is_failure=known.__getitem__)


def test_one_rule_of_failures_is_given() -> None:
    slomon.live(ENTRIES, fail_status="5xx,404")
    with pytest.raises(ConfigurationError, match="'is_failure' and 'fail_status' are both given"):
        slomon.live(ENTRIES, is_failure=lambda _: False, fail_status="5xx")


async def test_a_live_monitor_asks_for_the_statuses_that_fail() -> None:
    monitor = slomon.live([ENTRIES[0]], fail_status="404")
    async with monitor:
        for status in (404, 500):
            monitor.access(str(ENTRIES[0]["verb"]), str(ENTRIES[0]["resource"]), status)
    (endpoint,) = monitor.snapshot().endpoints
    assert (endpoint.all_requests, endpoint.all_failures) == (2, 1)


async def test_a_subscription_of_no_room_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'bound' is 0"):
        slomon.live(ENTRIES).subscribe(bound=0)


async def test_who_subscribes_before_the_beginning_waits_and_after_the_end_does_not() -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock())
    early = monitor.subscribe()
    with anyio.fail_after(20):
        async with monitor:
            monitor.access("GET", "/users", 500)
        assert [type(event) async for event in early] == [IncidentOpened]
        assert [event async for event in monitor.subscribe()] == []
        async with monitor:
            told = monitor.subscribe()
            monitor.access("GET", "/orders", 500)
        assert [type(event) async for event in told] == [IncidentOpened]


async def test_its_answers_are_those_of_a_snapshot() -> None:
    async with slomon.live(ENTRIES, clock=ManualClock()) as monitor:
        monitor.access("GET", "/users", 500, at=START)
        monitor.access("GET", "/users", 200, at=START + 30)
        await monitor.flush()
        assert monitor.mttr() == monitor.snapshot().mttr() == 30
        assert monitor.api_histogram() == monitor.snapshot().api_histogram() == {"users": 1}
        assert monitor.incident_details() == monitor.snapshot().incident_details()


async def test_with_a_damaged_state_it_begins_anew(tmp_path: Path, logs: list[EventDict]) -> None:
    state = tmp_path / "state"
    async with slomon.live(ENTRIES, clock=ManualClock(), state=state) as monitor:
        monitor.access("GET", "/users", 500)
    state.write_bytes(state.read_bytes()[:-1])
    async with slomon.live(ENTRIES, clock=ManualClock(), state=state) as monitor:
        monitor.access("GET", "/orders", 500)
    assert "state.damaged" in [entry["event"] for entry in logs]
    assert monitor.api_histogram() == {"orders": 1}
    async with slomon.live(ENTRIES, clock=ManualClock(), state=state) as monitor:
        assert monitor.api_histogram() == {"orders": 1}


async def test_a_full_disk_stops_neither_the_service_nor_its_end(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    files: dict[str, Any] = {"state": tmp_path / "state", "event_log": tmp_path / "events"}
    with files_end_at(100):
        async with slomon.live(ENTRIES, clock=ManualClock(), **files) as monitor:
            for _ in range(3):
                monitor.access("GET", "/users", 500)
                await monitor.flush()
    assert monitor.snapshot().accounting.accesses == 3
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == [
        *("state.unsaved", "recording.interrupted", "recording.incomplete")
    ]


@pytest.mark.parametrize("step", [3600, -3600, 100 * 86_400, -100 * 86_400])
async def test_after_a_step_of_the_clock_an_outage_is_seen_and_replayed_alike(
    tmp_path: Path, step: int, logs: list[EventDict]
) -> None:
    machine = Machine()
    monitor = slomon.live(
        ENTRIES, clock=machine.clock, event_log=tmp_path / "events", state=tmp_path / "s"
    )

    def serve(status: int) -> None:
        for _ in range(60):
            machine.advance(1)
            monitor.access("GET", "/users", status)

    async with monitor:
        serve(200)
        machine.step(step)
        machine.clock.follow()
        for status in (200, 500, 200):
            serve(status)
        assert monitor.access("GET", "/orders", 200, at=machine.wall / 10**9)
        await monitor.flush()
        [incident] = monitor.snapshot().records()
        assert monitor.snapshot().accounting.late == monitor.snapshot().accounting.rejected == 0
    assert incident.end is not None
    assert 30 <= incident.end - incident.start <= 180  # half of 60 s, to twice 90 s
    assert "clock.stepped" in [entry["event"] for entry in logs]
    replayed = slomon.get_service_monitor(recorded(tmp_path / "events"))
    assert answers(replayed) == answers(monitor.snapshot())


@pytest.mark.parametrize("step", [-3600, -100 * 86_400])
async def test_a_state_of_the_future_hides_no_outage(
    tmp_path: Path, step: int, logs: list[EventDict]
) -> None:
    machine = Machine()
    for status in (200, 500):
        async with slomon.live(ENTRIES, clock=machine.clock, state=tmp_path / "state") as monitor:
            for _ in range(60):
                machine.advance(1)
                monitor.access("GET", "/users", status)
            await monitor.flush()
            accounting = monitor.snapshot().accounting
        machine.step(step)  # while nothing runs
        machine = Machine(machine.wall)
    assert accounting.late == 0
    [incident] = monitor.snapshot().records()
    assert incident.end is None
    assert [entry["seconds"] for entry in logs if entry["event"] == "state.ahead"] == [-step]


async def test_an_unknown_author_is_empty_live_and_replayed(tmp_path: Path) -> None:
    clock, file = ManualClock(), tmp_path / "events"
    async with slomon.live(ENTRIES, clock=clock, event_log=file) as monitor:
        monitor.change(service="users", commit="c1")
        monitor.access("GET", "/users", 500)
    for found in (monitor.snapshot(), slomon.get_service_monitor(recorded(file))):
        newest = found.records()[0].broken_by.newest
        assert newest is not None
        assert (newest.commit, newest.author) == ("c1", "")


async def test_a_renamed_service_stays_counted_and_leaves_no_empty_list(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with slomon.live(ENTRIES, clock=ManualClock(), state=state) as before:
        before.access("GET", "/users", 500)
    renamed = [{**one, "name": f"new {one['name']}"} for one in ENTRIES]
    async with slomon.live(renamed, clock=ManualClock(), state=state) as monitor:
        assert monitor.incident_details() == {}
        monitor.access("GET", "/users", 500)
        await monitor.flush()
        assert list(monitor.incident_details()) == ["new users"]
        assert monitor.api_histogram() == {"users": 1, "new users": 1}


@pytest.mark.parametrize(("resolution", "logged"), [(None, 1), ("1s", 0)])
async def test_windows_that_become_large_are_logged_once(
    resolution: str | None,
    logged: int,
    logs: list[EventDict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("slomon.live_monitor.counting._LARGE", 1000)
    async with slomon.live(ENTRIES, clock=ManualClock(), resolution=resolution) as monitor:
        for number in range(3000):
            at = START + number / 1000 if resolution is None else START + number
            monitor.access("GET", "/users", 200, at=at)
        await monitor.flush()
    assert [entry["event"] for entry in logs].count("windows.large") == logged

"""At least once, whatever happens between an incident and its delivery."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from anyio import create_task_group, to_thread
from structlog.typing import EventDict

from slomon import ConfigurationError, StateFileError
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.integrations.notify import Webhook
from slomon.integrations.notify.outbox import Outbox
from slomon.live_monitor.subscription import IncidentClosed, IncidentOpened
from slomon.state.file import read_state, write_state
from tests.integrations.notify.clock import GUARD_SECONDS, WatchedClock
from tests.integrations.notify.receiver import HANG, Request, answer, serving
from tests.integrations.notify.service import break_it, live, mend_it
from tests.report.records import record
from tests.servers import poll

SECRET = "whsec_" + "c2VjcmV0" * 4


def events(outbox: Outbox) -> list[str]:
    """The waiting messages by what tells them apart here: `service-start kind`."""
    names = [message.rpartition("-") for message in outbox.messages]
    return [f"{name.rpartition('-')[0]} {kind}" for name, _, kind in names]


def known(*records: IncidentRecord) -> Outbox:
    """An outbox that has taken all of this, and delivered it."""
    outbox = Outbox(100)
    outbox.catch_up(records)
    outbox.messages.clear()
    return outbox


FIRST = record("shop", start=100.0, lasted=10.0)
SECOND = record("shop", start=200.0, lasted=None)
ENDED = replace(SECOND, state=State.EXPIRED, end=260.0, duration=60.0)
OTHER = record("users", start=150.0, lasted=20.0)


def test_at_first_only_what_is_open_is_news() -> None:
    outbox = Outbox(100)

    assert outbox.begin([FIRST, OTHER, SECOND]) == 0
    assert events(outbox) == ["shop-200.0 opened"]


def test_what_happened_since_is_made_up_for_in_its_order() -> None:
    outbox = known(FIRST)
    outbox.catch_up([FIRST, OTHER, ENDED])

    assert events(outbox) == [
        "users-150.0 opened",
        "users-150.0 closed",
        "shop-200.0 opened",
        "shop-200.0 expired",
    ]


def test_of_an_incident_that_was_reported_to_open_the_end_is_news() -> None:
    outbox = known(SECOND)
    outbox.catch_up([ENDED])

    assert events(outbox) == ["shop-200.0 expired"]


def test_what_was_taken_is_no_news() -> None:
    outbox = known(FIRST, OTHER, ENDED)
    outbox.catch_up([FIRST, OTHER, ENDED])

    assert events(outbox) == []


def test_a_history_that_goes_less_far_than_the_outbox_has_no_news() -> None:
    outbox = known(FIRST, ENDED)
    outbox.catch_up([FIRST, SECOND])

    assert events(outbox) == []


def test_in_a_history_that_has_forgotten_it_what_is_later_is_news() -> None:
    outbox = known(FIRST)
    outbox.catch_up([ENDED])

    assert events(outbox) == ["shop-200.0 opened", "shop-200.0 expired"]


def test_an_opening_is_reported_as_such_though_the_end_is_known() -> None:
    outbox = Outbox(100)
    outbox.catch_up([FIRST])
    opened, _ = outbox.messages.values()

    assert '"state": "open"' in opened.body


def test_what_waits_already_is_not_put_twice() -> None:
    outbox = Outbox(100)
    outbox.catch_up([FIRST, SECOND])
    outbox.take(IncidentOpened(replace(FIRST, state=State.OPEN, end=None, duration=None)))
    outbox.take(IncidentClosed(FIRST))

    assert events(outbox) == ["shop-100.0 opened", "shop-100.0 closed", "shop-200.0 opened"]


def test_too_many_are_given_up_from_the_oldest_and_counted() -> None:
    outbox = Outbox(2)

    assert outbox.catch_up([FIRST, ENDED]) == 2
    assert events(outbox) == ["shop-200.0 opened", "shop-200.0 expired"]


def told(request: Request) -> tuple[str, str]:
    return request.json["type"], request.json["data"]["service"]


async def test_what_is_not_delivered_is_delivered_by_the_next_process(tmp_path: Path) -> None:
    clock, outbox = WatchedClock(), tmp_path / "outbox"
    async with serving(answer(500), HANG) as receiver:
        async with (
            create_task_group() as tasks,
            live(clock) as monitor,
            Webhook(monitor, receiver.url, secret=SECRET, outbox=outbox) as webhook,
        ):
            await break_it(monitor)
            first = await receiver.next()
            await clock.see_sleeper(1)
            tasks.start_soon(clock.pass_exactly, 5)
        assert webhook.dropped == 0
        receiver.answers.clear()
        again = receiver.rest()  # as it left
        async with live(clock) as monitor:
            async with Webhook(monitor, receiver.url, secret=SECRET, outbox=outbox):
                again.append(await receiver.next())
            async with Webhook(monitor, receiver.url, secret=SECRET, outbox=outbox):
                pass
        assert receiver.rest() == []

    assert {one.headers["webhook-id"] for one in again} == {first.headers["webhook-id"]}
    assert {one.body for one in again} == {first.body}


async def test_what_only_the_monitor_knows_of_is_reported_by_the_next_process(
    tmp_path: Path,
) -> None:
    clock, outbox, state = WatchedClock(), tmp_path / "outbox", tmp_path / "state"
    async with serving() as receiver:
        async with live(clock, state=state) as monitor:
            await break_it(monitor, "users")
            async with Webhook(monitor, receiver.url, secret=SECRET, outbox=outbox):
                assert told(await receiver.next()) == ("incident.opened", "users")
            await mend_it(monitor, clock, "users")  # the webhook is gone already
            await break_it(monitor, "shop")
        async with (
            live(clock, state=state) as monitor,
            Webhook(monitor, receiver.url, secret=SECRET, outbox=outbox),
        ):
            rest = [told(await receiver.next()) for _ in range(2)]
        assert receiver.rest() == []

    assert rest == [("incident.closed", "users"), ("incident.opened", "shop")]


async def test_what_a_process_killed_before_its_first_message_has_counted_is_reported(
    tmp_path: Path,
) -> None:
    clock, outbox, state = WatchedClock(), tmp_path / "outbox", tmp_path / "state"
    async with serving() as receiver:
        async with live(clock, state=state) as monitor:
            async with Webhook(monitor, receiver.url, secret=SECRET, outbox=outbox):
                then = outbox.read_bytes()
            await break_it(monitor, "users")
            await mend_it(monitor, clock, "users")
        outbox.write_bytes(then)  # a kill leaves it so
        async with (
            live(clock, state=state) as monitor,
            Webhook(monitor, receiver.url, secret=SECRET, outbox=outbox),
        ):
            rest = [told(await receiver.next()) for _ in range(2)]
        assert receiver.rest() == []

    assert rest == [("incident.opened", "users"), ("incident.closed", "users")]


SERVICE = f"""
import sys, anyio, slomon
from slomon.integrations.notify import Webhook
url, folder = sys.argv[1:]
entry = dict(name="users", email="a@b", verb="GET", resource="/", slo=0.9, window=30)

async def main():
    async with (
        slomon.live([entry], state=folder + "/state", save_every="50ms") as monitor,
        Webhook(monitor, url, secret="{SECRET}", outbox=folder + "/outbox"),
    ):
        monitor.change(service="users", commit="c1")
        monitor.access("GET", "/", 500)
        await anyio.sleep_forever()

anyio.run(main)
"""


@contextmanager
def running(url: str, folder: Path) -> Iterator[None]:
    """A service in a process of its own, in which an incident opens; in the end it is killed."""
    command = [sys.executable, "-c", SERVICE, url, str(folder)]
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.kill()
        process.wait(GUARD_SECONDS)


@pytest.mark.slow
async def test_what_a_killed_process_had_not_delivered_arrives_after_all(tmp_path: Path) -> None:
    def find_message() -> bool | None:
        saved = read_state(tmp_path / "outbox")
        return True if saved and saved["messages"] else None

    async with serving(HANG) as receiver:
        with running(receiver.url, tmp_path):
            before = await receiver.next()
            await to_thread.run_sync(poll, find_message, "the outbox is written")
        with running(receiver.url, tmp_path):
            after = await receiver.next()

    assert after.headers["webhook-id"] == before.headers["webhook-id"]
    assert after.body == before.body


async def refuse_to_enter(outbox: Path) -> str:
    async with live(WatchedClock()) as monitor:
        with pytest.raises((StateFileError, OSError)) as caught:
            await Webhook(monitor, "http://host", secret=SECRET, outbox=outbox).__aenter__()
    return str(caught.value)


async def test_a_file_of_something_else_is_reported_on_entering_and_left_as_it_is(
    tmp_path: Path,
) -> None:
    outbox = tmp_path / "outbox"
    outbox.write_bytes(b"something else")
    assert "is no state of slomon's; allowed: one, or no file" in await refuse_to_enter(outbox)
    assert outbox.read_bytes() == b"something else"
    write_state(outbox, [("kind", "live monitor")])
    assert (
        "is no outbox, but something else of slomon's; allowed: one, or no file"
        in await refuse_to_enter(outbox)
    )
    assert read_state(outbox) == {"kind": "live monitor"}
    assert "no-folder" in await refuse_to_enter(tmp_path / "no-folder" / "outbox")


async def test_a_damaged_outbox_is_kept_aside_and_reported_and_the_service_comes_up(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    outbox = tmp_path / "outbox"
    mark = ["users", "GET", "/users", "a-1-opened"]
    contents: list[tuple[object, object]] = [
        *(([[1]], []), ([], [[1]]), (None, [])),
        *(([["a-1-opened", 1]], []), ([["\ud800", "{}"]], [])),
        *(([], [[*mark, None]]), ([], [[*mark[:3], 1, 1.0]])),
    ]
    for number, (messages, marks) in enumerate(contents, 1):
        write_state(outbox, [("kind", "outbox"), ("messages", messages), ("marks", marks)])
        await pass_through(outbox)
        assert (tmp_path / f"outbox.damaged-{number}").exists()
    outbox.write_bytes(outbox.read_bytes()[:-1])
    await pass_through(outbox)

    damaged = [entry for entry in logs if entry["event"] == "state.damaged"]
    assert [entry["kept_as"] for entry in damaged] == [f"{outbox}.damaged-{n}" for n in range(1, 9)]


async def pass_through(outbox: Path) -> None:
    async with (
        live(WatchedClock()) as monitor,
        Webhook(monitor, "http://host", secret=SECRET, outbox=outbox),
    ):
        pass


async def test_an_outbox_that_cant_be_written_any_more_is_reported_and_delivery_goes_on(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    clock, folder = WatchedClock(), tmp_path / "folder"
    folder.mkdir()
    async with (
        serving() as receiver,
        live(clock) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET, outbox=folder / "outbox") as webhook,
    ):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        await break_it(monitor)
        await receiver.next()

    assert webhook.delivered == 1
    assert "outbox.unsaved" in [entry["event"] for entry in logs]


async def test_an_outbox_holds_what_waits_and_the_marks(tmp_path: Path) -> None:
    clock, outbox = WatchedClock(), tmp_path / "outbox"
    async with (
        serving() as receiver,
        live(clock) as monitor,
        Webhook(monitor, receiver.url, secret=SECRET, outbox=outbox),
    ):
        await break_it(monitor)
        request = await receiver.next()
    saved = read_state(outbox)

    assert saved is not None
    assert saved["messages"] == []
    assert saved["marks"] == [
        ["users", "GET", "/users", request.headers["webhook-id"], request.json["data"]["start"]]
    ]


@pytest.mark.parametrize("name", ["state", "event_log"])
def test_an_outbox_is_no_file_of_its_monitor(tmp_path: Path, name: str) -> None:
    files: dict[str, Any] = {name: tmp_path / "file"}
    monitor = live(WatchedClock(), **files)
    with pytest.raises(ConfigurationError, match=f"'{name}' and 'outbox' are the same file"):
        Webhook(monitor, "http://localhost", secret=SECRET, outbox=tmp_path / "file")


async def test_an_outbox_is_one_webhooks_at_a_time(tmp_path: Path) -> None:
    async with live(WatchedClock()) as monitor:
        first, second = (
            Webhook(monitor, "http://localhost", secret=SECRET, outbox=tmp_path / "outbox")
            for _ in range(2)
        )
        async with first:
            with pytest.raises(OSError, match=r"is in use .*outbox"):
                await second.__aenter__()
        async with second:
            pass

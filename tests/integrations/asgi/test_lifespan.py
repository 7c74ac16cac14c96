"""The monitor runs as long as the application, whether or not that supports lifespans."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from anyio import move_on_after

from slomon import StateFileError
from slomon.integrations.asgi.lifespan import Lifespan
from slomon.integrations.asgi.types import App, Message, Receive, Scope, Send
from tests.integrations.asgi.service import Server

STARTUP, SHUTDOWN = "lifespan.startup", "lifespan.shutdown"
STARTED, NOT_STARTED = f"{STARTUP}.complete", f"{STARTUP}.failed"
ENDED, NOT_ENDED = f"{SHUTDOWN}.complete", f"{SHUTDOWN}.failed"


class Stage:
    """A server, a monitor and an application, and the order of their actions."""

    def __init__(self, *, begin: Exception | None = None, end: Exception | None = None) -> None:
        self.acts: list[str] = []
        self.server = Server([STARTUP, SHUTDOWN], self.note)
        self._begin, self._end = begin, end

    def note(self, message: Message) -> None:
        text = f": {message['message']}" if "message" in message else ""
        self.acts.append(message["type"].removeprefix("lifespan.") + text)

    @asynccontextmanager
    async def monitor(self) -> AsyncGenerator[None]:
        if self._begin:
            raise self._begin
        self.acts.append("monitor begins")
        try:
            yield
        finally:
            self.acts.append("monitor ends")
            if self._end:
                raise self._end

    async def play(self, app: App) -> list[str]:
        lifespan = Lifespan(app, self.server.receive, self.server.send)
        await lifespan.run({"type": "lifespan"}, self.monitor())
        return self.acts


async def knowing(_: Scope, receive: Receive, send: Send) -> None:
    """The application of the ASGI specification."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == SHUTDOWN:
            return


async def ignorant(scope: Scope, _: Receive, __: Send) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])


async def indifferent(*_: object) -> None:
    pass


async def ignorant_of_scopes(_: Scope, receive: Receive, __: Send) -> None:
    await receive()
    raise KeyError("path")


async def hasty(_: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": STARTED})


async def deaf(_: Scope, receive: Receive, send: Send) -> None:
    await hasty(_, receive, send)
    await receive()


@pytest.mark.parametrize("app", [knowing, ignorant, indifferent, ignorant_of_scopes, hasty, deaf])
async def test_the_monitor_ends_before_the_server_gets_the_last_message(app: App) -> None:
    assert await Stage().play(app) == [
        "monitor begins",
        "startup.complete",
        "monitor ends",
        "shutdown.complete",
    ]


async def test_an_application_receives_each_message_once() -> None:
    heard = []

    async def listening(_: Scope, receive: Receive, send: Send) -> None:
        heard.append(await receive())
        await send({"type": STARTED})
        heard.append(await receive())

    await Stage().play(listening)
    assert heard == [{"type": STARTUP}, {"type": SHUTDOWN}]


@pytest.mark.parametrize("then_raises", [True, False])
async def test_a_failed_startup_is_reported_after_the_monitor_has_ended(
    then_raises: bool,
) -> None:
    async def failing(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": NOT_STARTED, "message": "no database"})
        if then_raises:
            raise ConnectionError

    stage = Stage()
    if then_raises:
        with pytest.raises(ConnectionError):
            await stage.play(failing)
    else:
        await stage.play(failing)
    assert stage.acts == ["monitor begins", "monitor ends", "startup.failed: no database"]


async def test_a_monitor_that_cannot_start_fails_the_startup() -> None:
    stage = Stage(begin=StateFileError("state.slomon is of a replay"))
    with pytest.raises(StateFileError):
        await stage.play(knowing)
    assert stage.acts == ["startup.failed: state.slomon is of a replay"]


@pytest.mark.parametrize("app", [knowing, indifferent])
async def test_a_monitor_that_cannot_end_fails_the_shutdown(app: App) -> None:
    stage = Stage(end=OSError("disk full"))
    with pytest.raises(OSError, match="disk full"):
        await stage.play(app)
    assert stage.acts[-2:] == ["monitor ends", "shutdown.failed: disk full"]


async def test_a_failed_shutdown_is_reported_by_the_applications_message() -> None:
    async def failing(_: Scope, receive: Receive, send: Send) -> None:
        await hasty(_, receive, send)
        await receive()
        await send({"type": NOT_ENDED, "message": "its own words"})
        raise ConnectionError("others")

    stage = Stage()
    with pytest.raises(ConnectionError):
        await stage.play(failing)
    assert stage.acts[-2:] == ["monitor ends", "shutdown.failed: its own words"]


async def test_an_application_that_fails_while_it_runs_ends_the_monitor_and_raises() -> None:
    async def failing(_: Scope, receive: Receive, send: Send) -> None:
        await hasty(_, receive, send)
        raise ConnectionError("the broker is gone")

    stage = Stage()
    with pytest.raises(ConnectionError):
        await stage.play(failing)
    assert stage.acts == ["monitor begins", "startup.complete", "monitor ends"]


async def test_an_application_that_keeps_running_after_its_last_message_is_not_waited_for() -> None:
    async def staying(_: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})

    stage = Stage()
    with move_on_after(0.01):
        await stage.play(staying)
    assert stage.acts == ["monitor begins", "startup.complete", "shutdown.complete", "monitor ends"]


async def test_the_last_message_is_sent_once_though_the_application_receives_again() -> None:
    async def asking(_: Scope, receive: Receive, send: Send) -> None:
        await knowing(_, receive, send)
        await receive()

    stage = Stage()
    stage.server = Server([STARTUP, SHUTDOWN, SHUTDOWN], stage.note)
    assert (await stage.play(asking)).count("shutdown.complete") == 1

"""The lifespan of an application, within that of its monitor."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final

from slomon.integrations.asgi.types import App, Message, Receive, Scope, Send
from slomon.logging import get_logger
from slomon.text import excerpt

_STARTED: Final = "lifespan.startup.complete"
_NOT_STARTED: Final = "lifespan.startup.failed"
_SHUTDOWN: Final = "lifespan.shutdown"
_ENDED: Final = "lifespan.shutdown.complete"
_NOT_ENDED: Final = "lifespan.shutdown.failed"


class Lifespan:
    """
    Runs an application with its monitor around it. What the application says last is held back
    until the monitor has ended, since a server waits for nothing after that.
    """

    def __init__(self, app: App, receive: Receive, send: Send) -> None:
        self._app = app
        self._receive = receive
        self._send = send
        self._startup: Message | None = None
        self._started = False
        self._shutting_down = False
        self._last: Message | None = None
        self._told = False

    async def run(self, scope: Scope, monitor: AbstractAsyncContextManager[object]) -> None:
        """Raises what the application or the monitor does, once the server has been told."""
        self._startup = await self._receive()
        try:
            async with monitor:
                await self._run_app(scope)
        except Exception as error:
            await self._say_last(self._failure(error))
            raise
        await self._say_last(self._last)

    async def _run_app(self, scope: Scope) -> None:
        try:
            await self._app(scope, self._hand_on, self._hold_back)
        except Exception as error:
            if self._started or self._last:
                raise
            get_logger().info("lifespan.unsupported", reason=excerpt(repr(error)))
        if not self._last:
            await self._stand_in()

    async def _stand_in(self) -> None:
        """Say what an application hasn't that knows no lifespans, or returned before its end."""
        if not self._started:
            await self._hold_back({"type": _STARTED})
        while not self._shutting_down:
            await self._hand_on()
        self._last = {"type": _ENDED}

    async def _hand_on(self) -> Message:
        """The application's `receive`."""
        if self._startup:
            startup, self._startup = self._startup, None
            return startup
        if self._last:  # it stays, though it has ended: nobody can wait for it
            await self._say_last(self._last)
        message = await self._receive()
        self._shutting_down = message["type"] == _SHUTDOWN
        return message

    async def _hold_back(self, message: Message) -> None:
        """The application's `send`."""
        if message["type"] == _STARTED:
            self._started = True
            await self._send(message)
        else:
            self._last = message

    async def _say_last(self, message: Message | None) -> None:
        if message and not self._told:
            self._told = True
            await self._send(message)

    def _failure(self, error: Exception) -> Message | None:
        """What the server is told of an error: the application's own words, if it has any."""
        if self._last and self._last["type"] != _ENDED:
            return self._last
        if not self._started:
            return {"type": _NOT_STARTED, "message": str(error)}
        return {"type": _NOT_ENDED, "message": str(error)} if self._shutting_down else None

"""The ASGI lifespan of an application together with its monitor."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final

from slomon.integrations.asgi.types import App, Message, Receive, Scope, Send
from slomon.logging import get_logger
from slomon.text import excerpt

_STARTED: Final = "lifespan.startup.complete"
_NOT_STARTED: Final = "lifespan.startup.failed"
_SHUTDOWN: Final = "lifespan.shutdown"
_STOPPED: Final = "lifespan.shutdown.complete"
_NOT_STOPPED: Final = "lifespan.shutdown.failed"


class Lifespan:
    """
    Runs the monitor around the lifespan of an application. The application's last message is held
    back until the monitor has ended, because the server waits for nothing after that message.
    """

    def __init__(self, app: App, receive: Receive, send: Send) -> None:
        self._app = app
        self._receive = receive
        self._send = send
        self._startup: Message | None = None
        self._started = False
        self._shutting_down = False
        self._last: Message | None = None
        self._is_last_sent = False

    async def run(self, scope: Scope, monitor: AbstractAsyncContextManager[object]) -> None:
        """Raises exceptions of the application and the monitor, after reporting to the server."""
        self._startup = await self._receive()
        try:
            async with monitor:
                await self._run_app(scope)
        except Exception as error:
            await self._send_last(self._failure_message(error))
            raise
        await self._send_last(self._last)

    async def _run_app(self, scope: Scope) -> None:
        try:
            await self._app(scope, self._receive_for_app, self._send_for_app)
        except Exception as error:
            if self._started or self._last:
                raise
            get_logger().info("lifespan.unsupported", reason=excerpt(repr(error)))
        if not self._last:
            await self._answer_for_app()

    async def _answer_for_app(self) -> None:
        """Send the messages of an application that supports no lifespan or returned too early."""
        if not self._started:
            await self._send_for_app({"type": _STARTED})
        while not self._shutting_down:
            await self._receive_for_app()
        self._last = {"type": _STOPPED}

    async def _receive_for_app(self) -> Message:
        """The application's `receive`."""
        if self._startup:
            startup, self._startup = self._startup, None
            return startup
        if self._last:  # the application has ended but still asks, so it may never return
            await self._send_last(self._last)
        message = await self._receive()
        self._shutting_down = message["type"] == _SHUTDOWN
        return message

    async def _send_for_app(self, message: Message) -> None:
        """The application's `send`."""
        if message["type"] == _STARTED:
            self._started = True
            await self._send(message)
        else:
            self._last = message

    async def _send_last(self, message: Message | None) -> None:
        if message and not self._is_last_sent:
            self._is_last_sent = True
            await self._send(message)

    def _failure_message(self, error: Exception) -> Message | None:
        """The message that reports an error: the application's own, if it has sent one."""
        if self._last and self._last["type"] != _STOPPED:
            return self._last
        if not self._started:
            return {"type": _NOT_STARTED, "message": str(error)}
        return {"type": _NOT_STOPPED, "message": str(error)} if self._shutting_down else None

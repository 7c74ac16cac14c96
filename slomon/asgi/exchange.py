"""A request and its response, watched as their messages pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from slomon.asgi.protocol import Message, Receive, Send

_FAILED: Final = 500
_CLIENT_LEFT: Final = 499
"""As nginx logs it: so a replay of its log agrees, and `is_failure=` may decide otherwise."""

_BODIES: Final = {"http.response.body", "http.response.pathsend", "http.response.zerocopysend"}


class Exchange:
    """
    Counts the response by its status once its last message was sent, whatever runs after that. One
    that doesn't get so far has failed. If the client left first the status counts that had begun by
    then, and 499 if none had: what is done for nobody, such as to send a 500, is no failure.
    """

    # Of most requests these stay as they are: not to set them for each takes less time.
    _status = _CLIENT_LEFT
    _client_left = False

    def __init__(self, count: Callable[[int], object], receive: Receive, send: Send) -> None:
        self.count: Callable[[int], object] | None = count
        """None once it has counted."""
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """For the application."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._client_left = True
        return message

    async def send(self, message: Message) -> None:
        """For the application."""
        kind = message["type"]
        if kind == "http.response.start" and not self._client_left:
            self._status = message["status"]
        try:
            await self._send(message)
        except OSError:  # what a server raises once the client has left
            self._client_left = True
            raise
        if kind in _BODIES and self.count and not message.get("more_body"):
            self.count(self._status)
            self.count = None

    def end(self, *, cancelled: bool = False) -> None:
        """
        The application has returned or raised. Who cancels it is the server, because its client
        has left or it shuts down.
        """
        if self.count:
            self.count(self._status if self._client_left or cancelled else _FAILED)
            self.count = None

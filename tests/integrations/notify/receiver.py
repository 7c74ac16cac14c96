"""An HTTP server that keeps what it is sent, and answers as badly as a test wants."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from typing import Any

import anyio
import anyio.lowlevel

from tests.integrations.notify.clock import GUARD_SECONDS

HANG = b""
"""An answer that never comes."""


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


OK = answer(200)


@dataclass(frozen=True)
class Request:
    """One that came, whole."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """
    Gives the answers in turn, and OK when there are no more; one that is cut off closes the
    connection.
    """

    def __init__(self, *answers: bytes) -> None:
        self.answers = deque(answers)
        self.url = ""
        self.connections = self.connected = 0
        self._write, self._requests = anyio.create_memory_object_stream[Request](inf)
        self._hanging = asyncio.Event()

    async def next(self) -> Request:
        """The next request; there must be one."""
        with anyio.fail_after(GUARD_SECONDS):
            return await self._requests.receive()

    def rest(self) -> list[Request]:
        """Those that came and were not looked at."""
        return [
            self._requests.receive_nowait()
            for _ in range(self._requests.statistics().current_buffer_used)
        ]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.connected += 1
        try:
            while request := await _read(reader):
                self._write.send_nowait(request)
                reply = self.answers.popleft() if self.answers else OK
                if reply is HANG:
                    await self._hanging.wait()
                    return
                writer.write(reply)
                await writer.drain()
                if b"\r\n\r\n" not in reply:
                    return
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.connected -= 1

    async def hang_up(self) -> None:
        """Close what hangs, and return once nothing is connected."""
        self._hanging.set()
        with anyio.fail_after(GUARD_SECONDS):
            while self.connected:
                await anyio.lowlevel.checkpoint()

    def close(self) -> None:
        self._hanging.set()
        self._write.close()
        self._requests.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = [line.split(": ", 1) for line in head[1:] if line]
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Request(head[0], headers, body)
    except asyncio.IncompleteReadError:
        return None


@asynccontextmanager
async def serving(
    *answers: bytes, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[Receiver]:
    receiver = Receiver(*answers)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port, ssl=tls)
    scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
    receiver.url = f"{scheme}://{host}:{server.sockets[0].getsockname()[1]}"
    async with server:
        try:
            yield receiver
        finally:
            receiver.close()

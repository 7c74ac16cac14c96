"""Services to watch: one behind a fake ASGI server, and one behind a real server on a socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import uvicorn
from httpx import AsyncClient

from slomon import LiveMonitor, live
from slomon.integrations.asgi.types import App, Message, Scope


def entry(resource: str, verb: str = "GET", service: str = "users") -> dict[str, object]:
    return {
        "name": service,
        "email": "ana@example.com",
        "verb": verb,
        "resource": resource,
        "slo": 0.9,
        "window": 3600,
    }


def watch(*resources: str, **options: Any) -> LiveMonitor:
    return live([entry(resource) for resource in resources], **options)


def counts(monitor: LiveMonitor) -> dict[str, tuple[int, int]]:
    """The requests and failures of each endpoint with requests, and the unmatched requests."""
    snapshot = monitor.snapshot()
    found = {
        f"{one.verb} {one.resource}": (one.all_requests, one.all_failures)
        for one in snapshot.endpoints
        if one.all_requests
    }
    if snapshot.accounting.unmatched:
        found["unmatched"] = (snapshot.accounting.unmatched, 0)
    return found


class Server:
    """
    A fake server for one scope. It gives these messages and then waits for ever. It keeps the
    messages that it is sent, unless `on_send` raises.
    """

    def __init__(
        self,
        receives: Iterable[str] = (),
        on_send: Callable[[Message], None] | None = None,
    ) -> None:
        self._receives = iter(receives)
        self._on_send = on_send
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        kind = next(self._receives, None)
        return {"type": kind} if kind else await anyio.sleep_forever()

    async def send(self, message: Message) -> None:
        if self._on_send:
            self._on_send(message)
        self.sent.append(message)

    @property
    def kinds(self) -> list[str]:
        return [message["type"] for message in self.sent]


def request(path: str = "/users/7", verb: str = "GET", **more: object) -> Scope:
    return {"type": "http", "method": verb, "path": path, "root_path": "", "headers": [], **more}


@asynccontextmanager
async def serving(app: App, **options: Any) -> AsyncGenerator[AsyncClient]:
    """Run the application under uvicorn on a socket of its own; a client of it."""
    server = _Uvicorn(
        uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=5, **options)
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve)
        await server.begun.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        async with AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield client
        server.should_exit = True


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = anyio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.begun.set()

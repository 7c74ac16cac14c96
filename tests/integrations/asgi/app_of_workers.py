"""An application for servers with several workers; the environment names its folder."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import asdict

import anyio
from prometheus_client import CollectorRegistry, generate_latest

import slomon
from slomon.integrations.asgi import Middleware
from slomon.integrations.asgi.types import Message, Receive, Scope, Send
from slomon.integrations.deploy_hooks import GitLab, Receiver
from slomon.integrations.notify import Alertmanager
from slomon.integrations.prometheus import Collector
from tests.integrations.asgi.service import entry

FOLDER = os.environ["SLOMON_TEST_FOLDER"]
TOKEN = "of a test"

monitor = slomon.live(
    [entry("/users"), entry("/broken"), entry("/slow")],
    state=f"{FOLDER}/state",
    event_log=f"{FOLDER}/events",
)
registry = CollectorRegistry()
registry.register(Collector(monitor))
deploys = Receiver(GitLab(token=TOKEN))


async def read_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message: Message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def live(receive: Receive, send: Send) -> None:
    """The lifespan: alerts are sent while the application runs, if there is an Alertmanager."""
    url = os.environ.get("SLOMON_TEST_ALERTMANAGER")
    await receive()
    async with Alertmanager(monitor, url, resend_every="1s") if url else nullcontext():
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def respond(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    status, body, headers = 200, b"", [(b"content-type", b"text/plain; version=0.0.4")]
    match scope["path"]:
        case "/broken":
            status = 200 if scope["query_string"] else 500
        case "/slow":
            await anyio.sleep(1)
        case "/who":
            body = b"%d %d" % (os.getpid(), monitor.leads)
        case "/metrics":
            body = generate_latest(registry)
        case "/deploys":
            given = {name.decode(): value.decode() for name, value in scope["headers"]}
            change = deploys.read(given, await read_body(receive))
            assert change
            assert monitor.change(**asdict(change))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = Middleware(respond, monitor, status_path="/slomon")

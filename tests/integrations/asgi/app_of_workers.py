"""An application for servers with several workers; the environment names its folder."""

from __future__ import annotations

import os
from dataclasses import asdict

import anyio
from prometheus_client import CollectorRegistry, generate_latest

import slomon
from slomon.integrations.asgi import Middleware
from slomon.integrations.asgi.types import Message, Receive, Scope, Send
from slomon.integrations.deploy_hooks import GitLab, Receiver
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


async def respond(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise RuntimeError("this application has no lifespan")
    status, body = 200, b""
    match scope["path"]:
        case "/broken":
            status = 500
        case "/slow":
            await anyio.sleep(1)
        case "/who":
            body = b"%d %d" % (os.getpid(), monitor.leads)
        case "/metrics":
            body = generate_latest(registry)
        case "/deploys":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            change = deploys.read(headers, await read_body(receive))
            assert change
            assert monitor.change(**asdict(change))
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


app = Middleware(respond, monitor, status_path="/slomon")

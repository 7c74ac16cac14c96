"""Websockets count by how their handshake and their connection end, if that is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

import slomon.integrations.aiohttp
from slomon.integrations.asgi import Middleware
from slomon.integrations.asgi.middleware import AsgiConnection
from slomon.integrations.asgi.types import Message, Receive, Send
from tests.integrations.asgi.service import Server, counts, serving, watch

Respond = Callable[[Receive, Send], Awaitable[None]]

ACCEPT: Message = {"type": "websocket.accept"}
TEXT: Message = {"type": "websocket.send", "text": "."}
DENY: Message = {"type": "websocket.http.response.start", "status": 401, "headers": []}
DENIED: Message = {"type": "websocket.http.response.body", "body": b"."}


def close(code: int = 1000) -> Message:
    return {"type": "websocket.close", "code": code}


def sending(*messages: Message, reads: bool = False, then: BaseException | None = None) -> Respond:
    """An application that sends these messages, and may then read the disconnect, or raise."""

    async def respond(receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        while reads and (await receive())["type"] != "websocket.disconnect":
            pass
        if then:
            raise then

    return respond


ERROR = ValueError("bug")
CANCELLED = asyncio.CancelledError()


@pytest.mark.parametrize(
    ("respond", "statuses"),
    [
        (sending(ACCEPT, TEXT, close()), [101, 101]),
        (sending(ACCEPT, TEXT, reads=True), [101, 101]),
        (sending(ACCEPT), [101, 101]),
        # the connection fails
        (sending(ACCEPT, then=ERROR), [101, 500]),
        (sending(ACCEPT, close(1011)), [101, 500]),
        (sending(ACCEPT, close(1011), then=ERROR), [101, 500]),
        (sending(ACCEPT, close(1013)), [101, 503]),
        (sending(ACCEPT, close(1014)), [101, 502]),
        # the handshake fails
        (sending(close()), [403]),
        (sending(DENY, DENIED), [401]),
        (sending(then=ERROR), [500]),
        (sending(), [500]),
        # the client leaves, or the server cancels
        (sending(ACCEPT, reads=True, then=ERROR), [101, 101]),
        (sending(ACCEPT, then=CANCELLED), [101, 101]),
        (sending(reads=True), [499]),
        (sending(then=CANCELLED), [499]),
    ],
)
async def test_a_websocket_counts_by_its_handshake_and_its_end(
    respond: Respond, statuses: list[int]
) -> None:
    counted: list[int] = []
    server = Server(["websocket.connect", "websocket.disconnect"])
    watched = AsgiConnection(lambda status, _: counted.append(status), server.receive, server.send)
    try:
        await respond(watched.receive, watched.send)
    except asyncio.CancelledError:
        watched.end(cancelled=True)
    except ValueError:
        watched.end(failed=True)
    else:
        watched.end()
    assert counted == statuses


def in_starlette() -> Starlette:
    async def chat(socket: WebSocket) -> None:
        await socket.accept()
        try:
            match await socket.receive_text():
                case "bug":
                    raise ValueError("bug")
                case "busy":
                    await socket.close(1013)
                case _:
                    await socket.receive_text()
        except WebSocketDisconnect:
            return

    async def closed(socket: WebSocket) -> None:
        await socket.close()

    return Starlette(routes=[WebSocketRoute("/chat/{id}", chat), WebSocketRoute("/closed", closed)])


async def talk(url: str, texts: Sequence[str]) -> list[int]:
    """The status of the closed handshake, and the close code of the one that is busy."""
    found = []
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await client.ws_connect(f"{url}/closed")
        found.append(error.value.status)
        for text in texts:
            async with client.ws_connect(f"{url}/chat/7") as socket:
                await socket.send_str(text)
                if text != "leave":
                    await socket.receive()
                if text == "busy":
                    found.append(socket.close_code or 0)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("websockets", [False, True])
async def test_those_of_starlette_count_on_a_socket(websockets: bool) -> None:
    monitor = watch("/chat/{id}", "/closed")
    app = Middleware(in_starlette(), monitor, websockets=websockets)
    async with serving(app) as client:
        found = await talk(str(client.base_url), ["bug", "busy", "leave"])
    assert found == [403, 1013]
    expected = {"GET /chat/{id}": (6, 2), "GET /closed": (1, 0)}
    assert counts(monitor) == (expected if websockets else {})


@pytest.mark.parametrize("websockets", [False, True])
async def test_those_of_aiohttp_count_on_a_socket(websockets: bool) -> None:
    async def chat(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.data == "bug":
                raise ValueError("bug")
            if message.data == "busy":
                await socket.close(code=1013)
        return socket

    async def closed(_: web.Request) -> web.StreamResponse:
        raise web.HTTPForbidden

    monitor, app = watch("/chat/{id}", "/closed"), web.Application()
    app.router.add_get("/chat/{id}", chat)
    app.router.add_get("/closed", closed)
    slomon.integrations.aiohttp.setup(app, monitor, websockets=websockets)
    async with TestClient(TestServer(app)) as client:
        found = await talk(str(client.make_url("")), ["bug", "busy", "leave"])
    assert found == [403, 1013]
    expected = {"GET /chat/{id}": (6, 2), "GET /closed": (1, 0)}
    assert counts(monitor) == (expected if websockets else {})


def test_it_must_be_asked_for_by_name() -> None:
    options: dict[str, Any] = {"websockets": "yes"}
    with pytest.raises(slomon.ConfigurationError, match="'websockets' is 'yes'; allowed"):
        Middleware(in_starlette(), watch("/a"), **options)

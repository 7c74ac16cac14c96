"""What counts as a success and what as a failure, message by message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from slomon.integrations.asgi.middleware import Exchange
from slomon.integrations.asgi.types import Message, Receive, Send
from tests.asgi.service import Server

Respond = Callable[[Receive, Send], Awaitable[None]]

BODY: Message = {"type": "http.response.body", "body": b"."}
MORE: Message = {**BODY, "more_body": True}


def start(status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": []}


async def exchange(respond: Respond, server: Server) -> list[int]:
    """The statuses that were counted, of which there may be one."""
    counted: list[int] = []
    watched = Exchange(counted.append, server.receive, server.send)
    try:
        await respond(watched.receive, watched.send)
    except asyncio.CancelledError:
        watched.end(cancelled=True)
    except ValueError:
        watched.end()
    else:
        watched.end()
    return counted


def sending(*messages: Message, then: BaseException | None = None) -> Respond:
    async def respond(_: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        if then:
            raise then

    return respond


def leaving(
    *messages: Message, then_sends: Sequence[Message] = (), then: BaseException | None = None
) -> Respond:
    """An application that is told of the client's leave after what it has sent."""

    async def respond(receive: Receive, send: Send) -> None:
        await sending(*messages)(receive, send)
        while (await receive())["type"] != "http.disconnect":
            pass
        await sending(*then_sends, then=then)(receive, send)

    return respond


ERROR = ValueError("bug")
CANCELLED = asyncio.CancelledError()


@pytest.mark.parametrize(
    ("respond", "status"),
    [
        (sending(start(), BODY), 200),
        (sending(start(503), BODY), 503),
        (sending(start(), MORE, MORE, BODY), 200),
        (sending(start(), {"type": "http.response.pathsend", "path": "/tmp/a"}), 200),
        (sending({"type": "http.response.early_hint", "links": []}, start(404), BODY), 404),
        # an exception, before the start, before the end and after it
        (sending(then=ERROR), 500),
        (sending(start(), MORE, then=ERROR), 500),
        (sending(start(), BODY, then=ERROR), 200),
        (sending(start(500), BODY, then=ERROR), 500),
        # no whole response
        (sending(), 500),
        (sending(start()), 500),
        (sending(start(), MORE), 500),
        # the client leaves
        (leaving(), 499),
        (leaving(then=ERROR), 499),
        (leaving(start(), MORE), 200),
        (leaving(start(), MORE, then=ERROR), 200),
        (leaving(start(502), MORE), 502),
        (leaving(then_sends=[start(500), BODY]), 499),
        (leaving(start(), then_sends=[BODY]), 200),
        # the server cancels
        (sending(then=CANCELLED), 499),
        (sending(start(), MORE, then=CANCELLED), 200),
        (sending(start(503), then=CANCELLED), 503),
    ],
)
async def test_a_response_counts_once_by_how_it_ended(respond: Respond, status: int) -> None:
    assert await exchange(respond, Server(["http.request", "http.disconnect"])) == [status]


async def test_a_client_that_has_left_may_be_told_by_an_error_of_the_servers() -> None:
    def break_pipe(message: Message) -> None:
        if message is BODY:
            raise BrokenPipeError

    async def respond(receive: Receive, send: Send) -> None:
        with pytest.raises(BrokenPipeError):
            await sending(start(), BODY)(receive, send)
        raise ValueError("what a framework makes of it")

    assert await exchange(respond, Server(on_send=break_pipe)) == [200]


async def test_a_response_that_the_server_refuses_at_its_end_has_failed() -> None:
    def refuse(message: Message) -> None:
        if message is BODY:
            raise ValueError("Response content shorter than Content-Length")

    assert await exchange(sending(start(), BODY), Server(on_send=refuse)) == [500]


async def test_all_messages_pass_as_they_are() -> None:
    received: list[Message] = []

    async def echo(receive: Receive, send: Send) -> None:
        received.append(await receive())
        await sending(start(), MORE, BODY)(receive, send)

    server = Server(["http.request"])
    await exchange(echo, server)

    assert received == [{"type": "http.request"}]
    assert server.sent[1] is MORE
    assert server.sent[2] is BODY
    assert server.sent[0] == start()

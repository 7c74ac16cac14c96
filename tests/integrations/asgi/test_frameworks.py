"""The middleware in real frameworks, behind a real server, on a real socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import fastapi
import httpx
import litestar
import pytest
import uvicorn
from litestar.middleware import DefineMiddleware
from litestar.params import FromPath
from litestar.response import Stream
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

import slomon.integrations.asgi
from slomon import LiveMonitor
from slomon.integrations.asgi.types import App
from tests.integrations.asgi.service import counts, serving, watch

Make = Callable[[LiveMonitor], App]

pytestmark = pytest.mark.slow


async def half() -> AsyncIterator[bytes]:
    yield b"half"
    raise ValueError("the other half is missing")


def plain_starlette() -> Starlette:
    async def user(request: Request) -> Response:
        return PlainTextResponse(str(request.path_params["id"]))

    async def bug(_: Request) -> Response:
        raise ValueError("bug")

    async def stream(_: Request) -> Response:
        return StreamingResponse(half())

    return Starlette(
        routes=[
            Route("/users/{id}", user),
            Route("/bug", bug),
            Route("/stream", stream),
            Mount("/admin", routes=[Route("/users/{id:int}", user)]),
        ]
    )


class PassingOn(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)


OWN = "slomon's own"


@pytest.mark.parametrize(
    "stack", [[OWN, PassingOn], [PassingOn, OWN], [OWN, GZipMiddleware, PassingOn]]
)
async def test_a_body_that_breaks_off_is_a_failure_wherever_the_middleware_stands(
    stack: list[Any],
) -> None:
    for is_around in (True, False):
        monitor = watch("/stream")
        app = plain_starlette()
        for one in reversed(stack):
            if one != OWN:
                app.add_middleware(one)
            elif not is_around:
                app.add_middleware(slomon.integrations.asgi.Middleware, monitor=monitor)
        watched = slomon.integrations.asgi.Middleware(app, monitor) if is_around else app
        async with serving(watched) as client:
            with suppress(httpx.RemoteProtocolError):
                await client.get("/stream")
        assert counts(monitor) == {"GET /stream": (1, 1)}


def added_to_starlette(monitor: LiveMonitor) -> App:
    app = plain_starlette()
    app.add_middleware(slomon.integrations.asgi.Middleware, monitor=monitor)
    return app


def around_starlette(monitor: LiveMonitor) -> App:
    return slomon.integrations.asgi.Middleware(plain_starlette(), monitor)


def mounted_in_starlette(monitor: LiveMonitor) -> App:
    """The middleware inside a mounted application; the outer application runs the monitor."""
    inner = slomon.integrations.asgi.Middleware(plain_starlette(), monitor)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with monitor:
            yield

    return Starlette(routes=[Mount("/", inner)], lifespan=lifespan)


def added_to_fastapi(monitor: LiveMonitor) -> App:
    app, admin = fastapi.FastAPI(), fastapi.FastAPI()

    @admin.get("/users/{number}")
    @app.get("/users/{number}")
    async def user(number: int) -> int:
        return number

    @app.get("/bug")
    def bug() -> None:
        raise ValueError("bug")

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(half())

    app.mount("/admin", admin)
    app.add_middleware(slomon.integrations.asgi.Middleware, monitor=monitor)
    return app


def plain_litestar(**options: Any) -> litestar.Litestar:
    @litestar.get(["/users/{number:int}", "/admin/users/{number:int}"])
    async def user(number: FromPath[int]) -> str:
        return str(number)

    @litestar.get("/bug")
    async def bug() -> None:
        raise ValueError("bug")

    @litestar.get("/stream")
    async def stream() -> Stream:
        return Stream(half())

    return litestar.Litestar([user, bug, stream], **options)


def around_litestar(monitor: LiveMonitor) -> App:
    return slomon.integrations.asgi.Middleware(plain_litestar(), monitor)


def added_to_litestar(monitor: LiveMonitor) -> App:
    middleware = DefineMiddleware(slomon.integrations.asgi.Middleware, monitor=monitor)
    return plain_litestar(middleware=[middleware], lifespan=[monitor])


MAKERS = [
    added_to_starlette,
    around_starlette,
    mounted_in_starlette,
    added_to_fastapi,
    around_litestar,
    added_to_litestar,
]
SEEN_BY_ROUTERS_ONLY = {added_to_litestar}


@pytest.mark.parametrize("make", MAKERS)
async def test_all_frameworks_give_the_same_counts(make: Make) -> None:
    monitor = watch("/users/{id}", "/admin/users/{id}", "/bug", "/stream")
    async with serving(make(monitor)) as client:
        statuses = [
            (await client.request(verb, path)).status_code
            for verb, path in (
                ("GET", "/users/7?page=2"),
                ("GET", "/users/8"),
                ("GET", "/admin/users/7"),
                ("GET", "/bug"),
                ("POST", "/users/7"),
                ("GET", "/nowhere"),
            )
        ]
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/stream")

    assert statuses == [200, 200, 200, 500, 405, 404]
    found = counts(monitor)
    unmatched, _ = found.pop("unmatched", (0, 0))
    assert found == {
        "GET /users/{id}": (2, 0),
        "GET /admin/users/{id}": (1, 0),
        "GET /bug": (1, 1),
        "GET /stream": (1, 1),
    }
    assert unmatched == (0 if make in SEEN_BY_ROUTERS_ONLY else 2)


async def test_a_route_of_the_framework_may_choose_the_endpoint() -> None:
    monitor = watch("/users/{number}", "/admin/users/{number}", "/bug")
    app = plain_litestar()
    watched = slomon.integrations.asgi.Middleware(
        app,
        monitor,
        route=lambda scope: scope.get("path_template"),
    )
    async with serving(watched) as client:
        for path in ("/users/7", "/admin/users/7", "/bug", "/nowhere"):
            await client.get(path)

    assert counts(monitor) == {
        "GET /users/{number}": (1, 0),
        "GET /admin/users/{number}": (1, 0),
        "GET /bug": (1, 1),
        "unmatched": (1, 0),
    }


async def test_a_background_task_neither_delays_nor_changes_the_count() -> None:
    at_work = anyio.Event()

    async def work() -> None:
        counted.append(monitor.snapshot().accounting.accesses)
        at_work.set()
        raise ValueError("nobody sees it")

    async def order(_: Request) -> Response:
        return PlainTextResponse("taken", background=BackgroundTask(check))

    async def check() -> None:
        await monitor.flush()
        await work()

    counted: list[int] = []
    monitor = watch("/orders")
    app = slomon.integrations.asgi.Middleware(Starlette(routes=[Route("/orders", order)]), monitor)
    async with serving(app) as client:
        assert (await client.get("/orders")).text == "taken"
        await at_work.wait()

    assert counted == [1]
    assert counts(monitor) == {"GET /orders": (1, 0)}


@pytest.mark.parametrize(("begins", "failures"), [(True, 0), (False, 1)])
async def test_a_disconnected_client_counts_as_499_or_by_the_started_response(
    begins: bool, failures: int
) -> None:
    asked, left = anyio.Event(), anyio.Event()

    async def stream() -> AsyncIterator[bytes]:
        yield b"begun"
        await anyio.sleep_forever()

    async def slow(request: Request) -> Response:
        asked.set()
        if begins:
            return StreamingResponse(stream())
        with pytest.raises(ClientDisconnect):
            await request.body()
        left.set()
        raise ClientDisconnect

    monitor = watch("/slow", is_failure=lambda status: status == 499)
    app = slomon.integrations.asgi.Middleware(
        Starlette(routes=[Route("/slow", slow, methods=["GET"])]), monitor
    )
    async with serving(app) as client:
        stream_to = await anyio.connect_tcp("127.0.0.1", client.base_url.port or 0)
        await stream_to.send(b"GET /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n")
        await asked.wait()
        if begins:
            assert b"begun" in await stream_to.receive()
        await stream_to.aclose()

    assert left.is_set() is not begins
    assert counts(monitor) == {"GET /slow": (1, failures)}


async def test_the_status_route_answers_on_a_socket() -> None:
    monitor = watch("/users/{id}")
    app = slomon.integrations.asgi.Middleware(plain_starlette(), monitor, status_path="/slomon")
    async with serving(app) as client:
        await client.get("/users/7")
        await monitor.flush()
        got, head = await client.get("/slomon"), await client.head("/slomon")
        posted = await client.post("/slomon", content=b"x" * 100_000)

    assert got.json()["endpoints"][0]["requests"] == 1
    assert (head.status_code, head.content) == (200, b"")
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")
    assert monitor.snapshot().accounting.accesses == 1


async def test_a_service_whose_monitor_cannot_start_is_not_started(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    state.write_text("not ours\n")
    app = slomon.integrations.asgi.Middleware(plain_starlette(), watch("/a", state=state))
    config = uvicorn.Config(app, port=0, log_config=None)
    with pytest.raises(SystemExit):
        await uvicorn.Server(config).serve()

    assert str(state) in caplog.text

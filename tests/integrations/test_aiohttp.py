"""A request of an aiohttp service counts once, for the right endpoint and by the right status."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import slomon
from slomon.integrations.aiohttp import setup
from tests.integrations.asgi.service import counts, watch


async def half() -> AsyncIterator[bytes]:
    yield b"half"
    raise ValueError("the other half is missing")


async def user(request: web.Request) -> web.Response:
    return web.Response(text=request.match_info["id"])


async def bug(_: web.Request) -> web.Response:
    raise ValueError("bug")


async def busy(_: web.Request) -> web.Response:
    raise web.HTTPServiceUnavailable


async def nothing(_: web.Request) -> Any:
    return None


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half")
    if "bug" in request.query:
        raise ValueError("the other half is missing")
    if "busy" in request.query:
        raise web.HTTPServiceUnavailable
    return response


async def payload(_: web.Request) -> web.Response:
    return web.Response(body=half())


def make_app() -> web.Application:
    app, admin = web.Application(), web.Application()
    admin.router.add_get("/users/{id}", user)
    app.add_subapp("/admin", admin)
    app.router.add_get("/users/{id}", user)
    for handler in (bug, busy, nothing, stream, payload):
        app.router.add_get(f"/{handler.__name__}", handler)
    return app


@pytest.mark.parametrize(
    ("path", "status", "counted"),
    [
        ("/users/7", 200, {"GET /users/{id}": (1, 0)}),
        ("/users/a%2Fb?page=2", 200, {"GET /users/{id}": (1, 0)}),
        ("/admin/users/7", 200, {"GET /admin/users/{id}": (1, 0)}),
        ("/nowhere", 404, {"unmatched": (1, 0)}),
        ("/bug", 500, {"GET /bug": (1, 1)}),
        ("/busy", 503, {"GET /busy": (1, 1)}),
        ("/nothing", 500, {"GET /nothing": (1, 1)}),
        ("/stream", 200, {"GET /stream": (1, 0)}),
        ("/stream?bug", None, {"GET /stream": (1, 1)}),
        ("/stream?busy", None, {"GET /stream": (1, 1)}),
        ("/payload", None, {"GET /payload": (1, 1)}),
    ],
)
async def test_a_response_counts_once_by_its_end(
    path: str, status: int | None, counted: dict[str, tuple[int, int]]
) -> None:
    resources = ("/users/{id}", "/admin/users/{id}", "/bug", "/busy", "/nothing", "/stream")
    monitor, app = watch(*resources, "/payload"), make_app()
    setup(app, monitor)
    async with TestClient(TestServer(app)) as client:
        try:
            async with client.get(path) as response:
                await response.read()
                found: int | None = response.status
        except aiohttp.ClientError:
            found = None
    assert found == status
    assert counts(monitor) == counted


@pytest.mark.parametrize("handler_cancellation", [False, True])
@pytest.mark.parametrize(("begins", "failures"), [(True, 0), (False, 1)])
async def test_a_disconnected_client_counts_as_499_or_by_the_started_response(
    begins: bool, failures: int, handler_cancellation: bool
) -> None:
    asked, ended = anyio.Event(), anyio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if begins:
            await response.prepare(request)
        asked.set()
        try:
            while request.transport is not None:  # noqa: ASYNC110 (aiohttp does not tell)
                await asyncio.sleep(0.001)
        finally:
            ended.set()
        return response

    monitor, app = watch("/slow", is_failure=lambda status: status == 499), web.Application()
    app.router.add_get("/slow", slow)
    setup(app, monitor)
    runner = web.AppRunner(app, handler_cancellation=handler_cancellation)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    connection = await anyio.connect_tcp(*runner.addresses[0])
    await connection.send(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
    await asked.wait()
    await connection.aclose()
    await ended.wait()
    await runner.cleanup()

    assert counts(monitor) == {"GET /slow": (1, failures)}


async def test_the_status_page_is_not_counted() -> None:
    monitor, app = watch("/users/{id}"), make_app()
    setup(app, monitor, status_path="/slomon")
    async with TestClient(TestServer(app)) as client:
        await client.get("/users/7")
        await monitor.flush()
        async with client.get("/slomon") as response:
            assert json.loads(await response.read())["accounting"]["events"] == 1
        async with client.post("/slomon") as response:
            assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")


async def test_a_route_may_choose_the_endpoint_and_others_may_run_the_monitor() -> None:
    monitor, app = watch("users.show"), make_app()
    setup(app, monitor, route=lambda request: request.query.get("route"), run_monitor=False)
    async with monitor, TestClient(TestServer(app)) as client:
        await client.get("/users/7?route=users.show")
        await client.get("/users/7")
    assert counts(monitor) == {"GET users.show": (1, 0), "unmatched": (1, 0)}


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"monitor": None}, "'monitor' is None; allowed: what slomon.live"),
        ({"route": "/users"}, "'route' is '/users'; allowed: a plain function of a request"),
        ({"status_path": "slomon"}, "'status_path' is 'slomon'; allowed: a path that begins"),
        ({"websockets": 1}, "'websockets' is 1; allowed: True, False"),
    ],
)
def test_a_wrong_option_is_rejected_by_its_name(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(slomon.ConfigurationError, match=fault):
        setup(web.Application(), **{"monitor": watch("/a"), **options})

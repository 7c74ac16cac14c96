"""Endpoints that are found by the routes of each framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import fastapi
import flask
import httpx
import litestar
import pytest
import sanic.response
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from litestar.params import FromPath
from sanic import HTTPResponse, Sanic
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

import slomon.integrations.aiohttp
import slomon.integrations.asgi
import slomon.integrations.wsgi
from slomon import LiveMonitor
from slomon.integrations.routes import read_route
from tests.integrations.asgi.service import serving
from tests.integrations.packages import load

Ask = Callable[[str, str], Awaitable[int]]

ASKED = [
    ("GET", "/users/7"),
    ("GET", "/users/8?page=2"),
    ("GET", "/admin/users/7"),
    ("GET", "/bug"),
    ("GET", "/nowhere"),
]
FOUND = {"GET /users/{number}": 2, "GET /admin/users/{number}": 1, "GET /bug": 1}


def auto(**options: Any) -> LiveMonitor:
    return slomon.live("auto", slo="99%", window="5m", service="shop", **options)


def counts(monitor: LiveMonitor) -> dict[str, int]:
    endpoints = monitor.snapshot().endpoints
    return {f"{one.verb} {one.resource}": one.all_requests for one in endpoints}


def over_asgi(app: Any, monitor: LiveMonitor) -> Ask:
    watched = slomon.integrations.asgi.Middleware(app, monitor, run_monitor=False)
    transport = httpx.ASGITransport(watched, raise_app_exceptions=False)

    async def ask(verb: str, path: str) -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return (await client.request(verb, path)).status_code

    return ask


def over_wsgi(app: Any, monitor: LiveMonitor) -> Ask:
    watched = slomon.integrations.wsgi.Middleware(app, monitor)
    transport = httpx.WSGITransport(watched, raise_app_exceptions=False)

    async def ask(verb: str, path: str) -> int:
        with httpx.Client(transport=transport, base_url="http://a") as client:
            return client.request(verb, path).status_code  # noqa: ASYNC212 (it waits for nothing)

    return ask


def in_starlette(monitor: LiveMonitor) -> Ask:
    async def user(request: Request) -> Response:
        return PlainTextResponse(str(request.path_params["number"]))

    async def bug(_: Request) -> Response:
        raise ValueError("bug")

    admin = Mount("/admin", routes=[Route("/users/{number:int}", user)])
    routes = [Route("/users/{number:int}", user), Route("/bug", bug), admin]
    return over_asgi(Starlette(routes=routes), monitor)


def in_fastapi(monitor: LiveMonitor) -> Ask:
    app, admin = fastapi.FastAPI(), fastapi.APIRouter(prefix="/users")

    @admin.get("/{number}")
    @app.get("/users/{number}")
    async def user(number: int) -> int:
        return number

    @app.get("/bug")
    def bug() -> None:
        raise ValueError("bug")

    app.include_router(admin, prefix="/admin")
    return over_asgi(app, monitor)


def in_litestar(monitor: LiveMonitor) -> Ask:
    @litestar.get(["/users/{number:int}", "/admin/users/{number:int}"])
    async def user(number: FromPath[int]) -> str:
        return str(number)

    @litestar.get("/bug")
    async def bug() -> None:
        raise ValueError("bug")

    return over_asgi(litestar.Litestar([user, bug]), monitor)


def in_flask(monitor: LiveMonitor) -> Ask:
    app = flask.Flask("shop")
    admin = flask.Blueprint("admin", "admin", url_prefix="/admin")

    @admin.get("/users/<int:number>")
    @app.get("/users/<int:number>")
    def user(number: int) -> str:
        return str(number)

    @app.get("/bug")
    def bug() -> str:
        raise ValueError("bug")

    app.register_blueprint(admin)
    return over_wsgi(app.wsgi_app, monitor)


def in_quart(monitor: LiveMonitor) -> Ask:
    app = load("quart").Quart("shop")

    async def user(number: int) -> str:
        return str(number)

    async def bug() -> str:
        raise ValueError("bug")

    app.add_url_rule("/users/<int:number>", "user", user)
    app.add_url_rule("/admin/users/<int:number>", "admin", user)
    app.add_url_rule("/bug", "bug", bug)
    return over_asgi(app.asgi_app, monitor)


def in_aiohttp(monitor: LiveMonitor) -> Ask:
    async def user(request: web.Request) -> web.Response:
        return web.Response(text=request.match_info["number"])

    async def bug(_: web.Request) -> web.Response:
        raise ValueError("bug")

    app, admin = web.Application(), web.Application()
    app.router.add_get(r"/users/{number:\d+}", user)
    admin.router.add_get("/users/{number}", user)
    app.router.add_get("/bug", bug)
    app.add_subapp("/admin", admin)
    slomon.integrations.aiohttp.setup(app, monitor, run_monitor=False)

    async def ask(verb: str, path: str) -> int:
        async with TestClient(TestServer(app)) as client, client.request(verb, path) as response:
            return response.status

    return ask


def in_django_over_asgi(monitor: LiveMonitor) -> Ask:
    load("tests.integrations.django_site").configure()
    return over_asgi(load("django.core.asgi").get_asgi_application(), monitor)


def in_django_over_wsgi(monitor: LiveMonitor) -> Ask:
    load("tests.integrations.django_site").configure()
    return over_wsgi(load("django.core.wsgi").get_wsgi_application(), monitor)


@pytest.mark.parametrize(
    "make",
    [
        in_starlette,
        in_fastapi,
        in_litestar,
        in_flask,
        in_quart,
        in_aiohttp,
        in_django_over_asgi,
        in_django_over_wsgi,
    ],
)
async def test_endpoints_are_the_routes_of_the_framework(
    make: Callable[[LiveMonitor], Ask],
) -> None:
    monitor = auto()
    async with monitor:
        ask = make(monitor)
        statuses = [await ask(verb, path) for verb, path in ASKED]

    assert statuses == [200, 200, 200, 500, 404]
    assert counts(monitor) == FOUND
    assert monitor.snapshot().accounting.unmatched == 1
    assert {one.service for one in monitor.snapshot().endpoints} == {"shop"}


@pytest.mark.slow
async def test_endpoints_are_the_routes_of_sanic() -> None:
    app, monitor = Sanic("shop"), auto()

    async def user(_: Any, number: int) -> HTTPResponse:
        return sanic.response.text(str(number))

    async def bug(_: Any) -> HTTPResponse:
        raise ValueError("bug")

    app.add_route(user, "/users/<number:int>", name="user")
    app.add_route(user, "/admin/users/<number:int>", name="admin")
    app.add_route(bug, "/bug", name="bug")
    async with serving(slomon.integrations.asgi.Middleware(app, monitor)) as client:
        statuses = [(await client.request(verb, path)).status_code for verb, path in ASKED]

    assert statuses == [200, 200, 200, 500, 404]
    assert counts(monitor) == FOUND


@pytest.mark.parametrize(
    ("route", "resource"),
    [
        ("/users", "/users"),
        ("/users/<id>", "/users/{id}"),
        ("/users/<int:id>/orders/", "/users/{id}/orders/"),
        ("/users/<any(a,b):kind>", "/users/{kind}"),
        ("/files/<path:name>", "/files/{name:path}"),
        ("/files/<path:name>/edit", "/files/{name}/edit"),
        ("users/<slug:name>.json", "/users/{name}.json"),
        ("/users/{id:int}", "/users/{id}"),
        ("/files/{name:path}", "/files/{name:path}"),
        ("/files/{name:path}/edit", "/files/{name}/edit"),
        ("^users/(?P<id>[0-9]+)/$", "/users/{id}/"),
        (r"^api/^v1\.0/(?P<id>(a|b)\d+)/x\Z", "/api/v1.0/{id}/x"),
        ("old page", "/old%20page"),
        ("", "/"),
    ],
)
def test_a_route_of_any_framework_is_a_resource(route: str, resource: str) -> None:
    assert read_route(route) == resource


def fastapi_in_tenants() -> fastapi.FastAPI:
    outer, inner, files = fastapi.FastAPI(), fastapi.FastAPI(), fastapi.APIRouter(prefix="/files")

    @inner.get("/users/{id}")
    async def user(id: str) -> str:  # noqa: A002 (as programs call it)
        return id

    @files.get("/{name:path}")
    async def file(name: str) -> str:
        return name

    outer.include_router(files, prefix="/v1")
    outer.mount("/tenants/{tenant}", inner)
    return outer


async def test_the_path_before_a_mounted_or_included_route_belongs_to_the_resource() -> None:
    monitor = auto()
    async with monitor:
        ask = over_asgi(fastapi_in_tenants(), monitor)
        for path in ("/tenants/acme/users/7", "/tenants/evil/users/x", "/v1/files/a/b/c"):
            assert await ask("GET", path) == 200
    assert counts(monitor) == {
        "GET /tenants/{tenant}/users/{id}": 2,
        "GET /v1/files/{name:path}": 1,
    }


async def test_a_service_that_fails_before_it_routes_fails_at_its_endpoints() -> None:
    broken = False

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if broken:
            raise ValueError("the database is gone")
        await inner(scope, receive, send)

    inner, monitor = fastapi_in_tenants(), auto()
    async with monitor:
        ask = over_asgi(app, monitor)
        await ask("GET", "/tenants/acme/users/7")
        broken = True
        for path in ("/tenants/evil/users/8", "/unknown/9", "/unknown/10"):
            assert await ask("GET", path) == 500
        await monitor.flush()
        failures = {one.resource: one.all_failures for one in monitor.snapshot().endpoints}
    assert failures == {"/tenants/{tenant}/users/{id}": 1, "/unknown/{id}": 2}


async def test_without_a_framework_paths_are_grouped_as_in_a_replay() -> None:
    async def app(scope: Any, _: Any, send: Any) -> None:
        status = 404 if scope["path"].startswith("/nowhere") else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    monitor = auto(max_endpoints=2)
    async with monitor:
        ask = over_asgi(app, monitor)
        for path in ("/a/1", "/a/2;x=1?y", "/nowhere/1", "/b", "/c", "/c" + 3000 * "x"):
            await ask("GET", path)
        await ask("BREW", "/a/1")
    assert counts(monitor) == {"GET /a/{id}": 2, "GET /b": 1}
    assert monitor.snapshot().accounting.unmatched == 4


async def test_overrides_have_their_own_slo_and_are_matched_by_path() -> None:
    entry = {"name": "vip", "verb": "GET", "resource": "/tenants/acme/users/{any}"}
    monitor = auto(overrides=[{**entry, "slo": "50%", "window": "10s"}])
    async with monitor:
        ask = over_asgi(fastapi_in_tenants(), monitor)
        await ask("GET", "/tenants/acme/users/7")
        await ask("GET", "/tenants/evil/users/7")
    found = [(one.service, one.resource, one.slo) for one in monitor.snapshot().endpoints]
    assert found == [
        ("vip", "/tenants/acme/users/{any}", 0.5),
        ("shop", "/tenants/{tenant}/users/{id}", 0.99),
    ]


async def test_what_a_framework_answers_without_a_route_makes_no_endpoint() -> None:
    async def files(scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].startswith("/static"):
            await inner(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def index(_: Request) -> Response:
        return PlainTextResponse("index")

    inner, monitor = Starlette(routes=[Route("/index/", index)]), auto()
    async with monitor:
        ask = over_asgi(files, monitor)
        for path, status in (("/index/", 200), ("/index", 307), ("/static/a", 200), ("/b", 404)):
            assert await ask("GET", path) == status
        assert await ask("POST", "/index/") == 405
    assert counts(monitor) == {"GET /index/": 1}
    assert monitor.snapshot().accounting.unmatched == 4


async def test_the_query_of_a_client_is_not_recorded(tmp_path: Path) -> None:
    def app(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"."]

    async with auto(event_log=tmp_path / "events") as monitor:
        watched = slomon.integrations.wsgi.Middleware(app, monitor)
        environ = {"REQUEST_METHOD": "GET", "RAW_URI": "/users/7?token=secret"}
        watched(environ, lambda *_: None)
    recorded = (tmp_path / "events").read_text(encoding="ascii")
    assert " GET /users/{id} 200" in recorded
    assert "secret" not in recorded

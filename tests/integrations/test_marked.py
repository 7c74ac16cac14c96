"""A request that the application marks as failed is a failure, and its duration is measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import slomon.integrations.wsgi
from slomon import LiveMonitor
from tests.integrations.asgi.service import watch
from tests.integrations.packages import load


def found(monitor: LiveMonitor) -> tuple[int, int, int]:
    """The requests, the failures and the durations of the only endpoint."""
    (users,) = monitor.snapshot().endpoints
    return users.requests, users.failures, users.durations.requests if users.durations else 0


async def test_a_wsgi_application_marks_a_request_even_while_its_body_is_sent() -> None:
    monitor = watch("/users/{id}")

    def stream(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"half"
        if environ["QUERY_STRING"]:
            assert monitor.fail()
        yield b"half"

    app = slomon.integrations.wsgi.Middleware(stream, monitor)
    async with monitor:
        for query in ("", "bad", ""):
            environ: dict[str, Any] = {"PATH_INFO": "/users/7", "QUERY_STRING": query}
            setup_testing_defaults(environ)
            assert b"".join(app(environ, lambda *_: None)) == b"halfhalf"
        assert not monitor.fail()
    assert found(monitor) == (3, 1, 3)


async def test_a_handler_of_aiohttp_marks_a_request() -> None:
    web, testing = load("aiohttp.web"), load("aiohttp.test_utils")
    aiohttp = load("slomon.integrations.aiohttp")
    monitor = watch("/users/{id}")

    async def show(request: Any) -> Any:
        if request.query_string:
            assert monitor.fail()
        return web.json_response({"errors": []})

    app = web.Application()
    app.router.add_get("/users/{id}", show)
    aiohttp.setup(app, monitor)
    async with testing.TestClient(testing.TestServer(app)) as client:
        for path in ("/users/7", "/users/7?bad", "/users/7"):
            assert (await client.get(path)).status == 200
    assert found(monitor) == (3, 1, 3)

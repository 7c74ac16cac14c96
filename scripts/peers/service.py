"""The services to measure: a trivial one, and the same one watched."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import slomon.integrations.asgi

ENTRIES = [
    {
        "name": "users",
        "email": "ana@example.com",
        "verb": "GET",
        "resource": "/users/{id}",
        "slo": 0.99,
        "window": 5,
    }
]


async def show_user(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ana")


plain = Starlette(routes=[Route("/users/{id}", show_user)])
watched = slomon.integrations.asgi.Middleware(plain, slomon.live(ENTRIES), status_path="/slomon")

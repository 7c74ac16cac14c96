"""A Flask application and a Django site, counted by a monitor that finds their endpoints."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import flask

import slomon
from slomon.integrations.wsgi import Middleware
from tests.integrations.packages import load


def make_monitor(state: str | None = None) -> slomon.ThreadedMonitor:
    return slomon.live_in_thread("auto", service="shop", window="1h", state=state)


def in_flask(monitor: slomon.ThreadedMonitor) -> Any:
    app = flask.Flask("shop")

    @app.get("/users/<int:number>")
    def user(number: int) -> str:
        return str(number)

    @app.get("/bug")
    def bug() -> str:
        raise ValueError("bug")

    @app.get("/stream")
    def stream() -> flask.Response:
        def half() -> Iterator[bytes]:
            yield b"half"
            raise ValueError("the other half is missing")

        return flask.Response(half())

    @app.get("/endless")
    def endless() -> flask.Response:
        return flask.Response(b"." * 65536 for _ in iter(int, 1))

    @app.get("/file")
    def file() -> flask.Response:
        return flask.send_file(__file__)

    app.wsgi_app = Middleware(app.wsgi_app, monitor, status_path="/slomon")  # type: ignore[method-assign]
    return app


def in_django(monitor: slomon.ThreadedMonitor) -> Any:
    load("tests.integrations.django_site").configure()
    site = load("django.core.wsgi").get_wsgi_application()
    return Middleware(site, monitor, status_path="/slomon")


def app() -> Any:
    """For a server that makes its application itself; the environment names the rest."""
    make = {"flask": in_flask, "django": in_django}[os.environ["SLOMON_TEST_APP"]]
    return make(make_monitor(os.environ["SLOMON_TEST_STATE"]))

"""Flask and Django behind real WSGI servers, and Django behind a real ASGI server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

import slomon
from slomon.integrations.asgi import Middleware
from tests.integrations import wsgi_apps
from tests.integrations.asgi.service import serving
from tests.integrations.packages import load
from tests.servers import find_free_port, poll

pytestmark = pytest.mark.slow

FOUND = {
    "GET /users/{number}": (2, 0),
    "GET /bug": (1, 1),
    "GET /stream": (1, 1),
    "GET /file": (1, 0),
    "GET /endless": (1, 0),
}


def ask(port: int, path: str) -> tuple[int, int]:
    """The status and the length of a response; its length is -1 if it broke off."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        try:
            return response.status, len(response.read())
        except (HTTPException, OSError):
            return response.status, -1
    finally:
        connection.close()


def leave(port: int, path: str) -> None:
    """A client that goes when the response has begun."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert b" 200 OK" in connection.recv(1000)


def drive(port: int) -> None:
    for path, status in (
        ("/users/7", 200),
        ("/users/8?page=2", 200),
        ("/bug", 500),
        ("/stream", 200),
        ("/file", 200),
        ("/nowhere", 404),
    ):
        assert ask(port, path)[0] == status
    leave(port, "/endless")


def counts(found: Any) -> dict[str, tuple[int, int]]:
    return {
        f"{one['verb']} {one['resource']}": (one["requests"], one["failures"])
        for one in found["endpoints"]
    }


@contextmanager
def in_wsgiref(app: Any) -> Iterator[int]:
    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """It logs nothing."""

    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    server.socket.settimeout(30)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def in_waitress(app: Any) -> Iterator[int]:
    server = load("waitress").create_server(app, host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server.effective_port
    server.trigger.pull_trigger(server.close)
    server.task_dispatcher.shutdown()
    thread.join()


@contextmanager
def in_gunicorn(name: str, folder: Path, *options: str) -> Iterator[int]:
    port = find_free_port()
    command = [sys.executable, "-m", "gunicorn", "tests.integrations.wsgi_apps:app()"]
    command += [f"--bind=127.0.0.1:{port}", "--workers=2", "--no-control-socket", *options]
    environment = {**os.environ, "SLOMON_TEST_APP": name, "SLOMON_TEST_STATE": f"{folder}/state"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

        def is_ready() -> bool | None:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                return ask(port, "/slomon")[0] == 200
            except OSError:
                return None

        try:
            poll(is_ready, "the service is ready")
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.mark.parametrize("make", [wsgi_apps.in_flask, wsgi_apps.in_django])
@pytest.mark.parametrize("serve", [in_wsgiref, in_waitress])
def test_a_response_counts_by_its_end_in_a_server_with_threads(
    make: Callable[[Any], Any], serve: Callable[[Any], Any]
) -> None:
    monitor = wsgi_apps.make_monitor()
    with serve(make(monitor)) as port:
        drive(port)

        def read() -> dict[str, tuple[int, int]] | None:
            monitor.flush()
            found = counts(json.loads(ask_status(port)))
            return found if found == FOUND else None

        poll(read, "all is counted")
    assert monitor.snapshot().accounting.unmatched == 1
    monitor.stop()


def ask_status(port: int) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/slomon")
    body = connection.getresponse().read()
    connection.close()
    return body


@pytest.mark.parametrize(
    ("name", "options"),
    [("flask", ["--preload"]), ("django", ["--threads=2"])],
)
def test_the_workers_of_gunicorn_are_one_service(
    name: str, options: list[str], tmp_path: Path
) -> None:
    load(name)
    with in_gunicorn(name, tmp_path, *options) as port:
        drive(port)

        def read() -> bool | None:
            return counts(json.loads(ask_status(port))) == FOUND or None

        poll(read, "all is counted")
    with wsgi_apps.make_monitor(f"{tmp_path}/state") as monitor:
        found = {one.resource: one.requests for one in monitor.snapshot().endpoints}
    assert found == {
        "/users/{number}": 2,
        "/bug": 1,
        "/stream": 1,
        "/file": 1,
        "/endless": 1,
    }


async def test_django_counts_behind_an_asgi_server() -> None:
    load("tests.integrations.django_site").configure()
    site = load("django.core.asgi").get_asgi_application()
    monitor = slomon.live("auto", service="shop", window="1h")
    async with serving(Middleware(site, monitor)) as client:
        for path in ("/users/7", "/users/8", "/bug", "/nowhere"):
            await client.get(path)
        await monitor.flush()
        found = {one.resource: (one.requests, one.failures) for one in monitor.snapshot().endpoints}
    assert found == {"/users/{number}": (2, 0), "/bug": (1, 1)}

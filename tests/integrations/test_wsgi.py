"""A request of a WSGI service counts once, for the right endpoint and by the right status."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest
from structlog.typing import EventDict

import slomon
from slomon.integrations.wsgi import Middleware, WsgiExchange
from tests.integrations.asgi.service import counts, entry, watch

Respond = Callable[[Any], Iterable[bytes]]


class Body:
    """A body that may raise, and that notes whether it was closed."""

    def __init__(self, *parts: bytes, then: BaseException | None = None) -> None:
        self._parts, self._then = parts, then
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts
        if self._then:
            raise self._then

    def close(self) -> None:
        self.closed += 1


def refuse(_: str, __: object, exc_info: Any = None) -> Any:
    """The `start_response` of a server that has sent the headers."""
    raise exc_info[1]


def serve(respond: Respond, *, taken: int | None = None, start: Any = None) -> list[int]:
    """The statuses that are counted if a server takes so many parts of the body, or all."""
    counted: list[int] = []
    exchange = WsgiExchange(
        lambda status, _: counted.append(status), {}, start or (lambda *_: None)
    )
    try:
        body = respond(exchange.start_response)
    except BaseException:  # noqa: BLE001 (whatever the application raises)
        exchange.end()
        return counted
    watched = exchange.watch(body, FileWrapper)
    try:
        for number, _ in enumerate(watched, 1):
            if number == taken:
                break
    except ValueError:
        pass
    finally:
        if hasattr(watched, "close"):
            watched.close()
    return counted


def answering(status: str, body: Iterable[bytes]) -> Respond:
    def respond(start_response: Any) -> Iterable[bytes]:
        start_response(status, [])
        return body

    return respond


def late_start(_: Any) -> Respond:
    def respond(start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"."

    return respond


def replaced(start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    start_response("503 Busy", [], (ValueError, ValueError(), None))
    return [b"sorry"]


def too_late(start_response: Any) -> Iterable[bytes]:
    yield b"."
    start_response("500 Error", [], (ValueError, ValueError("bug"), None))


def raising(_: Any) -> Iterable[bytes]:
    raise SystemExit(1)  # as gunicorn does with a worker that hangs


ERROR = ValueError("bug")


@pytest.mark.parametrize(
    ("respond", "status"),
    [
        (answering("200 OK", [b"."]), 200),
        (answering("404 Not Found", (b".",)), 404),
        (answering("200 OK", Body(b".", b".")), 200),
        (answering("503 Busy", Body()), 503),
        (
            answering(
                "200 OK",
                FileWrapper(io.BytesIO(b"...")),
            ),
            200,
        ),
        (late_start(None), 200),
        (replaced, 503),
        # no whole response
        (answering("200 OK", Body(b".", then=ERROR)), 500),
        (answering("200 OK", Body(then=ERROR)), 500),
        (raising, 500),
        (lambda _: [b"no start"], 500),
        (lambda _: Body(b"no start"), 500),
    ],
)
def test_a_response_counts_once_by_its_end(respond: Respond, status: int) -> None:
    assert serve(respond) == [status]


@pytest.mark.parametrize(
    ("respond", "status"),
    [
        (answering("200 OK", Body(b".", b".", then=ERROR)), 200),
        (answering("502 Bad", Body(b".", b".")), 502),
        (lambda _: Body(b".", b"."), 499),
    ],
)
def test_a_server_that_stops_has_lost_its_client(respond: Respond, status: int) -> None:
    assert serve(respond, taken=1) == [status]


def test_an_error_that_replaces_a_response_too_late_breaks_it_off() -> None:
    assert serve(too_late, start=refuse) == [500]


def test_the_body_is_closed_once_and_lists_and_files_are_not_wrapped() -> None:
    body, items, file = Body(b"."), [b"."], FileWrapper(io.BytesIO(b"."))
    assert serve(answering("200 OK", body)) == [200]
    assert body.closed == 1
    exchange = WsgiExchange(print, {}, lambda *_: None)
    assert exchange.watch(items, FileWrapper) is items
    assert exchange.watch(file, FileWrapper) is file
    file.close()
    assert file.filelike.closed


def ask(app: Any, path: str = "/users/7", verb: str = "GET", **environ: Any) -> tuple[str, bytes]:
    """The status and the body, as a server gets them."""
    started: list[str] = []
    given = {"REQUEST_METHOD": verb, "PATH_INFO": path, **environ}
    setup_testing_defaults(given)
    body = app(given, lambda status, *_: started.append(status))
    try:
        content = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    return started[0], content


def fine(_: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"fine"]


@pytest.mark.parametrize(
    ("environ", "counted"),
    [
        ({"path": "/users/7"}, "GET /users/{id}"),
        ({"path": "/users/7", "verb": "HEAD"}, "unmatched"),
        ({"path": "/users/a/b", "RAW_URI": "/users/a%2Fb?page=2"}, "GET /users/{id}"),
        ({"path": "/users/a/b", "REQUEST_URI": "/users/a%2Fb"}, "GET /users/{id}"),
        ({"path": "/users/a b"}, "GET /users/{id}"),
        ({"path": "/caf\u00c3\u00a9"}, "GET /caf%C3%A9"),
        ({"path": "/users/7", "SCRIPT_NAME": "/api"}, "unmatched"),
    ],
)
async def test_a_path_is_the_clients_and_is_not_decoded(
    environ: dict[str, Any], counted: str
) -> None:
    monitor = watch("/users/{id}", "/caf%C3%A9")
    async with monitor:
        ask(Middleware(fine, monitor), **environ)
    assert counts(monitor) == {counted: (1, 0)}


def test_the_first_request_starts_the_monitor_unless_something_else_did() -> None:
    monitor = slomon.live_in_thread([entry("/users/{id}")])
    app = Middleware(fine, monitor, status_path="/slomon")
    running = [monitor.running]
    ask(app)
    running.append(monitor.running)
    monitor.stop()
    for one in (app, Middleware(fine, monitor)):
        ask(one)
        running.append(monitor.running)
    assert running == [False, True, False, False]
    assert counts(monitor.live) == {"GET /users/{id}": (1, 0)}


def test_a_monitor_that_cannot_start_harms_no_request(
    tmp_path: Path, logs: list[EventDict]
) -> None:
    (tmp_path / "state").write_text("not ours\n")
    app = Middleware(fine, slomon.live_in_thread([entry("/a")], state=tmp_path / "state"))
    assert [ask(app)[1] for _ in range(2)] == [b"fine", b"fine"]
    assert [one["event"] for one in logs].count("monitor.not_started") == 1


def test_the_status_page_is_not_counted() -> None:
    with slomon.live_in_thread([entry("/users/{id}")]) as monitor:
        app = Middleware(fine, monitor, status_path="/slomon")
        ask(app)
        monitor.flush()
        status, body = ask(app, "/slomon")
        assert status == "200 OK"
        assert json.loads(body)["accounting"]["events"] == 1
        assert ask(app, "/slomon", "HEAD") == ("200 OK", b"")
        assert ask(app, "/slomon", "POST") == ("405 Method Not Allowed", b"")


async def test_a_route_may_choose_the_endpoint() -> None:
    monitor = watch("users.show")
    async with monitor:
        app = Middleware(fine, monitor, route=lambda environ: environ.get("route"))
        ask(app, route="users.show")
        ask(app)
    assert counts(monitor) == {"GET users.show": (1, 0), "unmatched": (1, 0)}


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"monitor": None}, "'monitor' is None; allowed: what slomon.live"),
        ({"route": "/users"}, "'route' is '/users'; allowed: a plain function of an environ"),
        ({"status_path": "slomon"}, "'status_path' is 'slomon'; allowed: a path that begins"),
        ({"run_monitor": "no"}, "'run_monitor' is 'no'; allowed: True, False"),
    ],
)
def test_a_wrong_option_is_rejected_by_its_name(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(slomon.ConfigurationError, match=fault):
        Middleware(fine, **{"monitor": watch("/a"), **options})

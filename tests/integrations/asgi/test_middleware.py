"""A request counts once, for the right endpoint and by the right status, and its messages pass."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from structlog.typing import EventDict

import slomon.integrations.asgi
from slomon import ConfigurationError, live
from slomon.integrations.asgi.middleware import AsgiExchange
from slomon.integrations.asgi.types import App, Message, Receive, Scope, Send
from tests.integrations.asgi.service import Server, counts, entry, request, serving, watch

Respond = Callable[[Receive, Send], Awaitable[None]]

BODY: Message = {"type": "http.response.body", "body": b"."}
MORE: Message = {**BODY, "more_body": True}
EMPTY: Message = {"type": "http.response.body"}


def start(status: int = 200, length: int | None = None) -> Message:
    headers = [] if length is None else [(b"Content-Length", b"%d" % length)]
    return {"type": "http.response.start", "status": status, "headers": headers}


async def exchange(respond: Respond, server: Server) -> list[int]:
    """The statuses that were counted."""
    counted: list[int] = []
    watched = AsgiExchange(lambda status, _: counted.append(status), server.receive, server.send)
    try:
        await respond(watched.receive, watched.send)
    except asyncio.CancelledError:
        watched.end(cancelled=True)
    except ValueError:
        watched.end()
    else:
        watched.returned()
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
    """An application that receives the disconnect after these messages."""

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
        # a middleware inside may end a body that breaks off, and raise only then
        (sending(start(), MORE, EMPTY), 200),
        (sending(start(), MORE, EMPTY, then=ERROR), 500),
        (sending(start(), MORE, EMPTY, then=CANCELLED), 200),
        (sending(start(200, 2), MORE, EMPTY), 500),
        (sending(start(200, 1), MORE, EMPTY, then=ERROR), 200),
        (sending(start(200, 1), EMPTY, then=ERROR), 200),
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
async def test_a_response_counts_once_by_its_end(respond: Respond, status: int) -> None:
    assert await exchange(respond, Server(["http.request", "http.disconnect"])) == [status]


async def test_an_os_error_of_the_server_means_that_the_client_has_disconnected() -> None:
    def break_pipe(message: Message) -> None:
        if message is BODY:
            raise BrokenPipeError

    async def respond(receive: Receive, send: Send) -> None:
        with pytest.raises(BrokenPipeError):
            await sending(start(), BODY)(receive, send)
        raise ValueError("what a framework makes of it")

    assert await exchange(respond, Server(on_send=break_pipe)) == [200]


async def test_a_response_whose_last_message_the_server_rejects_has_failed() -> None:
    def refuse(message: Message) -> None:
        if message is BODY:
            raise ValueError("Response content shorter than Content-Length")

    assert await exchange(sending(start(), BODY), Server(on_send=refuse)) == [500]


async def test_all_messages_pass_unchanged() -> None:
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


async def stall(_: Scope, __: Receive, send: Send) -> None:
    await anyio.sleep(0.01)
    await fine(_, __, send)


async def test_the_duration_of_a_request_is_measured() -> None:
    monitor = watch("/users/{id}")
    async with monitor:
        await ask(slomon.integrations.asgi.Middleware(stall, monitor), request())
    (users,) = monitor.snapshot().endpoints
    assert users.durations
    assert users.durations.requests == 1
    assert 0.009 < users.durations.seconds < 5


@pytest.mark.parametrize(
    ("options", "failures"), [({}, 1), ({"fail_status": "404"}, 1), ({"fail_status": "418"}, 1)]
)
async def test_a_request_that_is_marked_as_failed_fails_whatever_its_status(
    options: dict[str, str], failures: int
) -> None:
    marked: list[bool] = []

    async def graphql(_: Scope, __: Receive, send: Send) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(resolve)
        await fine(_, __, send)
        marked.append(monitor.fail())  # too late

    async def resolve() -> None:
        marked.append(monitor.fail())

    monitor = watch("/users/{id}", **options)
    assert not monitor.fail()
    async with monitor:
        await ask(slomon.integrations.asgi.Middleware(graphql, monitor), request())
        await ask(slomon.integrations.asgi.Middleware(fine, monitor), request())
    assert counts(monitor) == {"GET /users/{id}": (2, failures)}
    assert marked == [True, False]


async def fine(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"fine"})


async def ask(app: App, scope: Scope, server: Server | None = None) -> Server:
    server = server or Server()
    await app(scope, server.receive, server.send)
    return server


@pytest.mark.slow
def test_it_needs_no_framework_and_no_server() -> None:
    script = (
        "import sys, slomon.integrations.asgi; "
        "print({'starlette', 'fastapi', 'litestar', 'uvicorn', 'pydantic'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout == "set()\n"


@pytest.mark.parametrize(
    ("verb", "path", "counted"),
    [
        ("GET", "/users/7", "GET /users/{id}"),
        ("GET", "/users/me", "GET /users/me"),
        ("GET", "/files/a/b", "GET /files/{name:path}"),
        ("GET", "/users/", "unmatched"),
        ("GET", "/users/7/orders", "unmatched"),
        ("HEAD", "/users/7", "unmatched"),
        ("OPTIONS", "/users/7", "unmatched"),
    ],
)
async def test_requests_are_counted_by_the_most_specific_template(
    verb: str, path: str, counted: str
) -> None:
    monitor = watch("/users/{id}", "/users/me", "/files/{name:path}")
    async with monitor:
        await ask(slomon.integrations.asgi.Middleware(fine, monitor), request(path, verb))
    assert counts(monitor) == {counted: (1, 0)}


async def test_a_path_is_the_clients_whether_mounted_or_not() -> None:
    async def router(scope: Scope, receive: Receive, send: Send) -> None:
        scope["path"] = "/users/7"  # as a router does that strips where it is mounted
        await fine(scope, receive, send)

    monitor = watch("/api/users/{id}")
    async with monitor:
        app = slomon.integrations.asgi.Middleware(router, monitor)
        await ask(app, request("/api/users/7", root_path="/api"))
    assert counts(monitor) == {"GET /api/users/{id}": (1, 0)}


@pytest.mark.parametrize(
    ("path", "raw", "counted"),
    [
        ("/users/a/b", b"/users/a%2Fb", "GET /users/{id}"),
        ("/caf\u00e9", b"/caf%C3%A9", "GET /caf%C3%A9"),
        ("/caf\u00e9", None, "unmatched"),
        ("/users/7", b"/users/\xff", "GET /users/{id}"),
    ],
)
async def test_a_path_is_not_decoded(path: str, raw: bytes | None, counted: str) -> None:
    monitor = watch("/users/{id}", "/caf%C3%A9")
    async with monitor:
        await ask(slomon.integrations.asgi.Middleware(fine, monitor), request(path, raw_path=raw))
    assert counts(monitor) == {counted: (1, 0)}


@pytest.mark.parametrize("root", ["", "/api"])
@pytest.mark.parametrize("http", ["h11", "httptools"])
async def test_a_server_counts_as_a_log_of_the_same_requests_does(root: str, http: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await fine(scope, receive, send)

    monitor = watch(f"{root}/users/{{id}}", f"{root}/caf%C3%A9")
    async with serving(
        slomon.integrations.asgi.Middleware(app, monitor), root_path=root, http=http
    ) as client:
        for path in ("/users/a%2Fb", "/caf%C3%A9", "/users/a/b"):
            await client.get(path)
    assert counts(monitor) == {
        f"GET {root}/users/{{id}}": (1, 0),
        f"GET {root}/caf%C3%A9": (1, 0),
        "unmatched": (1, 0),
    }


async def test_a_route_gets_the_scope_that_the_application_has_filled() -> None:
    async def router(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/nowhere":
            scope["path_template"] = "users.show"
        await fine(scope, receive, send)

    monitor = watch("users.show")
    async with monitor:
        app = slomon.integrations.asgi.Middleware(
            router, monitor, route=lambda scope: scope.get("path_template")
        )
        for path in ("/users/7", "/nowhere"):
            await ask(app, request(path))
    assert counts(monitor) == {"GET users.show": (1, 0), "unmatched": (1, 0)}


async def test_a_route_that_raises_harms_no_request_and_is_logged_once(
    logs: list[EventDict],
) -> None:
    async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/bad":
            raise ZeroDivisionError
        await fine(scope, receive, send)

    monitor = watch("users.show")
    async with monitor:
        app = slomon.integrations.asgi.Middleware(
            faulty, monitor, route=lambda scope: str(scope["template"])
        )
        served = await ask(app, request())
        with pytest.raises(ZeroDivisionError):
            await ask(app, request("/bad"))
        await ask(app, request(template="users.show"))
    assert served.sent[1]["body"] == b"fine"
    assert counts(monitor) == {"GET users.show": (1, 0), "unmatched": (2, 0)}
    failed = [entry["reason"] for entry in logs if entry["event"] == "route.failed"]
    assert failed == ["KeyError: 'template'"]


async def test_unknown_methods_and_paths_are_not_stored(tmp_path: Path) -> None:
    events = tmp_path / "events"
    async with watch("/users/{id}", event_log=events) as monitor:
        app = slomon.integrations.asgi.Middleware(fine, monitor)
        asked = ("GET", "/secret?"), ("BREW", "/users/7"), ("GET", "/users/" + "7" * 9999)
        for verb, path in asked:
            await ask(app, request(path, verb))
    texts = [json.loads(line)["value"] for line in events.read_text(encoding="ascii").splitlines()]
    kept = [text.partition(" ")[2] for text in texts if " " in text]
    assert kept == ["- - 200", "- - 200", "GET /users/{id} 200"]


async def test_a_resource_must_be_a_template_unless_a_route_says_otherwise() -> None:
    monitor = watch("/users/{id")
    with pytest.raises(ConfigurationError, match="braces nowhere else"):
        slomon.integrations.asgi.Middleware(fine, monitor)
    slomon.integrations.asgi.Middleware(fine, monitor, route=lambda _: None)


async def asynchronous(_: Scope) -> str:
    return "/users"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"monitor": None}, "'monitor' is None; allowed: what slomon.live"),
        ({"route": "/users"}, "'route' is '/users'; allowed: a plain function of a scope"),
        ({"route": asynchronous}, "'route' is "),
        ({"status_path": "slomon"}, "'status_path' is 'slomon'; allowed: a path that begins"),
        ({"status_path": ""}, "'status_path' is ''; allowed: text"),
        ({"status_path": 5}, "'status_path' is 5; allowed: text"),
        ({"run_monitor": "no"}, "'run_monitor' is 'no'; allowed: True, False"),
    ],
)
def test_a_wrong_option_is_rejected_by_its_name(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        slomon.integrations.asgi.Middleware(fine, **{"monitor": watch("/a"), **options})


async def test_an_exception_is_a_failure_and_is_raised_again() -> None:
    async def faulty(_: Scope, __: Receive, ___: Send) -> None:
        raise ZeroDivisionError

    monitor = watch("/users/{id}")
    async with monitor:
        with pytest.raises(ZeroDivisionError):
            await ask(slomon.integrations.asgi.Middleware(faulty, monitor), request())
    assert counts(monitor) == {"GET /users/{id}": (1, 1)}


@pytest.mark.parametrize("rule", [None, lambda status: status >= 499])
async def test_a_request_that_is_cancelled_counts_as_nginx_logs_it(rule: object) -> None:
    begun = asyncio.Event()

    async def slow(_: Scope, receive: Receive, __: Send) -> None:
        begun.set()
        await receive()

    monitor = watch("/users/{id}", **({"is_failure": rule} if rule else {}))
    async with monitor:
        call = asyncio.create_task(
            ask(slomon.integrations.asgi.Middleware(slow, monitor), request())
        )
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert counts(monitor) == {"GET /users/{id}": (1, 1 if rule else 0)}


@pytest.mark.parametrize("kind", ["websocket", "lifespan", "of a specification to come"])
async def test_other_scopes_pass_untouched(kind: str) -> None:
    seen: list[object] = []

    async def app(*arguments: object) -> None:
        seen.extend(arguments)

    monitor, server = watch("/users/{id}"), Server()
    watched = slomon.integrations.asgi.Middleware(app, monitor, run_monitor=False)
    scope, receive, send = {"type": kind}, server.receive, server.send
    await watched(scope, receive, send)

    assert seen[0] is scope
    assert seen[1:] == [receive, send]
    assert counts(monitor) == {}


async def test_the_monitor_runs_with_the_application() -> None:
    async def app(*_: object) -> None:
        running.append(monitor.access("GET", "/users/{id}", 200))

    running: list[bool] = []
    monitor = watch("/users/{id}")
    server = Server(["lifespan.startup", "lifespan.shutdown"])
    await ask(slomon.integrations.asgi.Middleware(app, monitor), {"type": "lifespan"}, server)

    assert running == [True]
    assert server.kinds == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert not monitor.access("GET", "/users/{id}", 200)


async def test_a_file_that_is_no_state_fails_the_startup_with_its_name(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("not ours\n")
    monitor, server = live([entry("/a")], state=state), Server(["lifespan.startup"])
    with pytest.raises(slomon.StateFileError):
        await ask(slomon.integrations.asgi.Middleware(fine, monitor), {"type": "lifespan"}, server)

    assert server.kinds == ["lifespan.startup.failed"]
    assert str(state) in server.sent[0]["message"]


async def test_the_status_route_is_optional_and_is_not_counted() -> None:
    monitor = watch("/slomon")
    async with monitor:
        shown = await ask(
            slomon.integrations.asgi.Middleware(fine, monitor, status_path="/slomon"),
            request("/slomon"),
        )
        passed = await ask(slomon.integrations.asgi.Middleware(fine, monitor), request("/slomon"))
    assert shown.sent[1]["body"].startswith(b'{"at":')
    assert passed.sent[1]["body"] == b"fine"
    assert counts(monitor) == {"GET /slomon": (1, 0)}

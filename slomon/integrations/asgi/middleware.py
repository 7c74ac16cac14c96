"""The middleware: it reports each request of an ASGI application to a live monitor."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Final, TypeAlias

from slomon.integrations.asgi.lifespan import Lifespan
from slomon.integrations.asgi.types import App, Message, Receive, Scope, Send
from slomon.integrations.exchange import (
    Connection,
    Count,
    Exchange,
    check_options,
    make_counter,
    read_close_code,
)
from slomon.integrations.routes import find_scope_route
from slomon.integrations.status_page import answer_async
from slomon.live_monitor.monitor import LiveMonitor, check_monitor
from slomon.live_monitor.reporting import current_request
from slomon.options import check_choice

Route: TypeAlias = Callable[[Scope], str | None]
"""Returns the resource of a request as in its endpoint's entry, None if there is none."""

_HANDSHAKE: Final = "GET"
"""The method by which a websocket is opened."""
_FORBIDDEN: Final = 403
"""The status by which servers answer a handshake that the application closes."""

_START: Final = "http.response.start"
_BODIES: Final = {"http.response.body", "http.response.pathsend", "http.response.zerocopysend"}


class Middleware:
    """
    An ASGI application that wraps another one, `app`:

        from slomon.integrations.asgi import Middleware

        app = Middleware(app, monitor)                      # Litestar, all others
        app.add_middleware(Middleware, monitor=monitor)     # Starlette, FastAPI

    **The endpoint.** A request is matched as in the access log of a proxy in front: by its method
    and by its path as the client sent it. The path includes `root_path`, mounted or not, and is not
    decoded: `/a%2Fb` has one segment. If several resources match, such as `/users/{id}`, the most
    specific one wins. HEAD is not GET. A request that matches no resource counts as unmatched.

    If the monitor finds its endpoints, they are the routes of Starlette, FastAPI, Litestar, Django,
    Quart or Sanic. `slomon.integrations.exchange.FoundCounter` says what requests without a route
    count for.

    A `route` may return the resource instead. It is called when the response ends, after the
    framework has filled the scope: `lambda scope: scope.get("path_template")` for Litestar. Then
    resources are no templates, but are compared as text. If `route` raises, the request is
    unmatched; the first exception is logged.

    **The status.** A response that was sent completely counts by its status. What the application
    does after that doesn't matter. If the application raises before that, the request is a failure
    (500) and the exception is raised again; if it returns without a complete response, the request
    is a failure, too. A body in parts without a content length is complete when the application
    returns, because a middleware inside may end a body that breaks off. `monitor.fail()` makes a
    failure of a request that answers with another status.

    **The duration** is the time from the call of the middleware until the request counts.

    If the client disconnects or the server cancels the application, the request counts by the
    status of the response if the response has started, else as status 499, as in nginx. The
    middleware learns of a disconnect if the server tells the application (when that reads a body
    or streams a response) or if the server raises. Under uvicorn, other requests count as they
    end.

    **The lifespan.** With `run_monitor` the monitor runs as long as the application's lifespan,
    even if the application supports none. If the monitor can't start, the server's startup fails
    with the monitor's message. Without `run_monitor`, the caller must enter the monitor.

    **The status page.** GET on `status_path` returns the `status_document` of
    `slomon.integrations.status_page`, to anyone; such requests are not counted. The path is
    compared with the server's path, which includes `root_path`.

    **Websockets** are counted with `websockets`, as GET requests. The handshake counts as status
    101 when it is accepted, else by the status of its answer: 403 if the application closes. An
    accepted connection counts once more when it ends: as 500 if the application raises, as 500,
    503 or 502 if it closes with the code 1011, 1013 or 1014, else as 101.

    Raises ConfigurationError if an option is wrong or a resource is malformed.
    """

    def __init__(
        self,
        app: App,
        monitor: LiveMonitor,
        *,
        route: Route | None = None,
        status_path: str | None = None,
        run_monitor: bool = True,
        websockets: bool = False,
    ) -> None:
        check_monitor(monitor)
        check_options(route, status_path, run_monitor, "a scope")
        check_choice("websockets", websockets, [True, False])
        self._app = app
        self._monitor = monitor
        self._status_path = status_path
        self._run_monitor = run_monitor
        self._websockets = websockets
        self._find_count = make_counter(monitor, route, find_scope_route(app)).find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises any exception of the application."""
        if scope["type"] != "http":
            await self._pass_on(scope, receive, send)
        elif scope["path"] == self._status_path:
            await self._show_status(scope["method"], send)
        else:
            # Servers put `root_path` before both paths or before neither.
            raw = scope.get("raw_path")
            count = self._find_count(scope, scope["method"], scope["path"] if raw is None else raw)
            exchange = AsgiExchange(count, receive, send)
            try:
                await self._app(scope, exchange.receive, exchange.send)
            except Exception:
                exchange.end()
                raise
            except BaseException:
                exchange.end(cancelled=True)
                raise
            if exchange.count:
                exchange.returned()

    async def _show_status(self, verb: str, send: Send) -> None:
        status, headers, body = await answer_async(verb, self._monitor.read)
        encoded = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": b"" if verb == "HEAD" else body})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and self._run_monitor:
            await Lifespan(self._app, receive, send).run(scope, self._monitor)
        elif scope["type"] == "websocket" and self._websockets:
            raw = scope.get("raw_path")
            count = self._find_count(scope, _HANDSHAKE, scope["path"] if raw is None else raw)
            await self._count_connection(AsgiConnection(count, receive, send), scope)
        else:
            await self._app(scope, receive, send)

    async def _count_connection(self, connection: AsgiConnection, scope: Scope) -> None:
        try:
            await self._app(scope, connection.receive, connection.send)
        except Exception:
            connection.end(failed=True)
            raise
        except BaseException:
            connection.end(cancelled=True)
            raise
        connection.end()


class AsgiExchange(Exchange):
    """
    An exchange that sees the messages of the application.

    A middleware inside, such as Starlette's BaseHTTPMiddleware, may end a body that breaks off with
    a last message, and raise only then. So a body in several messages is complete if it has the
    length that the response announces; without one, when the application returns.
    """

    _start: Message | None = None  # the message that started the response
    _sent = 0  # bytes of the body in messages before the last one
    _has_ended = False  # the last message was sent

    def __init__(self, count: Count, receive: Receive, send: Send) -> None:
        # What the base does, without a call: it runs in each request.
        self.count = count
        self.began = perf_counter()
        current_request.set(self)
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """The `receive` of the application."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.is_disconnected = True
        return message

    async def send(self, message: Message) -> None:
        """The `send` of the application."""
        kind = message["type"]
        if kind == _START and not self.is_disconnected:
            self.status = message["status"]
            self._start = message
        try:
            await self._send(message)
        except OSError:  # servers raise it after the client has disconnected
            self.is_disconnected = True
            raise
        if kind == _START or kind not in _BODIES:
            return
        if message.get("more_body"):
            self._sent += len(message.get("body", b""))
        elif self._sent and not self._is_complete(message):
            self._has_ended = True
        elif self.count:  # what `finish` does, without a call
            count, self.count = self.count, None
            count(self._failing_status or self.status, perf_counter() - self.began)

    def returned(self) -> None:
        """The application has returned, and the response has not been counted."""
        if self._has_ended and self._find_length() is None:
            self.finish()
        else:
            self.end()

    def _is_complete(self, last: Message) -> bool:
        """Has the body, which came in parts, the length that the response announces?"""
        return self._sent + len(last.get("body", b"")) == self._find_length()

    def _find_length(self) -> int | None:
        """The length of the body that the response announces."""
        headers = self._start.get("headers", ()) if self._start else ()
        for name, value in headers:
            if name.lower() == b"content-length" and value.isdigit():
                return int(value)
        return None


class AsgiConnection(Connection):
    """A websocket that sees the messages of the application."""

    def __init__(self, count: Count, receive: Receive, send: Send) -> None:
        super().__init__(count)
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """The `receive` of the application."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.is_disconnected = True
        return message

    async def send(self, message: Message) -> None:
        """The `send` of the application."""
        try:
            await self._send(message)
        except OSError:  # servers raise it after the client has disconnected
            self.is_disconnected = True
            raise
        match message["type"]:
            case "websocket.accept":
                self.accept()
            case "websocket.close" if self.is_accepted:
                self.close(read_close_code(message.get("code")))
            case "websocket.close":
                self.close(_FORBIDDEN)
            case "websocket.http.response.start":
                self.close(message["status"])

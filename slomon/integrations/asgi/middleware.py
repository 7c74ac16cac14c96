"""The middleware: it reports each request of an ASGI application to a live monitor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from slomon.endpoints.discovery import LruDict
from slomon.endpoints.router import Router
from slomon.integrations.asgi.lifespan import Lifespan
from slomon.integrations.asgi.status import answer
from slomon.integrations.asgi.types import App, Message, Receive, Scope, Send
from slomon.live_monitor.monitor import LiveMonitor, check_monitor
from slomon.logging import get_logger
from slomon.options import check_choice, check_function, option_error, read_text
from slomon.text import excerpt

Count: TypeAlias = Callable[[int], object]
"""Counts a request by the status of its response."""

Route: TypeAlias = Callable[[Scope], str | None]
"""Returns the resource of a request as in its endpoint's entry, None if there is none."""

_UNKNOWN: Final = "-"
"""The verb and resource of all requests without an endpoint: no text of a client is stored."""

_UNFINISHED: Final = 500
_DISCONNECTED: Final = 499
"""As in nginx, so that a replay of its log agrees. `is_failure=` may judge the status."""

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

    A `route` may return the resource instead. It is called when the response ends, after the
    framework has filled the scope: `lambda scope: scope.get("path_template")` for Litestar. Then
    resources are no templates, but are compared as text. If `route` raises, the request is
    unmatched; the first exception is logged.

    **The status.** A response that was sent completely counts by its status. What the application
    does after that doesn't matter. If the application raises before that, the request is a failure
    (500) and the exception is raised again; if it returns without a complete response, the request
    is a failure, too.

    If the client disconnects or the server cancels the application, the request counts by the
    status of the response if the response has started, else as status 499, as in nginx. The
    middleware learns of a disconnect if the server tells the application (when that reads a body
    or streams a response) or if the server raises. Under uvicorn, other requests count as they
    end.

    **The lifespan.** With `run_monitor` the monitor runs as long as the application's lifespan,
    even if the application supports none. If the monitor can't start, the server's startup fails
    with the monitor's message. Without `run_monitor`, the caller must enter the monitor.

    **The status page.** GET on `status_path` returns the `status_document` of
    `slomon.integrations.asgi.status`, to anyone; such requests are not counted. The path is
    compared with the server's path, which includes `root_path`.

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
    ) -> None:
        check_monitor(monitor)
        if route is not None:
            check_function("route", route, "a scope")
        if status_path is not None and not read_text("status_path", status_path).startswith("/"):
            raise option_error("status_path", status_path, "a path that begins with '/'")
        check_choice("run_monitor", run_monitor, [True, False])
        self._app = app
        self._monitor = monitor
        self._status_path = status_path
        self._run_monitor = run_monitor
        counter = PathCounter(monitor) if route is None else RouteCounter(monitor, route)
        self._find_count = counter.find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises any exception of the application."""
        if scope["type"] != "http":
            await self._pass_on(scope, receive, send)
        elif scope["path"] == self._status_path:
            await answer(self._monitor.read, scope["method"], send)
        else:
            exchange = Exchange(self._find_count(scope), receive, send)
            try:
                await self._app(scope, exchange.receive, exchange.send)
            except Exception:
                exchange.end()
                raise
            except BaseException:
                exchange.end(cancelled=True)
                raise
            if exchange.count:
                exchange.end()

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and self._run_monitor:
            await Lifespan(self._app, receive, send).run(scope, self._monitor)
        else:
            await self._app(scope, receive, send)


class Exchange:
    """
    A request and its response. Counts the response by its status as soon as its last message is
    sent. A response that ends before that counts as 500. If the client disconnects before that, the
    status of the response counts if the response has started, else 499: a response to nobody, such
    as a 500, is no failure.
    """

    # Class attributes, because most requests never change them: setting them would take time.
    _status = _DISCONNECTED
    _is_disconnected = False

    def __init__(self, count: Count, receive: Receive, send: Send) -> None:
        self.count: Count | None = count
        """None as soon as the response is counted."""
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """The `receive` of the application."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._is_disconnected = True
        return message

    async def send(self, message: Message) -> None:
        """The `send` of the application."""
        kind = message["type"]
        if kind == "http.response.start" and not self._is_disconnected:
            self._status = message["status"]
        try:
            await self._send(message)
        except OSError:  # servers raise it after the client has disconnected
            self._is_disconnected = True
            raise
        if kind in _BODIES and self.count and not message.get("more_body"):
            self.count(self._status)
            self.count = None

    def end(self, *, cancelled: bool = False) -> None:
        """
        Call this when the application has returned or raised. The server cancels the application
        if the client disconnects or the server shuts down.
        """
        if self.count:
            self.count(self._status if self._is_disconnected or cancelled else _UNFINISHED)
            self.count = None


class PathCounter:
    """
    Counts requests by method and path, as a replay of their access log does: the path is not
    decoded if the server has the raw path. Servers put `root_path` before both paths or before
    neither.
    """

    def __init__(self, monitor: LiveMonitor) -> None:
        """Raises ConfigurationError if a resource is malformed."""
        endpoints = monitor.catalogue.endpoints
        router = Router(endpoints)
        counts = [monitor.counter(one.verb, one.resource) for one in endpoints]
        unknown = monitor.counter(_UNKNOWN, _UNKNOWN)

        def find_count(method: str, path: str | bytes) -> Count:
            text = path if isinstance(path, str) else path.decode("utf-8", "backslashreplace")
            key = router.find(method, text)
            return unknown if key is None else counts[key]

        self._counts = LruDict(find_count)

    def find(self, scope: Scope) -> Count:
        """The counter of a request. Call this before the application changes the scope."""
        raw = scope.get("raw_path")
        return self._counts[scope["method"], scope["path"] if raw is None else raw]


class RouteCounter:
    """
    Counts requests by method and by the resource that `route` returns for the scope, after the
    application has changed the scope. If `route` raises, the request has no endpoint; the first
    exception is logged.
    """

    def __init__(self, monitor: LiveMonitor, route: Route) -> None:
        self._monitor = monitor
        self._route = route
        self._has_failed = False

    def find(self, scope: Scope) -> Count:
        """The counter of a request. It calls `route` when it counts."""
        return partial(self._count, scope)

    def _count(self, scope: Scope, status: int) -> None:
        resource = self._find_resource(scope)
        verb = _UNKNOWN if resource is None else scope["method"]
        self._monitor.access(verb, resource or _UNKNOWN, status)

    def _find_resource(self, scope: Scope) -> str | None:
        try:
            return self._route(scope)
        except Exception as error:  # noqa: BLE001 (no exception of it may harm the request)
            if not self._has_failed:
                reason = f"{type(error).__name__}: {excerpt(str(error), 200)}"
                get_logger().error("route.failed", reason=reason)
            self._has_failed = True
            return None

"""
Which endpoint a request is counted for, once the status of its response is known.

A request and its response, watched as their messages pass.

The middleware: it tells a live monitor of each request of an ASGI application.
"""

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
Route: TypeAlias = Callable[[Scope], str | None]
"""The resource of a request, as its endpoint has it; None where there is none."""

_NOTHING: Final = "-"  # the verb and resource of no endpoint: what clients make up goes no further


class PathCounter:
    """
    By method and path, as an access log of the same requests is read: not decoded, where the server
    says how it was asked for. Servers put `root_path` before both paths or before neither.
    """

    def __init__(self, monitor: LiveMonitor) -> None:
        """Raises ConfigurationError where a resource is no template."""
        endpoints = monitor.catalogue.endpoints
        router = Router(endpoints)
        counts = [monitor.counter(one.verb, one.resource) for one in endpoints]
        nothing = monitor.counter(_NOTHING, _NOTHING)

        def find_count(method: str, path: str | bytes) -> Count:
            text = path if isinstance(path, str) else path.decode("utf-8", "backslashreplace")
            key = router.find(method, text)
            return nothing if key is None else counts[key]

        self._counts = LruDict(find_count)

    def find(self, scope: Scope) -> Count:
        """What counts the status of a request, of which the application has not seen the scope."""
        raw = scope.get("raw_path")
        return self._counts[scope["method"], scope["path"] if raw is None else raw]


class RouteCounter:
    """
    By method and by what a `route` says of the scope as the application leaves it. Where it raises,
    which is logged once, there is no endpoint.
    """

    def __init__(self, monitor: LiveMonitor, route: Route) -> None:
        self._monitor = monitor
        self._route = route
        self._failed = False

    def find(self, scope: Scope) -> Count:
        """What counts the status of a request, once the application has seen its scope."""
        return partial(self._count, scope)

    def _count(self, scope: Scope, status: int) -> None:
        resource = self._find(scope)
        verb = _NOTHING if resource is None else scope["method"]
        self._monitor.access(verb, resource or _NOTHING, status)

    def _find(self, scope: Scope) -> str | None:
        try:
            return self._route(scope)
        except Exception as error:  # noqa: BLE001 (whatever it raises, the request goes on)
            if not self._failed:
                reason = f"{type(error).__name__}: {excerpt(str(error), 200)}"
                get_logger().error("route.failed", reason=reason)
            self._failed = True
            return None


_FAILED: Final = 500
_CLIENT_LEFT: Final = 499
"""As nginx logs it: so a replay of its log agrees, and `is_failure=` may decide otherwise."""

_BODIES: Final = {"http.response.body", "http.response.pathsend", "http.response.zerocopysend"}


class Exchange:
    """
    Counts the response by its status once its last message was sent, whatever runs after that. One
    that doesn't get so far has failed. If the client left first the status counts that had begun by
    then, and 499 if none had: what is done for nobody, such as to send a 500, is no failure.
    """

    # Of most requests these stay as they are: not to set them for each takes less time.
    _status = _CLIENT_LEFT
    _client_left = False

    def __init__(self, count: Callable[[int], object], receive: Receive, send: Send) -> None:
        self.count: Callable[[int], object] | None = count
        """None once it has counted."""
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """For the application."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._client_left = True
        return message

    async def send(self, message: Message) -> None:
        """For the application."""
        kind = message["type"]
        if kind == "http.response.start" and not self._client_left:
            self._status = message["status"]
        try:
            await self._send(message)
        except OSError:  # what a server raises once the client has left
            self._client_left = True
            raise
        if kind in _BODIES and self.count and not message.get("more_body"):
            self.count(self._status)
            self.count = None

    def end(self, *, cancelled: bool = False) -> None:
        """
        The application has returned or raised. Who cancels it is the server, because its client
        has left or it shuts down.
        """
        if self.count:
            self.count(self._status if self._client_left or cancelled else _FAILED)
            self.count = None


class Middleware:
    """
    An ASGI application around another one, `app`:

        app = slomon.asgi.Middleware(app, monitor)                        # Litestar, all others
        app.add_middleware(slomon.asgi.Middleware, monitor=monitor)       # Starlette, FastAPI

    **Which endpoint** a request belongs to is decided as it is for the log of a proxy in front: by
    its method, by its path, whole and as it was asked for (`root_path` included, mounted or not;
    nothing decoded: `/a%2Fb` has one segment), and by the most specific of the resources that
    match, as `/users/{id}`. HEAD is not GET. What none matches is counted as unmatched.

    A `route` may name the resource instead. It is called as the response ends, when the scope has
    what the framework puts there: `lambda scope: scope.get("path_template")` for Litestar.
    Resources are no templates then, but compared as they stand. Where it raises, the request is
    unmatched, and the first time that is logged.

    **What counts** is a response that was sent to its end, by its status; what the application does
    after that fails nobody. An exception before that is a failure (500), and raised on; to return
    without a whole response is one, too. A client that leaves first, or a server that cancels, is
    none: the status counts if the response had begun, and 499 if not, as nginx has it. That a
    client has left is known once the application was told so (to read a body or to stream a
    response is to ask), or the server raised: under uvicorn others are counted as they end.

    With `run_monitor` the monitor runs as long as the application's lifespan, also where the
    application knows none. What it raises as it begins fails the start of the server, with its
    message. Others enter the monitor themselves.

    `status_path` is where GET answers with `slomon.asgi.status.status_document`, to anyone who may
    ask; such requests are not counted. It is compared as the server has the path, in which
    `root_path` is included as well.

    Raises ConfigurationError where an option is wrong, or a resource is no template.
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
        """Raises what the application does."""
        if scope["type"] != "http":
            await self._pass_on(scope, receive, send)
        elif scope["path"] == self._status_path:
            await answer(self._monitor.snapshot, scope["method"], send)
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

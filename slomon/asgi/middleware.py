"""The middleware: it tells a live monitor of each request of an ASGI application."""

from __future__ import annotations

from slomon.asgi.counter import PathCounter, Route, RouteCounter
from slomon.asgi.exchange import Exchange
from slomon.asgi.lifespan import Lifespan
from slomon.asgi.protocol import App, Receive, Scope, Send
from slomon.asgi.status import answer
from slomon.embedding.monitor import LiveMonitor, check_monitor
from slomon.options import check_choice, check_function, read_text, refuse


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
            raise refuse("status_path", status_path, "a path that begins with '/'")
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

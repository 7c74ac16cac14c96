"""slomon inside a WSGI service: `Middleware` reports each request to a live monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from threading import Lock
from time import perf_counter
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from slomon.integrations.exchange import Count, Exchange, check_options, make_counter
from slomon.integrations.routes import find_environ_route, note_request
from slomon.integrations.status_page import answer
from slomon.live_monitor.monitor import LiveMonitor, check_monitor
from slomon.live_monitor.reporting import current_request
from slomon.live_monitor.threaded import ThreadedMonitor
from slomon.logging import get_logger
from slomon.text import excerpt

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]
App: TypeAlias = Callable[[Any, Any], Iterable[bytes]]

Route: TypeAlias = Callable[[Environ], str | None]
"""Returns the resource of a request as in its endpoint's entry, None if there is none."""

_SAFE: Final = "/!$&'()*+,;=:@~"
"""What stays as it is in a path (RFC 3986)."""


class Middleware:
    """
    A WSGI application that wraps another one, `app`:

        from slomon.integrations.wsgi import Middleware

        app.wsgi_app = Middleware(app.wsgi_app, monitor)                # Flask
        application = Middleware(get_wsgi_application(), monitor)       # Django, all others

    `monitor` is what `slomon.live_in_thread(...)` returned, or the LiveMonitor of another part of
    the program.

    **The endpoint.** A request is matched as in the access log of a proxy in front: by its method
    and by its path as the client sent it, undecoded. If several resources match, such as
    `/users/{id}`, the most specific one wins. HEAD is not GET. A request that matches no resource
    counts as unmatched. If the monitor finds its endpoints, they are the routes of Flask or Django.
    A `route` may return the resource instead: it is called with the environ when the response ends.
    Then resources are compared as text. If `route` raises, the request is unmatched; the first
    exception is logged.

    **The status.** A response that was sent completely counts by its status. What the application
    does after that doesn't matter. If the application or the iteration of its body raises before
    that, the request is a failure (500) and the exception is raised again. If the server stops
    before the end of the body, the client has disconnected: the status counts if the response has
    started, else 499, as in nginx.

    **The monitor.** With `run_monitor`, the first request in a process starts the monitor, if
    nothing has started it before. So an application may be loaded before its worker processes are
    forked. If the monitor can't start, this is logged, and requests are dropped as `closed`.

    **The status page.** GET on `status_path` returns the `status_document` of
    `slomon.integrations.status_page`, to anyone; such requests are not counted.

    Raises ConfigurationError if an option is wrong or a resource is malformed.
    """

    def __init__(
        self,
        app: App,
        monitor: ThreadedMonitor | LiveMonitor,
        *,
        route: Route | None = None,
        status_path: str | None = None,
        run_monitor: bool = True,
    ) -> None:
        live = monitor.live if isinstance(monitor, ThreadedMonitor) else monitor
        check_monitor(live)
        check_options(route, status_path, run_monitor, "an environ")
        self._app = app
        self._read = live.snapshot
        self._status_path = status_path
        self._find_count = make_counter(live, route, find_environ_route(app)).find
        self._to_start = monitor if run_monitor and isinstance(monitor, ThreadedMonitor) else None
        self._starting = Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Raises any exception of the application."""
        if self._to_start is not None:
            self._start()
        if self._status_path is not None and _find_path(environ) == self._status_path:
            return self._show_status(environ["REQUEST_METHOD"], start_response)
        target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or _quote(environ)
        path = target.partition("?")[0]
        count = self._find_count(environ, environ["REQUEST_METHOD"], path)
        exchange = WsgiExchange(count, environ, start_response)
        try:
            body = self._app(environ, exchange.start_response)
        except BaseException:
            exchange.end()
            raise
        return exchange.watch(body, environ.get("wsgi.file_wrapper"))

    def _start(self) -> None:
        with self._starting:
            monitor, self._to_start = self._to_start, None
            if monitor is None or monitor.has_started:
                return
            try:
                monitor.start()
            except Exception as error:  # noqa: BLE001 (no fault of it may harm the request)
                reason = f"{type(error).__name__}: {excerpt(str(error), 200)}"
                get_logger().error("monitor.not_started", reason=reason)

    def _show_status(self, verb: str, start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = answer(verb, self._read)
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [] if verb == "HEAD" else [body]


class WsgiExchange(Exchange):
    """An exchange that sees how the response starts, and how its body ends."""

    def __init__(self, count: Count, environ: Environ, start_response: StartResponse) -> None:
        # What the base does, without a call: it runs in each request.
        self.count = count
        self.began = perf_counter()
        current_request.set(self)
        self._environ = environ
        self._start_response = start_response

    def start_response(self, status: str, *more: Any) -> Any:
        """The `start_response` of the application."""
        write = self._start_response(status, *more)
        self.status, self.has_started = int(status[:3]), True
        note_request(self._environ)
        return write

    def watch(self, body: Iterable[bytes], file_wrapper: object) -> Iterable[bytes]:
        """
        The body to return to the server, which counts when it ends. A list is complete, and a
        file wrapper is for the server to send in its own way, so these are returned as they are.
        """
        if isinstance(body, list | tuple):
            self.complete()
            return body
        if isinstance(file_wrapper, type) and isinstance(body, file_wrapper):
            close = getattr(body, "close", None)
            with suppress(AttributeError):  # an object without attributes of its own
                body.close = partial(self._close_file, close)  # type: ignore[attr-defined]
                return body
        return _Body(self, body)

    def complete(self) -> None:
        """The body has come to its end."""
        if self.has_started:
            self.finish()
        else:
            self.end()

    def leave(self) -> None:
        """The server takes no more of the body."""
        self.is_disconnected = True
        self.end()

    def _close_file(self, close: Callable[[], object] | None) -> None:
        self.complete()
        if close is not None:
            close()


class _Body:
    """The body of a response. Its exchange counts when the iteration ends, or at `close`."""

    def __init__(self, exchange: WsgiExchange, body: Iterable[bytes]) -> None:
        self._exchange = exchange
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._body:  # noqa: UP028 (`yield from` would close the body)
                yield part
        except GeneratorExit:
            self._exchange.leave()
            raise
        except BaseException:
            self._exchange.end()
            raise
        self._exchange.complete()

    def close(self) -> None:
        """Close the application's body, as the server does in any case."""
        self._exchange.leave()
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


def _find_path(environ: Environ) -> str:
    return f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"


def _quote(environ: Environ) -> str:
    """The path for a server that does not say how the client sent it."""
    return quote(_find_path(environ), _SAFE, encoding="latin-1")

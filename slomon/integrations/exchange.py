"""
What the middlewares share: the endpoint of a request, and what the end of its response means. Each
middleware adds its protocol: ASGI, WSGI or aiohttp.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPMethod
from threading import Lock
from time import perf_counter
from typing import Any, Final, Generic, TypeAlias, TypeVar

from slomon.core.endpoints import Endpoint
from slomon.endpoints.discovery import NO_ENDPOINT, LruDict, find_resource
from slomon.endpoints.router import Router
from slomon.errors import ConfigurationError
from slomon.live_monitor.monitor import LiveMonitor
from slomon.live_monitor.reporting import current_request
from slomon.logging import get_logger
from slomon.options import check_choice, check_function, option_error, read_text
from slomon.text import excerpt

Count: TypeAlias = Callable[[int, float | None], object]
"""Counts a request by the status of its response, and by the seconds that it took."""

Request = TypeVar("Request")
"""What a protocol calls a request: a scope, an environ, or an object."""

_UNKNOWN: Final = NO_ENDPOINT
"""The verb and resource of all requests without an endpoint: no text of a client is stored."""

_UNFINISHED: Final = 500
_DISCONNECTED: Final = 499
"""As in nginx, so that a replay of its log agrees. `is_failure=` may judge the status."""

_METHODS: Final = frozenset(HTTPMethod)
_NO_METHOD: Final = 405
_MOST_KNOWN: Final = 10_000
"""Routes by which requests without a route are matched."""

_ACCEPTED: Final = 101
_CLOSE_CODES: Final[dict[int | None, int]] = {1011: 500, 1013: 503, 1014: 502}
"""The close codes of RFC 6455 by which a server says that it failed, and their statuses."""


class Exchange:
    """
    A request and its response, from now on. Counts the response by its status as soon as it is sent
    completely. A response that ends before that counts as 500. If the client disconnects before
    that, the status of the response counts if the response has started, else 499: a response to
    nobody, such as a 500, is no failure.
    """

    # Class attributes, because most requests never change them: setting them would take time.
    status = _DISCONNECTED
    """The status of the response, once it has started."""
    has_started = False
    """Has the response started? Not used under ASGI."""
    is_disconnected = False
    """Has the client disconnected?"""
    _failing_status: int | None = None  # the application says that the request has failed

    def __init__(self, count: Count) -> None:
        self.count: Count | None = count
        """None as soon as the response is counted."""
        self.began = perf_counter()
        current_request.set(self)

    def fail(self, status: int) -> bool:
        """Count with this status, whatever that of the response is. False if it has counted."""
        self._failing_status = status
        return self.count is not None

    def finish(self) -> None:
        """Call this when the response is sent completely."""
        count, self.count = self.count, None
        if count is not None:
            count(self._failing_status or self.status, perf_counter() - self.began)

    def end(self, *, cancelled: bool = False) -> None:
        """
        Call this when nothing more is sent, whether or not the response is complete. A server
        cancels the application if the client disconnects or the server shuts down.
        """
        if not (self.is_disconnected or cancelled):
            self.status = _UNFINISHED
        self.finish()


class Connection:
    """
    A websocket. Its handshake counts when it is answered: as 101 if it is accepted, else by the
    status of the answer. An accepted connection counts once more when it ends, as 101, or as the
    error that its close code or an exception stands for. So connections that live long do not hide
    that handshakes succeed, and those that break are failures.
    """

    def __init__(self, count: Count) -> None:
        self._count: Count | None = count  # None as soon as it has ended
        self.is_accepted = False
        """Is the handshake accepted?"""
        self.is_disconnected = False
        """Has the client disconnected?"""

    def accept(self) -> None:
        """The handshake is accepted."""
        if self._count and not self.is_accepted:
            self.is_accepted = True
            self._count(_ACCEPTED, None)

    def close(self, status: int) -> None:
        """The handshake is rejected with this status, or the connection ends with it."""
        if self._count:
            self._count(status, None)
            self._count = None

    def end(self, *, failed: bool = False, cancelled: bool = False) -> None:
        """
        Call this when the application has returned or, if it `failed`, raised. A handshake without
        an answer has failed, too, unless the client has disconnected or the server cancels.
        """
        is_left = self.is_disconnected or cancelled
        if self.is_accepted:
            self.close(_UNFINISHED if failed and not is_left else _ACCEPTED)
        else:
            self.close(_DISCONNECTED if is_left else _UNFINISHED)


def read_close_code(code: int | None) -> int:
    """The status that the close code of a websocket stands for."""
    return _CLOSE_CODES.get(code, _ACCEPTED)


class PathCounter:
    """
    Counts requests by method and path, as a replay of their access log does: the path is not
    decoded if the server has the raw path.
    """

    def __init__(self, monitor: LiveMonitor) -> None:
        """Raises ConfigurationError if a resource is malformed."""
        endpoints = monitor.catalogue.endpoints
        router = Router(endpoints)
        counts = [monitor.counter(one.verb, one.resource) for one in endpoints]
        unknown = monitor.counter(_UNKNOWN, _UNKNOWN)

        def find_count(method: str, path: str | bytes) -> Count:
            key = router.find(method, _decode(path))
            return unknown if key is None else counts[key]

        self._counts = LruDict(find_count)

    def find(self, _: object, method: str, path: str | bytes) -> Count:
        """The counter of a request with this method and path."""
        return self._counts[method, path]


class RouteCounter(Generic[Request]):
    """
    Counts requests by method and by the resource that `route` returns for the request, after the
    application has seen it. If `route` raises, the request has no endpoint; the first exception is
    logged.
    """

    def __init__(self, monitor: LiveMonitor, route: Callable[[Request], str | None]) -> None:
        self._monitor = monitor
        self._find_resource = guard_route(route)

    def find(self, request: Request, method: str, _: object) -> Count:
        """The counter of a request. It calls `route` when it counts."""
        return partial(self._count, request, method)

    def _count(self, request: Request, method: str, status: int, duration: float | None) -> None:
        resource = self._find_resource(request)
        verb = _UNKNOWN if resource is None else method
        self._monitor.access(verb, resource or _UNKNOWN, status, duration=duration)


class FoundCounter(Generic[Request]):
    """
    Counts requests to endpoints that are found. `route` returns the resource of a request, by the
    framework that has answered it, or None. Requests to a given endpoint count there.

    A request for which there is no route counts at the found endpoint whose resource matches its
    path: if a service fails before it routes its requests, its endpoints fail. If none matches, the
    path makes an endpoint of its own if the status is 5xx. It does so for 1xx and 2xx if no route
    was ever known: then there is no such framework. No other status makes one, because anyone may
    ask for anything, nor does a method that HTTP or the route does not have.
    """

    def __init__(self, monitor: LiveMonitor, route: Callable[[Request], str | None]) -> None:
        """Raises ConfigurationError if a resource is malformed."""
        endpoints = monitor.catalogue.endpoints
        given = Router(endpoints)
        counts = [monitor.counter(one.verb, one.resource) for one in endpoints]

        def find_given(method: str, path: str | bytes) -> Count | None:
            key = given.find(method, _decode(path))
            return None if key is None else counts[key]

        self._given = LruDict(find_given) if endpoints else None
        self._find_route = guard_route(route)
        self._counts = LruDict(monitor.counter)
        self._resources = LruDict(find_resource)
        self._unknown: Count = monitor.counter(_UNKNOWN, _UNKNOWN)
        self._router = Router([])
        self._known: dict[tuple[str, str], Count] = {}  # by the methods and routes in the router
        self._learning = Lock()

    def find(self, request: Request, method: str, path: str | bytes) -> Count:
        """The counter of a request with this method and path. It finds the endpoint at the end."""
        given = None if self._given is None else self._given[method, path]
        return given or partial(self._count, request, method, path)

    def _count(
        self, request: Request, method: str, path: str | bytes, status: int, duration: float | None
    ) -> None:
        route = self._find_route(request)
        count = None if route is None else self._known.get((method, route))
        (count or self._find_count(method, path, route, status))(status, duration)

    def _find_count(self, method: str, path: str | bytes, route: str | None, status: int) -> Count:
        """The counter of a request without a route, or with one that is not yet known."""
        if method not in _METHODS or status == _NO_METHOD:
            return self._unknown
        if route is None:
            return self._guess(method, _decode(path), status)
        count = self._counts[method, route]
        self._learn(method, route, count)
        return count

    def _guess(self, method: str, path: str, status: int) -> Count:
        key = self._router.find(method, path)
        if key is not None:
            return self._counts[method, self._router.endpoints[key].resource]
        if status < 500 and (status >= 300 or self._known):
            return self._unknown
        resource = self._resources[method, path]
        return self._unknown if resource is None else self._counts[method, resource]

    def _learn(self, method: str, route: str, count: Count) -> None:
        with self._learning:
            if (method, route) not in self._known and len(self._known) < _MOST_KNOWN:
                self._known[method, route] = count
                with suppress(ConfigurationError):  # as `/files/{name}.json`, which is no template
                    self._router.add(Endpoint("", "", method, route, 1.0, 1))


def guard_route(
    route: Callable[[Request], str | None],
) -> Callable[[Request], str | None]:
    """
    The route that never raises: it returns None instead, so that no exception of it harms a
    request. The first one is logged.
    """
    has_failed = False

    def find(request: Request) -> str | None:
        nonlocal has_failed
        try:
            return route(request)
        except Exception as error:  # noqa: BLE001 (whatever it is)
            if not has_failed:
                reason = f"{type(error).__name__}: {excerpt(str(error), 200)}"
                get_logger().error("route.failed", reason=reason)
            has_failed = True
            return None

    return find


def _decode(path: str | bytes) -> str:
    return path if isinstance(path, str) else path.decode("utf-8", "backslashreplace")


def check_options(route: object, status_path: object, run_monitor: object, request: str) -> None:
    """Raise ConfigurationError if an option of a middleware is wrong. `request` names its kind."""
    if route is not None:
        check_function("route", route, request)
    if status_path is not None and not read_text("status_path", status_path).startswith("/"):
        raise option_error("status_path", status_path, "a path that begins with '/'")
    check_choice("run_monitor", run_monitor, [True, False])


def make_counter(
    monitor: LiveMonitor,
    route: Callable[[Any], str | None] | None,
    find_route: Callable[[Any], str | None],
) -> PathCounter | RouteCounter[Any] | FoundCounter[Any]:
    """
    The counter of a middleware, whose option is `route`. `find_route` asks the framework. Raises
    ConfigurationError if a resource is malformed.
    """
    if monitor.discovery is not None:
        return FoundCounter(monitor, route or find_route)
    return PathCounter(monitor) if route is None else RouteCounter(monitor, route)

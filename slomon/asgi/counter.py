"""Which endpoint a request is counted for, once the status of its response is known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from slomon.asgi.protocol import Scope
from slomon.embedding.monitor import LiveMonitor
from slomon.endpoints.discovery import Remembered
from slomon.endpoints.router import Router
from slomon.logging import get_logger
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

        self._counts = Remembered(find_count)

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

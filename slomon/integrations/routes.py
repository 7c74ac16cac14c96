"""
The routes of web frameworks, as resources: each framework knows which of its routes answers a
request, and writes it in its own way. No framework is imported here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Container, Mapping
from functools import lru_cache, partial
from typing import Any, Final, TypeAlias

from slomon.endpoints.discovery import LruDict

FindRoute: TypeAlias = Callable[[str, str], str | None]
"""Returns the resource of a method and a path, None if the framework has no route for it."""

_REQUEST: Final = "slomon.request"

_ANGLES: Final = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
"""`<id>`, `<int:id>` and `<any(a,b):id>` of Flask, Quart and Django."""
_SANIC: Final = re.compile(r"<(\w+)(?::((?:[^<>]|<[^<>]*>)*))?>")
"""`<id>`, `<id:int>` and `<id:(?P<id>[a-z]+)>` of Sanic."""
_BRACES: Final = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
"""`{id}` and `{id:int}` of Starlette, FastAPI and Litestar."""
_NAME: Final = re.compile(r"\?P<(\w+)>")


@lru_cache(1024)
def read_route(route: str) -> str:
    """The resource of a route: its parameters as `{name}`, and `{name:path}` at its end."""
    if "(?P<" in route or "^" in route:
        route = _read_expression(route)
    route = _ANGLES.sub(_replace_angles, route)
    end = len(route)
    route = _BRACES.sub(lambda found: _show(found[1], found[2], is_last=found.end() == end), route)
    return (route if route.startswith("/") else f"/{route}").replace(" ", "%20")


def find_scope_route(app: object) -> Callable[[Any], str | None]:
    """A function of a scope: the resource of a request that this ASGI application has answered."""
    find = path_routes(app)
    if find is None:
        return scope_route
    routes = LruDict(find)

    def find_route(scope: Any) -> str | None:
        root: str = scope.get("root_path", "")
        route = routes[scope.get("method", "GET"), scope["path"].removeprefix(root)]
        return None if route is None else root + route

    return find_route


def find_environ_route(app: object) -> Callable[[Any], str | None]:
    """A function of an environ: the resource of a request that this WSGI application answered."""
    find = path_routes(app)
    if find is None:
        return environ_route
    routes = LruDict(find)

    def find_route(environ: Any) -> str | None:
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        route = routes[environ["REQUEST_METHOD"], path]
        return None if route is None else f"{environ.get('SCRIPT_NAME', '')}{route}"

    return find_route


def scope_route(scope: Any) -> str | None:
    """
    The resource of an ASGI request that Starlette, FastAPI or Litestar has answered; None if there
    is no such route.
    """
    template = scope.get("path_template")
    if template is not None:
        return read_route(template)
    route = scope.get("route")
    path = getattr(route, "path", None)
    if not isinstance(path, str):
        return None
    if hasattr(route, "endpoint"):
        return _prepend(scope, path)
    return _replace_values(scope.get("root_path", ""), scope) + "/{path:path}"  # a mount


def environ_route(environ: Mapping[str, Any]) -> str | None:
    """
    The resource of a WSGI request that Flask has answered, of which `note_request` was called; None
    if there is no such route.
    """
    rule = getattr(environ.get(_REQUEST), "url_rule", None)
    return None if rule is None else read_route(rule.rule)


def note_request(environ: dict[str, Any]) -> None:
    """Keep the request of Flask, which Flask forgets before the body of its response is sent."""
    environ[_REQUEST] = environ.get("werkzeug.request")


def path_routes(app: object) -> FindRoute | None:
    """
    For an application of Django, Quart or Sanic: how a path is routed there. None for any other
    application. `app` may be a method of it.
    """
    owner = getattr(app, "__self__", app)
    is_of = {base.__module__.partition(".")[0] for base in type(owner).__mro__}
    if "django" in is_of:
        return _find_in_django
    if "quart" in is_of:
        return partial(_find_in_quart, owner)
    if "sanic" in is_of:
        return partial(_find_in_sanic, owner)
    return None


def _find_in_django(_: str, path: str) -> str | None:
    urls = sys.modules["django.urls"]
    try:
        return read_route(urls.resolve(path).route)
    except urls.Resolver404:
        return None


def _find_in_quart(app: Any, method: str, path: str) -> str | None:
    try:
        rule, _ = app.url_map.bind("").match(path, method, return_rule=True)
    except sys.modules["werkzeug.exceptions"].HTTPException:  # such as a redirect
        return None
    return read_route(rule.rule)


def _find_in_sanic(app: Any, method: str, path: str) -> str | None:
    try:
        route, _, _ = app.router.get(path, method, None)
    except sys.modules["sanic.exceptions"].SanicException:
        return None
    return read_route(_SANIC.sub(_replace_sanic, route.path))


def _prepend(scope: Any, route: str) -> str:
    """
    The route with the part of the path before it, which is that of a mount, of an included router,
    or of the server's `root_path`.
    """
    resource, length, names = _measure(route)
    path = scope["path"]
    missing = path.count("/") - length
    if missing == 0:
        return resource
    values = scope.get("path_params") or {}
    missing -= sum(str(values.get(name, "")).count("/") for name in names)
    if missing <= 0:
        return resource
    prefix = "/".join(path.split("/")[: missing + 1])
    return _replace_values(prefix, scope, names) + resource


@lru_cache(1024)
def _measure(route: str) -> tuple[str, int, frozenset[str]]:
    """The resource of a route, its number of slashes, and the names of its parameters."""
    names = frozenset(found[1] for found in _BRACES.finditer(route))
    return read_route(route), route.count("/"), names


def _replace_values(path: str, scope: Any, names: Container[str] = ()) -> str:
    """A path with the values of its parameters replaced by their names, except for these names."""
    values = scope.get("path_params") or {}
    known = {str(value): name for name, value in values.items() if name not in names}
    segments = path.split("/")
    return "/".join(f"{{{known[one]}}}" if one in known else one for one in segments)


def _replace_angles(found: re.Match[str]) -> str:
    return f"{{{found[2]}:{found[1]}}}" if found[1] else f"{{{found[2]}}}"


def _replace_sanic(found: re.Match[str]) -> str:
    return f"{{{found[1]}:path}}" if found[2] == "path" else f"{{{found[1]}}}"


def _show(name: str, kind: str | None, *, is_last: bool) -> str:
    return f"{{{name}:path}}" if kind == "path" and is_last else f"{{{name}}}"


def _read_expression(route: str) -> str:
    """A route of Django that is a regular expression: groups are parameters."""
    written, depth, group = [], 0, ""
    place = 0
    while place < len(route):
        character = route[place]
        if character == "\\":
            if depth == 0 and route[place + 1 : place + 2] not in "ZAbBdDsSwW":
                written.append(route[place + 1 : place + 2])
            place += 2
            continue
        if character == "(":
            depth += 1
            if depth == 1:
                name = _NAME.match(route, place + 1)
                group = name[1] if name else f"group{len(written)}"
        elif character == ")":
            depth -= 1
            if depth == 0:
                written.append(f"{{{group}}}")
        elif depth == 0 and character not in "^$?*+":
            written.append(character)
        place += 1
    return "".join(written)

"""Routing: from the target of a request to its endpoint, whose resource may be a template."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from slomon.core.endpoints import Endpoint
from slomon.errors import ConfigurationError
from slomon.text import quote


class Router:
    """
    Finds endpoints by verb and path. In a resource, `{name}` matches one segment that isn't empty.
    `{name:path}`, which may only be at the end, matches one or more segments of any kind. All other
    text matches itself, including a slash at the end. A resource that is a URL matches requests to
    its host, whatever the scheme and the port.
    """

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        """Raises ConfigurationError if a resource is malformed or equivalent to another one."""
        self._roots: dict[tuple[str, str], _Node] = {}  # by verb and host
        self._max_slashes = 0
        self.endpoints: list[Endpoint] = []
        """Those that `find` finds, by their indices."""
        for endpoint in endpoints:
            self.add(endpoint)

    def add(self, endpoint: Endpoint) -> None:
        """
        Add an endpoint. Raises ConfigurationError if its resource is malformed or equivalent to
        another one.
        """
        node = self._add(endpoint)
        if node.key is not None:
            first = self.endpoints[node.key]
            raise ConfigurationError(
                f"{_show(endpoint)}, which the same requests match as {quote(first.resource)} "
                f"of {quote(first.name)}; allowed: each set of requests once"
            )
        node.key = len(self.endpoints)
        self.endpoints.append(endpoint)

    def find(self, verb: str, target: str) -> int | None:
        """
        The index of the endpoint of a request, None if there is none. If several resources match,
        the most specific one wins: in the first segment in which they differ, a literal comes
        before `{name}`, and `{name}` before `{name:path}`.

        The query and the fragment are ignored. So are the scheme and the host of a URL, unless a
        resource is the URL of that host. Nothing is decoded.
        The cost is bounded by the resources, however long the target is: no node is tried twice.
        """
        if target[:1] != "/" and (origin := _ORIGIN.match(target)):
            root = self._roots.get((verb, _read_host(origin[1])))
            key = None if root is None else self._find(root, target)
            if key is not None:
                return key
        return self._find(self._roots.get((verb, "")), target)

    def _find(self, node: _Node | None, target: str) -> int | None:
        plain = target[:1] == "/" and "?" not in target and "#" not in target  # as most targets are
        # Segments beyond the deepest resource stay one string.
        segments = (target if plain else cut_path(target)).split("/", self._max_slashes + 1)
        place, end = 0, len(segments)
        untried: list[
            tuple[_Node, int]
        ] = []  # other branches and their next segments, the best last
        while node:
            if place == end:
                if node.key is not None:
                    return node.key
                node = None
            else:
                segment = segments[place]
                place += 1
                if node.any_path:
                    untried.append((node.any_path, end))
                if node.any_segment and segment:
                    untried.append((node.any_segment, place))
                node = node.literals.get(segment)
            if node is None and untried:
                node, place = untried.pop()
        return None

    def _add(self, endpoint: Endpoint) -> _Node:
        if not re.fullmatch(_TEMPLATE, endpoint.resource):
            raise ConfigurationError(f"{_show(endpoint)}; allowed: {_TEMPLATES}")
        origin = _ORIGIN.match(endpoint.resource)
        host = _read_host(origin[1]) if origin else ""
        resource = endpoint.resource[origin.end() :] or "/" if origin else endpoint.resource
        segments = resource.split("/")
        self._max_slashes = max(self._max_slashes, len(segments) - 1)
        node = self._roots.setdefault((endpoint.verb, host), _Node())
        for segment in segments:
            node = node.add_child(segment)
        return node


@dataclass(slots=True)
class _Node:
    """A node in the tree of resources. `key` is that of the resource that ends here."""

    key: int | None = None
    literals: dict[str, _Node] = field(default_factory=dict)
    any_segment: _Node | None = None
    any_path: _Node | None = None

    def add_child(self, segment: str) -> _Node:
        """The node of a resource's next segment; made if it doesn't exist."""
        if segment.endswith(":path}"):
            self.any_path = self.any_path or _Node()
            return self.any_path
        if segment.endswith("}"):
            self.any_segment = self.any_segment or _Node()
            return self.any_segment
        return self.literals.setdefault(segment, _Node())


def cut_path(target: str) -> str:
    """The path of a target, without a query, a fragment, and a URL's scheme and host."""
    path = target.partition("#")[0].partition("?")[0]
    origin = _ORIGIN.match(path)
    return (path[origin.end() :] or "/") if origin else path


def _read_host(text: str) -> str:
    """The host of a URL: lower case, without its port."""
    return _PORT.sub("", text).lower()


def _show(endpoint: Endpoint) -> str:
    return f"endpoint {quote(endpoint.name)}: field 'resource' is {quote(endpoint.resource)}"


_ORIGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)")
_PORT: Final = re.compile(r":[0-9]+\Z")
_SEGMENT: Final = r"(?:[^/{}?#]*|\{[^/{}?#:]+\})"
_TEMPLATE: Final = rf"(?:{_SEGMENT}/)*(?:{_SEGMENT}|\{{[^/{{}}?#:]+:path\}})"
_TEMPLATES: Final = (
    "segments of text without a query, '{name}' for any one segment, and '{name:path}' for all "
    "that remain at the end; braces nowhere else"
)

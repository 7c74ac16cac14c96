"""From the target of a request to its endpoint, whose resource may be a template."""

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
    The endpoints by verb and path. In a resource `{name}` stands for one segment that is not
    empty, and `{name:path}`, only at the end, for one or more segments of any kind. All else
    stands for itself, a slash at the end too.
    """

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        """Raises ConfigurationError where a resource is no template, or the same as another."""
        self._roots: dict[str, _Node] = {}
        self._most_slashes = 0
        for key, endpoint in enumerate(endpoints):
            node = self._grow(endpoint)
            if node.key is not None:
                first = endpoints[node.key]
                raise ConfigurationError(
                    f"{_show(endpoint)}, which the same requests match as {quote(first.resource)} "
                    f"of {quote(first.name)}; allowed: each set of requests once"
                )
            node.key = key

    def find(self, verb: str, target: str) -> int | None:
        """
        The index of the endpoint to which a request with this target belongs, None where there is
        none. Of several the most specific: in the first segment in which they differ, a literal
        comes before `{name}`, and that before `{name:path}`.

        A query, a fragment, and a URL's scheme and host don't count. Nothing is decoded. However
        long the target, the cost is bounded by the resources: no node of theirs is tried twice.
        """
        node = self._roots.get(verb)
        plain = target[:1] == "/" and "?" not in target and "#" not in target  # as by far the most
        # What lies deeper than any resource stays in one piece.
        segments = (target if plain else cut_path(target)).split("/", self._most_slashes + 1)
        place, end = 0, len(segments)
        untried: list[tuple[_Node, int]] = []  # other ways, and what is next there; best last
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

    def _grow(self, endpoint: Endpoint) -> _Node:
        if not _TEMPLATE.fullmatch(endpoint.resource):
            raise ConfigurationError(f"{_show(endpoint)}; allowed: {_TEMPLATES}")
        segments = endpoint.resource.split("/")
        self._most_slashes = max(self._most_slashes, len(segments) - 1)
        node = self._roots.setdefault(endpoint.verb, _Node())
        for segment in segments:
            node = node.grow(segment)
        return node


@dataclass(slots=True)
class _Node:
    """Where resources that agree up to a segment go on, and the key of the one that ends here."""

    key: int | None = None
    literals: dict[str, _Node] = field(default_factory=dict)
    any_segment: _Node | None = None
    any_path: _Node | None = None

    def grow(self, segment: str) -> _Node:
        """The node of a resource's next segment, which is made where it is the first such."""
        if segment.endswith(":path}"):
            self.any_path = self.any_path or _Node()
            return self.any_path
        if segment.endswith("}"):
            self.any_segment = self.any_segment or _Node()
            return self.any_segment
        return self.literals.setdefault(segment, _Node())


def cut_path(target: str) -> str:
    path = target.partition("#")[0].partition("?")[0]
    origin = _ORIGIN.match(path)
    return (path[origin.end() :] or "/") if origin else path


def _show(endpoint: Endpoint) -> str:
    return f"endpoint {quote(endpoint.name)}: field 'resource' is {quote(endpoint.resource)}"


_ORIGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]*")
_SEGMENT: Final = r"(?:[^/{}?#]*|\{[^/{}?#:]+\})"
_TEMPLATE: Final = re.compile(rf"(?:{_SEGMENT}/)*(?:{_SEGMENT}|\{{[^/{{}}?#:]+:path\}})")
_TEMPLATES: Final = (
    "segments of text without a query, '{name}' for any one segment, and '{name:path}' for all "
    "that remain at the end; braces nowhere else"
)

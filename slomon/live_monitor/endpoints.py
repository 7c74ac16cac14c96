"""
The endpoints of a live monitor: those that are given, and those that are found in its requests, as
a replay of the same events finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from slomon.core.endpoints import Endpoint
from slomon.endpoints.discovery import NO_ENDPOINT, find_resource

_RECENT: Final = 512  # requests

_OWNED: Final = (0,)
"""The shards of a service that is watched: the only one."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """
    How endpoints are found: each is like `defaults`, with the verb and the resource of its
    requests. At most `most` are found.
    """

    defaults: Endpoint
    most: int


class LiveEndpoints:
    """The given endpoints, and with a `discovery` the found ones after them, by slot."""

    def __init__(self, given: Sequence[Endpoint], discovery: Discovery | None = None) -> None:
        self.members = list(given)
        self.slots = {(one.verb, one.resource): slot for slot, one in enumerate(given)}
        """By verb and resource. Found endpoints are added."""
        self.capped = 0
        """How many requests to further endpoints there were, after the most that may be found."""
        self._discovery = discovery
        self._most = len(given) + (discovery.most if discovery is not None else 0)
        self._recent: dict[tuple[str, str], int] = {}  # that are written in another way
        self.services = {one.name for one in given}
        """The services that own an endpoint, or will."""
        if discovery is not None:
            self.services.add(discovery.defaults.name)

    def owners(self, service: str) -> tuple[int, ...]:
        """The shards that own an endpoint of a service; empty if the service is unknown."""
        return _OWNED if service in self.services else ()

    def find(self, verb: str, resource: str) -> int | None:
        """The slot of a request that is to no known endpoint, if it is to one that may be found."""
        if self._discovery is None or verb == NO_ENDPOINT:
            return None
        slot = self._recent.get((verb, resource))
        if slot is not None:
            return slot
        route = find_resource(verb, resource)
        if route is None:
            self.capped += 1
            return None
        slot = self.slots.get((verb, route))
        if slot is None:
            slot = self._add(self._discovery.defaults, verb, route)
        if slot is not None and route != resource:
            if len(self._recent) >= _RECENT:
                self._recent.clear()
            self._recent[verb, resource] = slot
        return slot

    def find_again(self, known: Iterable[Endpoint]) -> int:
        """
        Add endpoints that were found before, with the present SLO and window. Return how many.
        """
        before, discovery = len(self.members), self._discovery
        if discovery is None:
            return 0
        for one in known:
            is_new = (one.verb, one.resource) not in self.slots
            if is_new and one.name == discovery.defaults.name:
                self._add(discovery.defaults, one.verb, one.resource)
        return len(self.members) - before

    def _add(self, defaults: Endpoint, verb: str, resource: str) -> int | None:
        slot = len(self.members)
        if slot >= self._most:
            self.capped += 1
            return None
        self.members.append(replace(defaults, verb=verb, resource=resource))
        return self.slots.setdefault((verb, resource), slot)

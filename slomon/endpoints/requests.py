"""Which endpoint a request belongs to: one of those that were given, or one that the log shows."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from slomon.compiled.kernels.group import LONGEST, group
from slomon.core.endpoint import Endpoint
from slomon.core.event import EVERY_SERVICE
from slomon.core.row import UNMATCHED
from slomon.endpoints.template import cut_path

_REMEMBERED: Final = 2**12  # requests come again, and to look for one's endpoint takes longer

Find = Callable[[str, str], int | None]


class Requests(Protocol):
    """Verbs and targets in, keys out."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """By their keys. Found ones are added as they are met."""

    def key(self, verb: str, target: str) -> int:
        """The key of an endpoint, or UNMATCHED."""

    def watches(self, service: str) -> bool:
        """Is a change of this service one to any of the endpoints?"""


class GivenRequests:
    """Requests to endpoints that were given; `find` says which."""

    def __init__(self, endpoints: Sequence[Endpoint], find: Find) -> None:
        self.endpoints = endpoints
        self._find = find
        self._remembered = lru_cache(_REMEMBERED)(find)
        self._services = {endpoint.name for endpoint in endpoints} | {EVERY_SERVICE}

    def key(self, verb: str, target: str) -> int:
        """The key of an endpoint, or UNMATCHED."""
        find = self._remembered if len(target) <= LONGEST else self._find
        key = find(verb, target)
        return UNMATCHED if key is None else key

    def watches(self, service: str) -> bool:
        """Is a change of this service one to any of the endpoints?"""
        return service in self._services


class Names(Protocol):
    """`<verb> <resource>` of found endpoints, by their keys."""

    capped: int

    def __len__(self) -> int: ...
    def key(self, request: bytes) -> int:
        """The key of a request, a new one if need be, UNMATCHED where there are enough."""

    def text(self, key: int) -> bytes:
        """The request of a key."""

    def save(self) -> tuple[array[int], array[int]]:
        """The bytes of all, and how many each has."""


class NameList:
    """What `Names` says, in plain Python. There are at most `most`; requests to more are capped."""

    def __init__(self, most: int) -> None:
        self.capped = 0
        self._most = most
        self._keys: dict[bytes, int] = {}
        self._texts: list[bytes] = []

    def __len__(self) -> int:
        return len(self._texts)

    def key(self, request: bytes) -> int:
        """The key of a request, a new one if need be, UNMATCHED where there are enough."""
        key = self._keys.get(request)
        if key is not None:
            return key
        if len(self._texts) == self._most:
            self.capped += 1
            return UNMATCHED
        self._texts.append(request)
        return self._keys.setdefault(request, len(self._keys))

    def text(self, key: int) -> bytes:
        """The request of a key."""
        return self._texts[key]

    def save(self) -> tuple[array[int], array[int]]:
        """The bytes of all, and how many each has."""
        return array("B", b"".join(self._texts)), array("q", map(len, self._texts))


@dataclass(frozen=True, slots=True)
class Found(Sequence[Endpoint]):
    """
    The endpoints that a log shows, made when asked for: all have the SLO and the window of `like`,
    and its name, or, where that is empty, each its own.
    """

    names: Names
    like: Endpoint

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, key: int) -> Endpoint:  # type: ignore[override] # no slices of these
        text = self.names.text(key).decode("utf-8", "backslashreplace")
        verb, _, resource = text.partition(" ")
        like = self.like
        return Endpoint(like.name or text, like.email, verb, resource, like.slo, like.window)


class FoundRequests:
    """
    Requests to whatever endpoints the log shows: paths without their query strings, their
    identifiers grouped. A change belongs to them all if it names no service, or theirs.
    """

    def __init__(self, names: Names, like: Endpoint) -> None:
        self.endpoints = Found(names, like)
        self.names = names
        self._services: Container[str] = {like.name, EVERY_SERVICE}

    def key(self, verb: str, target: str) -> int:
        """The key of an endpoint, or UNMATCHED."""
        request = f"{verb} {cut_path(target)}".encode(errors="backslashreplace")
        if len(request) > LONGEST:
            self.names.capped += 1
            return UNMATCHED
        return self.names.key(grouped(request))

    def watches(self, service: str) -> bool:
        """Is a change of this service one to any of the endpoints?"""
        return service in self._services


@lru_cache(_REMEMBERED)
def grouped(request: bytes) -> bytes:
    """A request with its identifiers replaced."""
    into = bytearray(3 * len(request) + 4)
    return bytes(into[: group(request, 0, len(request), into, 0)])

"""Which endpoint a request belongs to: one of those that were given, or one that the log shows."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, TypeVar

from slomon.core.endpoints import Endpoint
from slomon.core.events import EVERY_SERVICE
from slomon.endpoints.router import cut_path
from slomon.kernels.codes import UNMATCHED
from slomon.kernels.route import LONGEST, group

_REMEMBERED: Final = 2**9

Find = Callable[[str, str], int | None]
_Target = TypeVar("_Target", bound=str | bytes)
_Found = TypeVar("_Found")


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
        self._find = LruDict(find)
        self._services = {endpoint.name for endpoint in endpoints} | {EVERY_SERVICE}

    def key(self, verb: str, target: str) -> int:
        """The key of an endpoint, or UNMATCHED."""
        key = self._find[verb, target]
        return UNMATCHED if key is None else key

    def watches(self, service: str) -> bool:
        """Is a change of this service one to any of the endpoints?"""
        return service in self._services


class LruDict(dict[tuple[str, _Target], _Found]):
    """
    By verb and target what `find` says of them. It knows that of recent requests: they come again,
    and to look takes longer. Long ones are looked for each time, as they must not fill the memory.
    """

    def __init__(self, find: Callable[[str, _Target], _Found]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, request: tuple[str, _Target]) -> _Found:
        verb, target = request
        found = self._find(verb, target)
        if len(verb) + len(target) <= LONGEST:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[request] = found
        return found


class SavedEndpointNames(NamedTuple):
    """The names of endpoints: the bytes of all, how many each has, and which are admitted."""

    texts: array[int]
    lengths: array[int]
    admitted: array[int]
    capped: int

    def split(self) -> Iterator[bytes]:
        """One by one, by their keys."""
        texts, place = self.texts.tobytes(), 0
        for length in self.lengths:
            yield texts[place : place + length]
            place += length


class EndpointNames(Protocol):
    """
    `<verb> <resource>` of endpoints that a log shows, by their keys. Of these as many are admitted
    as there may be: the first ones that accesses go out to. Once there are so many, further ones
    get no keys.
    """

    capped: int

    @property
    def admitted(self) -> int:
        """How many are admitted."""

    def __len__(self) -> int:
        """How many have keys."""

    def key(self, request: bytes) -> int:
        """The key of a request, a new one if need be; UNMATCHED where enough are admitted."""

    def text(self, key: int) -> bytes:
        """The request of a key."""

    def save(self) -> SavedEndpointNames:
        """For `load`."""

    def load(self, saved: SavedEndpointNames) -> None:
        """Go on from what `save` saved."""


class PythonEndpointNames:
    """`EndpointNames` in plain Python: at most `most` are accepted, the rest capped."""

    def __init__(self, most: int) -> None:
        self.admitted = 0
        self.capped = 0
        self._most = most
        self._keys: dict[bytes, int] = {}
        self._texts: list[bytes] = []
        self._is_admitted = array("B")

    def __len__(self) -> int:
        return len(self._texts)

    def key(self, request: bytes) -> int:
        """The key of a request, a new one if need be; UNMATCHED where enough are admitted."""
        key = self._keys.get(request)
        if key is not None:
            return key
        if self.admitted == self._most:
            self.capped += 1
            return UNMATCHED
        self._texts.append(request)
        self._is_admitted.append(False)
        return self._keys.setdefault(request, len(self._keys))

    def accept(self, key: int) -> bool:
        """Whether an access that goes out now is to an endpoint that is found, or was before."""
        if self._is_admitted[key]:
            return True
        if self.admitted == self._most:
            self.capped += 1
            return False
        self._is_admitted[key] = True
        self.admitted += 1
        return True

    def text(self, key: int) -> bytes:
        """The request of a key."""
        return self._texts[key]

    def save(self) -> SavedEndpointNames:
        """For `load`."""
        texts, lengths = array("B", b"".join(self._texts)), array("q", map(len, self._texts))
        return SavedEndpointNames(texts, lengths, self._is_admitted, self.capped)

    def load(self, saved: SavedEndpointNames) -> None:
        """Go on from what `save` saved."""
        for text in saved.split():
            self.key(text)
        self._is_admitted = saved.admitted
        self.admitted, self.capped = sum(saved.admitted), saved.capped


@dataclass(frozen=True, slots=True)
class FoundEndpoints(Sequence[Endpoint]):
    """
    The endpoints found in a log, made when asked for. All have the SLO, the window and the name of
    `defaults`; if that name is empty, each has its own.
    """

    names: EndpointNames
    defaults: Endpoint

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, key: int) -> Endpoint:  # type: ignore[override] # no slices of these
        if not 0 <= key < len(self):
            raise IndexError(key)
        text = self.names.text(key).decode("utf-8", "backslashreplace")
        verb, _, resource = text.partition(" ")
        defaults = self.defaults
        return Endpoint(
            defaults.name or text, defaults.email, verb, resource, defaults.slo, defaults.window
        )


class FoundRequests:
    """
    Requests to whatever endpoints the log shows: paths without their query strings, their
    identifiers grouped. A change belongs to them all if it names no service, or theirs.
    """

    def __init__(self, names: EndpointNames, defaults: Endpoint) -> None:
        self.endpoints = FoundEndpoints(names, defaults)
        self.names = names
        self._services: Container[str] = {defaults.name, EVERY_SERVICE}

    def key(self, verb: str, target: str) -> int:
        """The key of an endpoint, or UNMATCHED."""
        request = f"{verb} {cut_path(target)}".encode(errors="backslashreplace")
        if len(request) > LONGEST:
            self.names.capped += 1
            return UNMATCHED
        return self.names.key(route_of(request))

    def watches(self, service: str) -> bool:
        """Is a change of this service one to any of the endpoints?"""
        return service in self._services


@lru_cache(_REMEMBERED)
def route_of(request: bytes) -> bytes:
    """A request with its identifiers replaced."""
    into = bytearray(3 * len(request) + 4)
    return bytes(into[: group(request, 0, len(request), into, 0)])

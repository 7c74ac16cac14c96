"""The endpoint of a request: a configured one, or one that is discovered in the log."""

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
from slomon.kernels.route import LONGEST, LONGEST_GROUPED, group

_CACHED: Final = 2**9

Find = Callable[[str, str], int | None]
_Target = TypeVar("_Target", bound=str | bytes)
_Found = TypeVar("_Found")


class Requests(Protocol):
    """Maps requests to endpoints."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """The endpoints, indexed by key. Discovered ones are added as they appear."""

    def key(self, verb: str, target: str) -> int:
        """The key of the request's endpoint, or UNMATCHED."""

    def watches(self, service: str) -> bool:
        """Is a change of this service a change to any of the endpoints?"""


class GivenRequests:
    """Requests to configured endpoints; `find` returns the key of a verb and a target."""

    def __init__(self, endpoints: Sequence[Endpoint], find: Find) -> None:
        self.endpoints = endpoints
        self._find = LruDict(find)
        self._services = {endpoint.name for endpoint in endpoints} | {EVERY_SERVICE}

    def key(self, verb: str, target: str) -> int:
        """The key of the request's endpoint, or UNMATCHED."""
        key = self._find[verb, target]
        return UNMATCHED if key is None else key

    def watches(self, service: str) -> bool:
        """Is a change of this service a change to any of the endpoints?"""
        return service in self._services


class FoundRequests:
    """
    Requests to endpoints that are discovered: an endpoint's resource is the path without the query,
    with its identifiers replaced. A change belongs to all of them if it names their service or no
    service.
    """

    def __init__(self, names: EndpointNames, defaults: Endpoint) -> None:
        self.endpoints = FoundEndpoints(names, defaults)
        self.names = names
        self._services: Container[str] = {defaults.name, EVERY_SERVICE}

    def key(self, verb: str, target: str) -> int:
        """The key of the request's endpoint, or UNMATCHED."""
        request = f"{verb} {cut_path(target)}".encode(errors="backslashreplace")
        if len(request) > LONGEST:
            self.names.capped += 1
            return UNMATCHED
        return self.names.key(route_of(request))

    def watches(self, service: str) -> bool:
        """Is a change of this service a change to any of the endpoints?"""
        return service in self._services


@dataclass(frozen=True, slots=True)
class FoundEndpoints(Sequence[Endpoint]):
    """
    The endpoints discovered in a log, each made when it is read. They have the SLO, the window and
    the service of `defaults`; if that service is empty, each endpoint is a service of its own.
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


class EndpointNames(Protocol):
    """
    The names `<verb> <resource>` of discovered endpoints, indexed by key. A name gets its key when
    it is first read, and is admitted when its first access leaves the reorder buffer. At most a
    fixed number is admitted. Then new names get no keys.
    """

    capped: int

    @property
    def admitted(self) -> int:
        """The number of admitted names."""

    def __len__(self) -> int:
        """The number of names with keys."""

    def key(self, request: bytes) -> int:
        """The key of a name, if necessary a new one; UNMATCHED if no more may be admitted."""

    def text(self, key: int) -> bytes:
        """The name of a key."""

    def save(self) -> SavedEndpointNames:
        """The state, for `load`."""

    def load(self, saved: SavedEndpointNames) -> None:
        """
        Restore a state that `save` returned, into an object without names. Raises ValueError if it
        is invalid.
        """


class SavedEndpointNames(NamedTuple):
    """A saved state of EndpointNames: the bytes of all names, their lengths, which are admitted."""

    texts: array[int]
    lengths: array[int]
    admitted: array[int]
    capped: int

    def check(self, most: int) -> None:
        """
        Raise ValueError if these can't be the names of a run in which `most` may be admitted.
        """
        if not all(0 < length <= LONGEST_GROUPED for length in self.lengths):
            raise ValueError("the name of an endpoint has no possible length")
        if sum(self.lengths) != len(self.texts) or len(self.admitted) != len(self.lengths):
            raise ValueError("the names of the endpoints have not the length that they should have")
        if len(set(self.split())) != len(self.lengths):
            raise ValueError("two endpoints have the same name")
        if not all(admitted in (0, 1) for admitted in self.admitted):
            raise ValueError("the name of an endpoint is neither admitted nor not")
        if sum(self.admitted) > most or (self.lengths and not most):
            raise ValueError("more endpoints were found than may be")

    def split(self) -> Iterator[bytes]:
        """The names one by one, in order of their keys."""
        texts, place = self.texts.tobytes(), 0
        for length in self.lengths:
            yield texts[place : place + length]
            place += length


class PythonEndpointNames:
    """EndpointNames in plain Python. At most `most` names are admitted."""

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
        """The key of a name, if necessary a new one; UNMATCHED if no more may be admitted."""
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
        """Admit the name of an access; False if `most` others are admitted already."""
        if self._is_admitted[key]:
            return True
        if self.admitted == self._most:
            self.capped += 1
            return False
        self._is_admitted[key] = True
        self.admitted += 1
        return True

    def text(self, key: int) -> bytes:
        """The name of a key."""
        return self._texts[key]

    def save(self) -> SavedEndpointNames:
        """The state, for `load`."""
        texts, lengths = array("B", b"".join(self._texts)), array("q", map(len, self._texts))
        return SavedEndpointNames(texts, lengths, self._is_admitted, self.capped)

    def load(self, saved: SavedEndpointNames) -> None:
        """Restore a state that `save` returned, into an object without names."""
        saved.check(self._most)
        for text in saved.split():
            self.key(text)
        self._is_admitted = saved.admitted
        self.admitted, self.capped = sum(saved.admitted), saved.capped


class LruDict(dict[tuple[str, _Target], _Found]):
    """
    A cache of `find`, indexed by verb and target. It has a bounded number of recent requests, since
    requests repeat. Long requests aren't cached: they would fill the memory.
    """

    def __init__(self, find: Callable[[str, _Target], _Found]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, request: tuple[str, _Target]) -> _Found:
        verb, target = request
        found = self._find(verb, target)
        if len(verb) + len(target) <= LONGEST:
            if len(self) >= _CACHED:
                self.clear()
            self[request] = found
        return found


@lru_cache(_CACHED)
def route_of(request: bytes) -> bytes:
    """The name of a request's endpoint: the request with the identifiers in its path replaced."""
    buffer = bytearray(3 * len(request) + 4)
    return bytes(buffer[: group(request, 0, len(request), buffer, 0)])

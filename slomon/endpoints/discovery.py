"""The endpoint of a request: a configured one, or one that is discovered in the log."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from functools import cache
from itertools import compress
from typing import Final, NamedTuple, Protocol, TypeVar

from slomon.core.endpoints import Endpoint, OwnedEndpoints
from slomon.core.events import EVERY_SERVICE
from slomon.endpoints.router import cut_path
from slomon.endpoints.templates import NO_TEMPLATES
from slomon.kernels.codes import UNMATCHED
from slomon.kernels.route import LONGEST, LONGEST_GROUPED, group
from slomon.kernels.swar import WIDEST

_CACHED: Final = 2**9

BY_HOST: Final = "host"
BY_FILE: Final = "file"
BY_FIELD: Final = "field"
BY_ENDPOINT: Final = "endpoint"
SERVICES_FROM: Final = (BY_HOST, BY_FILE, BY_FIELD, BY_ENDPOINT)
"""Where the service of a found endpoint comes from."""

_is_host: Final = re.compile(r"[^\s/;]+").fullmatch

NO_ENDPOINT: Final = "-"
"""The verb by which a live monitor reports a request that is to no endpoint."""

Find = Callable[[str, str], int | None]
_Target = TypeVar("_Target", bound=str | bytes)
_Found = TypeVar("_Found")


class Requests(Protocol):
    """Maps requests to endpoints."""

    by_host: bool
    """May requests with the same verb and path, but to different hosts, be to two endpoints?"""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """The endpoints, indexed by key. Discovered ones are added as they appear."""

    def key(self, verb: str, target: str, host: str = "") -> int:
        """
        The key of the request's endpoint, or UNMATCHED. `host` is the virtual host in lower case,
        without a port; "" if it is not known.
        """

    def watches(self, service: str) -> bool:
        """Is a change of this service a change to any of the endpoints, as far as is known?"""


class GivenRequests:
    """
    Requests to configured endpoints; `find` returns the key of a verb and a target. If a resource
    names a host, `find` gets the whole URL of a request whose host is known.
    """

    def __init__(self, endpoints: Sequence[Endpoint], find: Find) -> None:
        self.endpoints = endpoints
        self.by_host = any("://" in endpoint.resource for endpoint in endpoints)
        self._find = LruDict(find)
        self._services = {endpoint.name for endpoint in endpoints} | {EVERY_SERVICE}

    def key(self, verb: str, target: str, host: str = "") -> int:
        """The key of the request's endpoint, or UNMATCHED."""
        key = self._find[verb, f"https://{host}{target}"] if host and self.by_host else None
        if key is None:
            key = self._find[verb, target]
        return UNMATCHED if key is None else key

    def watches(self, service: str) -> bool:
        """Is a change of this service a change to any of the endpoints?"""
        return service in self._services


class FoundRequests:
    """
    Requests to endpoints that are discovered: an endpoint's resource is the path without the query,
    with its identifiers and slugs replaced. `label` is the service of all these requests if files
    are services.
    """

    by_host = True

    def __init__(self, endpoints: FoundEndpoints, label: str = "") -> None:
        self.endpoints = endpoints
        self.names = endpoints.names
        self.label = label
        self._routes: dict[bytes, bytes] = {}  # of recent requests

    def key(self, verb: str, target: str, host: str = "") -> int:
        """The key of the request's endpoint, or UNMATCHED."""
        if verb == NO_ENDPOINT:
            return UNMATCHED
        request = self.name(verb, target, host)
        if len(request) > LONGEST:
            self.names.capped += 1
            return UNMATCHED
        route = self._routes.get(request)
        if route is None:
            if len(self._routes) >= _CACHED:
                self._routes.clear()
            route = self._routes[request] = route_of(request, self.names.templates)
        return self.names.key(route)

    def name(self, verb: str, target: str, host: str) -> bytes:
        """The text of a request, from which the name of its endpoint is made."""
        host = host if _is_host(host) else ""
        origin = f"{self.label}/{host}" if self.label else host
        return name_request(verb, origin, cut_path(target))

    def watches(self, service: str) -> bool:
        """
        Is a change of this service a change to any of the endpoints? If services are found in the
        logs, any service may be one of them until the logs end.
        """
        return self.endpoints.owns(service)


class FoundEndpoints(OwnedEndpoints):
    """
    The endpoints discovered in a log, each made when it is read. They have the SLO, the window and
    the service of `defaults`. If that service is empty, it is found as `service_from` says: the
    virtual host, the file of the log, the field of the log in place of the host, or each endpoint
    is a service of its own. The latter is so for requests whose host is not known, too.

    When all endpoints are found, `settle` decides whether hosts are shown. Until then they are.
    """

    def __init__(
        self, names: EndpointNames, defaults: Endpoint, service_from: str = BY_HOST
    ) -> None:
        self.names = names
        self.shows_hosts = True
        self._defaults = defaults
        self._service_from = BY_ENDPOINT if defaults.name else service_from
        self._services: Collection[str] | None = None  # that own an endpoint
        self._origins: Sequence[bytes] = ()  # of the endpoints, once they are settled
        if self._service_from == BY_ENDPOINT:
            self._services = {defaults.name, EVERY_SERVICE}

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, key: int) -> Endpoint:  # type: ignore[override] # no slices of these
        if not 0 <= key < len(self):
            raise IndexError(key)
        defaults = self._defaults
        verb, service, host, path = self._split(self.names.text(key))
        resource = f"{host}{path}" if self.shows_hosts and host != service else path
        return Endpoint(
            *(service or f"{verb} {resource}", defaults.email, verb, resource),
            *(defaults.slo, defaults.window),
        )

    @property
    def services(self) -> set[str]:
        """
        The services that own an endpoint, as far as they are found. Those that each are an endpoint
        of the same name are left out.
        """
        return set(self._services or ()) - {EVERY_SERVICE}

    def owns(self, service: str) -> bool:
        """Does a service own an endpoint? True for any service that may still be found."""
        return self._services is None or service in self._services

    def settle(self, deployed: Container[str]) -> None:
        """
        Decide, now that all endpoints are found: hosts are shown if there are several, or if the
        only one is a service that was `deployed`. Then hosts are services as well.
        """
        self._origins = self._list_origins(0, len(self))
        admitted = compress(self._origins, self.names.list_admitted())
        parts = {self._read_origin(_decode(origin)) for origin in set(admitted)}
        hosts = {host for _, host in parts}
        self.shows_hosts = len(hosts) > 1 or any(host in deployed for host in hosts if host)
        if self._services is None:
            services = {service for service, _ in parts}
            hidden = self._service_from == BY_HOST and not self.shows_hosts
            self._services = {EVERY_SERVICE} if hidden else services | {EVERY_SERVICE}

    def list_owners(self, first: int, end: int) -> Iterable[tuple[str, float]]:
        """See `OwnedEndpoints.list_owners`."""
        slo = self._defaults.slo

        @cache
        def own(origin: bytes) -> tuple[str, float]:
            return self._read_origin(_decode(origin))[0], slo

        return map(own, self._origins[first:end] or self._list_origins(first, end))

    def _split(self, name: bytes) -> tuple[str, str, str, str]:
        """The verb, the service ("" for a service of its own), the host and the path of a name."""
        verb, origin, path = split_name(name)
        return verb, *self._read_origin(origin), path

    def _read_origin(self, origin: str) -> tuple[str, str]:
        """The service ("" for a service of its own) and the host that an origin names."""
        if self._service_from == BY_FILE:
            label, _, host = origin.partition("/")
            return label, host
        if self._service_from == BY_FIELD:
            return origin, ""
        if self._service_from == BY_HOST and self.shows_hosts:
            return origin, origin
        return self._defaults.name, origin

    def _list_origins(self, first: int, end: int) -> Sequence[bytes]:
        """The origin of each name from key `first` to before `end`, b"" if it is not known."""
        if not self.names.has_newline(first, end):  # none has an origin, as in most logs
            return [b""] * (min(end, len(self)) - first)
        # There may be millions of names: each origin is found once.
        origin_of = cache(_find_origin)
        parts = (name.partition(b"\n") for name in self.names.list_names(first, end))
        return [origin_of(head) if newline else b"" for head, newline, _ in parts]


def name_request(verb: str, origin: str, path: str) -> bytes:
    """
    The text of a request, from which the name of its endpoint is made: `<verb> <path>`, or if its
    origin is known, `<verb> <origin>`, a newline, and the path.
    """
    # An origin doesn't begin with a slash, unlike paths. Any other path with a newline, which only
    # JSON can contain, gets an empty origin.
    if origin or ("\n" in path and not path.startswith("/")):
        path = f"{origin}\n{path}"
    return f"{verb} {path}".encode(errors="backslashreplace")


def find_resource(verb: str, target: str) -> str | None:
    """The resource of the endpoint that a request without a host is to; None if it is too long."""
    request = name_request(verb, "", cut_path(target))
    return None if len(request) > LONGEST else split_name(route_of(request))[2]


def split_name(name: bytes) -> tuple[str, str, str]:
    """The verb, the origin ("" if it is not known) and the path of an endpoint's name."""
    verb, _, path = _decode(name).partition(" ")
    if path.startswith("/") or "\n" not in path:
        return verb, "", path
    origin, _, path = path.partition("\n")
    return verb, origin, path


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


def _find_origin(head: bytes) -> bytes:
    """The origin in the part of an endpoint's name before its newline, as `split_name` finds it."""
    _, _, origin = head.partition(b" ")  # a verb has no newline
    return b"" if origin.startswith(b"/") else origin


class EndpointNames(Protocol):
    """
    The names of discovered endpoints (`name_request`), indexed by key. A name gets its key when
    it is first read, and is admitted when its first access leaves the reorder buffer. At most a
    fixed number is admitted. Then new names get no keys.
    """

    capped: int
    templates: array[int]
    """Which segments of paths are slugs, as `kernels.route` reads it."""

    @property
    def admitted(self) -> int:
        """The number of admitted names."""

    def __len__(self) -> int:
        """The number of names with keys."""

    def key(self, request: bytes) -> int:
        """The key of a name, if necessary a new one; UNMATCHED if no more may be admitted."""

    def text(self, key: int) -> bytes:
        """The name of a key."""

    def list_names(self, first: int, end: int) -> Iterable[bytes]:
        """The names from key `first` to before `end`."""

    def list_admitted(self) -> Iterable[int]:
        """Whether each name is admitted, in order of their keys."""

    def has_newline(self, first: int, end: int) -> bool:
        """Has any name from key `first` to before `end` a newline, as after an origin?"""

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
        self.templates = NO_TEMPLATES
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

    def list_names(self, first: int, end: int) -> Iterable[bytes]:
        """The names from key `first` to before `end`."""
        return self._texts[first:end]

    def list_admitted(self) -> Iterable[int]:
        """Whether each name is admitted, in order of their keys."""
        return self._is_admitted

    def has_newline(self, first: int, end: int) -> bool:
        """Has any name from key `first` to before `end` a newline, as after an origin?"""
        return any(b"\n" in text for text in self._texts[first:end])

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


def route_of(request: bytes, templates: Sequence[int] = NO_TEMPLATES) -> bytes:
    """The name of a request's endpoint: its identifiers, slugs and path parameters replaced."""
    buffer = bytearray(3 * len(request) + 4 + WIDEST)
    text = request + bytes(WIDEST)
    return bytes(buffer[: group(text, 0, len(request), buffer, 0, templates)])

"""
The endpoints of a run: an `Endpoint` for each entry of `get_info()`, checked; the `Catalogue` of
all endpoints; and `Sharding`, which says which shard owns which endpoint.

An endpoint has a key, its number in the catalogue. Keys are dealt to the shards in turn, the same
way in every process and run:

    key                0  1  2  3  4  5  6
    shard, of 3        0  1  2  0  1  2  0        key % 3
    slot in the shard  0  0  0  1  1  1  2        key // 3
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.errors import ConfigurationError
from slomon.text import excerpt, quote

T = TypeVar("T")

EndpointName: TypeAlias = tuple[str, str, str]
"""How users know an endpoint: its service, verb and resource."""

_SHOWN_PROBLEMS: Final = 20
_NUMBER: Final = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_SHORTEST_WINDOW: Final = Decimal(1) / TICKS_PER_SECOND
_LONGEST_WINDOW: Final = Decimal(LAST_TICK) / TICKS_PER_SECOND

# What error messages say is allowed
_TEXT: Final = "text that is not empty"
_WORD: Final = "text without a space, as it stands in the requests"
_SECONDS: Final = "seconds greater than 0, in whole nanoseconds, fewer than 2**63 of these"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One verb and resource with its SLO: the least share of requests that must succeed (`slo`, in
    (0, 1]) over a sliding `window` (ticks). `name` is the service that owns the endpoint.
    """

    name: str
    email: str
    verb: str
    resource: str
    slo: float
    window: int


class Catalogue:
    """All endpoints, numbered in the order of their entries: the number is an endpoint's key."""

    def __init__(self, entries: Iterable[Mapping[str, object]]) -> None:
        """Raises ConfigurationError that names each wrong entry, its field and the value."""
        self.endpoints: list[Endpoint] = []
        self._keys: dict[str, dict[str, int]] = {}
        problems: list[str] = []
        for number, entry in enumerate(_check_list(entries)):
            try:
                self._add(number, _make_endpoint(number, entry))
            except ConfigurationError as error:
                problems.append(str(error))
        if problems:
            raise ConfigurationError(join_errors(problems))

    def find(self, verb: str, resource: str) -> int | None:
        """The key of an endpoint; None if there is none with that verb and resource."""
        return self._keys.get(verb, {}).get(resource)

    def _add(self, number: int, endpoint: Endpoint) -> None:
        resources = self._keys.setdefault(endpoint.verb, {})
        first = resources.setdefault(endpoint.resource, len(self.endpoints))
        if first != len(self.endpoints):
            raise ConfigurationError(
                f"{name_entry(number, endpoint.name)}: verb and resource are "
                f"{quote(endpoint.verb)} and {quote(endpoint.resource)}, as in the entry of "
                f"{quote(self.endpoints[first].name)}; allowed: each pair once"
            )
        self.endpoints.append(endpoint)


def _check_list(entries: object) -> Iterable[object]:
    if isinstance(entries, Mapping | str | bytes) or not isinstance(entries, Iterable):
        raise ConfigurationError(
            f"the endpoints are {excerpt(entries)}; allowed: a list of dicts, one per endpoint"
        )
    return entries


def _make_endpoint(number: int, entry: object) -> Endpoint:
    if not isinstance(entry, Mapping):
        raise ConfigurationError(
            f"entry {number}: is {excerpt(entry)}; allowed: a dict with "
            "name, email, verb, resource, slo and window"
        )

    def read(field: str, parse: Callable[[object], T | None], allowed: str) -> T:
        value = parse(entry[field]) if field in entry else None
        if value is None:
            found = f"is {quote(entry[field])}" if field in entry else "is missing"
            where = name_entry(number, entry.get("name"))
            raise ConfigurationError(f"{where}: field '{field}' {found}; allowed: {allowed}")
        return value

    return Endpoint(
        name=read("name", _text, _TEXT),
        email=read("email", _text, _TEXT),
        verb=read("verb", _word, _WORD),
        resource=read("resource", _word, _WORD),
        slo=read("slo", _slo, "a number greater than 0 and at most 1"),
        window=read("window", _window, _SECONDS),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _word(value: object) -> str | None:
    word = _text(value)
    return None if word is None or " " in word else word


def _slo(value: object) -> float | None:
    return _parse_slo(_written(value))


def _window(value: object) -> int | None:
    return _parse_window(_written(value))


def _written(value: object) -> str:
    """The text of a number; for a float, the shortest literal that reads back equal."""
    try:
        return str(value)
    except ValueError:  # an integer with more digits than Python converts
        return ""


# Cached: a million endpoints have few different SLOs and windows, and share these objects.
@lru_cache
def _parse_slo(text: str) -> float | None:
    number = parse_number(text)
    return None if number is None or not 0 < number <= 1 else float(number) or None


@lru_cache
def _parse_window(text: str) -> int | None:
    number = parse_number(text)
    if number is None or not _SHORTEST_WINDOW <= number <= _LONGEST_WINDOW:
        return None
    ticks = Fraction(number) * TICKS_PER_SECOND
    return ticks.numerator if ticks.denominator == 1 else None


def parse_number(text: str) -> Decimal | None:
    """Parse a decimal number, with or without an exponent; None for any other text."""
    with suppress(InvalidOperation):  # an exponent beyond the limits of Decimal
        return Decimal(text) if re.fullmatch(_NUMBER, text) else None
    return None


def to_share(percentage: Decimal) -> Decimal:
    """A percentage as a share, with all its digits."""
    return percentage.scaleb(-2, Context(prec=len(percentage.as_tuple().digits)))


def name_entry(number: int, name: object) -> str:
    """An entry's name in error messages: its number, and its own name if that is text."""
    return f"entry {number} ({quote(name)})" if isinstance(name, str) else f"entry {number}"


def join_errors(problems: Sequence[str]) -> str:
    """The problems of wrong entries as one error message."""
    if len(problems) == 1:
        return problems[0]
    unshown = len(problems) - _SHOWN_PROBLEMS
    more = [f"... and {unshown} more"] if unshown > 0 else []
    return "\n".join([f"{len(problems)} entries are wrong:", *problems[:_SHOWN_PROBLEMS], *more])


class Sharding:
    """
    The endpoints of a catalogue, spread over `shards` shards. A slot is an endpoint's index among
    the endpoints of its shard.
    """

    def __init__(self, catalogue: Catalogue, shards: int) -> None:
        self.catalogue = catalogue
        self.members = [
            ShardEndpoints(catalogue.endpoints, shard, shards) for shard in range(shards)
        ]
        self._owners: dict[str, tuple[int, ...]] = {}
        alone = [(shard,) for shard in range(shards)]
        for key, endpoint in enumerate(catalogue.endpoints):
            shard = key % shards
            owners = self.owners(endpoint.name)
            if shard not in owners:
                # Most services have one owner: these share one tuple per shard.
                self._owners[endpoint.name] = (*owners, shard) if owners else alone[shard]

    def place(self, verb: str, resource: str) -> tuple[int, int] | None:
        """The shard of an endpoint and its slot there; None if there is no such endpoint."""
        key = self.catalogue.find(verb, resource)
        if key is None:
            return None
        slot, shard = divmod(key, len(self.members))
        return shard, slot

    def owners(self, service: str) -> tuple[int, ...]:
        """The shards that own an endpoint of a service; empty if the service is unknown."""
        return self._owners.get(service, ())


@dataclass(frozen=True, slots=True)
class ShardEndpoints(Sequence[Endpoint]):
    """
    The endpoints of one of `shards` shards, by their slots. A view of the endpoints of the run: new
    ones appear here, too.
    """

    endpoints: Sequence[Endpoint]
    shard: int
    shards: int

    def __len__(self) -> int:
        return (len(self.endpoints) - self.shard + self.shards - 1) // self.shards

    def key(self, slot: int) -> int:
        """The key of an endpoint."""
        return slot * self.shards + self.shard

    def __getitem__(self, slot: int) -> Endpoint:  # type: ignore[override] # no slices
        if not 0 <= slot < len(self):
            raise IndexError(slot)
        return self.endpoints[self.key(slot)]

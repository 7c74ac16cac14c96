"""
What is watched: an `Endpoint` for each entry of `get_info()`, checked, and all of them.

Which shard owns which endpoint: keys are dealt out in turn, the same way in every process and run.
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
"""By which an endpoint is known outside: its service, verb and resource."""

_SHOWN_PROBLEMS: Final = 20
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SHORTEST_WINDOW: Final = Decimal(1) / TICKS_PER_SECOND
_LONGEST_WINDOW: Final = Decimal(LAST_TICK) / TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One verb and resource with its SLO: the least share of requests that succeed (`slo`, in
    (0, 1]) over a sliding `window` (ticks). `name` is the service that owns it.
    """

    name: str
    email: str
    verb: str
    resource: str
    slo: float
    window: int


class Catalogue:
    """All endpoints, numbered in the order of their entries (the number is an endpoint's key)."""

    def __init__(self, entries: Iterable[Mapping[str, object]]) -> None:
        """Raises ConfigurationError, which names each wrong entry, its field and the value."""
        self.endpoints: list[Endpoint] = []
        self._keys: dict[str, dict[str, int]] = {}
        problems: list[str] = []
        for number, entry in enumerate(_listed(entries)):
            try:
                self._add(number, _endpoint(number, entry))
            except ConfigurationError as error:
                problems.append(str(error))
        if problems:
            raise ConfigurationError(sum_up(problems))

    def find(self, verb: str, resource: str) -> int | None:
        """The key of an endpoint, None where nothing watches that verb and resource."""
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


def _listed(entries: object) -> Iterable[object]:
    if isinstance(entries, Mapping | str | bytes) or not isinstance(entries, Iterable):
        raise ConfigurationError(
            f"the endpoints are {excerpt(entries)}; allowed: a list of dicts, one per endpoint"
        )
    return entries


def _endpoint(number: int, entry: object) -> Endpoint:
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


_TEXT: Final = "text that is not empty"
_WORD: Final = "text without a space, as it stands in the requests"
_SECONDS: Final = "seconds greater than 0, in whole nanoseconds, fewer than 2**63 of these"


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
    """A number's text, which for a float is the literal that was written."""
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python agrees to print
        return ""


# Cached, since a million endpoints have a few SLOs and windows between them, and share these.
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
    """A number as it is written, with or without an exponent; None for what only looks like one."""
    with suppress(InvalidOperation):  # an exponent that not even a Decimal can have
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    return None


def to_share(percentage: Decimal) -> Decimal:
    """A percentage as a share: its point is moved, and all its digits are kept."""
    return percentage.scaleb(-2, Context(prec=len(percentage.as_tuple().digits)))


def name_entry(number: int, name: object) -> str:
    """An entry as errors name it: by its number, and by its name where that is text."""
    return f"entry {number} ({quote(name)})" if isinstance(name, str) else f"entry {number}"


def sum_up(problems: Sequence[str]) -> str:
    """What is wrong with entries, as one text."""
    if len(problems) == 1:
        return problems[0]
    unshown = len(problems) - _SHOWN_PROBLEMS
    more = [f"... and {unshown} more"] if unshown > 0 else []
    return "\n".join([f"{len(problems)} entries are wrong:", *problems[:_SHOWN_PROBLEMS], *more])


class Sharding:
    """
    The endpoints of a catalogue spread over `shards`. A `slot` is an endpoint's place among
    the members of its shard.
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
                # most services have one owner: those share one tuple a shard
                self._owners[endpoint.name] = (*owners, shard) if owners else alone[shard]

    def place(self, verb: str, resource: str) -> tuple[int, int] | None:
        """The shard of an endpoint and its slot there; None where nothing watches it."""
        key = self.catalogue.find(verb, resource)
        if key is None:
            return None
        slot, shard = divmod(key, len(self.members))
        return shard, slot

    def owners(self, service: str) -> tuple[int, ...]:
        """The shards that own an endpoint of a service; none where the service is unknown."""
        return self._owners.get(service, ())


@dataclass(frozen=True, slots=True)
class ShardEndpoints(Sequence[Endpoint]):
    """The endpoints of one shard of so many, by their slots; they grow with those of the run."""

    endpoints: Sequence[Endpoint]
    shard: int
    shards: int

    def __len__(self) -> int:
        return (len(self.endpoints) - self.shard + self.shards - 1) // self.shards

    def key(self, slot: int) -> int:
        """The endpoint's number among those of the run."""
        return slot * self.shards + self.shard

    def __getitem__(self, slot: int) -> Endpoint:  # type: ignore[override] # no slices of these
        if not 0 <= slot < len(self):
            raise IndexError(slot)
        return self.endpoints[self.key(slot)]

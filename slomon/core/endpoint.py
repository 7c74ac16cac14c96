"""What is watched: an `Endpoint` for each entry of `get_info()`, checked, and all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from slomon.core.excerpt import excerpt, quote
from slomon.core.tick import LAST_TICK, TICKS_PER_SECOND
from slomon.errors import ConfigurationError

_SHOWN_PROBLEMS: Final = 20
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
        """Raises ConfigurationError, which names every wrong entry, field and value."""
        self.endpoints: list[Endpoint] = []
        self._keys: dict[str, dict[str, int]] = {}
        problems: list[str] = []
        for number, entry in enumerate(_listed(entries)):
            try:
                self._add(number, _endpoint(number, entry))
            except ConfigurationError as error:
                problems.append(str(error))
        if problems:
            raise ConfigurationError(_summary(problems))

    def find(self, verb: str, resource: str) -> int | None:
        """The key of an endpoint, None where nothing watches that verb and resource."""
        return self._keys.get(verb, {}).get(resource)

    def _add(self, number: int, endpoint: Endpoint) -> None:
        resources = self._keys.setdefault(endpoint.verb, {})
        first = resources.setdefault(endpoint.resource, len(self.endpoints))
        if first != len(self.endpoints):
            raise ConfigurationError(
                f"{_entry(number, endpoint.name)}: verb and resource are "
                f"{quote(endpoint.verb)} and {quote(endpoint.resource)}, as in the entry of "
                f"{quote(self.endpoints[first].name)}; allowed: each pair once"
            )
        self.endpoints.append(endpoint)


def _listed(entries: object) -> Iterable[object]:
    if isinstance(entries, Mapping | str | bytes) or not isinstance(entries, Iterable):
        raise ConfigurationError(
            f"get_info() returned {excerpt(entries)}; allowed: a list of dicts, one per endpoint"
        )
    return entries


def _endpoint(number: int, entry: object) -> Endpoint:
    if not isinstance(entry, Mapping):
        raise ConfigurationError(
            f"entry {number}: is {excerpt(entry)}; allowed: a dict with "
            "name, email, verb, resource, slo and window"
        )
    return _Reader(number, entry).endpoint()


class _Reader:
    """Reads the fields of one entry; each error names the entry, the field and the value."""

    def __init__(self, number: int, entry: Mapping[str, object]) -> None:
        self._number = number
        self._entry = entry

    def endpoint(self) -> Endpoint:
        return Endpoint(
            name=self._text("name"),
            email=self._text("email"),
            verb=self._word("verb"),
            resource=self._word("resource"),
            slo=self._slo(),
            window=self._window(),
        )

    def _text(self, field: str, allowed: str = "text that is not empty") -> str:
        value = self._value(field, allowed)
        if not isinstance(value, str) or not value:
            raise self._wrong(field, value, allowed)
        return value

    def _word(self, field: str) -> str:
        allowed = "text without a space, as it stands in the requests"
        value = self._text(field, allowed)
        if " " in value:
            raise self._wrong(field, value, allowed)
        return value

    def _slo(self) -> float:
        allowed = "a number greater than 0 and at most 1"
        number = self._number_of("slo", allowed)
        slo = float(number)
        if slo <= 0 or number > 1:
            raise self._wrong("slo", self._entry["slo"], allowed)
        return slo

    def _window(self) -> int:
        allowed = "a number of seconds greater than 0, in whole nanoseconds, below 2**63 of them"
        number = self._number_of("window", allowed)
        if not _SHORTEST_WINDOW <= number <= _LONGEST_WINDOW:
            raise self._wrong("window", self._entry["window"], allowed)
        ticks = Fraction(number) * TICKS_PER_SECOND
        if ticks.denominator != 1:
            raise self._wrong("window", self._entry["window"], allowed)
        return ticks.numerator

    def _number_of(self, field: str, allowed: str) -> Decimal:
        value = self._value(field, allowed)
        if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
            raise self._wrong(field, value, allowed)
        try:
            number = Decimal(str(value))  # a float's text is the literal that was written
        except (InvalidOperation, ValueError):
            raise self._wrong(field, value, allowed) from None
        if not number.is_finite():
            raise self._wrong(field, value, allowed)
        return number

    def _value(self, field: str, allowed: str) -> object:
        if field not in self._entry:
            raise ConfigurationError(
                f"{_entry(self._number, self._entry.get('name'))}: field '{field}' is missing; "
                f"allowed: {allowed}"
            )
        return self._entry[field]

    def _wrong(self, field: str, value: object, allowed: str) -> ConfigurationError:
        return ConfigurationError(
            f"{_entry(self._number, self._entry.get('name'))}: field '{field}' is {quote(value)}; "
            f"allowed: {allowed}"
        )


def _entry(number: int, name: object) -> str:
    return f"entry {number} ({quote(name)})" if isinstance(name, str) else f"entry {number}"


def _summary(problems: list[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    unshown = len(problems) - _SHOWN_PROBLEMS
    more = [f"... and {unshown} more"] if unshown > 0 else []
    return "\n".join([f"{len(problems)} entries are wrong:", *problems[:_SHOWN_PROBLEMS], *more])

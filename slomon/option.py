"""The values of options, checked: an error names the option, the value and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from decimal import Context, Decimal, InvalidOperation
from inspect import iscoroutinefunction
from typing import Final, TypeAlias

from slomon.core.excerpt import quote
from slomon.errors import ConfigurationError
from slomon.formats.duration import parse_duration
from slomon.formats.stamp import parse_zone

Duration: TypeAlias = str | float
"""Text such as "5m", or seconds."""


def read_count(name: str, value: object, most: int) -> int:
    """A whole number from 1 to `most`."""
    if type(value) is not int or not 1 <= value <= most:
        raise _refuse(name, value, f"a whole number from 1 to {most}")
    return value


def read_duration(name: str, value: object, least: int = 0) -> int:
    """The ticks of a duration, `least` of them at least (0 or 1)."""
    try:
        ticks = parse_duration(str(value))
    except ConfigurationError as error:
        raise ConfigurationError(f"option '{name}': {error}") from None
    if ticks < least:
        raise _refuse(name, value, "a duration greater than 0")
    return ticks


def read_objective(name: str, value: object) -> float:
    """A share of requests, as a number or as text, which may be a percentage with its sign."""
    text = str(value)
    number = _parse_number(text.removesuffix("%"))
    if number is not None and text.endswith("%"):
        number = number.scaleb(-2, Context(prec=len(number.as_tuple().digits)))
    share = float(number) if number is not None and 0 < number <= 1 else 0.0
    if not share:  # also one that is nearer to 0 than any float
        raise _refuse(name, value, _OBJECTIVES)
    return share


def read_zone(name: str, value: str | None) -> tzinfo | None:
    """A zone by its name or offset; None stays None."""
    if value is None:
        return None
    try:
        return parse_zone(str(value))
    except ConfigurationError as error:
        raise ConfigurationError(f"option '{name}': {error}") from None


def read_text(name: str, value: str | None) -> str:
    """Text that is not empty, or "" for None."""
    if value is not None and (not isinstance(value, str) or not value):
        raise _refuse(name, value, "text that is not empty")
    return value or ""


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """One of a few values, and not one that merely equals it, as 1 does True."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise _refuse(name, value, ", ".join(map(quote, choices)))


def check_function(name: str, value: object, parameter: str) -> None:
    """A function that is called, not awaited."""
    if not callable(value) or iscoroutinefunction(value):
        raise _refuse(name, value, f"a plain function of {parameter}")


def check_alone(**options: object) -> None:
    """At most one of these is given."""
    given = [f"'{name}'" for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise ConfigurationError(f"options {' and '.join(given)} are both given; allowed: one")


def _refuse(name: str, value: object, allowed: str) -> ConfigurationError:
    return ConfigurationError(f"option '{name}' is {quote(value)}; allowed: {allowed}")


def _parse_number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and "_" not in text else None


_OBJECTIVES: Final = (
    "a share greater than 0 and at most 1, such as 0.999, or a percentage with its sign, such as "
    "'99.9%'"
)

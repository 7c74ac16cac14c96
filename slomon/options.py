"""The values of options, checked: an error names the option, the value and what is allowed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import tzinfo
from decimal import Decimal
from inspect import iscoroutinefunction
from typing import Final, Literal, TypeAlias, get_args

from slomon.core.endpoints import to_share
from slomon.dates import parse_duration, parse_zone, show_duration
from slomon.errors import ConfigurationError, OptionError
from slomon.text import quote

AnyPath: TypeAlias = str | os.PathLike[str]

Duration: TypeAlias = str | float
"""Text such as "5m", or seconds."""

BackendName: TypeAlias = Literal["auto", "python", "compiled"]
"""Which backend a run uses; all give the same answer."""


def read_count(name: str, value: object, most: int) -> int:
    """A whole number from 1 to `most`."""
    if type(value) is not int or not 1 <= value <= most:
        raise option_error(name, value, f"a whole number from 1 to {most}")
    return value


def check_backend(value: object) -> None:
    """Is it the name of a backend?"""
    check_choice("backend", value, get_args(BackendName))


def read_duration(name: str, value: object, least: int = 0) -> int:
    """The ticks of a duration, `least` of them at least (0 or 1)."""
    text = _spell(value)
    if text is None:
        raise option_error(name, value, "text such as '5m', or seconds")
    with naming_option(name):
        ticks = parse_duration(text)
    if ticks < least:
        raise option_error(name, value, "a duration greater than 0")
    return ticks


def read_no_traffic(value: object) -> int | None:
    """The ticks of `close_after_no_traffic`; None stays None."""
    return None if value is None else read_duration("close_after_no_traffic", value)


def read_resolution(value: object, windows: Iterable[int]) -> int:
    """The ticks of `resolution`, shorter than each of these windows; 0 for None."""
    if value is None:
        return 0
    ticks = read_duration("resolution", value, 1)
    shortest = min(windows, default=ticks + 1)
    if ticks >= shortest:
        allowed = f"a duration shorter than every window; the shortest is {show_duration(shortest)}"
        raise option_error("resolution", value, allowed)
    return ticks


def read_objective(name: str, value: object) -> float:
    """A share of requests, as a number or as text, which may be a percentage with its sign."""
    found = _OBJECTIVE.fullmatch(_spell(value) or "")
    number = Decimal(found[1]) if found else Decimal(0)
    if found and found[2]:
        number = to_share(number)
    share = float(number) if number <= 1 else 0.0
    if not share:  # also one that is nearer to 0 than any float
        raise option_error(name, value, _OBJECTIVES)
    return share


def read_zone(name: str, value: object) -> tzinfo | None:
    """A zone by its name or offset; None stays None."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise option_error(name, value, "text: an IANA name, or an offset such as '+02:00'")
    with naming_option(name):
        return parse_zone(value)


def read_text(name: str, value: object) -> str:
    """Text that is not empty, or "" for None."""
    if value is not None and (not isinstance(value, str) or not value):
        raise option_error(name, value, "text that is not empty")
    return value or ""


def read_path(name: str, value: object) -> str | None:
    """A path as text; None stays None."""
    path = as_path(value)
    if path is None and value is not None:
        raise option_error(name, value, "a path")
    return path


def as_path(value: object) -> str | None:
    """A path as text; None for what can't be one on any file system."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(path, str) and path and "\0" not in path:
        with suppress(UnicodeEncodeError):
            os.fsencode(path)
            return path
    return None


def read_texts(name: str, value: object) -> dict[str, str]:
    """A mapping of text to text."""
    if not isinstance(value, Mapping):
        raise option_error(name, value, "a mapping of text to text")
    for item in value.items():
        if not all(isinstance(text, str) for text in item):
            raise OptionError([name], f" has {quote(item)}; allowed: a mapping of text to text")
    return dict(value)


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """One of a few values, and not one that merely equals it, as 1 does True."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise option_error(name, value, ", ".join(map(quote, choices)))


def check_function(name: str, value: object, parameter: str) -> None:
    """A function that is called, not awaited."""
    if not callable(value) or any(map(iscoroutinefunction, (value, type(value).__call__))):
        raise option_error(name, value, f"a plain function of {parameter}")


def check_kind(name: str, value: object, kind: type, allowed: str) -> None:
    """An object of ours."""
    if not isinstance(value, kind):
        raise option_error(name, value, allowed)


def check_methods(name: str, value: object, methods: Sequence[str], allowed: str) -> None:
    """An object, not its class, that has these methods."""
    if isinstance(value, type) or not all(callable(getattr(value, one, None)) for one in methods):
        raise option_error(name, value, allowed)


def check_mutually_exclusive(**options: object) -> None:
    """At most one of these is given."""
    given = [name for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise OptionError(given, " are both given; allowed: one")


def check_apart(**paths: str | None) -> None:
    """No two of these are the same file, by whatever names."""
    names: dict[str, str] = {}
    for name, path in paths.items():
        other = name if path is None else names.setdefault(os.path.realpath(path), name)
        if other != name:
            raise OptionError(
                [other, name], f" are the same file, {quote(path)}; allowed: one for each"
            )


def option_error(name: str, value: object, allowed: str) -> OptionError:
    """The error of a wrong value."""
    return OptionError([name], f" is {quote(value)}; allowed: {allowed}")


@contextmanager
def naming_option(name: str) -> Iterator[None]:
    """Let the error of a value say which option has it."""
    try:
        yield
    except ConfigurationError as error:
        raise OptionError([name], f": {error}") from None


def _spell(value: object) -> str | None:
    """Text as it is, and a number as people write it: 0.00001, not 1e-05. None for other things."""
    match value:
        case str():
            return value
        case bool():
            return None
        case int():
            return format(Decimal(value), "f")
        case float():
            return format(Decimal(str(value)), "f")
        case Decimal():
            return str(value)
    return None


_OBJECTIVE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(%?)")
_OBJECTIVES: Final = (
    "a share greater than 0 and at most 1, such as 0.999, or a percentage with its sign, such as "
    "'99.9%'"
)

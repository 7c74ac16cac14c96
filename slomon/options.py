"""
Options: how one is declared, and how its value is checked.

An option is declared once, as the annotation of a parameter:

    def replay(*, workers: Annotated[int, Option(read=..., help=..., ...)] = 1, ...)

The name, the type and the default are those of the parameter; the `Option` has the rest. The
check of a call (`read_options`), the docstring (`document_options`), the identity of a checkpoint
(`identify_options`) and the command line (`slomon.cli.replay_arguments`) follow from it.

An error names the option, the value and what is allowed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, partial
from inspect import Parameter, cleandoc, iscoroutinefunction, signature
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar, get_args, get_type_hints

from slomon.core.endpoints import to_share
from slomon.core.statuses import (
    FailingStatuses,
    StatusRule,
    parse_statuses,
    server_errors_fail,
)
from slomon.dates import parse_duration, parse_zone, show_duration
from slomon.errors import ConfigurationError, OptionError
from slomon.text import quote

AnyPath: TypeAlias = str | os.PathLike[str]
Paths: TypeAlias = AnyPath | Sequence[AnyPath]

Duration: TypeAlias = str | float
"""Text such as "5m", or seconds."""

Instant: TypeAlias = str | float | date
"""Text such as "2025-03-10T12:00:00Z" or "2025-03-10", seconds since the epoch, or a datetime."""

BackendName: TypeAlias = Literal["auto", "python", "compiled"]
"""The backend of a run. Every backend gives the same answer."""

STANDARD_INPUT: Final = "-"

_OBJECTIVE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(%?)")
_OBJECTIVES: Final = (
    "a share greater than 0 and at most 1, such as 0.999, or a percentage with its sign, such as "
    "'99.9%'"
)
_FAILING: Final = (
    "classes, statuses and ranges from 100 to 599, with commas between, as in '5xx,429,400-404'"
)
_PATHS: Final = "a path, or a list of paths that is not empty"

Function = TypeVar("Function", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Identity:
    """
    How an option is shown in the identity of a checkpoint: `show` turns the value that was read
    into text, and `unset` is the text for None. By default `name` is the option's name in words.
    """

    show: Callable[[Any], str] = str
    unset: str = "None"
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """
    The declaration of an option, in the annotation of its parameter.

    * `read(name, value)` returns the checked value, with durations in ticks, or raises an
      OptionError
    * `help` says what the option does. The default is appended if it is a number or text
    * `group` is the heading of the argument in the help of `slomon replay`; an option without a
      group is for Python only. `metavar` is needed unless the option is a flag
    * `default` is the value that None stands for, if None is the default of the parameter
    * `identity` makes the option part of a checkpoint's identity: a replay resumes only from a
      checkpoint with the same value
    """

    read: Callable[[str, Any], object]
    help: str
    group: str = ""
    metavar: str = ""
    default: object = None
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """An option with the type and the default of its parameter."""

    option: Option
    type: object
    default: object

    @property
    def required(self) -> bool:
        """Has the parameter no default?"""
        return self.default is Parameter.empty

    @property
    def help(self) -> str:
        """The help text, with the default if that is a value."""
        shown = self.option.default if self.default is None else self.default
        if isinstance(shown, bool) or not isinstance(shown, str | int | float):
            return self.option.help
        return f"{self.option.help} (default: {shown})"

    def read(self, name: str, value: object) -> object:
        """The checked value; None stays None if the option has no default."""
        if value is None and self.default is None:
            value = self.option.default
            if value is None:
                return None
        return self.option.read(name, value)


@cache
def list_options(function: Callable[..., object]) -> dict[str, Declared]:
    """The declared options of a function by name, in the order of its parameters."""
    parameters = signature(function).parameters
    declared = {}
    for name, hint in get_type_hints(function, include_extras=True).items():
        for option in getattr(hint, "__metadata__", ()):
            if isinstance(option, Option):
                declared[name] = Declared(option, hint.__origin__, parameters[name].default)
    return declared


def read_options(function: Callable[..., object], given: Mapping[str, object]) -> dict[str, Any]:
    """The checked values of a function's options. Raises the OptionError of the first wrong one."""
    declared = list_options(function)
    return {name: one.read(name, given[name]) for name, one in declared.items()}


def identify_options(
    function: Callable[..., object], values: Mapping[str, object]
) -> dict[str, str]:
    """The values of `read_options` that are part of a checkpoint's identity, as text."""
    shown = {}
    for name, one in list_options(function).items():
        if identity := one.option.identity:
            value = values[name]
            text = identity.unset if value is None else identity.show(value)
            shown[identity.name or name.replace("_", " ")] = text
    return shown


def document_options(function: Function) -> Function:
    """
    A decorator that appends the help of the declared options to the docstring, and gives the
    signature, as `help()` shows it, the plain types.
    """
    declared = list_options(function)
    listed = "\n".join(
        fill(f"* `{name}`: {one.help}", 96, subsequent_indent="  ", break_on_hyphens=False)
        for name, one in declared.items()
    )
    function.__doc__ = f"{cleandoc(function.__doc__ or '')}\n\nOptions:\n\n{listed}\n"
    whole = signature(function)
    plain = [
        parameter.replace(annotation=declared[name].type) if name in declared else parameter
        for name, parameter in whole.parameters.items()
    ]
    function.__signature__ = whole.replace(parameters=plain)  # type: ignore[attr-defined]
    return function


def read_count(name: str, value: object, most: int) -> int:
    """A whole number from 1 to `most`."""
    if type(value) is not int or not 1 <= value <= most:
        raise option_error(name, value, f"a whole number from 1 to {most}")
    return value


def read_flag(name: str, value: object) -> bool:
    """True or False."""
    check_choice(name, value, [True, False])
    return bool(value)


def read_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """One of these texts."""
    check_choice(name, value, choices)
    return str(value)


def read_backend(name: str, value: object) -> str:
    """The name of a backend."""
    return read_choice(name, value, get_args(BackendName))


def read_function(name: str, value: object, parameter: str) -> object:
    """A plain function of `parameter`, as the error calls it."""
    check_function(name, value, parameter)
    return value


def read_object(name: str, value: object, methods: Sequence[str], allowed: str) -> object:
    """An object that has these methods."""
    check_methods(name, value, methods, allowed)
    return value


def read_duration(name: str, value: object, least: int = 0) -> int:
    """The ticks of a duration, at least `least` (0 or 1)."""
    text = _spell(value)
    if text is None:
        raise option_error(name, value, "text such as '5m', or seconds")
    with naming_option(name):
        ticks = parse_duration(text)
    if ticks < least:
        raise option_error(name, value, "a duration greater than 0")
    return ticks


def read_instant(name: str, value: object) -> str:
    """The text of an instant, which `parse_instant` reads in a zone."""
    text = value.isoformat() if isinstance(value, date) else _spell(value)
    if text is None:
        raise option_error(name, value, "text such as '2025-03-10T12:00:00Z', or a datetime")
    return text


def read_fail_status(name: str, value: object) -> FailingStatuses:
    """The rule that these statuses fail."""
    rule = parse_statuses(value) if isinstance(value, str) else None
    if rule is None:
        raise option_error(name, value, _FAILING)
    return rule


def choose_rule(is_failure: StatusRule, fail_status: object) -> StatusRule:
    """The rule of a run with these two options, each of which replaces the default rule."""
    own = None if is_failure is server_errors_fail else is_failure
    check_mutually_exclusive(is_failure=own, fail_status=fail_status)
    return is_failure if fail_status is None else read_fail_status("fail_status", fail_status)


def read_no_traffic(value: object) -> int | None:
    """The ticks of `close_after_no_traffic`; None stays None."""
    return None if value is None else read_duration("close_after_no_traffic", value)


def read_objective(name: str, value: object) -> float:
    """A share of requests: a number, or text that may be a percentage with its sign."""
    found = _OBJECTIVE.fullmatch(_spell(value) or "")
    number = Decimal(found[1]) if found else Decimal(0)
    if found and found[2]:
        number = to_share(number)
    share = float(number) if number <= 1 else 0.0
    if not share:  # also a share that rounds to 0.0
        raise option_error(name, value, _OBJECTIVES)
    return share


def read_zone(name: str, value: object) -> str:
    """The name or the offset of a zone, which `parse_zone` knows."""
    if not isinstance(value, str):
        raise option_error(name, value, "text: an IANA name, or an offset such as '+02:00'")
    with naming_option(name):
        parse_zone(value)
    return value


def read_text(name: str, value: object) -> str:
    """Text that is not empty, or "" for None."""
    if value is not None and (not isinstance(value, str) or not value):
        raise option_error(name, value, "text that is not empty")
    return value or ""


def read_texts(name: str, value: object) -> dict[str, str]:
    """A mapping of text to text."""
    if not isinstance(value, Mapping):
        raise option_error(name, value, "a mapping of text to text")
    for item in value.items():
        if not all(isinstance(text, str) for text in item):
            raise OptionError([name], f" has {quote(item)}; allowed: a mapping of text to text")
    return dict(value)


def read_names(name: str, value: object) -> list[str]:
    """The text, or the texts of a list that is not empty."""
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list | tuple) and names:
        return [read_text(name, one) for one in names if one is not None]
    raise option_error(name, value, "text, or a list of texts that is not empty")


def read_path(name: str, value: object) -> str | None:
    """A path as text; None stays None."""
    path = as_path(value)
    if path is None and value is not None:
        raise option_error(name, value, "a path")
    return path


def read_paths(name: str, value: object) -> list[str]:
    """The path, or the paths of a list that is not empty."""
    paths: list[str] = []
    for given in _list(name, value):
        path = as_path(given)
        if path is None:
            raise OptionError([name], f" has {quote(given)}; allowed: {_PATHS}")
        paths.append(path)
    if not paths:
        raise OptionError([name], f" is empty; allowed: {_PATHS}")
    return paths


def as_path(value: object) -> str | None:
    """A path as text; None if the value can't be a path on any file system."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(path, str) and path and "\0" not in path:
        with suppress(UnicodeEncodeError):
            os.fsencode(path)
            return path
    return None


def check_backend(value: object) -> None:
    """Is the value the name of a backend?"""
    read_backend("backend", value)


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Is the value one of `choices`, and of the same type? 1 equals True but is no flag."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise option_error(name, value, ", ".join(map(quote, choices)))


def check_function(name: str, value: object, parameter: str) -> None:
    """Is the value a plain function, not an async one? The error says that it takes `parameter`."""
    if not callable(value) or any(map(iscoroutinefunction, (value, type(value).__call__))):
        raise option_error(name, value, f"a plain function of {parameter}")


def check_kind(name: str, value: object, kind: type, allowed: str) -> None:
    """Is the value an instance of `kind`? The error describes it as `allowed`."""
    if not isinstance(value, kind):
        raise option_error(name, value, allowed)


def check_methods(name: str, value: object, methods: Sequence[str], allowed: str) -> None:
    """Is the value an object, not a class, that has these methods?"""
    if isinstance(value, type) or not all(callable(getattr(value, one, None)) for one in methods):
        raise option_error(name, value, allowed)


def check_resolution(resolution: int | None, windows: Iterable[int]) -> None:
    """Is the option `resolution`, in ticks if it is given, shorter than each of these windows?"""
    shortest = min(windows, default=None)
    if resolution is not None and shortest is not None and resolution >= shortest:
        allowed = f"a duration shorter than every window; the shortest is {show_duration(shortest)}"
        raise option_error("resolution", show_duration(resolution), allowed)


def check_mutually_exclusive(**options: object) -> None:
    """Is at most one of these options given, that is, not None?"""
    given = [name for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise OptionError(given, " are both given; allowed: one")


def check_combination(
    function: Callable[..., object],
    values: Mapping[str, object],
    *,
    exclusive: Iterable[Sequence[str]],
    needed: Mapping[str, str],
) -> None:
    """
    Check that no option of a function is without effect beside the others. An option is given if
    its value is not the default. At most one of each group in `exclusive` may be given, and each
    name in `needed` only with the option that it maps to. Raises OptionError.
    """
    declared = list_options(function)
    given = {name for name, one in declared.items() if values[name] != one.default}
    for group in exclusive:
        check_mutually_exclusive(**{name: name in given or None for name in group})
    for name, other in needed.items():
        if name in given and other not in given:
            allowed = "both, only the latter, or neither"
            fault = f": the former has no effect without the latter; allowed: {allowed}"
            raise OptionError([name, other], fault)


def distinct_paths(
    outputs: Mapping[str, AnyPath | None], inputs: Iterable[AnyPath] | None = None
) -> None:
    """
    Check that each output, by the name of its option, is a file of its own: neither another output
    nor one of `inputs`, links resolved. A device may be written by several. If `inputs` are given,
    "-" means standard input, and no output may have that name. Raises OptionError.
    """
    read = {os.path.realpath(path) for path in inputs or () if path != STANDARD_INPUT}
    written: dict[str, str] = {}  # the name of the option by the file
    for name, path in outputs.items():
        if path is None:
            continue
        if inputs is not None and str(path) == STANDARD_INPUT:
            fault = " is '-', which stands for standard input; allowed: a file, for example ./-"
            raise OptionError([name], fault)
        place, shown = os.path.realpath(path), quote(str(path))
        if place in written and inputs is None:
            fault = f" are the same file, {shown}; allowed: one for each"
            raise OptionError([written[place], name], fault)
        if place in read or place in written:
            use = "read" if place in read else "written"
            fault = f" is {shown}, which is {use} as well; allowed: a file of its own"
            raise OptionError([name], fault)
        if Path(place).is_file() or not Path(place).exists():
            written[place] = name


def option_error(name: str, value: object, allowed: str) -> OptionError:
    """The error of a wrong value."""
    return OptionError([name], f" is {quote(value)}; allowed: {allowed}")


@contextmanager
def naming_option(name: str) -> Iterator[None]:
    """Name the option in a ConfigurationError about its value."""
    try:
        yield
    except ConfigurationError as error:
        raise OptionError([name], f": {error}") from None


def _list(name: str, value: object) -> Iterable[object]:
    if isinstance(value, str | os.PathLike):
        return [value]
    if not isinstance(value, Iterable) or isinstance(value, bytes | bytearray | Mapping):
        raise option_error(name, value, _PATHS)
    return value


def _spell(value: object) -> str | None:
    """
    Text as it is, and a number without an exponent: 0.00001, not 1e-05. None for anything else.
    """
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


# The declarations that several functions share.

Resolution: TypeAlias = Annotated[
    Duration | None,
    Option(
        read=partial(read_duration, least=1),
        help="move windows in steps of this length instead of exactly, which bounds their memory; "
        "must be shorter than every window (default: exact)",
        group="judgement",
        metavar="DURATION",
        identity=Identity(show_duration, unset="0s"),
    ),
]
FailStatus: TypeAlias = Annotated[
    str | None,
    Option(
        read=read_fail_status,
        help="the statuses that fail, as in 5xx,429,400-404; all others from 100 to 599 succeed "
        "(default: 5xx)",
        group="judgement",
        metavar="LIST",
    ),
]
CloseAfterNoTraffic: TypeAlias = Annotated[
    Duration | None,
    Option(
        read=read_duration,
        help="expire an open incident when its endpoint has had no request for this long and its "
        "window is empty; an expired incident does not count in the MTTR (default: never)",
        group="judgement",
        metavar="DURATION",
        identity=Identity(show_duration, unset="off"),
    ),
]
SliSeries: TypeAlias = Annotated[
    bool,
    Option(
        read=read_flag,
        help="keep the SLI of each endpoint over time, for the summary and the report",
        identity=Identity(repr),
    ),
]

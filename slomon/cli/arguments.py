"""
Arguments as text, checked; argparse names the option and exits with 2.

The page that a command writes: its options, and what becomes of them.
"""

from __future__ import annotations

import argparse
import os
from argparse import ArgumentTypeError
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO, TypeAlias

from slomon.core.events import Accounting
from slomon.core.service_monitor import ServiceMonitor
from slomon.errors import OptionError
from slomon.files import OutputFile
from slomon.logging import configure
from slomon.report.screen import has_colours
from slomon.text import quote

if TYPE_CHECKING:
    from argparse import _ArgumentGroup as Group


def flag(name: str) -> str:
    """An option of the library, as it is typed."""
    return _TYPED.get(name) or f"--{name.replace('_', '-')}"


def configure_logging(level: str, stderr: TextIO) -> None:
    """Log on stderr, from `level` up, with colors if it is a terminal that has them."""
    configure(level, stderr, colors=has_colours(stderr, os.environ))


def parse_path(text: str) -> Path:
    """Where a file is: an empty one would stand for the folder that one is in."""
    if not text:
        raise ArgumentTypeError("''; allowed: a path")
    return Path(text)


def parse_count(text: str) -> int:
    """A whole number from 0 up."""
    with suppress(ValueError):
        if (value := int(text)) >= 0:
            return value
    raise ArgumentTypeError(f"{quote(text)}; allowed: a whole number from 0 up")


def number_or_text(text: str) -> int | str:
    """A whole number where it is one: what is right is for whoever gets it to say."""
    with suppress(ValueError):
        return int(text) if text.isascii() and text.isdecimal() else text
    return text  # it has more digits than Python agrees to read


def parse_keys(text: str) -> dict[str, str]:
    """Fields with their keys, as in `time=ts,status=code`; each field once."""
    keys: dict[str, str] = {}
    for pair in text.split(","):
        field, equals, key = pair.partition("=")
        if not equals or field in keys:
            raise ArgumentTypeError(
                f"{quote(pair)} in {quote(text)}; allowed: FIELD=KEY, each field once, with commas "
                "between"
            )
        keys[field] = key
    return keys


_TYPED: Final = {"paths": "FILE"}


WritePage: TypeAlias = Callable[[ServiceMonitor, OutputFile], None]
_OPTIONS: Final = ("title", "commit_url", "stale_after")


def add_page_options(group: Group) -> None:
    """Add what a page may be told to show."""
    group.add_argument(
        "--title", metavar="TEXT", default=None, help="of the report (default: Incidents)"
    )
    group.add_argument(
        "--commit-url",
        metavar="URL",
        default=None,
        help="where its commits lead to, as in https://git.example.com/commit/{commit}",
    )


def check_page_wanted(arguments: argparse.Namespace) -> None:
    """Raises ConfigurationError where a page that nobody asked for has options."""
    for name in ("title", "commit_url"):
        if arguments.report is None and getattr(arguments, name) is not None:
            raise OptionError([name], " is given without a report; allowed: with --report FILE")


def choose_page(arguments: argparse.Namespace) -> WritePage:
    """What writes the page. Raises ConfigurationError where an option is wrong: before a run."""
    # Not for those who ask for no page: it takes some milliseconds of a start.
    from slomon.report.report import Report  # noqa: PLC0415

    options = {name: value for name, value in vars(arguments).items() if name in _OPTIONS}
    Report(ServiceMonitor((), Accounting()), **options)  # which checks them

    def write(monitor: ServiceMonitor, file: OutputFile) -> None:
        file.fill(Report(monitor, **options).write)

    return write

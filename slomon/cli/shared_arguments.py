"""Arguments that several commands share, and parsers of their texts."""

from __future__ import annotations

import argparse
import os
from argparse import ArgumentTypeError
from collections.abc import Callable, Container
from contextlib import suppress
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeAlias

from slomon.core.events import Accounting
from slomon.core.service_monitor import ServiceMonitor
from slomon.errors import OptionError
from slomon.files import OutputFile
from slomon.logging import configure
from slomon.text import quote

if TYPE_CHECKING:
    from argparse import _ActionsContainer as Arguments


WritePage: TypeAlias = Callable[[ServiceMonitor, OutputFile], None]


def flag(name: str) -> str:
    """An option's name as it is typed: `--from` for `from_`, which Python can't call `from`."""
    return f"--{name.rstrip('_').replace('_', '-')}"


def parse_path(text: str) -> Path:
    """A path. Empty text is wrong, because `Path("")` is the current folder."""
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
    """A whole number, or else the text as it is, so that the library reports what is wrong."""
    with suppress(ValueError):
        return int(text) if text.isascii() and text.isdecimal() else text
    return text  # Python refuses to parse a number of so many digits


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


def add_log_level(arguments: Arguments) -> None:
    """Add the option that `configure_logging` takes."""
    arguments.add_argument(
        "--log-level",
        metavar="LEVEL",
        choices=("debug", "info", "warning", "error", "critical"),
        default="info",
        help="the lowest level of events that are logged to stderr (default: %(default)s)",
    )


def configure_logging(level: str, stderr: TextIO, omit: Container[str] = ()) -> None:
    """
    Log events of `level` and above to stderr, in color if it is a terminal with colors. Events
    named in `omit` are left out.
    """
    colors = False
    if stderr.isatty():
        # Imported only for a terminal: the import takes some milliseconds.
        from slomon.report.screen import has_colours  # noqa: PLC0415

        colors = has_colours(stderr, os.environ)
    configure(level, stderr, colors=colors, omit=omit)


def add_page_options(arguments: Arguments) -> None:
    """Add the options of the report's page."""
    arguments.add_argument(
        "--title",
        metavar="TEXT",
        default=None,
        help="the title of the report (default: Incidents)",
    )
    arguments.add_argument(
        "--commit-url",
        metavar="URL",
        default=None,
        help="the link of each commit in the report, as in https://git.example.com/commit/{commit}",
    )


def check_page_wanted(arguments: argparse.Namespace) -> None:
    """Raises ConfigurationError if the page has options but was not asked for."""
    for name in ("title", "commit_url"):
        if arguments.report is None and getattr(arguments, name) is not None:
            raise OptionError([name], " is given without a report; allowed: with --report FILE")


def choose_page(arguments: argparse.Namespace) -> WritePage:
    """
    The function that writes the page. Raises ConfigurationError if an option of the page is wrong,
    so call it before the run.
    """
    # Imported only if a page is wanted: the import takes some milliseconds.
    from slomon.report.report import Report  # noqa: PLC0415

    names = signature(Report).parameters
    options = {name: value for name, value in vars(arguments).items() if name in names}
    Report(ServiceMonitor((), Accounting()), **options)  # checks the options

    def write(monitor: ServiceMonitor, file: OutputFile) -> None:
        file.fill(Report(monitor, **options).write)

    return write

"""The page that a command writes: its options, and what becomes of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from slomon.core.events import Accounting
from slomon.core.service_monitor import ServiceMonitor
from slomon.errors import OptionError
from slomon.files import OutputFile

if TYPE_CHECKING:
    from argparse import _ArgumentGroup as Group

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
    from slomon.reporting.report import Report  # noqa: PLC0415

    options = {name: value for name, value in vars(arguments).items() if name in _OPTIONS}
    Report(ServiceMonitor((), Accounting()), **options)  # which checks them

    def write(monitor: ServiceMonitor, file: OutputFile) -> None:
        file.fill(Report(monitor, **options).write)

    return write

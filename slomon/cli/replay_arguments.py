"""
The command lines of `slomon replay` and `slomon report`.

Both have the options of `slomon.replay(...)` that are declared with a group, where their help texts
are (`log_replay/replay.py`), and options of their own for the output, the logs and the exit code.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeAlias

from slomon.cli.replay import run_replay, run_report
from slomon.cli.shared_arguments import (
    add_log_level,
    add_page_options,
    flag,
    number_or_text,
    parse_keys,
    parse_path,
)
from slomon.log_replay.replay import replay
from slomon.options import Declared, list_options

if TYPE_CHECKING:
    from argparse import _ArgumentGroup as Group


Run: TypeAlias = Callable[[argparse.Namespace, TextIO, TextIO], int]

_FORMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "paths": {"nargs": "+"},
    "changes": {"action": "append"},
    "json_keys": {"type": parse_keys},
    "change_keys": {"type": parse_keys},
    "environment": {"action": "append"},
}
"""How to parse the options of replay that are neither a flag, a number nor one text."""


def add_replay(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of `slomon replay` to its parser."""
    output = _add_shared(
        parser,
        run_replay,
        description="Replay access logs, plain or compressed: which endpoints were broken when, by "
        "which commit, and which commit fixed them. On a terminal it prints a report. Elsewhere it "
        "prints the MTTR, the number of incidents of each service and their details, each as a "
        "Python literal on a line of its own.",
    )
    output.add_argument(
        "--json",
        action="store_true",
        default=False,
        help="print one JSON object: outages, mttr, api_histogram, incident_details, accounting, "
        "warnings",
    )
    output.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=parse_path,
        default=None,
        help="write the answers to this file instead of stdout",
    )
    output.add_argument(
        "--report",
        metavar="FILE",
        type=parse_path,
        default=None,
        help="write the report to this file: one HTML page that opens offline",
    )
    add_page_options(output)


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of `slomon report` to its parser."""
    output = _add_shared(
        parser,
        run_report,
        description="Replay access logs as slomon replay does, and write the result as one HTML "
        "page that opens offline: the metrics, a timeline of incidents and deploys, the SLI of "
        "each endpoint over time, and a table of incidents to sort and search.",
    )
    output.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=parse_path,
        required=True,
        help="write the page to this file",
    )
    add_page_options(output)


def show_option(name: str) -> str:
    """The name of an option as it is typed, or as the usage shows it."""
    declared = list_options(replay).get(name)
    return declared.option.metavar if declared and declared.required else flag(name)


def _add_shared(parser: argparse.ArgumentParser, run: Run, description: str) -> Group:
    """
    Add what both verbs have to the parser of one: the options of a replay, which argparse must
    leave out if they are not given. Returns the group of the output options.
    """
    parser.description = description
    parser.epilog = (
        "A DURATION is seconds, or numbers with units: 30s, 5m, 1h30m, 28d. Exit codes: 0 "
        "success; 1 a runtime error, a file that was not read to its end (the incidents found "
        "until then are printed), or a closed pipe behind stdout; 2 wrong usage or configuration; "
        "3 incidents were found and --fail-on incidents was given; 4 the answer is certainly "
        "wrong, as a warning says; 130 interrupted; 143 terminated."
    )
    parser.set_defaults(run=run, refuse=parser.error)
    groups: dict[str, Group] = {}
    for option, declared in list_options(replay).items():
        if title := declared.option.group:
            group = groups.get(title) or parser.add_argument_group(title)
            groups[title] = group
            _add_option(group, option, declared)
    add_log_level(groups["run"])
    groups["run"].add_argument(
        "--no-progress",
        dest="progress",
        action="store_false",
        default=True,
        help="show no progress bar (default: show one if stderr is a terminal)",
    )
    output = parser.add_argument_group("output")
    _add_output(output)
    return output


def _add_option(group: Group, name: str, declared: Declared) -> None:
    """
    Add a declared option. Its value is passed on as it was parsed, because `replay` checks it, and
    only if it is given, because `replay` has the default.
    """
    argument = name if declared.required else flag(name)
    shown = declared.help.replace("%", "%%")
    if declared.type is bool:
        group.add_argument(argument, action="store_true", help=shown)
        return
    form: dict[str, Any] = {} if declared.required else {"dest": name}
    form |= _FORMS.get(name) or ({"type": number_or_text} if declared.type is int else {})
    group.add_argument(argument, metavar=declared.option.metavar, help=shown, **form)


def _add_output(group: Group) -> None:
    group.add_argument(
        "--incidents",
        metavar="FILE",
        type=parse_path,
        default=None,
        help="write a record of each incident to this file, in the order in which the incidents "
        "opened: JSON lines, or CSV or Parquet if its name ends with .csv or .parquet",
    )
    group.add_argument(
        "--stale-after",
        metavar="DURATION",
        default="1d",
        help="a deploy is no cause of failures that began later than this after it "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--fail-on",
        metavar="WHAT",
        choices=("incidents",),
        default=None,
        help="incidents: exit with 3 if there are incidents",
    )

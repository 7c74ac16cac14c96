"""The options of `slomon report`: those of `slomon replay`, but for what it prints."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from slomon.command.argument import parse_path
from slomon.command.page import add_page_options
from slomon.command.replay_parser import add_verb
from slomon.command.report import run

if TYPE_CHECKING:
    # What argparse has no public name for.
    from argparse import _SubParsersAction as Verbs


def add_to(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add the verb to those of the command."""
    output = add_verb(
        verbs,
        "report",
        run,
        help="the same as a page: figures, timeline, SLIs over time, incidents",
        description="Replay access logs as slomon replay does, and write what was found as one "
        "HTML page, which opens offline: the figures, a timeline of incidents and deploys, how the "
        "SLI of each endpoint went, and a table of incidents to sort and search.",
    )
    output.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=parse_path,
        required=True,
        help="write the page there",
    )
    add_page_options(output)

"""
The options of `slomon replay`. Those of `slomon.replay(...)` have its names, and it checks them and
gives them their defaults: here stands only what they are for.

The options of `slomon report`: those of `slomon replay`, but for what it prints.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO, TypeAlias

from slomon.cli.arguments import add_page_options, number_or_text, parse_keys, parse_path
from slomon.cli.replay import run_replay, run_report

if TYPE_CHECKING:
    from argparse import _ArgumentGroup as Group
    from argparse import _SubParsersAction as Verbs


Run: TypeAlias = Callable[[argparse.Namespace, TextIO, TextIO], int]


def add_replay(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add the verb to those of the command."""
    output = add_verb(
        verbs,
        "replay",
        run_replay,
        help="say what was broken when, from access logs and a history of deploys",
        description="Replay access logs, plain or compressed: which endpoints were broken when, by "
        "which commit, and which one fixed them. Prints a report on a terminal; elsewhere the "
        "MTTR, the number of incidents of each service and their details, a Python literal a line.",
    )
    _add_answers(output)


def add_verb(
    verbs: Verbs[argparse.ArgumentParser],
    name: str,
    run: Run,
    help: str,  # noqa: A002 (argparse's name for it)
    description: str,
) -> Group:
    """Add a verb that replays, with its options, and return the group of those of its output."""
    parser = verbs.add_parser(
        name,
        help=help,
        description=description,
        epilog="A DURATION is seconds, or numbers with units: 30s, 5m, 1h30m, 28d. Exit codes: 0 "
        "fine, 1 a runtime error (also where a file was not read to its end: what was read is "
        "printed) or a closed pipe behind stdout, 2 wrong usage or configuration, 3 incidents "
        "found and --fail-on incidents, 130 interrupted, 143 terminated.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, refuse=parser.error)
    _add_logs(parser.add_argument_group("logs"))
    _add_endpoints(parser.add_argument_group("endpoints"))
    _add_changes(parser.add_argument_group("changes"))
    _add_judgement(parser.add_argument_group("judgement"))
    _add_run(parser.add_argument_group("run"))
    output = parser.add_argument_group("output")
    _add_output(output)
    return output


def _add_logs(group: Group) -> None:
    group.add_argument(
        "paths", metavar="FILE", nargs="+", help="logs of one host, in order; - is standard input"
    )
    group.add_argument(
        "--merge",
        metavar="FILE",
        nargs="+",
        action="append",
        help="logs of one more host, merged by time (may be repeated)",
    )
    group.add_argument(
        "--format",
        metavar="NAME",
        help="events, plain, combined, caddy, envoy or alb (default: what reads the most of each "
        "log's first 100 lines, for which a pipe is waited)",
    )
    group.add_argument(
        "--regex",
        metavar="PATTERN",
        help="lines as a regular expression with named groups: time, status, and either method "
        "and path, or request",
    )
    group.add_argument(
        "--json-keys",
        metavar="FIELD=KEY,...",
        type=parse_keys,
        help="JSON lines with these keys for the same fields, as in time=ts,status=code,...",
    )
    group.add_argument(
        "--zone", metavar="ZONE", help="of times that name none: an IANA name or an offset"
    )
    group.add_argument(
        "--lateness",
        metavar="DURATION",
        help="how far lines may be out of order to be put in order (default: 5s; 0 in recorded "
        "streams)",
    )


def _add_endpoints(group: Group) -> None:
    group.add_argument(
        "--endpoints",
        metavar="FILE",
        help="JSON, YAML or TOML list of name, verb, resource, slo and window; without it, "
        "endpoints are found in the logs",
    )
    group.add_argument(
        "--match",
        metavar="HOW",
        help="exact or template: what a resource is (default: a template; exact in recorded "
        "streams)",
    )
    group.add_argument(
        "--slo", metavar="SHARE", help="of found endpoints: 0.999 or 99.9%% (default: 99.9%%)"
    )
    group.add_argument("--window", metavar="DURATION", help="of found endpoints (default: 5m)")
    group.add_argument(
        "--service",
        metavar="NAME",
        help="that owns found endpoints, and changes that name none (default: each endpoint is "
        "its own in the answers, those changes are everyone's, and no change can name an endpoint)",
    )
    group.add_argument(
        "--max-endpoints",
        metavar="N",
        type=number_or_text,
        help="how many may be found (default: 10000)",
    )


def _add_changes(group: Group) -> None:
    group.add_argument(
        "--changes",
        metavar="FILE",
        action="append",
        help="deploys as JSON, CSV or four-line blocks, or what git log prints; - is standard "
        "input (may be repeated)",
    )
    group.add_argument("--change-zone", metavar="ZONE", help="of dates of changes that name none")


def _add_judgement(group: Group) -> None:
    group.add_argument(
        "--min-requests",
        metavar="N",
        type=number_or_text,
        help="judge no window that holds fewer (default: 1)",
    )
    group.add_argument(
        "--resolution",
        metavar="DURATION",
        help="move windows in such steps, shorter than they are, which bounds their memory "
        "(default: exact)",
    )
    group.add_argument(
        "--close-after-no-traffic",
        metavar="DURATION",
        help="expire an incident once its endpoint had no request for so long, and its "
        "window has emptied (default: never)",
    )


def _add_run(group: Group) -> None:
    group.add_argument("--strict", action="store_true", help="stop at the first malformed line")
    group.add_argument(
        "--rejects", metavar="FILE", help="write malformed lines there, as JSON lines"
    )
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="go on from there if it exists, and keep it up to date; removed once all is done",
    )
    group.add_argument(
        "--checkpoint-every",
        metavar="DURATION",
        help="how often it is written, and so what an interrupt costs at most, which writes none "
        "itself (default: 10s)",
    )
    group.add_argument(
        "--workers",
        metavar="N",
        type=number_or_text,
        help="how many share the endpoints; the answer is the same (default: 1)",
    )
    group.add_argument(
        "--backend",
        metavar="NAME",
        help="python, compiled (which needs slomon[replay]), or auto: compiled if it is installed "
        "(default); the answer is the same",
    )
    group.add_argument(
        "--log-level",
        metavar="LEVEL",
        choices=("debug", "info", "warning", "error", "critical"),
        default="info",
        help="least level of what is logged to stderr (default: %(default)s)",
    )
    group.add_argument(
        "--no-progress",
        dest="progress",
        action="store_false",
        default=True,
        help="no progress bar, which otherwise shows where stderr is a terminal",
    )


def _add_answers(group: Group) -> None:
    group.add_argument(
        "--json",
        action="store_true",
        default=False,
        help="print one JSON object: mttr, api_histogram, incident_details, accounting",
    )
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=parse_path,
        default=None,
        help="write the answers there, not to stdout",
    )
    group.add_argument(
        "--report",
        metavar="FILE",
        type=parse_path,
        default=None,
        help="write the report there: one HTML page that opens offline",
    )
    add_page_options(group)


def _add_output(group: Group) -> None:
    group.add_argument(
        "--incidents",
        metavar="FILE",
        type=parse_path,
        default=None,
        help="write a record of each incident there, in the order in which they opened in the "
        "stream: JSON lines, or CSV or Parquet where the name ends with .csv or .parquet",
    )
    group.add_argument(
        "--stale-after",
        metavar="DURATION",
        default="1d",
        help="a deploy that is older as an endpoint breaks is not blamed with certainty (default: "
        "%(default)s)",
    )
    group.add_argument(
        "--fail-on",
        metavar="WHAT",
        choices=("incidents",),
        default=None,
        help="incidents: exit with 3 if there are any",
    )


def add_report(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add the verb to those of the command."""
    output = add_verb(
        verbs,
        "report",
        run_report,
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

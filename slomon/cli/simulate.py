"""`main.py`: runs slomon on a simulated event stream, or on a recorded one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TextIO

from slomon.api import get_service_monitor
from slomon.cli.process import FAILED, FINE, MISUSED
from slomon.cli.replay import check_not_stdout, show_literals
from slomon.cli.shared_arguments import (
    add_log_level,
    add_page_options,
    check_page_wanted,
    choose_page,
    configure_logging,
    flag,
    parse_count,
    parse_path,
)
from slomon.core.service_monitor import ServiceMonitor
from slomon.errors import ConfigurationError, OptionError, SlomonError
from slomon.example_streams import SimulatedStream, open_recording
from slomon.files import OutputFile, write_lines
from slomon.log_replay.replay import replay
from slomon.options import distinct_paths, list_options
from slomon.pipeline.stream import EventStream
from slomon.text import quote


def main(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    """
    Run the pipeline on a simulated or a recorded stream, and print the three answers, each as a
    Python literal on a line of its own. Returns the exit code: 0 success, 1 a runtime error, 2
    wrong usage or configuration. Argparse raises SystemExit if the usage is wrong.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if (arguments.events is None) != (arguments.info is None):
        parser.error("--events and --info go together")
    configure_logging(arguments.log_level, stderr)
    try:
        check_not_stdout(stdout, {"report": arguments.report})
        write_lines(show_literals(_consume(arguments)), stdout, "standard output")
    except OptionError as error:
        print(f"error: {error.show(flag)}", file=stderr)
        return MISUSED
    except ConfigurationError as error:
        where = f"{arguments.info}: " if arguments.info else ""
        print(f"error: {where}{error}", file=stderr)
        return MISUSED
    except BrokenPipeError:
        raise
    except (SlomonError, OSError) as error:
        print(f"error: {error}", file=stderr)
        return FAILED
    return FINE


def _consume(arguments: argparse.Namespace) -> ServiceMonitor:
    """Consume the stream, and write the report if `--report` is given."""
    check_page_wanted(arguments)
    if arguments.report is None:
        with _stream(arguments) as stream:
            return get_service_monitor(stream, fail_status=arguments.fail_status)
    write = choose_page(arguments)
    inputs = filter(None, (arguments.events, arguments.info))
    distinct_paths({"report": arguments.report}, inputs)
    with OutputFile(arguments.report) as report, _stream(arguments) as stream:
        monitor = get_service_monitor(stream, fail_status=arguments.fail_status, sli_series=True)
        write(monitor, report)
    return monitor


def _stream(arguments: argparse.Namespace) -> AbstractContextManager[EventStream]:
    if arguments.events is not None:
        return open_recording(arguments.events, arguments.info)
    simulated = SimulatedStream(
        seed=arguments.seed,
        max_events=arguments.max_events,
        prob_bug=arguments.prob_bug,
        prob_error=arguments.prob_error,
    )
    return nullcontext(simulated)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="Report which commit broke which endpoint, when, which commit fixed it, and "
        "how long repair took. Reads a simulated event stream, or a recorded one if --events and "
        "--info are given. Prints the MTTR, the number of incidents of each API and their details, "
        "each as a Python literal on a line of its own.",
    )
    simulated = parser.add_argument_group("simulated stream")
    simulated.add_argument(
        "--seed",
        metavar="N",
        type=int,
        default=1337,
        help="the same seed gives the same stream (default: %(default)s)",
    )
    simulated.add_argument(
        "--max-events",
        metavar="N",
        type=parse_count,
        default=100_000,
        help="the number of requests and changes (default: %(default)s)",
    )
    simulated.add_argument(
        "--prob-bug",
        metavar="P",
        type=_probability,
        default=0.1,
        help="the probability that a change breaks a healthy API (default: %(default)s)",
    )
    simulated.add_argument(
        "--prob-error",
        metavar="P",
        type=_probability,
        default=0.05,
        help="the probability that a broken API fails a request (default: %(default)s)",
    )
    recorded = parser.add_argument_group("recorded stream")
    recorded.add_argument(
        "--events",
        metavar="FILE",
        type=parse_path,
        help="a file of events, one JSON object a line",
    )
    recorded.add_argument(
        "--info", metavar="FILE", type=parse_path, help="a JSON file that lists the endpoints"
    )
    judgement = parser.add_argument_group("judgement")
    judgement.add_argument(
        "--fail-status",
        metavar="LIST",
        default=None,
        help=list_options(replay)["fail_status"].help,
    )
    report = parser.add_argument_group("report")
    report.add_argument(
        "--report",
        metavar="FILE",
        type=parse_path,
        help="write the report to this file: one HTML page that opens offline",
    )
    add_page_options(report)
    add_log_level(parser)
    return parser


def _probability(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (value := float(text)) <= 1:
            return value
    raise argparse.ArgumentTypeError(f"{quote(text)}; allowed: a probability, from 0 to 1")

"""
Benchmarks, to be run by hand on a quiet machine:

    python scripts/bench.py stream      an event stream, against a plain loop over the same dicts
    python scripts/bench.py replay      a log file, against DuckDB, Polars, chDB, a plain loop, wc
    python scripts/bench.py live        a watched service, against the same service unwatched
    python scripts/bench.py latency     a live monitor: how soon it reports, whether it counts all
    python scripts/bench.py blame       attribution in worlds with known causes, against plain rules
    python scripts/bench.py spark       a cluster of Spark, with one executor and with two
    python scripts/bench.py data DIR    no benchmark: writes a log and its endpoints

`replay`, `spark` and `data` need numpy, and `spark` needs `slomon[spark,replay]` and Java. `replay`
leaves out duckdb, polars or chdb if it is not installed. `live` needs uvicorn, httptools,
Starlette and wrk.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Collection
from contextlib import nullcontext
from pathlib import Path

from peers import live
from peers.case import CASES
from peers.replay import report
from peers.tool import TOOLS, explain_missing

PARSERS = ["h11", "httptools"]
SPARK_CASES = ["logs", "one-log", "table", "files"]
TOOL_NAMES = ", ".join(TOOLS)


def measure_stream(arguments: argparse.Namespace) -> None:
    from peers import stream  # noqa: PLC0415 - it needs slomon, the others don't

    if arguments.memory:
        stream.report_memory()
    else:
        stream.report_speed(arguments.rounds, arguments.largest)


def measure_replay(arguments: argparse.Namespace) -> None:
    tools = [TOOLS[name] for name in arguments.only or TOOLS]
    missing = {tool: text for tool in tools if (text := explain_missing(tool))}
    if arguments.only and missing:
        sys.exit("\n".join(missing.values()))
    tools = [tool for tool in tools if tool not in missing]
    print(*(f"skipped: {text}" for text in missing.values()), sep="\n", file=sys.stderr)
    if arguments.cores:
        cores = sorted(os.sched_getaffinity(0))[: arguments.cores]
        os.sched_setaffinity(0, cores)  # inherited by the processes of the tools
    given = arguments.data and nullcontext(arguments.data)
    with given or tempfile.TemporaryDirectory() as data:
        for name in arguments.cases:
            case = CASES[name](Path(data).resolve(), arguments.lines, arguments.endpoints)
            report(case, tools, arguments.rounds)


def measure_live(arguments: argparse.Namespace) -> None:
    if arguments.memory:
        live.report_memory(arguments.requests, arguments.parsers[0])
    else:
        live.report_cost(arguments.rounds, arguments.seconds, arguments.parsers)


def measure_latency(arguments: argparse.Namespace) -> None:
    from peers import latency  # noqa: PLC0415 - it needs slomon, the others don't

    if arguments.calls:
        latency.report_calls(arguments.calls)
    else:
        latency.report_latency(arguments.rate, arguments.seconds)


def measure_blame(arguments: argparse.Namespace) -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent))  # the worlds are in tests/
    from peers import blame  # noqa: PLC0415 - it needs slomon, the others don't

    blame.report(arguments.seed, arguments.worlds, arguments.processes, observer=arguments.observer)


def measure_spark(arguments: argparse.Namespace) -> None:
    from peers import spark  # noqa: PLC0415 - it needs numpy

    given = arguments.data and nullcontext(arguments.data)
    with given or tempfile.TemporaryDirectory() as data:
        load = spark.Load(Path(data).resolve(), arguments.logs, arguments.lines)
        spark.report(
            *(load, arguments.cases, arguments.executors, arguments.rounds),
            pinned=arguments.pinned,
        )


def write_data(arguments: argparse.Namespace) -> None:
    from peers.logfile import write_log  # noqa: PLC0415 - it needs numpy

    if arguments.folder.exists():
        sys.exit(f"{arguments.folder} is there already; allowed: a new folder")
    options = vars(arguments).copy()
    del options["run"]
    write_log(**options)


def name_list(allowed: Collection[str]) -> Callable[[str], list[str]]:
    def split(text: str) -> list[str]:
        names = text.split(",")
        if unknown := sorted(set(names) - set(allowed)):
            raise argparse.ArgumentTypeError(
                f"{', '.join(unknown)}; allowed: {', '.join(allowed)}, with commas between"
            )
        return names

    return split


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    stream = commands.add_parser("stream", help="an event stream")
    stream.set_defaults(run=measure_stream)
    stream.add_argument("--rounds", type=int, default=5, help="timed pairs per row")
    stream.add_argument("--largest", type=int, default=2_000_000, help="events of the largest row")
    stream.add_argument(
        "--memory", action="store_true", help="only: the memory of a million endpoints"
    )

    replay = commands.add_parser("replay", help="a log file")
    replay.set_defaults(run=measure_replay)
    replay.add_argument("--rounds", type=int, default=5, help="timed runs of each tool")
    add_sizes(replay)
    replay.add_argument("--cores", type=int, help="processor cores for each tool")
    replay.add_argument(
        "--cases", type=name_list(CASES), default=list(CASES), help=", ".join(CASES)
    )
    replay.add_argument(
        "--only", type=name_list(TOOLS), default=[], help=f"the tools (default: all): {TOOL_NAMES}"
    )
    replay.add_argument(
        "--data", type=Path, metavar="DIR", help="where the logs are kept and reused"
    )

    live_parser = commands.add_parser("live", help="a watched service")
    live_parser.set_defaults(run=measure_live)
    live_parser.add_argument("--rounds", type=int, default=12, help="timed pairs per row")
    live_parser.add_argument(
        "--seconds", type=int, default=1, help="duration of the load on each server"
    )
    live_parser.add_argument(
        "--parsers", type=name_list(PARSERS), default=PARSERS, help=", ".join(PARSERS)
    )
    live_parser.add_argument(
        "--memory", action="store_true", help="only: the memory of the watched service"
    )
    live_parser.add_argument(
        "--requests", type=int, default=5_000_000, help="number of requests for --memory"
    )

    latency = commands.add_parser("latency", help="how soon a live monitor reports")
    latency.set_defaults(run=measure_latency)
    latency.add_argument("--rate", type=int, default=5000, help="requests a second")
    latency.add_argument("--seconds", type=float, default=10)
    latency.add_argument(
        "--calls", type=int, help="only: this many calls, and how they were counted"
    )

    blame = commands.add_parser("blame", help="attribution in worlds with known causes")
    blame.set_defaults(run=measure_blame)
    blame.add_argument("--worlds", type=int, default=300)
    blame.add_argument(
        "--seed", type=int, default=1, help="of all worlds: judge on another than you built on"
    )
    blame.add_argument("--processes", type=int, default=1)
    blame.add_argument("--observer", action="store_true", help="what the events can tell at most")

    spark = commands.add_parser("spark", help="a cluster of Spark")
    add_spark_options(spark)

    data = commands.add_parser("data", help="a log and its endpoints")
    data.set_defaults(run=write_data)
    data.add_argument("folder", type=Path, metavar="DIR", help="a new folder")
    add_sizes(data)
    data.add_argument(
        "--format", choices=["plain", "combined", "json"], default="plain", dest="form"
    )
    data.add_argument("--slo", type=float, help="one SLO for all endpoints, instead of several")
    data.add_argument("--zipf", action="store_true", help="most requests to a few endpoints")
    data.add_argument("--changes", action="store_true", help="also the deploys")
    data.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def add_spark_options(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=measure_spark)
    parser.add_argument("--logs", type=int, default=8)
    parser.add_argument("--lines", type=int, default=1_000_000, help="of each log")
    parser.add_argument("--executors", type=int, nargs="+", default=[1, 2], help="of one core each")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds, after three others")
    parser.add_argument(
        "--pinned", action="store_true", help="give a cluster as many cores as it has executors"
    )
    parser.add_argument(
        "--cases", type=name_list(SPARK_CASES), default=SPARK_CASES, help=", ".join(SPARK_CASES)
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="where the logs are kept and reused"
    )


def add_sizes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--endpoints", type=int, default=1_000)


if __name__ == "__main__":
    arguments = parse()
    arguments.run(arguments)

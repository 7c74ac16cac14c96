"""
Measures replays on a cluster of Spark on this machine: executors of one core each, which read the
same accesses as several logs, as one log, and as a table in Parquet files.

The first rounds start workers and compile; they are not measured. CPU is that of all processes of
the cluster and of the driver.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

# Ignored if types are checked without the packages that only benchmarks need.
import numpy as np  # type: ignore[import-not-found, unused-ignore]

from peers.logfile import write_log
from peers.process import SCRIPTS
from peers.traffic import Fleet, simulate

CASES: Final = ("logs", "one-log", "table")
_WARM_UP: Final = 3
_EPOCH_MICROSECONDS: Final = 1_543_443_091_000_000
_TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one replay took, in seconds: of the clock, and CPU in Java and in Python."""

    wall: float
    java: float
    python: float


def report(  # noqa: PLR0913 (the options of the command)
    data: Path,
    cases: list[str],
    workers: list[int],
    *,
    logs: int,
    lines: int,
    rounds: int,
    memory: int,
) -> None:
    """Print a row for each case and number of executors."""
    prepare(data, logs, lines)
    total = logs * lines
    print(f"{total:,} accesses, {rounds} rounds each, after {_WARM_UP} others")
    print(
        f"{'':10}{'executors':>10}{'median':>9}{'min':>8}{'max':>8}{'accesses/s':>12}"
        f"{'java':>7}{'python':>8}{'scaling':>9}   (CPU seconds for a million accesses)"
    )
    for case in cases:
        alone = None
        for count in workers:
            costs = _measure_apart(data, case, count, rounds=rounds, memory=memory)
            wall = statistics.median(one.wall for one in costs)
            alone = alone or wall
            java, python = (
                statistics.median(getattr(one, name) for one in costs) * 1e6 / total
                for name in ("java", "python")
            )
            walls = [one.wall for one in costs]
            print(
                f"{case:10}{count:10}{wall:8.2f}s{min(walls):7.2f}s{max(walls):7.2f}s"
                f"{total / wall:12,.0f}{java:7.2f}{python:8.2f}{alone / wall:9.2f}",
                flush=True,
            )


def prepare(data: Path, logs: int, lines: int) -> None:
    """Write the files that don't exist yet."""
    for number in range(1, logs + 1):
        folder = data / f"host-{number}"
        if not folder.exists():
            write_log(
                folder,
                "combined",
                lines=lines,
                endpoints=1000,
                slo=None,
                zipf=False,
                changes=True,
                seed=number,
            )
        table = folder / "access.parquet"
        if not table.exists():
            _write_table(table, lines, number)
    whole = data / "access.log"
    if not whole.exists():
        with whole.open("wb") as file:
            for number in range(1, logs + 1):
                file.write((data / f"host-{number}" / "access.log").read_bytes())


def measure(data: Path, case: str, master: str, rounds: int) -> list[Cost]:
    """Replay a case on a new cluster."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 (others don't need it)

    from slomon.integrations.spark import replay_spark  # noqa: PLC0415

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("slomon")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.executorEnv.PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    changes = str(data / "host-1/changes.jsonl")
    options: dict[str, Any] = {
        "endpoints": str(data / "host-1/endpoints.json"),
        "changes": changes,
    }

    def replay() -> None:
        logs: Any = str(data / "access.log")
        if case == "logs":
            logs = sorted(map(str, data.glob("host-*/access.log")))
        elif case == "table":
            logs = spark.read.parquet(*map(str, data.glob("host-*/access.parquet")))
        replay_spark(spark, logs, **options)

    try:
        for _ in range(_WARM_UP):
            replay()
        return [_measure(replay) for _ in range(rounds)]
    finally:
        spark.stop()


def _measure_apart(
    data: Path, case: str, executors: int, *, rounds: int, memory: int
) -> list[Cost]:
    """Measure in a process of its own."""
    master = f"local-cluster[{executors},1,{memory}]"
    call = f"run({str(data)!r}, {case!r}, {master!r}, {rounds})"
    done = subprocess.run(
        [sys.executable, "-c", f"from peers.spark import run; {call}"],
        env=os.environ | {"PYTHONPATH": f"{SCRIPTS.parent}:{SCRIPTS}"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{case} on {master}: exit {done.returncode}")
    return [Cost(**one) for one in json.loads(done.stdout.splitlines()[-1])]


def run(data: str, case: str, master: str, rounds: int) -> None:
    """Measure, and print the costs for the process that started this one."""
    print(json.dumps([asdict(one) for one in measure(Path(data), case, master, rounds)]))


def _measure(replay: Callable[[], object]) -> Cost:
    before, began = _read_cpu(), time.perf_counter()
    replay()
    wall, after = time.perf_counter() - began, _read_cpu()
    return Cost(wall, *(after[name] - before[name] for name in ("java", "python")))


def _read_cpu() -> dict[str, float]:
    """The CPU seconds of this process and of all below it, by program."""
    parents: dict[int, tuple[int, str, float]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue  # it has ended
        name = text[text.index("(") + 1 : text.rindex(")")]
        fields = text[text.rindex(")") + 2 :].split()
        seconds = sum(map(int, fields[11:15])) / _TICK
        parents[int(path.parent.name)] = int(fields[1]), name, seconds
    spent = {"java": 0.0, "python": 0.0}
    for process in _list_below(parents, os.getpid()):
        _, name, seconds = parents[process]
        spent["java" if name == "java" else "python"] += seconds
    return spent


def _list_below(parents: dict[int, tuple[int, str, float]], process: int) -> Iterator[int]:
    yield process
    for child, (parent, _, _) in parents.items():
        if parent == process:
            yield from _list_below(parents, child)


def _write_table(path: Path, lines: int, seed: int) -> None:
    import pyarrow as pa  # noqa: PLC0415 (others don't need it)
    from pyarrow import parquet  # noqa: PLC0415

    random = np.random.default_rng(seed)
    fleet = Fleet(1000, None, random)
    verbs = np.array([entry["verb"] for entry in fleet.entries])
    paths = np.array([entry["resource"] for entry in fleet.entries])
    tables = [
        pa.table(
            {
                "time": pa.array(
                    _EPOCH_MICROSECONDS + requests.stamps * 100, pa.timestamp("us", "UTC")
                ),
                "method": verbs[requests.keys],
                "path": paths[requests.keys],
                "status": np.where(requests.failed, 500, 200).astype(np.int32),
            }
        )
        for requests in simulate(fleet, lines, random, zipf=False)
    ]
    temporary = path.with_suffix(".tmp")
    parquet.write_table(pa.concat_tables(tables), temporary, row_group_size=1 << 18)
    temporary.rename(path)

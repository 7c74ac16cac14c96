"""
Measures replays on a cluster of Spark on this machine: executors of one core each, which read the
same accesses as several logs, as one log, as a DataFrame of Parquet files, and as these files.

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

_WARM_UP: Final = 3
_MEMORY: Final = 1024  # MiB of an executor
_FAST_START: Final = "-XX:TieredStopAtLevel=1"  # Java compiles less: see docs/spark.md
_EPOCH_MICROSECONDS: Final = 1_543_443_091_000_000
_TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one replay took in seconds: of the clock, and CPU in Java, in tasks, on the driver."""

    wall: float
    java: float
    python: float
    driver: float


@dataclass(frozen=True, slots=True)
class Load:
    """What is replayed: `logs` logs of `lines` lines each, in the folder `data`."""

    data: Path
    logs: int
    lines: int

    @property
    def accesses(self) -> int:
        return self.logs * self.lines

    def list_files(self, name: str) -> list[str]:
        return [str(self.data / f"host-{n}" / name) for n in range(1, self.logs + 1)]


def report(
    load: Load, cases: list[str], executors: list[int], rounds: int, *, pinned: bool
) -> None:
    """
    Print a row for each case and number of executors. `pinned`: driver and executors together have
    as many cores as there are executors.
    """
    prepare(load)
    cores = sorted(os.sched_getaffinity(0))
    print(
        f"{load.accesses:,} accesses; java, python and driver are CPU seconds for a million\n"
        f"{'':8}{'executors':>10}{'median':>9}{'min':>8}{'max':>8}{'accesses/s':>12}"
        f"{'java':>7}{'python':>8}{'driver':>8}{'scaling':>9}"
    )
    for case in cases:
        alone = 0.0
        for count in executors:
            if pinned:
                os.sched_setaffinity(0, cores[:count])  # inherited by the processes of the cluster
            costs = _measure_apart(load, case, count, rounds)
            walls = [one.wall for one in costs]
            wall = statistics.median(walls)
            alone = alone or wall
            columns = zip(*((one.java, one.python, one.driver) for one in costs), strict=True)
            java, python, driver = (statistics.median(one) * 1e6 / load.accesses for one in columns)
            print(
                f"{case:8}{count:10}{wall:8.2f}s{min(walls):7.2f}s{max(walls):7.2f}s"
                f"{load.accesses / wall:12,.0f}{java:7.2f}{python:8.2f}{driver:8.2f}"
                f"{alone / wall:9.2f}",
                flush=True,
            )


def prepare(load: Load) -> None:
    """Write the files that don't exist yet."""
    for number, table in enumerate(map(Path, load.list_files("access.parquet")), 1):
        if not table.parent.exists():
            size: dict[str, int] = {"lines": load.lines, "endpoints": 1000, "seed": number}
            write_log(table.parent, "combined", **size, slo=None, zipf=False, changes=True)
        if not table.exists():
            _write_table(table, load.lines, number)
    whole = load.data / "access.log"
    if not whole.exists():
        with whole.open("wb") as file:
            for log in load.list_files("access.log"):
                file.write(Path(log).read_bytes())


def measure(load: Load, case: str, master: str, rounds: int) -> list[Cost]:
    """Replay a case on a new cluster."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 (other benchmarks don't need it)

    from slomon.integrations.spark import replay_spark  # noqa: PLC0415

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("slomon")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.executorEnv.PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "spark.driver.extraJavaOptions": "" if case == "table" else _FAST_START,
        "spark.executor.extraJavaOptions": "" if case == "table" else _FAST_START,
    }.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    host = load.data / "host-1"
    options: dict[str, Any] = {
        "endpoints": str(host / "endpoints.json"),
        "changes": str(host / "changes.jsonl"),
    }
    parquet = load.list_files("access.parquet")
    sources: dict[str, Any] = {
        "logs": load.list_files("access.log"),
        "one-log": str(load.data / "access.log"),
        "table": spark.read.parquet(*parquet),
        "files": parquet,
    }

    def replay() -> None:
        replay_spark(spark, sources[case], **options)

    try:
        for _ in range(_WARM_UP):
            replay()
        return [_measure(replay) for _ in range(rounds)]
    finally:
        spark.stop()


def _measure_apart(load: Load, case: str, executors: int, rounds: int) -> list[Cost]:
    """Measure in a process of its own."""
    master = f"local-cluster[{executors},1,{_MEMORY}]"
    call = f"run({str(load.data)!r}, {load.logs}, {load.lines}, {case!r}, {master!r}, {rounds})"
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


def run(data: str, logs: int, lines: int, *arguments: Any) -> None:
    """Measure, and print the costs for the process that started this one."""
    costs = measure(Load(Path(data), logs, lines), *arguments)
    print(json.dumps([asdict(one) for one in costs]))


def _measure(replay: Callable[[], object]) -> Cost:
    before, began = _read_cpu(), time.perf_counter()
    replay()
    wall, after = time.perf_counter() - began, _read_cpu()
    return Cost(wall, *(after[name] - before[name] for name in ("java", "python", "driver")))


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
    spent = {"java": 0.0, "python": 0.0, "driver": 0.0}
    for process in _list_below(parents, os.getpid()):
        _, name, seconds = parents[process]
        kind = "driver" if process == os.getpid() else "java" if name == "java" else "python"
        spent[kind] += seconds
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

"""
A cluster of Spark on this machine: a driver, and two executors that are processes of their own.
Without pyspark or Java its tests are skipped, but with `SLOMON_REQUIRE=spark`, which
`scripts/spark` sets, they fail.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parent.parent.parent
GUARD_SECONDS: Final = 600.0
QUICK_JAVA: Final = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Compiled a little and collected by one thread, Java needs half the time for work this short."""


def require_spark() -> None:
    """Skip the test if there is no Spark; fail if it is required."""
    wanted = ("pyspark", "pandas", "pyarrow", "google.protobuf")
    missing = [name for name in wanted if not _is_installed(name)]
    missing += [] if shutil.which("java") else ["Java"]
    if missing:
        reason = f"{missing[0]} is not installed; scripts/spark does that"
        if "spark" in os.environ.get("SLOMON_REQUIRE", ""):
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def start_cluster(master: str = "local-cluster[2,1,1024]") -> Iterator[Any]:
    """A session of a new cluster."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 (it may not be installed)

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.master(master).appName("slomon")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "OFF",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": QUICK_JAVA,
        "spark.executor.extraJavaOptions": QUICK_JAVA,
        "spark.executorEnv.PYTHONPATH": str(ROOT),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()


def kill_executor() -> None:
    """Kill one of the executors that this process has started."""
    victim = min(find_executors(os.getpid()))
    os.kill(victim, signal.SIGKILL)


def find_executors(process: int) -> list[int]:
    """The processes below a process that are executors."""
    executor, java = b"CoarseGrainedExecutorBackend", b"java"
    commands = ((child, _read(child, "cmdline")) for child in _list_below(process))
    return [child for child, command in commands if executor in command and java in command]


def find_reading_executor(folder: Path) -> int | None:
    """An executor of this process with a task that reads a file in a folder; None if none does."""
    for executor in find_executors(os.getpid()):
        for process in _list_below(executor):
            try:
                opened = [link.readlink() for link in Path(f"/proc/{process}/fd").iterdir()]
            except OSError:
                continue  # it has ended, or closed a file
            if any(path.is_relative_to(folder) for path in opened):
                return executor
    return None


def _list_below(process: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (status := _read(int(entry.name), "stat")):
            parent = int(status.rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [process]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _read(process: int, name: str) -> bytes:
    """What the system says of a process; nothing if it has ended."""
    try:
        return Path(f"/proc/{process}/{name}").read_bytes()
    except OSError:
        return b""


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Return once something holds. Fails if it never does."""
    deadline = time.monotonic() + GUARD_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {GUARD_SECONDS:g} s: {what}"
        time.sleep(0.02)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False

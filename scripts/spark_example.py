"""
Replays the day of the demo on a small cluster of Apache Spark on this machine, and compares the
incidents with those of a replay without Spark:

    python scripts/spark_example.py [--master 'local-cluster[2,1,1024]'] [LOG ...]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from pyspark.sql import SparkSession

import slomon
from slomon.example_logs import make_day
from slomon.integrations.spark import replay_spark, to_spark


def main() -> int:
    """Returns the exit code: 1 if the bytes differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", nargs="*", metavar="LOG", help="default: the day of the demo")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--rounds", type=int, default=2, help="the first one starts workers")
    arguments = parser.parse_args()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(arguments.master).appName("slomon")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    builder = builder.config("spark.executorEnv.PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    spark = builder.getOrCreate()
    with tempfile.TemporaryDirectory() as folder:
        logs: list[str] = arguments.logs
        changes: str | None = None
        if not logs:
            for name, content in make_day(1).files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            logs = [f"{folder}/web-1", f"{folder}/web-2"]
            changes = f"{folder}/deploys.json"
        for _ in range(arguments.rounds):
            began = time.perf_counter()
            monitor = replay_spark(spark, logs, changes=changes)
            seconds = time.perf_counter() - began
            lines = monitor.accounting.lines
            print(f"Spark: {lines:,} lines in {seconds:.1f} s, {lines / seconds:,.0f} a second")
        alone = slomon.replay(logs, changes=changes)
    to_spark(spark, monitor).select("service", "verb", "resource", "state", "start").show()
    spark.stop()
    is_equal = monitor.records() == alone.records()
    print("equal to a replay without Spark:", is_equal)
    return 0 if is_equal else 1


if __name__ == "__main__":
    sys.exit(main())

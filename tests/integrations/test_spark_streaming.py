"""A watch on a cluster of Spark finds what a replay finds, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slomon.errors import ConfigurationError
from slomon.log_replay.replay import replay
from tests.integrations.spark_cluster import ROOT, kill_executor, start_cluster, wait_until
from tests.integrations.spark_worlds import WorldFiles, list_records, write_table, write_worlds

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

FILES = 4
"""Files of the stream; each is a micro-batch."""


def write_stream(world: WorldFiles, folder: Path) -> None:
    """Write the accesses of a world as files of a stream, in their order."""
    folder.mkdir()
    lines = list(enumerate(Path(world.log).read_text().splitlines()))
    size = len(lines) // FILES + 1
    for number in range(FILES):
        path = folder / f"{number}.parquet"
        write_table(path, lines[number * size : (number + 1) * size])
        os.utime(path, (1e9 + number, 1e9 + number))


def open_stream(spark: Any, folder: Path) -> Any:
    schema = spark.read.parquet(str(folder)).schema
    return spark.readStream.schema(schema).option("maxFilesPerTrigger", 1).parquet(str(folder))


def list_options(world: WorldFiles, folder: Path) -> dict[str, Any]:
    return {
        "output": str(folder / "incidents"),
        "checkpoint": str(folder / "checkpoint"),
        "changes": world.changes,
        "shards": 2,
        **world.options,
    }


def start_watch(spark: Any, world: WorldFiles, folder: Path) -> Any:
    """Watch the stream to its present end; the query."""
    from slomon.integrations.spark import watch_spark  # noqa: PLC0415

    accesses = open_stream(spark, folder / "stream")
    options = list_options(world, folder)
    return watch_spark(spark, accesses, trigger={"availableNow": True}, **options)


def main(folder: str, seed: str) -> None:
    """A driver of its own, which is killed."""
    world = write_worlds(Path(folder), [int(seed)])
    with start_cluster("local[2]") as spark:
        start_watch(spark, world, Path(folder)).awaitTermination()


def check_result(spark: Any, world: WorldFiles, folder: Path) -> None:
    """What was found is what a replay finds, and each incident was written once."""
    from slomon.integrations.spark import read_spark  # noqa: PLC0415

    options = list_options(world, folder)
    watched = read_spark(spark, **options)
    alone = replay(world.log, changes=world.changes, **world.options)
    assert alone.incidents
    assert list_records(watched, with_ids=False) == list_records(alone, with_ids=False)
    assert watched.accounting == alone.accounting
    output = spark.read.parquet(options["output"])
    keys = [tuple(row) for row in output.select("shard", "position", "state").collect()]
    assert len(set(keys)) == len(keys)


def test_a_stream_with_endpoints_that_are_found_gives_the_answer_of_a_replay(
    spark: Any, tmp_path: Path
) -> None:
    world = write_worlds(tmp_path, [3], finds=True)
    world.options["group_paths"] = "off"
    write_stream(world, tmp_path / "stream")

    start_watch(spark, world, tmp_path).awaitTermination()

    check_result(spark, world, tmp_path)


def test_killed_drivers_and_a_killed_executor_change_nothing(spark: Any, tmp_path: Path) -> None:
    world = write_worlds(tmp_path, [2])
    write_stream(world, tmp_path / "stream")

    def count_commits() -> int:
        folder = tmp_path / "checkpoint" / "commits"
        return len([one for one in folder.glob("*") if one.name.isdigit()])

    def wait_for(commits: int) -> None:
        wait_until(lambda: count_commits() >= commits, f"{commits} micro-batches are committed")

    for commits in (1, 2):
        with start_driver(tmp_path) as driver:
            wait_for(commits)
            os.killpg(driver.pid, signal.SIGKILL)
    assert count_commits() < FILES - 1
    query = start_watch(spark, world, tmp_path)
    wait_for(FILES - 1)
    kill_executor()
    query.awaitTermination()

    check_result(spark, world, tmp_path)


def test_a_stream_whose_times_are_numbers_is_an_error(spark: Any) -> None:
    from slomon.integrations.spark import watch_spark  # noqa: PLC0415

    columns = "time long, method string, path string, status int"
    table = spark.createDataFrame([(1, "GET", "/a", 200)], columns)

    with pytest.raises(ConfigurationError, match="'time' is bigint; allowed: a timestamp"):
        watch_spark(spark, table, output="o", checkpoint="c")


def start_driver(folder: Path) -> subprocess.Popen[bytes]:
    """Start `main` in a process group of its own."""
    script = f"from tests.integrations.test_spark_streaming import main; main({str(folder)!r}, '2')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    return subprocess.Popen(command, env=environment, start_new_session=True)

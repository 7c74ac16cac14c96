"""A replay on a cluster of Spark gives the bytes of one on this machine."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path
from typing import Any, Final

import pytest

from slomon.core.events import RejectedLine
from slomon.errors import ConfigurationError, OptionError
from slomon.log_replay.monitor import ReplayMonitor
from slomon.log_replay.replay import replay
from tests.histories import morning
from tests.integrations.spark_cluster import ROOT, find_reading_executor, require_spark
from tests.integrations.spark_worlds import list_records, write_worlds

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

SAMPLES: Final = sorted(str(path) for path in (ROOT / "tests/data/samples").iterdir())


def replay_spark(spark: Any, logs: Any, **options: Any) -> ReplayMonitor:
    from slomon.integrations.spark import replay_spark as run  # noqa: PLC0415

    return run(spark, logs, **options)


def check_equal(distributed: ReplayMonitor, alone: ReplayMonitor) -> None:
    assert list_records(distributed) == list_records(alone)
    assert distributed.accounting == alone.accounting
    assert distributed.warnings == alone.warnings
    assert distributed.problems == alone.problems
    assert distributed.incident_details() == alone.incident_details()
    ours, theirs = distributed.summary(), alone.summary()
    assert (ours.began, ours.ended) == (theirs.began, theirs.ended)
    assert ours.overall == theirs.overall
    assert ours.deploys == theirs.deploys
    assert set(ours.endpoints) == set(theirs.endpoints)


@pytest.mark.parametrize("group", range(4))
def test_worlds_as_logs_and_as_a_table_give_the_same_bytes(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: int
) -> None:
    from slomon.integrations.spark import parts  # noqa: PLC0415

    world = write_worlds(tmp_path, range(5 * group, 5 * group + 5), finds=group % 2 == 1)
    options = {**world.options, "changes": world.changes}

    monkeypatch.setattr(parts, "_LEAST", Path(world.logs[0]).stat().st_size // 2)
    logs = replay_spark(spark, world.logs, shards=2 + group, **options)
    files = [world.table] if group < 2 else spark.read.parquet(world.table)
    table = replay_spark(spark, files, **options)

    check_equal(logs, replay(world.logs, **options))
    check_equal(table, replay(world.log, **options))
    assert len(logs.incidents) > 5


def test_a_log_in_parts_gives_the_same_bytes_if_the_newest_time_before_one_is_guessed_wrong(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slomon.integrations.spark import parts  # noqa: PLC0415

    log = tmp_path / "access.log"
    lines = [f"{1000 + number} GET /a {200 + 300 * (number % 50 == 7)}\n" for number in range(9000)]
    lines[100] = lines[100].replace("1100", "90000")  # the lines after it are late
    lines[5000] = "no line\n"
    log.write_text("".join(lines))
    monkeypatch.setattr(parts, "_LEAST", 60_000)
    wrong: list[Any] = []
    find_wrong = parts.find_wrong

    def find(*arguments: Any) -> Any:
        wrong.append(find_wrong(*arguments))
        return wrong[-1]

    monkeypatch.setattr(parts, "find_wrong", find)

    options: dict[str, Any] = {"slo": 0.99, "window": "1m"}
    distributed, alone = replay_spark(spark, str(log), **options), replay(str(log), **options)

    check_equal(distributed, alone)
    assert distributed.rejections == alone.rejections
    assert [len(one) for one in wrong] == [1, 0]


def test_a_task_reads_a_part_of_a_large_log_or_several_small_logs() -> None:
    require_spark()
    from slomon.integrations.spark import parts  # noqa: PLC0415
    from slomon.integrations.spark.tasks import LogPart  # noqa: PLC0415

    def spread(sizes: list[int], task_bytes: int) -> list[list[int]]:
        logs = [LogPart(0, "access.log", 0, size) for size in sizes]
        cut = [part for log in logs for part in parts.cut(log, task_bytes)]
        return [[part.size for part in task] for task in parts.group(cut, task_bytes)]

    assert spread([101, 99, 100], 100) == [[101], [99], [100]]
    assert spread([400], 100) == [[100]] * 4
    assert spread([10, 20, 30, 40, 90], 100) == [[10, 20, 30, 40], [90]]
    assert spread([0, 0], 100) == [[0, 0]]


def test_accesses_at_the_same_time_are_in_the_same_order_in_a_table_and_in_its_files(
    spark: Any, tmp_path: Path
) -> None:
    schema = "time long, method string, path string, status int, host string"
    rows = [
        (number // 7 * 10**9, "GET", f"/{number % 5}", 200 + 300 * (number % 3 == 0), None)
        for number in range(500)
    ]
    table = spark.createDataFrame([*rows, (None, None, "/a", 200, None)], schema)
    folder = tmp_path / "rows"
    table.repartition(2).write.parquet(str(folder))
    paths = sorted(map(str, folder.glob("*.parquet")))

    options: dict[str, Any] = {"slo": 0.9, "window": "20s"}
    files = replay_spark(spark, paths, **options)

    check_equal(files, replay_spark(spark, table, **options))
    assert files.accounting.rejected == 1
    assert files.incidents


@pytest.mark.parametrize(
    "options",
    [
        {"slo": 0.9, "window": "1m"},
        {"slo": 0.9, "window": "1m", "max_endpoints": 7, "group_paths": "off"},
        {"slo": 0.9, "window": "1m", "service_from": "file", "close_after_no_traffic": "1m"},
    ],
)
def test_logs_in_all_formats_give_the_same_bytes(spark: Any, options: dict[str, Any]) -> None:
    check_equal(replay_spark(spark, SAMPLES, **options), replay(SAMPLES, **options))


def test_changes_in_a_log_count_where_they_stand(spark: Any) -> None:
    log = str(ROOT / "tests/data/samples/events.jsonl")

    check_equal(replay_spark(spark, log, slo=0.9), replay(log, slo=0.9))


def test_a_log_that_no_format_reads_is_an_error(spark: Any) -> None:
    log = str(ROOT / "tests/data/samples/application.log")

    with pytest.raises(ConfigurationError, match=r"application\.log: no format reads"):
        replay_spark(spark, log)


def test_an_option_that_a_cluster_does_not_have_is_an_error(spark: Any) -> None:
    with pytest.raises(OptionError, match="no option of replay_spark"):
        replay_spark(spark, SAMPLES, checkpoint="state")


@pytest.mark.usefixtures("spark")
def test_a_session_of_spark_connect_is_an_error() -> None:
    connect = type("SparkSession", (), {"__module__": "pyspark.sql.connect.session"})

    with pytest.raises(
        ConfigurationError, match=r"Spark Connect; allowed: a session of the driver"
    ):
        replay_spark(connect(), SAMPLES)


def test_rows_without_a_time_or_a_status_are_rejected(spark: Any) -> None:
    rows = [(1, "GET", "/a", "200", 1), (None, "GET", "/a", "200", 2), (3, "GET", "/a", "x", 3)]
    table = spark.createDataFrame(
        rows, "time long, method string, path string, status string, order long"
    )

    monitor = replay_spark(spark, table)

    assert (monitor.accounting.accesses, monitor.accounting.rejected) == (1, 2)
    assert monitor.rejections[0] == RejectedLine(
        *("DataFrame", 2, "None GET /a 200 None 2"),
        "it has no time that can be counted; allowed: a timestamp, or a whole number of "
        "nanoseconds since the epoch",
    )


def test_the_incidents_are_a_table_of_spark_with_times_in_microseconds(
    spark: Any, tmp_path: Path
) -> None:
    from slomon.integrations.spark import to_spark  # noqa: PLC0415

    log = tmp_path / "access.log"
    log.write_text("1.000000001 GET /a 200\n1.123456789 GET /a 500\n")
    monitor = replay_spark(spark, str(log))
    table = to_spark(spark, monitor).selectExpr("id", "unix_micros(start) as start")

    (incident,) = monitor.records()
    assert [tuple(row) for row in table.collect()] == [(incident.id, 1_123_456)]


def test_the_example_of_the_documentation_runs(
    spark: Any,  # noqa: ARG001 (the session that the example gets)
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log, _ = morning(tmp_path)
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/spark.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)

    exec(compile(example, "spark.md", "exec"), {})

    alone = replay(log, changes="deploys.csv")
    shown = capsys.readouterr().out
    assert shown.startswith(f"{alone.mttr()} {len(alone.incidents)} {alone.accounting.lines}\n")


def test_a_killed_executor_changes_nothing(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slomon.integrations.spark import parts  # noqa: PLC0415

    monkeypatch.setattr(parts, "_LEAST", 1)  # so that each executor has a task
    world = write_worlds(tmp_path, range(2, 5))
    regex = r"(?P<time>\S+) (?P<method>\S+) (?P<path>\S+) (?P<status>\d+)"  # takes seconds
    options = {**world.options, "changes": world.changes, "regex": regex}
    ended, killed = threading.Event(), threading.Event()

    def kill() -> None:
        while not ended.is_set():
            executor = find_reading_executor(tmp_path)
            if executor is not None:
                os.kill(executor, signal.SIGKILL)
                killed.set()
                return

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        distributed = replay_spark(spark, world.logs, **options)
    finally:
        ended.set()
        killer.join()

    assert killed.is_set()
    check_equal(distributed, replay(world.logs, **options))

"""A log that is there twice counts once, and the result says so."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import slomon
from slomon.log_replay.monitor import ReplayMonitor
from tests.histories import write

LINES = [
    f"192.0.2.1 - - [10/Mar/2025:12:{number // 60:02}:{number % 60:02} +0000] "
    f'"GET /cart HTTP/1.1" {500 if number < 9 else 200} 512\n'
    for number in range(600)
]
TEXT = "".join(LINES).encode()
OTHER_END = TEXT[:-4] + b"513\n"


def replay(*paths: str | Path, **options: object) -> ReplayMonitor:
    return slomon.replay(list(paths), backend="python", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("access.log.1.gz", gzip.compress(TEXT), id="compressed"),
        pytest.param("access.log.1.gz", gzip.compress(TEXT)[:-900], id="compressed in part"),
        pytest.param("access.log.bak", TEXT, id="copied"),
        pytest.param("access.log.bak", TEXT[:9000], id="copied in part"),
        pytest.param("shop.log.gz", gzip.compress(TEXT), id="of another name"),
    ],
)
@pytest.mark.parametrize("as_folder", [False, True])
def test_a_copy_of_a_log_is_left_out(
    tmp_path: Path, name: str, text: bytes, as_folder: bool
) -> None:
    log, copy = write(tmp_path, "access.log.1", TEXT), write(tmp_path, name, text)
    monitor = replay(tmp_path) if as_folder else replay(copy, log)
    assert monitor.accounting.lines == 600
    assert monitor.incident_details() == replay(log).incident_details()
    assert monitor.complete
    (warning,) = monitor.warnings
    assert (warning.code, warning.certain) == ("copied_logs", False)
    assert copy.rpartition("/")[2] in warning.text


def test_of_a_log_and_its_beginning_the_whole_log_is_read(tmp_path: Path) -> None:
    part = write(tmp_path, "a.log", TEXT[:9000])
    rest = [write(tmp_path, "b.log.gz", gzip.compress(TEXT)), write(tmp_path, "c.log", TEXT)]
    monitor = replay(part, *rest)
    assert monitor.accounting.lines == 600
    (warning,) = monitor.warnings
    assert "a.log" in warning.text.partition(" are copies of ")[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "other"),
    [
        pytest.param(TEXT, OTHER_END, id="another end"),
        pytest.param(TEXT, gzip.compress(OTHER_END), id="another end, compressed"),
        pytest.param(LINES[0].encode(), LINES[0].encode(), id="one line of two hosts"),
        pytest.param(b"#\n" * 999 + TEXT, b"#\n" * 999 + OTHER_END, id="the same head"),
    ],
)
def test_logs_that_differ_both_count(tmp_path: Path, text: bytes, other: bytes) -> None:
    logs = write(tmp_path, "a.log", text), write(tmp_path, "b.log", other)
    monitor = replay(*logs)
    assert monitor.accounting.accesses == sum(replay(log).accounting.accesses for log in logs)
    assert monitor.warnings == []


def test_a_copy_is_known_after_an_interruption(tmp_path: Path) -> None:
    state = tmp_path / "state"
    logs = [write(tmp_path, "a.log", TEXT), write(tmp_path, "a.log.gz", gzip.compress(TEXT))]
    whole = replay(*logs, checkpoint=state, checkpoint_every="1ns", keep_checkpoint=True)
    resumed = replay(*logs, checkpoint=state, checkpoint_every="1ns")
    assert state.exists() is False
    assert resumed.warnings == whole.warnings != []
    assert resumed.accounting == whole.accounting

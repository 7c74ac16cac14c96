"""All logs are merged by time, whatever order they are named in and however they were cut."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon import ReplayMonitor, StateFileError, replay
from slomon.core.endpoints import Endpoint
from slomon.log_replay import run
from slomon.log_replay.backend import PythonBackend
from slomon.log_replay.run import Replay
from tests.histories import write
from tests.log_replay.replays import (
    BACKENDS,
    SECOND,
    Opened,
    compiled_backend,
    make_plan,
    told,
    write_access,
)
from tests.strategies import portion

CASES = Path(__file__).parent.parent / "cases"
LIKE = Endpoint("", "-", "", "", 0.8, 3 * SECOND)
BEGIN = 1_700_000_000


def run_case(name: str, *paths: str, **options: Any) -> ReplayMonitor:
    folder = CASES / name
    found = [str(file) for path in paths for file in folder.glob(path)]
    assert found
    return replay(found, changes=folder / "deploys.csv", **options)


@pytest.mark.parametrize("turned", [False, True])
def test_rotated_logs_are_read_from_the_oldest_to_the_newest(turned: bool) -> None:
    names = ["access.log", "access.log.1", "access.log.2.gz"]
    found = run_case("rotated-glob", *(names[::-1] if turned else names))
    assert found.incident_details() == {
        "GET /checkout": [
            {"start": 1780401600.0, "end": 1780403400.0, "fix": "good567", "break": "bad1234"}
        ]
    }
    assert found.accounting.late == 0


@pytest.mark.parametrize("names", [["web1.log", "web2.log"], ["web2.log", "web1.log"]])
def test_logs_of_several_hosts_are_read_side_by_side(names: Sequence[str]) -> None:
    found = run_case("two-hosts-positional", *names)
    assert found.incident_details() == {
        "GET /cart": [
            {"start": 1741608635.0, "end": 1741609470.0, "fix": "fee3333", "break": "bad2222"}
        ]
    }
    assert found.accounting.late == 0


@pytest.mark.parametrize("paths", [["logs"], ["logs/*.gz"]])
def test_a_directory_is_all_the_logs_in_it(paths: Sequence[str]) -> None:
    found = run_case("alb-dir", *paths, window="1m")
    assert found.incident_details() == {
        "GET /cart": [
            {
                "start": 1741608360.127531,
                "end": 1741608585.127531,
                "fix": "fee3333",
                "break": "bad2222",
            }
        ]
    }


def test_a_file_of_a_directory_that_is_no_log_is_a_problem_of_a_complete_run(
    tmp_path: Path,
) -> None:
    write(tmp_path, "access.log", "1 GET /a 200\n")
    write(tmp_path, "error.log", "Traceback\n")
    state = tmp_path / "state"
    options: dict[str, Any] = {"checkpoint_every": "1ns", "keep_checkpoint": True}
    for _ in range(2):  # the second run resumes
        found = replay(tmp_path, checkpoint=state, **options)
        [problem] = found.problems
        assert problem.startswith(f"{tmp_path}/error.log: no format reads line 1")
        assert found.complete
    assert not replay([tmp_path / "access.log", tmp_path / "error.log"]).complete


def write_lines(ticks: Sequence[int], name: str) -> list[tuple[int, bytes]]:
    rng = random.Random(len(ticks))
    return [
        (tick, write_access(name, tick, f"GET /{rng.choice('ab')}", rng.choice((200, 200, 500))))
        for tick in ticks
    ]


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["plain", "combined", "events"])
@settings(max_examples=portion(30), deadline=None)
@given(st.data())
def test_the_answers_are_those_of_the_whole_log_however_it_was_cut(
    backend: Opened, name: str, data: st.DataObject
) -> None:
    """The whole log is cut into files, as rotation does, which are dealt to hosts line by line."""
    gaps = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=150))
    ticks = [(BEGIN + sum(gaps[: number + 1])) * SECOND for number in range(len(gaps))]
    lines = write_lines(ticks, name)
    files = data.draw(st.lists(st.integers(0, 5), min_size=len(lines), max_size=len(lines)))
    if data.draw(st.booleans()):
        files.sort()  # one after the other; otherwise side by side
    logs = [
        b"".join(line + b"\n" for (_, line), file in zip(lines, files, strict=True) if file == n)
        for n in range(6)
    ]
    turned = data.draw(st.permutations(logs))
    whole = b"".join(line + b"\n" for _, line in lines)
    options: dict[str, Any] = {"defaults": LIKE, "max_line": 200}
    workers = data.draw(st.integers(1, 3))
    sizes = {"block_bytes": data.draw(st.sampled_from([201, 1000, 1 << 17])), "workers": workers}
    found = told(backend, turned, name, **options, **sizes)
    assert found.report() == told(backend, [whole], name, **options).report()


def test_recorded_streams_keep_their_own_order_and_merge_by_time() -> None:
    logs = [
        [(2, "/a", 500), (1, "/a", 200), (9, "/a", 200)],
        [(5, "/b", 500), (3, "/b", 500)],
    ]
    texts = [
        b"".join(write_access("events", t * SECOND, f"GET {p}", s) + b"\n" for t, p, s in log)
        for log in logs
    ]
    for turned in (texts, texts[::-1]):
        found = told(compiled_backend, turned, "events", defaults=LIKE)
        starts = [(one.endpoint.resource, one.start) for one in found.monitor.incidents]
        assert starts == [("/a", 2 * SECOND), ("/b", 5 * SECOND)]
        assert found.accounting.late == 2


def test_a_log_that_begins_at_an_unknown_time_is_merged_all_the_same() -> None:
    blank = b"\n" * 300
    logs = [b"5 GET /a 500\n9 GET /a 200\n", blank + b"1 GET /a 200\n7 GET /a 200\n"]
    found = told(compiled_backend, logs, "plain", defaults=LIKE)
    assert [(one.start, one.end) for one in found.monitor.incidents] == [(5 * SECOND, 9 * SECOND)]
    assert found.accounting.late == 0


def write_rotated(folder: Path, count: int, pack: Callable[[bytes], bytes] = bytes) -> list[str]:
    """Logs of a minute each, the newest of which has the least number."""
    logs = []
    for number in range(count):
        lines = [
            f"{BEGIN + 60 * number + second} GET /a {500 if second % 9 == 0 else 200}\n"
            for second in range(0, 60, 3)
        ]
        log = folder / f"access.log.{count - number}"
        log.write_bytes(pack("".join(lines).encode()))
        logs.append(str(log))
    return logs


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="only Unix limits the number of open files")
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_hundreds_of_rotated_logs_need_few_open_files(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    resource = pytest.importorskip("resource")
    logs = write_rotated(tmp_path, 200, pack)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    # The event loop has some files open, too.
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 20, limits[1]))
    try:
        found = replay(logs, backend="python")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert found.problems == []
    assert (found.accounting.lines, found.accounting.late) == (4_000, 0)


@pytest.mark.parametrize(
    ("pack", "cores", "most"),
    [(bytes, 8, 2), (gzip.compress, 1, 2), (gzip.compress, 2, 3), (gzip.compress, 8, 5)],
)
def test_compressed_logs_that_come_next_are_decompressed_ahead(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pack: Callable[[bytes], bytes],
    cores: int,
    most: int,
) -> None:
    monkeypatch.setattr(run, "_count_cores", lambda: cores)
    open_logs: list[int] = []
    logs = write_rotated(tmp_path, 10, lambda text: pack(text + b"what?\n"))
    engine = Replay(
        make_plan(logs),
        PythonBackend(),
        on_rejected=lambda _: open_logs.append(sum(log.is_open for log in engine.logs)),
    )
    anyio.run(engine.run)
    assert open_logs == [min(most, left) for left in range(10, 0, -1)]
    assert not any(log.is_open for log in engine.logs)


@pytest.mark.parametrize("name", ["1", "2", "3"])
def test_a_log_that_was_rotated_between_two_runs_is_refused(tmp_path: Path, name: str) -> None:
    logs, state = write_rotated(tmp_path, 3), tmp_path / "state"
    options: dict[str, Any] = {"checkpoint": state, "checkpoint_every": "1ns"}
    whole = replay(logs, **options, keep_checkpoint=True)
    assert replay(logs[::-1], **options, keep_checkpoint=True).accounting == whole.accounting
    saved, log = state.read_bytes(), tmp_path / f"access.log.{name}"
    shutil.copy(log, tmp_path / "older")
    log.write_text("1600000000 GET /a 200\n" * 30, encoding="utf-8")
    with pytest.raises(StateFileError, match=rf"access\.log\.{name} is not the file that was"):
        replay(logs, **options)
    assert state.read_bytes() == saved
    (tmp_path / "older").replace(log)
    assert asdict(replay(logs, **options).accounting) == asdict(whole.accounting)

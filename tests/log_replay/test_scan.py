"""A log that is read alone has the rows that a replay of all logs has of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from slomon.compiled.backend import CompiledBackend
from slomon.compiled.library import load
from slomon.core.events import RejectedLine
from slomon.kernels.codes import EXCLUDED, FIRST_CHANGE, REJECTED, UNMATCHED
from slomon.log_replay.backend import Backend, PythonBackend
from slomon.log_replay.plan import make_plan
from slomon.log_replay.replay import read_replay_options, replay
from slomon.log_replay.scan import LogScan
from slomon.options import list_options

SAMPLES: Final = Path(__file__).parent.parent / "data" / "samples"
NAMES: Final = ("plain.log", "apache_combined.log", "events.jsonl", "wrapped.log", "odd.log")


def compiled() -> Backend:
    library = load()
    assert library is not None
    return CompiledBackend(library)


def scan(
    path: Path, backend: Backend, first_tick: int = 0, **options: Any
) -> tuple[LogScan, list[tuple[int, ...]], list[RejectedLine]]:
    """The scan of a log, its rows, and the malformed lines."""
    defaults = {name: one.default for name, one in list_options(replay).items()}
    given = read_replay_options({**defaults, **options, "paths": str(path)})
    rejected: list[RejectedLine] = []
    reading = LogScan(make_plan(given, [str(path)]), backend, (), rejected.append, _ignore)
    numbers = iter([number for part in reading.rows(str(path), first_tick) for number in part])
    return reading, list(zip(numbers, numbers, numbers, numbers, strict=True)), rejected


def count(rows: Iterable[tuple[int, ...]], code: int) -> int:
    return sum(tick for _, _, tick, found in rows if found == code)


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_of_a_log_are_in_order_and_are_all_that_a_replay_counts(name: str) -> None:
    reading, rows, rejected = scan(SAMPLES / name, PythonBackend())
    alone = replay(str(SAMPLES / name), group_paths="off", backend="python").accounting

    assert [time for time, *_ in rows] == sorted(time for time, *_ in rows)
    assert sum(code >= 0 for *_, code in rows) == alone.accesses
    assert count(rows, REJECTED) == len(rejected) == alone.rejected
    changes = sum(code <= FIRST_CHANGE for *_, code in rows)
    assert count(rows, UNMATCHED) + changes == alone.unmatched + alone.changes
    assert count(rows, EXCLUDED) == alone.excluded
    assert (reading.lines, reading.order.blank) == (alone.lines, alone.blank)
    assert len(reading.names) == alone.endpoints
    assert reading.problem is None


@pytest.mark.parametrize("name", NAMES)
def test_both_backends_scan_the_same_rows(name: str) -> None:
    expected, rows, _ = scan(SAMPLES / name, PythonBackend())
    reading, found, _ = scan(SAMPLES / name, compiled())

    def name_codes(one: LogScan, listed: list[tuple[int, ...]]) -> list[object]:
        return [
            (time, tick, one.names.text(code >> 1), code & 1) if code >= 0 else (time, tick, code)
            for time, _, tick, code in listed
        ]

    assert name_codes(reading, found) == name_codes(expected, rows)
    assert reading.order.clocks == expected.order.clocks


def test_a_log_that_can_not_be_read_has_no_rows_and_a_problem(tmp_path: Path) -> None:
    missing, rows, _ = scan(SAMPLES / "plain.log", PythonBackend())
    gone = list(missing.rows(str(tmp_path / "gone.log"), 0))
    unknown, none, _ = scan(SAMPLES / "application.log", PythonBackend())

    assert rows
    assert [len(part) for part in gone] == [0]
    assert "gone.log" in str(missing.problem)
    assert none == []
    assert "no format reads" in str(unknown.refusal)


def test_a_log_that_is_cut_off_has_its_lines_and_a_problem(tmp_path: Path) -> None:
    log = tmp_path / "cut.log"
    log.write_bytes(b"1 GET /a 200\n\xff\xfe" + b"x" * 10)
    reading, rows, rejected = scan(log, PythonBackend(), max_endpoints=1)

    assert len(rows) == 2
    assert len(rejected) == 1
    assert reading.problem is None


def _ignore(*_: object) -> None:
    """The hook for formats."""

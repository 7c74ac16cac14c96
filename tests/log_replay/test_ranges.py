"""The parts of a log, each read by itself, have the rows of the whole log."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from slomon.endpoints.discovery import FoundEndpoints, PythonEndpointNames
from slomon.log_replay import ranges
from slomon.log_replay.backend import PythonBackend
from slomon.log_replay.parts import make_detector
from slomon.log_replay.plan import Plan, make_plan
from slomon.log_replay.ranges import WHOLE, LogRange, find_line, is_divisible
from slomon.log_replay.replay import read_replay_options, replay
from slomon.log_replay.requests import KnownRequests
from slomon.log_replay.scan import LogScan
from slomon.options import list_options

Row: TypeAlias = tuple[int, int, int]

LINES: Final = [f"{100 + number + 3 * (number % 4)} GET /a 200\n" for number in range(60)]
ODD: Final = [*LINES[:20], "\n", "no line\r\n", "x" * 300 + "\n", *LINES[20:-1], LINES[-1][:-1]]
W3C: Final = "#Fields: date time cs-method cs-uri-stem sc-status\n2026-01-02 03:04:05 GET /a 200\n"


@pytest.mark.parametrize("lines", [LINES, ODD])
@pytest.mark.parametrize("window", [1 << 16, 1])
def test_the_parts_of_a_log_have_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], window: int
) -> None:
    monkeypatch.setattr(ranges, "_WINDOW", window)
    log = tmp_path / "access.log"
    log.write_text("".join(lines), newline="")
    whole, expected = scan(log, WHOLE)
    size = log.stat().st_size
    for step in (97, 1000, size):
        edges = range(0, size, step)
        rows: list[Row] = []
        newest = disordered = read = 0
        for first, end in zip(edges, [*edges[1:], None], strict=True):
            part, found = scan(log, LogRange(first, end), newest)
            if part.newest_before != newest:
                part, found = scan(log, LogRange(first, end, newest))
            assert part.is_stateless
            (clock,) = part.order.clocks
            newest = clock.newest
            disordered += clock.disordered
            read += part.lines
            rows += found
        (clock,) = whole.order.clocks
        assert list_events(rows) == list_events(expected)
        assert (newest, disordered, read) == (clock.newest, clock.disordered, whole.lines)


def test_the_newest_tick_before_a_part_is_guessed_from_the_lines_before_it(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("".join(LINES))

    part, _ = scan(log, LogRange(log.stat().st_size - 1))

    assert part.newest_before == 168 * 10**9
    assert part.lines == 0


@pytest.mark.parametrize(
    ("offset", "line"), [(0, 0), (1, 4), (3, 4), (4, 4), (5, 5), (6, 7), (7, 7)]
)
def test_a_part_begins_where_a_line_begins(tmp_path: Path, offset: int, line: int) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"one\n\nxx")

    assert find_line(str(log), offset) == line


def test_a_log_is_not_divided_if_its_lines_need_those_before_them(tmp_path: Path) -> None:
    text = "".join(LINES).encode()
    event = '{"type": "access", "value": "1 GET /a 200"}\n'
    contents = {
        "plain": text,
        "compressed": gzip.compress(text),
        "events": event.encode() * 3,
        "w3c": W3C.encode() * 3,
        "unknown": b"what is this\n" * 30,
        "blank": b"\n" * 30,
        "utf-16": "".join(LINES).encode("utf-16"),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    plan = make(tmp_path / "plain")
    found = FoundEndpoints(PythonEndpointNames(9), plan.defaults, plan.service_from)
    detect = make_detector(plan, KnownRequests(plan, found))

    divisible = [
        name for name in contents if is_divisible(str(tmp_path / name), detect, plan.max_line)
    ]

    assert divisible == ["plain"]
    assert not is_divisible(str(tmp_path / "gone"), detect, plan.max_line)


def test_a_part_says_if_a_line_in_it_changes_how_later_ones_are_read(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(W3C * 9)

    part, _ = scan(log, LogRange(0, 200))

    assert not part.is_stateless


def make(path: Path) -> Plan:
    defaults = {name: one.default for name, one in list_options(replay).items()}
    return make_plan(read_replay_options({**defaults, "paths": str(path)}), [str(path)])


def scan(path: Path, part: LogRange, first_tick: int = 0) -> tuple[LogScan, list[Row]]:
    """The scan of a part, and its rows: the time, the tick and the code of each."""
    reading = LogScan(make(path), PythonBackend(), (), _ignore, _ignore)
    numbers = iter([one for some in reading.rows(str(path), first_tick, part) for one in some])
    rows = zip(numbers, numbers, numbers, numbers, strict=True)
    return reading, [(time, tick, code) for time, _, tick, code in rows]


def list_events(rows: list[Row]) -> list[Row]:
    """The events of rows in their order; a row may stand for several."""
    events = [
        event
        for time, tick, code in rows
        for event in ([(time, 0, code)] * tick if code < 0 else [(time, tick, code)])
    ]
    return sorted(events, key=lambda event: event[0])


def _ignore(*_: object) -> None:
    """The hooks."""

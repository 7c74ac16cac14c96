"""What a person sees: a summary and a table, a bar while it runs, and the logs above it."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from threading import Thread

import pytest

from slomon.command.exit_code import FINE
from slomon.command.main import main
from tests.command.terminal import Terminal
from tests.histories import broken, deploys, write


def show(*arguments: str, columns: int = 80) -> str:
    options = ["replay", "--interpreted", "--log-level", "critical", *arguments]
    with Terminal(columns) as terminal:
        assert main(options, terminal.stream, io.StringIO()) == FINE
    return terminal.text


def test_a_terminal_shows_a_summary_and_a_table(tmp_path: Path) -> None:
    shown = show(broken(tmp_path), "--changes", deploys(tmp_path))

    assert shown == (
        "MTTR 360.0 s (6m); incidents 1, 0 of them open; endpoints 1\n"
        "lines 3 + records 2 = accesses 3 + changes 2 + unmatched 0 + rejected 0 + blank\n"
        "0; late 0, out of order 0, capped 0\n"
        "\n"
        "endpoint    incidents  open  broken  MTTR  last break  last fix\n"
        "GET /users          1     0      6m    6m  c1          c2\n"
    )


def test_lines_out_of_order_are_told_with_the_lateness_that_would_restore_the_order(
    tmp_path: Path,
) -> None:
    log = write(tmp_path, "a.log", "100 GET / 200\n200 GET / 200\n8.5 GET / 200\n")

    hint = "late 1, out of order 1 (by up to 3m 11s; --lateness 192s would restore it), capped"
    assert hint in show(log, columns=300)
    assert "late 0, out of order 1 (by up to 3m 11s), capped" in show(
        log, "--lateness", "192s", columns=300
    )


def test_where_nothing_broke_there_is_no_table(tmp_path: Path) -> None:
    assert show(write(tmp_path, "a.log", "1 GET / 200\n")).endswith("capped 0\n\n")


def test_no_name_is_wider_than_the_terminal_or_does_it_harm(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "1 GET /\x1b[31m\u202e\u00e9" + "x" * 10_000 + " 500\n")

    for columns in (20, 80, 200):
        shown = show(log, columns=columns)
        assert max(map(len, shown.splitlines())) <= columns
        assert "\x1b" not in shown
        assert shown.isascii()


def test_a_terminal_of_unknown_width_has_80_columns(tmp_path: Path) -> None:
    assert show(broken(tmp_path), columns=0) == show(broken(tmp_path), columns=80)


def watch(*arguments: str) -> str:
    with Terminal() as terminal:
        options = ["replay", "--interpreted", *arguments]
        assert main(options, io.StringIO(), terminal.stream) == FINE
    return terminal.text


def test_a_bar_shows_how_far_it_is_with_the_logs_above_it(tmp_path: Path) -> None:
    lines = 1000
    log = write(tmp_path, "a.log", "100 GET /users 200\n" * lines + "bad\n")
    shown = watch(log)

    assert "| 19.0k/19.0k [" in shown
    assert "lines/s]" in shown
    *_, last = shown.splitlines()
    assert not last.strip()  # the bar is gone
    assert any("line.rejected" in line and "%|" not in line for line in shown.splitlines())


def test_the_bar_of_a_pipe_has_no_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_text("1 GET / 200\n", encoding="utf-8"))
    writer.start()
    shown = watch(str(pipe))
    writer.join()

    assert "12.0B [" in shown
    assert "%|" not in shown


def test_no_bar_is_shown_where_none_is_wanted(tmp_path: Path) -> None:
    assert watch(broken(tmp_path), "--no-progress", "--log-level", "warning") == ""


def test_no_bar_is_shown_where_what_draws_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)

    assert watch(broken(tmp_path), "--log-level", "warning") == ""

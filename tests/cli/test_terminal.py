"""What a terminal shows: a summary, a table, and a progress bar below the logs."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from pathlib import Path
from threading import Thread

import pytest

from slomon.cli.main import main
from slomon.cli.process import FINE
from tests.cli.terminal import Terminal
from tests.histories import ENTRY, broken, deploys, early, write


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn colours off."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")


def show(*arguments: str, columns: int = 80) -> str:
    options = ["replay", "--backend", "python", "--log-level", "critical", *arguments]
    with Terminal(columns) as terminal:
        assert main(options, terminal.stream, io.StringIO()) == FINE
    return terminal.text


def test_a_terminal_shows_a_summary_and_a_table(tmp_path: Path) -> None:
    shown = show(broken(tmp_path), "--changes", deploys(tmp_path))

    assert (
        shown
        == """An outage of GET /users, by no known change, cost 0s, 1 failed request and 333
times the run's error budget.

Incidents    1 on 1 of 1 endpoints: 1 closed, 0 open
Repair       MTTR 6m, median 6m, p90 6m, longest 6m
Error budget 1 of 3 requests failed, 0.003 allowed: 33,233.3% overspent
Deploys      2, failed 0
Accounting   lines 3 + records 2 = accesses 3 + changes 2 + unmatched 0 +
             rejected 0 + blank 0; late 0, out of order 0, capped 0

endpoint    failed  lasted  broken by             fixed by
GET /users       1      6m  no known change 0.91  recovered by itself 0.56
unexplained: most probably no known deploy is the cause

GET /users  ████████████████████████████████████████████████████████████████████
            ╵                                    ╵
            ───┬───────────┬──────────┬──────────┬──────────┬───────────┬───────
               00:02       00:03      00:04      00:05      00:06       00:07
1970-01-01 00:01:40 to 1970-01-01 00:07:41 UTC; a column is 5s 308ms
█ broken  ╵ deploy
"""
    )


def test_a_terminal_shows_how_many_incidents_expired(tmp_path: Path) -> None:
    log = write(tmp_path, "a.log", "0 GET /a 500\n10 GET /c 500\n700 GET /b 200\n")

    shown = show(log, "--close-after-no-traffic", "695s")

    assert "2 on 2 of 3 endpoints: 0 closed, 1 open, 1 expired\n" in shown
    assert re.search(r"GET /a +1 +11m 35s .* expired\n", shown)


def test_lines_out_of_order_are_shown_with_the_lateness_that_would_restore_the_order(
    tmp_path: Path,
) -> None:
    log = write(tmp_path, "a.log", "100 GET / 200\n200 GET / 200\n8.5 GET / 200\n")

    hint = "late 1, out of order 1 (by up to 3m 11s; --lateness 192s would restore it), capped"
    assert hint in show(log, "--lateness", "5s", columns=300)
    assert "late 0, out of order 1 (by up to 3m 11s), capped" in show(
        log, "--lateness", "192s", columns=300
    )


def test_there_is_no_table_if_nothing_broke(tmp_path: Path) -> None:
    shown = show(write(tmp_path, "a.log", "1 GET / 200\n"))

    assert shown.startswith("Incidents    none\n")
    assert shown.endswith("capped 0\n")


def test_no_name_is_wider_than_the_terminal_or_does_it_harm(tmp_path: Path) -> None:
    name = "/\x1b]0;\u202e\u00e9" + "x" * 10_000
    log = write(tmp_path, "a.log", f"1 GET {name} 500\n")
    entry = {**ENTRY, "name": name, "resource": name}
    endpoints = write(tmp_path, "endpoints.json", json.dumps([entry]))

    for columns in (20, 80, 200):
        shown = show(log, "--endpoints", endpoints, columns=columns)
        assert max(map(len, shown.splitlines())) <= columns
        assert all(map(str.isprintable, shown.splitlines()))
        assert r"/\x1b]0;\u202e" in shown.replace("\n", "") or columns == 20


def test_colours_are_shown_unless_the_environment_asks_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = show(broken(tmp_path))
    assert "\x1b" not in plain
    monkeypatch.delenv("NO_COLOR")
    coloured = show(broken(tmp_path))
    assert "\x1b[31m█" in coloured
    assert re.sub(r"\x1b\[[0-9]+m", "", coloured) == plain
    monkeypatch.setenv("TERM", "dumb")
    assert show(broken(tmp_path)) == plain


def test_a_change_is_stale_on_a_terminal_as_in_the_records(tmp_path: Path) -> None:
    stale = show(broken(tmp_path), "--changes", early(tmp_path), "--stale-after", "59s")

    assert "  no known change 1.00  " in stale


def test_a_terminal_of_unknown_width_has_80_columns(tmp_path: Path) -> None:
    assert show(broken(tmp_path), columns=0) == show(broken(tmp_path), columns=80)


def watch(*arguments: str) -> str:
    with Terminal() as terminal:
        options = ["replay", "--backend", "python", *arguments]
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


def test_no_bar_is_shown_if_none_is_wanted(tmp_path: Path) -> None:
    assert watch(broken(tmp_path), "--no-progress", "--log-level", "warning") == ""


def test_no_bar_is_shown_where_what_draws_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)

    assert watch(broken(tmp_path), "--log-level", "warning") == ""

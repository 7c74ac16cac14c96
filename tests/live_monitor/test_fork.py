"""A process that was forked from that of a monitor counts nothing there, and says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.live_monitor.services import ENTRIES

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no process forks here")


def run(script: str, state: Path) -> list[str]:
    """The lines that a script prints; a monitor runs in it, and `fork` runs a function."""
    begin = f"""
import os, sys
import slomon

monitor = slomon.live_in_thread({ENTRIES!r}, state={str(state)!r})

def fork(function):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            function()
        finally:
            sys.stdout.flush()
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", begin + dedent(script)],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


def test_what_a_forked_process_reports_is_counted_as_forked_and_logged_once(tmp_path: Path) -> None:
    lines = run(
        """
        def report():
            count = monitor.counter("GET", "/users")
            print([count(200), monitor.access("GET", "/users", 500), monitor.running])
            print(monitor.snapshot().accounting.dropped)
            monitor.stop()

        with monitor:
            monitor.access("GET", "/users", 200)
            fork(report)
        print(monitor.snapshot().accounting.events, monitor.snapshot().accounting.dropped)
        """,
        tmp_path / "state",
    )
    assert lines[:3] == ["[False, False, False]", "{'forked': 2}", "1 {}"]
    assert sum("monitor.forked" in line for line in lines) == 1


def test_a_forked_process_can_not_start_the_monitor_but_one_of_its_own(tmp_path: Path) -> None:
    lines = run(
        f"""
        def start():
            try:
                monitor.start()
            except RuntimeError as error:
                print(error)
            with slomon.live_in_thread({ENTRIES!r}) as own:
                own.access("GET", "/users", 500)
            print(own.snapshot().accounting.events)

        with monitor:
            fork(start)
        """,
        tmp_path / "state",
    )
    assert "allowed: to start a new one in each process" in lines[0]
    assert lines[1] == "1"


def test_a_monitor_that_was_made_before_a_fork_is_started_after_it(tmp_path: Path) -> None:
    lines = run(
        """
        def serve():
            with monitor:
                monitor.access("GET", "/users", 500)
            print(monitor.snapshot().accounting.events)

        fork(serve)
        fork(serve)
        """,
        tmp_path / "state",
    )
    assert [line for line in lines if line.isdecimal()] == ["1", "2"]


def test_a_forked_process_does_not_hold_the_lock_when_its_parent_has_died(tmp_path: Path) -> None:
    lines = run(
        """
        read, write = os.pipe()
        parent = os.fork()
        if not parent:
            monitor.start()
            if not os.fork():
                os.read(read, 1)  # until the script has ended
                os._exit(0)
            os._exit(1)  # without stopping it
        os.waitpid(parent, 0)
        with monitor:
            print("started")
        os.write(write, b"x")
        """,
        tmp_path / "state",
    )
    assert "started" in lines

"""`kill -9` at any moment: all that was reported is known, and all that was counted."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import slomon
from slomon.live_monitor.inputs import Input
from slomon.live_monitor.persistence import StateFile
from tests.live_monitor.clock import ManualClock
from tests.live_monitor.services import ENTRIES, recorded

SERVICE = """
import sys
from itertools import count
import anyio, slomon
from tests.live_monitor.services import ENTRIES

async def serve(folder):
    files = {"state": f"{folder}/state", "event_log": f"{folder}/events"}
    async with slomon.live(ENTRIES, save_every="1us", **files) as monitor:
        for number in count():
            monitor.access("GET", "/users", 500)
            monitor.access("GET", "/orders", 500 if number % 100 == 0 else 200)
            await monitor.flush()
            if number % 100 == 0:
                print(number + 1, flush=True)
            await anyio.sleep(0)

anyio.run(serve, sys.argv[1])
"""
KILLS = 4

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to kill with"),
]


def serve_and_kill(folder: Path, wait: float) -> int:
    """
    A service that saves all the time, killed some time after it saved for the first time. Returns
    how often two requests were certainly counted.
    """
    state = folder / "state"
    before = state.stat().st_ino if state.exists() else None
    command = [sys.executable, "-c", SERVICE, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()  # from here on both are broken
        while not state.exists() or state.stat().st_ino == before:
            assert process.poll() is None
            time.sleep(0.001)  # another process works meanwhile: there is nothing to be told by
        lines = [process.stdout.readline() for _ in range(3)]
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        return int([*lines, *process.stdout.read().splitlines()][-1])


async def test_what_was_open_is_open_after_any_number_of_kills(tmp_path: Path) -> None:
    draw = random.Random(7)
    state, events = tmp_path / "state", tmp_path / "events"
    broken = ""
    counted = 0
    for _ in range(KILLS):
        requests = 2 * serve_and_kill(tmp_path, draw.uniform(0, 0.05))
        monitor = slomon.live(ENTRIES, clock=ManualClock(), state=state)
        async with monitor:
            snapshot = monitor.snapshot()
            first = snapshot.endpoints[0].incident
        assert first
        assert broken in {"", first.id}
        broken = first.id
        assert snapshot.accounting.events >= counted + requests
        counted = snapshot.accounting.events
        lines = sum(1 for line in events.read_bytes().splitlines(keepends=True) if b"\n" in line)
        assert lines - counted >= 0
    async with slomon.live(ENTRIES, clock=ManualClock(), event_log=events):
        pass
    whole = slomon.get_service_monitor(recorded(events))
    assert whole.accounting.rejected == 0
    assert whole.records()[0].id == broken
    assert whole.accounting.events >= counted


async def test_whatever_a_killed_process_has_counted_is_in_its_event_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, events = tmp_path / "state", tmp_path / "events"
    append, logged = StateFile.append, []

    def note_and_append(file: StateFile, counted: Input) -> None:
        logged.append(events.read_bytes().count(b"\n"))
        append(file, counted)

    monkeypatch.setattr(StateFile, "append", note_and_append)
    clock = ManualClock()
    async with slomon.live(ENTRIES, clock=clock, state=state, event_log=events) as monitor:
        for _ in range(3):
            monitor.access("GET", "/users", 500)
            await monitor.flush()
    assert logged == [1, 2, 3]


OPENED = """
import os, sys
import anyio, slomon
from tests.live_monitor.services import ENTRIES

async def serve(state):
    async with slomon.live(ENTRIES, state=state, save_every="1d") as monitor:
        told = monitor.subscribe()
        monitor.access("GET", "/users", 500)
        await anext(told)
        os.kill(os.getpid(), 9)

anyio.run(serve, sys.argv[1])
"""


async def test_an_incident_survives_as_soon_as_it_was_notified_of(tmp_path: Path) -> None:
    state = tmp_path / "state"
    command = [sys.executable, "-c", OPENED, str(state)]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL  # noqa: ASYNC221
    async with slomon.live(ENTRIES, clock=ManualClock(), state=state) as monitor:
        assert monitor.snapshot().endpoints[0].incident

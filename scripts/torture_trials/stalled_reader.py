"""A reader of stdout that stalls: it must receive every byte, whatever signals come meanwhile."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import select
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from torture_trials.logs import replay, write_log, write_recording
from torture_trials.processes import (
    LIMIT_SECONDS,
    MAIN,
    SLOMON,
    Outcome,
    Problems,
    Program,
    check_answered,
    check_ended,
    run,
    started,
)

_LINES: Final = 8_000  # their answer has about 280 KiB
_STALLS: Final = 6
_SIGNALS: Final = {
    "no signal": (),
    "SIGCHLD": (signal.SIGCHLD,),
    "SIGWINCH": (signal.SIGWINCH,),
    "SIGSTOP and SIGCONT": (signal.SIGSTOP, signal.SIGCONT),
}
_UNBUFFERED: Final = {"PYTHONUNBUFFERED": "1"}


def run_stalled_reader(rng: Random, folder: Path) -> Problems:
    """Read the answer of a command by fits and starts, once with each kind of signal."""
    command = _draw_command(rng, folder)
    whole = run(command)
    problems, size = check_answered(whole), max(len(whole.stdout), 1)
    for name, signals in _SIGNALS.items():
        outcome = _read_stalling(rng, command, signals, size, blocking=True)
        found = check_answered(outcome, whole.stdout)
        problems += [f"stalled reader, {name}, PYTHONUNBUFFERED=1: {one}" for one in found]
    outcome = _read_stalling(rng, command, (), size, blocking=False)
    problems += [f"non-blocking pipe: {one}" for one in _check_honest(outcome, whole.stdout)]
    return problems


def _draw_command(rng: Random, folder: Path) -> Sequence[str]:
    kind = rng.choice(("json", "literals", "main.py", "help"))
    if kind == "main.py":
        events, info = write_recording(folder, _LINES)
        options = ["--events", str(events), "--info", str(info), "--log-level", "error"]
        return [*MAIN, *options]
    if kind == "help":
        return [*SLOMON, "replay", "--help"]
    log = write_log(folder / "access.log", rng, _LINES)
    return replay(log, *(["--json"] if kind == "json" else []))


def _read_stalling(
    rng: Random, command: Sequence[str], signals: Sequence[int], size: int, *, blocking: bool
) -> Outcome:
    """Run a command with a small pipe for stdout, and stall at random offsets of `size` bytes."""
    reading, writing = os.pipe()
    offsets = [0, *sorted(rng.randrange(size) for _ in range(_STALLS))]
    received = bytearray()
    with os.fdopen(reading, "rb", buffering=0) as pipe, os.fdopen(writing, "wb") as other_end:
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, rng.choice((4096, 65536)))
        os.set_blocking(writing, blocking)
        with started(command, environment=_UNBUFFERED, stdout=writing) as program:
            other_end.close()
            while select.select([pipe], [], [], LIMIT_SECONDS)[0]:
                if offsets and len(received) >= offsets[0]:
                    offsets.pop(0)
                    _stall(rng, program, signals)
                part = pipe.read(rng.choice((100, 4096, 65536)))
                if not part:
                    break
                received += part
            return dataclasses.replace(program.wait(), stdout=bytes(received))


def _stall(rng: Random, program: Program, signals: Sequence[int]) -> None:
    """Read nothing for 20 ms to 1 s, most often short; send the signals meanwhile."""
    pause = min(0.02 / (1 - rng.random()), 1.0)
    time.sleep(pause / 2)
    for number in signals:
        program.signal(number)
        time.sleep(0.005)
    time.sleep(pause / 2)


def _check_honest(outcome: Outcome, whole: bytes) -> Problems:
    """A pipe that others made non-blocking may be refused, but never with exit code 0."""
    if outcome.code == 0:
        return check_answered(outcome, whole)
    return check_ended(outcome)

"""`kill -9` at any moment: the same command goes on, and its outputs are the same to the byte."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.histories import write

# The command itself, but for small blocks: so a small log has as many moments as a long one.
COMMAND = """
import functools, sys
from slomon.log_replay import plan
from slomon.cli.main import main
plan.Plan = functools.partial(plan.Plan, block_bytes=20_000, max_line=5_000)
sys.exit(main(sys.argv[1:], sys.stdout, sys.stderr))
"""
KILLS = 4
OUTPUTS = ("answers.json", "incidents.jsonl", "rejects.jsonl")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to kill with"),
]


def make_log(folder: Path, name: str, seed: int) -> str:
    draw = random.Random(seed)
    lines, tick = [], 1_700_000_000_000
    for _ in range(30_000):
        tick += draw.randrange(20)
        status = 500 if draw.random() < 0.05 else 200
        stamp = f"{(tick - draw.choice((0, 0, 0, 900))) / 1000:.3f}"
        lines.append(f"{stamp} GET /item/{draw.randrange(9)}/{draw.choice('abcdefgh')} {status}")
        if draw.random() < 0.01:
            lines.append("what is this?")
    return write(folder, name, "\n".join(lines) + "\n")


def start(folder: Path, *logs: str, backend: tuple[str, ...]) -> subprocess.Popen[str]:
    outputs = [str(folder / name) for name in OUTPUTS]
    options = ["--slo", "0.96", "--window", "5s", "--workers", "2", "--log-level", "error"]
    files = ["--json", "-o", outputs[0], "--incidents", outputs[1], "--rejects", outputs[2]]
    state = ["--checkpoint", str(folder / "state"), "--checkpoint-every", "1us"]
    command = [sys.executable, "-c", COMMAND, "replay", *logs, *options, *files, *state, *backend]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def read(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in OUTPUTS]


def finish(process: subprocess.Popen[str]) -> None:
    _, told = process.communicate(timeout=120)
    assert (process.returncode, told) == (0, "")


def wait_for_change(path: Path, process: subprocess.Popen[str]) -> bool:
    """Wait until a file is another one than now; False where the process has ended instead."""
    before = path.stat().st_ino if path.exists() else None
    while process.poll() is None:
        try:
            if path.stat().st_ino != before:
                return True
        except FileNotFoundError:
            pass
        time.sleep(0.001)  # another process works meanwhile: there is nothing to be told by
    return False


@pytest.mark.slow
@pytest.mark.parametrize("backend", [(), ("--backend", "python")], ids=["compiled", "interpreted"])
def test_outputs_are_the_same_after_any_number_of_kills(
    tmp_path: Path, backend: tuple[str, ...]
) -> None:
    logs = make_log(tmp_path, "a.log", 1), make_log(tmp_path, "b.log", 2)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    finish(start(whole, *logs, backend=backend))
    draw, kills = random.Random(5), 0
    while kills < KILLS:
        process = start(killed, *logs, backend=backend)
        if not wait_for_change(killed / "state", process):
            break
        time.sleep(draw.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        kills += process.returncode == -signal.SIGKILL
    finish(start(killed, *logs, backend=backend))

    assert kills == KILLS
    assert read(killed) == read(whole)
    assert sorted(file.name for file in killed.iterdir()) == sorted(OUTPUTS)

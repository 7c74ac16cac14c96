"""Runs a command as a process of its own and measures its cost."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parents[1]

# Without this variable bytecode is cached from the first run on, as for an installed package.
_ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


@dataclass(frozen=True, slots=True)
class Cost:
    """
    Wall time and CPU time in seconds, and peak memory in MiB. Of several processes, the peak is
    that of the largest one. It is at least some 10 MiB, the memory of the launcher.
    """

    wall: float
    cpu: float
    peak: float


def run(command: list[str]) -> Cost:
    """Run a command. If it fails, exit with its stderr."""
    done = subprocess.run(
        [sys.executable, "-IS", str(SCRIPTS / "peers" / "launch.py"), *command],
        cwd=SCRIPTS.parent,
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    wall, cpu, peak = map(float, done.stdout.split())
    return Cost(wall, cpu, peak / 1024)

"""A command run as a process of its own, and what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parents[1]

# What pip installs is compiled to bytecode, and so is what's measured, from its first run on.
_ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


@dataclass(frozen=True, slots=True)
class Cost:
    """
    Seconds by the clock and of all cores, and the peak of memory in MiB: of the largest process
    alone, where there were several, and no less than some 10, the launcher's.
    """

    wall: float
    cpu: float
    peak: float


def run(command: list[str]) -> Cost:
    """Exits with what the command said, where it fails."""
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

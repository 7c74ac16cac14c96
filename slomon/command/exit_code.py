"""How a command tells, by a number, what became of it."""

from __future__ import annotations

from typing import Final

FINE: Final = 0
FAILED: Final = 1
MISUSED: Final = 2  # as argparse has it
BROKEN: Final = 3  # incidents were found, and whoever called wants to know
INTERRUPTED: Final = 130  # as a shell has it
TERMINATED: Final = 143

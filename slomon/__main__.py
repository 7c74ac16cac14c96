"""
Where the command starts: `slomon` as a process of its own, before most is imported.

`python -m slomon`: the command, also where it is not on the path.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import TextIO

from slomon.cli.process import run_process


def run() -> int:
    """Run the command with the arguments and the streams of the process."""
    gc.disable()  # nothing here makes cycles, and to look for them in all incidents takes long
    return run_process(_main)


def _main(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    # Here, since it takes some time: an interrupt meanwhile is one like any other.
    from slomon.cli.main import main  # noqa: PLC0415

    return main(argv, stdout, stderr)


if __name__ == "__main__":  # pragma: no branch
    sys.exit(run())

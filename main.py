"""`python main.py`: run slomon on a simulated or a recorded event stream."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from slomon.cli.process import run_process


def _main(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    # Imported here because it takes some time: run_process handles a signal meanwhile.
    from slomon.cli.simulate import main  # noqa: PLC0415

    return main(argv, stdout, stderr)


if __name__ == "__main__":
    sys.exit(run_process(_main))

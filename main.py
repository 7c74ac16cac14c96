"""`python main.py`: run slomon on a simulated or a recorded event stream."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

TYPE_CHECKING = False  # typing takes long to import

if TYPE_CHECKING:
    from typing import TextIO


def _run() -> int:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback until run_process handles it
    from slomon.cli.process import run_process  # noqa: PLC0415

    return run_process(_main)


def _main(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    # Imported here because it takes some time: run_process handles a signal meanwhile.
    from slomon.cli.simulate import main  # noqa: PLC0415

    return main(argv, stdout, stderr)


if __name__ == "__main__":
    sys.exit(_run())

"""
The entry point of the command, `slomon` or `python -m slomon`. It imports little, so that an
interrupt during the other imports is handled like any other.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Sequence

TYPE_CHECKING = False  # typing takes long to import

if TYPE_CHECKING:
    from typing import TextIO


def run() -> int:
    """Run the command with the arguments and the streams of the process."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback until run_process handles it
    from slomon.cli.process import run_process  # noqa: PLC0415

    gc.disable()  # no cycles are made, and looking for them among many incidents is slow
    code = run_process(_main)
    gc.freeze()  # at its end, Python would look for them once more
    return code


def _main(argv: Sequence[str], stdout: TextIO, stderr: TextIO) -> int:
    # Imported here because it takes some time: run_process handles an interrupt meanwhile.
    from slomon.cli.main import main  # noqa: PLC0415

    return main(argv, stdout, stderr)


if __name__ == "__main__":  # pragma: no branch
    sys.exit(run())

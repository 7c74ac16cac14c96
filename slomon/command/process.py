"""A command as a process: its arguments, its streams, and how it ends when others end it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO, TypeAlias

from slomon.command.exit_code import FAILED, INTERRUPTED

Main: TypeAlias = Callable[[Sequence[str], TextIO, TextIO], int]
"""Takes arguments, stdout and stderr; returns the exit code."""


def run_process(main: Main) -> int:
    """Call `main` with the process's own arguments and streams."""
    _hold_places()
    try:
        code = main(sys.argv[1:], sys.stdout, sys.stderr)
    except BrokenPipeError:  # whoever read what we write had enough: there is nobody left to tell
        code = FAILED
    except KeyboardInterrupt:
        code = INTERRUPTED
    _empty(sys.stdout)
    return code


def _hold_places() -> None:
    """
    Let no file that is opened later take the place of a standard stream that is closed. To read
    from there, or to print, fails as before; what would be told goes nowhere.
    """
    for descriptor, flags in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest that is free
    # Python has none for one that was closed when it started.
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _empty(stdout: TextIO) -> None:
    """Let nothing be left that Python would fail to write, and tell again, when it exits."""
    try:
        stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())

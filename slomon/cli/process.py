"""
How a command tells, by a number, what became of it.

A command as a process: its arguments, its streams, and how it ends when others end it.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Final, Self, TextIO, TypeAlias, cast

FINE: Final = 0
FAILED: Final = 1
MISUSED: Final = 2  # as argparse has it
BROKEN: Final = 3  # incidents were found, and whoever called wants to know
INTERRUPTED: Final = 130  # as a shell has it
TERMINATED: Final = 143


Main: TypeAlias = Callable[[Sequence[str], TextIO, TextIO], int]
"""Takes arguments, stdout and stderr; returns the exit code."""


def run_process(main: Main) -> int:
    """Call `main` with the process's own arguments and streams."""
    _hold_places()
    with _Termination() as termination:
        try:
            code = main(sys.argv[1:], sys.stdout, cast(TextIO, _Messages(sys.stderr)))
        except BrokenPipeError:  # whoever read our answers had enough: nobody is left to tell
            code = FAILED
        except KeyboardInterrupt:
            code = TERMINATED if termination.came else INTERRUPTED
        except SystemExit as end:  # argparse's, which has printed what was asked for
            code = int(end.code or FINE)
    if not _empty(sys.stdout):
        code = code or FAILED
    _empty(sys.stderr)
    return code


class _Termination:
    """While this holds, a SIGTERM goes the way of an interrupt: nothing stays half written."""

    def __init__(self) -> None:
        self.came = False
        self._before = signal.getsignal(signal.SIGTERM)

    def __enter__(self) -> Self:
        if self._before is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._before)

    def _interrupt(self, _: int, frame: FrameType | None) -> None:
        self.came = True
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):  # a shell lets what it runs in the background ignore them
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)


class _Messages(io.TextIOBase):
    """What is told on stderr: where nobody hears it, that costs no answer."""

    def __init__(self, stderr: TextIO) -> None:
        self._stderr = stderr

    def write(self, text: str, /) -> int:
        with suppress(OSError):
            self._stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stderr.flush()

    def fileno(self) -> int:
        return self._stderr.fileno()

    def isatty(self) -> bool:
        return self._stderr.isatty()


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


def _empty(stream: TextIO) -> bool:
    """
    Let nothing be left that Python would fail to write, and tell again, when it exits. Returns
    whether all was written.
    """
    try:
        stream.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True

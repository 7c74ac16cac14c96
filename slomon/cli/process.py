"""A command as a process: its arguments, its standard streams, its signals and its exit code."""

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
MISUSED: Final = 2  # as in argparse
BROKEN: Final = 3  # incidents were found, and --fail-on asks for a failure then
INTERRUPTED: Final = 130  # as in a shell
TERMINATED: Final = 143

Main: TypeAlias = Callable[[Sequence[str], TextIO, TextIO], int]
"""Takes arguments, stdout and stderr; returns the exit code."""


def run_process(main: Main) -> int:
    """Call `main` with the arguments and streams of the process. Returns the exit code."""
    _reserve_descriptors()
    with _Termination() as termination:
        try:
            code = main(sys.argv[1:], sys.stdout, cast(TextIO, _LossyStream(sys.stderr)))
        except BrokenPipeError:  # the reader of stdout has left; a message would help nobody
            code = FAILED
        except KeyboardInterrupt:
            code = TERMINATED if termination.received else INTERRUPTED
        except SystemExit as end:  # raised by argparse, which has printed its message
            code = int(end.code or FINE)
    if not _flush(sys.stdout):
        code = code or FAILED
    _flush(sys.stderr)
    return code


class _Termination:
    """While entered, SIGTERM acts like an interrupt, so that no file is left half written."""

    def __init__(self) -> None:
        self.received = False
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
        self.received = True
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):  # a shell makes its background processes ignore interrupts
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)


class _LossyStream(io.TextIOBase):
    """Standard error, which drops a message that can't be written: a run goes on without it."""

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


def _reserve_descriptors() -> None:
    """
    Open a null device in place of each standard stream that is closed, so that no file opened later
    gets its descriptor. Reading stdin and writing stdout still fail; messages to stderr are lost.
    """
    for descriptor, flags in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # gets the lowest free descriptor
    # Python has no stream object for a descriptor that was closed at the start.
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _flush(stream: TextIO) -> bool:
    """
    Flush a stream. Returns False if that fails; the rest is discarded then, because Python would
    try to write it again at exit, and report a second error.
    """
    try:
        stream.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True

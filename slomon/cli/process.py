"""A command as a process: its arguments, its standard streams, its signals and its exit code."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import TYPE_CHECKING, Final, TextIO, TypeAlias, cast

from slomon.interrupts import interrupts

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FINE: Final = 0
FAILED: Final = 1
MISUSED: Final = 2  # as in argparse
BROKEN: Final = 3  # incidents were found, and --fail-on asks for a failure then
WRONG: Final = 4  # the answer is certainly wrong
INTERRUPTED: Final = 130  # as in a shell
TERMINATED: Final = 143
HUNG_UP: Final = 129

_NO_THREAD: Final = "can't start new thread"  # Python's message at the limit of the system

Main: TypeAlias = Callable[[Sequence[str], TextIO, TextIO], int]
"""Takes arguments, stdout and stderr; returns the exit code."""


def run_process(main: Main) -> int:
    """
    Call `main` with the arguments and streams of the process. Returns the exit code.

    Call it last: after it, a signal ends the process at once.
    """
    code = FAILED
    try:
        interrupts.install()
        code = _call(main)
        interrupts.uninstall()
    except BaseException:
        if interrupts.received is None:
            interrupts.uninstall()
            raise
    interrupts.uninstall()  # still to do if a signal came just before
    _forget_interrupt()
    return code if interrupts.exit_code is None else interrupts.exit_code


def _forget_interrupt() -> None:
    """
    Make Python keep the exit code. If an interrupt has left code that was a string, such as the
    methods of a data class, `python -m` ends by SIGINT later, whatever has become of the interrupt.
    Running such code again makes it forget that.
    """
    exec("")  # noqa: S102


def _call(main: Main) -> int:
    _reserve_descriptors()
    with (
        redirect_stdout(_open_whole(sys.stdout)) as stdout,
        redirect_stderr(_open_whole(sys.stderr)) as printed,
    ):
        stderr = cast(TextIO, _LossyStream(printed))
        try:
            code = _report_failure(main, stdout, stderr)
            if not _flush(stdout, None if code else stderr):
                code = code or FAILED
            stderr.flush()
        finally:
            _discard(stdout)
            _discard(printed)
    return code


def _report_failure(main: Main, stdout: TextIO, stderr: TextIO) -> int:
    """Call `main`. Prints a line for a failure of the system. Returns the exit code."""
    try:
        return main(sys.argv[1:], stdout, stderr)
    except BrokenPipeError:  # the reader of stdout has left; a message would help nobody
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as end:  # raised by argparse, which has printed its message
        return int(end.code or FINE)
    except MemoryError:
        failure = "out of memory"
    except (OSError, ImportError) as error:  # a library can't be loaded if memory is short
        failure = str(error)
    except RuntimeError as error:
        if str(error) != _NO_THREAD:
            raise
        failure = _NO_THREAD
    print(f"error: {failure}", file=stderr)
    return FAILED


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


class _WholeFile(io.FileIO):
    """An open file. If it is non-blocking and can't be written to, `write` waits until it can."""

    discards = False

    def write(self, data: ReadableBuffer, /) -> int:
        if self.discards:
            return memoryview(data).nbytes
        while True:
            # None: nothing was written (its declared type does not allow None)
            written = cast("int | None", super().write(data))
            if written is not None:
                return written
            select.select([], [self], [])


def _open_whole(stream: TextIO) -> TextIO:
    """
    A stream to the same file that writes everything. Python's own stream does not if it is
    unbuffered (PYTHONUNBUFFERED): the system may write a part only, and the rest is lost.
    """
    try:
        file = _WholeFile(stream.fileno(), "w", closefd=False)
    except (OSError, ValueError):  # no file of the system
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=bool(stream.line_buffering) or stream.isatty(),
    )


def _flush(stdout: TextIO, stderr: TextIO | None) -> bool:
    """Flush stdout. Returns False if that fails, and prints a line, unless its reader has left."""
    try:
        stdout.flush()
    except BrokenPipeError:
        return False
    except OSError as error:
        error.filename = "standard output"
        if stderr is not None:
            print(f"error: {error}", file=stderr)
        return False
    return True


def _discard(stream: TextIO) -> None:
    """
    Drop what a stream could not write: Python would try it again at exit, and report a second
    error or wait for a reader that stalls.
    """
    file = getattr(getattr(stream, "buffer", None), "raw", None)
    if isinstance(file, _WholeFile):
        file.discards = True

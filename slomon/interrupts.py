"""
The signals that end a command: SIGINT (Ctrl-C), SIGTERM and SIGHUP.

The first signal raises KeyboardInterrupt in the main thread, or cancels what runs on an event loop
there, so that temporary files are removed. Later signals don't disturb this work. If it has not
ended after a second, the temporary files are removed and the process ends at once.

The end after a second does not wait for the event loop, which a long call blocks. An alarm of the
system brings it about: Python runs its handler between any two steps of Python code, and also
inside `re`, which may look for a match for ever without releasing the interpreter to any thread.
Windows has no alarm; the next signal ends the process there.

A program that only imports slomon keeps its own signal handlers: nothing here has an effect then.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import get_ident
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from pathlib import Path
    from sys import UnraisableHookArgs

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
_NUMBERS: Final = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
_CLEANUP_SECONDS: Final = 1.0


class Interrupts:
    """The handlers of these signals. There is one object per process, `interrupts`."""

    def __init__(self) -> None:
        self.received: int | None = None
        """The first signal since `install`."""
        self._received_at = 0.0
        self._numbers: tuple[int, ...] = ()
        self._thread: int | None = None
        self._deferring = 0
        self._is_pending = False  # received, but not raised yet
        self._cancel: Callable[[], object] | None = None
        self._report_unraisable = sys.unraisablehook
        self.temporary_files: set[Path] = set()
        """The files to remove if the process ends at once."""

    @property
    def exit_code(self) -> int | None:
        """The exit code for the signal that was received, as in a shell."""
        return None if self.received is None else 128 + self.received

    def install(self) -> None:
        """
        Handle the signals from now on. A signal that is ignored stays so: nohup ignores SIGHUP, and
        a shell makes its background processes ignore SIGINT. Call it in the main thread.
        """
        self.received, self._is_pending, self._deferring = None, False, 0
        self._thread = get_ident()
        self._report_unraisable = sys.unraisablehook
        sys.unraisablehook = self._hide_unraisable
        defaults = (signal.SIG_DFL, signal.default_int_handler)
        self._numbers = tuple(each for each in _NUMBERS if signal.getsignal(each) in defaults)
        for number in self._numbers:
            signal.signal(number, self._handle)

    def uninstall(self) -> None:
        """From now on, a signal ends the process at once, also while the interpreter shuts down."""
        self._thread = None  # nothing is raised any more
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)
            if self.received is not None:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
        for number in self._numbers:
            signal.signal(number, signal.SIG_DFL)
        sys.unraisablehook = self._report_unraisable

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Raise the KeyboardInterrupt of a signal that comes inside only at the end."""
        if self._thread != get_ident():
            yield
            return
        self._deferring += 1
        try:
            yield
        finally:
            self._deferring -= 1
            if self._is_pending and not self._deferring:
                self._is_pending = False
                raise KeyboardInterrupt

    @contextmanager
    def cancelling(self, cancel: Callable[[], object]) -> Iterator[None]:
        """Call `cancel` at a signal that comes inside, or came before. Use it in `deferred`."""
        if self._thread != get_ident():
            yield
            return
        self._cancel = cancel
        try:
            if self._is_pending:
                cancel()
            yield
        finally:
            self._cancel = None

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.received is not None:
            if time.monotonic() >= self._received_at + _CLEANUP_SECONDS:
                self._exit_at_once(128 + self.received)
            return
        self.received, self._received_at = number, time.monotonic()
        if sys.platform != "win32":
            signal.signal(signal.SIGALRM, self._handle)
            signal.setitimer(signal.ITIMER_REAL, _CLEANUP_SECONDS, _CLEANUP_SECONDS / 20)
        if self._thread is None:
            return
        if self._cancel is None and not self._deferring:
            raise KeyboardInterrupt
        self._is_pending = True
        if self._cancel is not None:
            self._cancel()

    def _exit_at_once(self, code: int) -> NoReturn:
        for path in tuple(self.temporary_files):
            with suppress(OSError):
                path.unlink()
        os._exit(code)

    def _hide_unraisable(self, unraisable: UnraisableHookArgs) -> None:
        """Python drops an exception in a callback or a destructor, and prints a traceback."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            self._is_pending = True
        elif self.received is None and self._thread is not None:
            self._report_unraisable(unraisable)


interrupts: Final = Interrupts()

"""Commands change settings of the whole process. Every test begins with the usual ones."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def interrupts_are_heard() -> Iterator[None]:
    """
    Ctrl-C raises KeyboardInterrupt here and ends the commands started here. A shell that starts the
    tests in the background would have them all ignore it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it
    yield
    signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGHUP, hangup)


@pytest.fixture(autouse=True)
def unconfigured() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    gc.enable()
    gc.unfreeze()

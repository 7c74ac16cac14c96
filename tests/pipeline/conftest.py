"""Every test of the pipeline runs on both event loops, and may leave nothing behind."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from tests.streams import GUARD_SECONDS, KINDS, Stream


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    factories = {"asyncio": asyncio.new_event_loop}
    if find_spec("uvloop"):  # pragma: no branch (not every platform has it)
        factories["uvloop"] = import_module("uvloop").new_event_loop
    return factories


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> type[Stream]:
    """Plain, async, or a mixture."""
    chosen: type[Stream] = request.param
    return chosen


@pytest.fixture(scope="session")
def terminal(pytestconfig: pytest.Config) -> Iterator[int]:
    """Where stderr goes that pytest does not capture."""
    capture: Any = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        stderr = os.dup(2)
    yield stderr
    os.close(stderr)


@pytest.fixture(autouse=True)
def no_test_hangs(terminal: int) -> Iterator[None]:
    """Where one does, loop and threads may be stuck alike: show where, and end the process."""
    faulthandler.dump_traceback_later(3 * GUARD_SECONDS, exit=True, file=terminal)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    """
    No thread, no task, and no warning of what was not closed or not awaited, which the garbage
    collector would give later, in the middle of another test.
    """
    threads = set(threading.enumerate())
    gc.freeze()  # what was there before is not looked through again: that would take long
    yield
    gc.collect()
    gc.unfreeze()
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)  # one of a loop that was closed is on its way out
    assert set(threading.enumerate()) <= threads
    assert asyncio.all_tasks() == {asyncio.current_task()}

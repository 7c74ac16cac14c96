"""An event loop for callers that have none, or whose own one is busy with them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import TypeVar

import anyio
from anyio.from_thread import start_blocking_portal

T = TypeVar("T")


def run_on_own_loop(call: Callable[[], Awaitable[T]]) -> T:
    """
    What a coroutine function returns, run on a new event loop (uvloop where there is one): in this
    thread or, where a loop is running in it already, in another, which this call waits for.
    """
    backend_options = {"use_uvloop": find_spec("uvloop") is not None}
    if _loop_is_running():
        with start_blocking_portal(backend_options=backend_options) as portal:
            return portal.call(call)
    return anyio.run(call, backend_options=backend_options)


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

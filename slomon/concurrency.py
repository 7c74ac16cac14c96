"""
An event loop for callers that have none, or whose own one is busy with them.

Several things at once, until the first of them is done.

What comes out of tasks that run together, of which one failed.

A thread for one call that may block for long, which is never left behind.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from contextvars import copy_context
from importlib.util import find_spec
from inspect import iscoroutine
from typing import TypeVar

import anyio
from anyio import CancelScope, Event, create_task_group
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


async def first_completed(*calls: Callable[[], Awaitable[object]]) -> None:
    """Return as one of these returns; the others are cancelled. None of them may raise."""
    async with create_task_group() as tasks:

        async def run(call: Callable[[], Awaitable[object]]) -> None:
            await call()
            tasks.cancel_scope.cancel()

        for call in calls:
            tasks.start_soon(run, call)


@contextmanager
def unwrap_first() -> Iterator[None]:
    """Let the first failure of a task group come out as itself: the others came of it."""
    try:
        yield
    except BaseExceptionGroup as failures:
        first: BaseException = failures.exceptions[0]
        context = first.__context__
        try:
            raise first
        finally:
            first.__context__ = context  # not the group, which it never had


async def run_in_thread(function: Callable[[], T]) -> T:
    """
    Call a function in a thread made for it, and wait, whatever happens, until that has ended.

    Python can't stop a thread: a cancellation takes effect when `function` returns. (A pooled
    thread would idle on after the call, and a long call would keep it from everyone else.)
    """
    outcome: Future[T] = Future()
    with ExitStack() as cancelled:
        cancelled.callback(_discard, outcome)
        # The shield is in a task of its own: task groups also wait under asyncio's task.cancel().
        async with create_task_group() as group:
            group.start_soon(_attend, function, outcome)
        cancelled.pop_all()
    return outcome.result()


async def _attend(function: Callable[[], T], outcome: Future[T]) -> None:
    ended = Event()
    loop = asyncio.get_running_loop()

    def call() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:  # noqa: BLE001 (it is the caller's, whatever it is)
            outcome.set_exception(error)
        with suppress(RuntimeError):  # the loop was torn down: nobody waits any more
            loop.call_soon_threadsafe(ended.set)

    # A daemon: a stream that never returns must not keep the interpreter from exiting.
    in_context = copy_context().run
    thread = threading.Thread(target=in_context, args=(call,), name="slomon-stream", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # the system has no thread left
        outcome.set_exception(error)
        return
    with CancelScope(shield=True):
        await ended.wait()
    thread.join()


def _discard(outcome: Future[T]) -> None:
    """What nobody will take up: a coroutine must be closed, or Python warns of it."""
    if outcome.done() and not outcome.exception() and iscoroutine(result := outcome.result()):
        result.close()

"""A thread for one call that may block for long, which is never left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from contextvars import copy_context
from inspect import iscoroutine
from typing import TypeVar

from anyio import CancelScope, Event, create_task_group

T = TypeVar("T")


async def in_own_thread(function: Callable[[], T]) -> T:
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

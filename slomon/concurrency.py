"""
Tools for running code concurrently.

* `run_on_own_loop`: a new event loop for a synchronous caller
* `first_completed`, `background_tasks`, `unwrap_first`: tasks, and what they raise
* `run_in_thread`: a thread for one blocking call
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from contextvars import copy_context
from functools import partial
from importlib.util import find_spec
from inspect import iscoroutine
from typing import Any, TypeAlias, TypeVar, cast

import anyio
from anyio import CancelScope, Event, create_task_group, get_cancelled_exc_class
from anyio.from_thread import start_blocking_portal

from slomon.interrupts import interrupts

T = TypeVar("T")

_LOOP_PIPES = 6  # an event loop takes up to 12 descriptors

Task: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


def run_on_own_loop(call: Callable[[], Awaitable[T]]) -> T:
    """
    Run a coroutine function on a new event loop, with uvloop if that is installed, and return its
    result. If a loop is already running in this thread, the new one runs in another thread, and
    this call blocks until it has ended. Raises OSError if the loop can't get its descriptors.
    """
    _check_descriptors()
    backend_options = {"use_uvloop": find_spec("uvloop") is not None}
    if _loop_is_running():
        with start_blocking_portal(backend_options=backend_options) as portal:
            return portal.call(call)
    with interrupts.deferred():  # no KeyboardInterrupt inside the loop: the call is cancelled
        return anyio.run(_cancel_at_signal, call, backend_options=backend_options)


async def _cancel_at_signal(call: Callable[[], Awaitable[T]]) -> T:
    loop, task = asyncio.get_running_loop(), cast("asyncio.Task[T]", asyncio.current_task())
    with interrupts.cancelling(partial(loop.call_soon_threadsafe, task.cancel)):
        return await call()


def _check_descriptors() -> None:
    """Raise an OSError that uvloop does not: it aborts the process, or can't be closed."""
    with ExitStack() as pipes:
        for _ in range(_LOOP_PIPES):
            for descriptor in os.pipe():
                pipes.callback(os.close, descriptor)


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def first_completed(*calls: Callable[[], Awaitable[object]]) -> None:
    """Return when the first of these returns, and cancel the others. None of them may raise."""
    async with create_task_group() as tasks:

        async def run(call: Callable[[], Awaitable[object]]) -> None:
            await call()
            tasks.cancel_scope.cancel()

        for call in calls:
            tasks.start_soon(run, call)


@asynccontextmanager
async def background_tasks(
    tasks: Sequence[Task], *, finish: Task | None = None, end: Task
) -> AsyncGenerator[None]:
    """
    Run tasks beside the body of an `async with`. When the body is left:

    1. `finish` is awaited while the tasks still run, unless the body was cancelled
    2. the tasks are cancelled
    3. `end` is awaited, whatever happened before; it must shield what a cancellation must not stop

    A task that fails cancels the body. An exception of the body wins over one of a task or of
    `end`, unless it is only the cancellation that a failed task caused. Each comes out as itself,
    not in an exception group.
    """
    failure: BaseException | None = None
    try:
        async with create_task_group() as group:
            for task in tasks:
                group.start_soon(task)
            try:
                yield
            except BaseException as error:  # noqa: BLE001 (raised again below, as itself)
                failure = error
            if finish is not None and (failure is None or isinstance(failure, Exception)):
                await finish()
            group.cancel_scope.cancel()
    except BaseExceptionGroup as failures:
        if failure is None or isinstance(failure, get_cancelled_exc_class()):
            failure = failures.exceptions[0]  # the first: the others and the body were cancelled
    finally:
        try:
            await end()
        finally:
            if failure is not None:
                raise failure


@contextmanager
def unwrap_first() -> Iterator[None]:
    """Raise the first failure of a task group as itself: the others are its consequences."""
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
    Call a function in a new thread and return its result. The thread has always ended by then.

    Python can't stop a thread: a cancellation takes effect when `function` returns. (A pooled
    thread would stay idle after the call, and a long call would block it for everyone else.)
    """
    outcome: Future[T] = Future()
    with ExitStack() as cancelled:
        cancelled.callback(_discard, outcome)
        # The shield is in a task of its own: task groups also wait under asyncio's task.cancel().
        async with create_task_group() as group:
            group.start_soon(_await_thread, function, outcome)
        cancelled.pop_all()
    return outcome.result()


async def _await_thread(function: Callable[[], T], outcome: Future[T]) -> None:
    ended = Event()
    loop = asyncio.get_running_loop()

    def call() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:  # noqa: BLE001 (the caller gets it, whatever it is)
            outcome.set_exception(error)
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(ended.set)

    # A daemon thread: a stream that never returns must not keep the interpreter from exiting.
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
    """Close the coroutine that a cancelled call returned: otherwise Python warns of it."""
    if outcome.done() and not outcome.exception() and iscoroutine(result := outcome.result()):
        result.close()

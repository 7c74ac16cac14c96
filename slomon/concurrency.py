"""
Tools for running code concurrently.

* `run_on_own_loop`: a new event loop for a synchronous caller
* `first_completed`, `background_tasks`, `unwrap_first`: tasks, and what they raise
* `Background`: the base of objects that run in a task of their own
* `run_in_thread`: a thread for one blocking call; `CallThread`: one for several, in turn
"""

from __future__ import annotations

import asyncio
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from contextvars import copy_context
from functools import partial
from importlib.util import find_spec
from inspect import iscoroutine
from queue import SimpleQueue
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias, TypeVar, cast

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
    3. `end` is awaited, whatever happened before; a cancellation takes effect when it has returned

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
            await shielded(end)
        finally:
            if failure is not None:
                raise failure


async def shielded(call: Callable[[], Awaitable[object]]) -> None:
    """Await a call to its end; a cancellation takes effect then."""

    async def run() -> None:
        with CancelScope(shield=True):
            await call()

    # The shield is in a task of its own: task groups also wait under asyncio's task.cancel().
    with unwrap_first():
        async with create_task_group() as group:
            group.start_soon(run)


class Background(ABC):
    """
    The base of an object that runs in a task of its own, between `start` and `stop` or inside an
    `async with`. Any task may start it and any other may stop it, as in frameworks with hooks: its
    cancel scopes never leave its own task. If the caller is cancelled while it stops, the
    cancellation takes effect when everything has ended.

    If it fails inside an `async with`, the task that entered it is cancelled, and leaving raises
    the failure as itself; an exception of the body wins. If it fails after `start`, asyncio's
    exception handler reports the failure, and `stop` raises it.
    """

    _KIND: ClassVar[str]
    """What the object is, for error messages."""

    def __init__(self) -> None:
        self._own: asyncio.Task[None] | None = None
        self._process = 0  # the process that runs the own task
        self._leaving: asyncio.Future[None] | None = None
        self._host: asyncio.Task[Any] | None = None  # the task to cancel if the own task fails
        self._has_cancelled_host = False

    @abstractmethod
    def _run(self) -> AbstractAsyncContextManager[None]:
        """What is entered and left in the own task."""

    async def start(self) -> None:
        """
        Start. Raises RuntimeError if it is running or if the event loop is not asyncio's, and
        whatever prevents the start.
        """
        if self._own is not None and not self._own.done():
            if self._process != os.getpid():
                raise RuntimeError(
                    f"this {self._KIND} was started by process {self._process}, of which this one "
                    "is a fork; allowed: to start a new one in each process"
                )
            raise RuntimeError(
                f"this {self._KIND} is running; allowed: one `async with` at a time, or to stop it"
            )
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            reason = f"a {self._KIND} runs only under asyncio (uvloop included), not under trio"
            raise RuntimeError(reason) from None
        started: asyncio.Future[None] = loop.create_future()
        leaving: asyncio.Future[None] = loop.create_future()
        own = loop.create_task(self._live(started, leaving))
        self._own, self._leaving, self._process = own, leaving, os.getpid()
        self._host, self._has_cancelled_host = None, False
        await _end_if_cancelled(own, started)
        if not started.done():
            self._own = None
            await own
        own.add_done_callback(partial(self._report, loop, leaving))

    async def stop(self) -> None:
        """
        Stop, and return when everything has ended. Does nothing if it is not running, or in a
        forked process. Raises the failure if it has failed.
        """
        failure = await self._leave()
        if failure is not None:
            raise failure

    async def __aenter__(self) -> Self:
        await self.start()
        self._host = asyncio.current_task()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        is_cancelled = isinstance(error, asyncio.CancelledError)
        host, has_cancelled = self._host, self._has_cancelled_host
        self._host = None
        if host is not None and has_cancelled and host is asyncio.current_task():
            if not is_cancelled:  # the body has ended before its cancellation took effect
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
            host.uncancel()
        failure = await self._leave(hurry=error is not None and not isinstance(error, Exception))
        if failure is None:
            return
        try:
            raise failure
        finally:
            if error is not None and not (is_cancelled and has_cancelled):
                raise error

    async def _live(self, started: asyncio.Future[None], leaving: asyncio.Future[None]) -> None:
        async with self._run():
            started.set_result(None)
            await leaving

    async def _leave(self, *, hurry: bool = False) -> BaseException | None:
        """End the own task, as one whose body was cancelled if `hurry`. Return its failure."""
        own, leaving = self._own, self._leaving
        if own is None or leaving is None or self._process != os.getpid():
            return None
        if hurry:
            own.cancel()
        elif not leaving.done():
            leaving.set_result(None)
        if not own.done():
            await _end_if_cancelled(own)
        if self._own is own:
            self._own = None
        return None if own.cancelled() else own.exception()

    def _report(
        self,
        loop: asyncio.AbstractEventLoop,
        leaving: asyncio.Future[None],
        own: asyncio.Task[None],
    ) -> None:
        """Tell the host of a failure that comes before it leaves."""
        is_leaving = leaving.done() and not leaving.cancelled()
        if is_leaving or own.cancelled() or (error := own.exception()) is None:
            return
        if self._host is not None and not self._host.done():
            self._has_cancelled_host = True
            self._host.cancel()
        else:
            message = f"a {self._KIND} has failed"
            loop.call_exception_handler({"message": message, "exception": error, "task": own})


async def _end_if_cancelled(task: asyncio.Task[None], *others: asyncio.Future[None]) -> None:
    """
    Wait for a task or one of the other futures. If the caller is cancelled, cancel the task and
    wait for its end.
    """
    try:
        await asyncio.wait([task, *others], return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        task.cancel()
        await shielded(partial(asyncio.wait, [task]))
        raise


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
    with CallThread() as thread:
        return await thread.call(function)


class CallThread:
    """
    A thread that makes one call after the other. It starts with the first call, and has ended when
    the `with` is left.

    The event loop waits while a thread starts or ends. So a task that makes many calls keeps one.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], bool] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_calling = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._calls.put(None)
            if not self._is_calling:  # else the loop was closed during a call, which may never end
                self._thread.join()

    async def call(self, function: Callable[[], T]) -> T:
        """
        Call a function in the thread and return its result. A cancellation takes effect when
        `function` returns.
        """
        outcome: Future[T] = Future()
        with ExitStack() as cancelled:
            cancelled.callback(_discard, outcome)
            # The shield is in a task of its own: so it also holds under asyncio's task.cancel().
            async with create_task_group() as group:
                group.start_soon(self._call, function, outcome)
            cancelled.pop_all()
        return outcome.result()

    async def _call(self, function: Callable[[], T], outcome: Future[T]) -> None:
        ended = Event()
        loop = asyncio.get_running_loop()

        def call() -> bool:
            try:
                outcome.set_result(function())
            except BaseException as error:  # noqa: BLE001 (the caller gets it, whatever it is)
                outcome.set_exception(error)
            try:
                loop.call_soon_threadsafe(ended.set)
            except RuntimeError:  # the loop was closed: nobody waits any more
                return False
            return True

        try:
            self._start()
        except RuntimeError as error:  # the system has no thread left
            outcome.set_exception(error)
            return
        self._is_calling = True
        self._calls.put(partial(copy_context().run, call))
        with CancelScope(shield=True):
            await ended.wait()
        self._is_calling = False

    def _start(self) -> None:
        if self._thread is None:
            # A daemon: a stream that never returns must not keep the interpreter from exiting.
            thread = threading.Thread(target=_make_calls, args=(self._calls,), name="slomon-stream")
            thread.daemon = True
            thread.start()
            self._thread = thread


def _make_calls(calls: SimpleQueue[Callable[[], bool] | None]) -> None:
    """Make calls until one returns False. None is the last call."""
    while (call := calls.get()) is not None and call():
        del call  # what it holds must not outlive it


def _discard(outcome: Future[T]) -> None:
    """Close the coroutine that a cancelled call returned: otherwise Python warns of it."""
    if outcome.done() and not outcome.exception() and iscoroutine(result := outcome.result()):
        result.close()

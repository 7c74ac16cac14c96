"""A live monitor for programs without an event loop: it runs on a loop in a thread of its own."""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future
from functools import wraps
from importlib.util import find_spec
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

import anyio

from slomon.core.service_monitor import IncidentDetail
from slomon.live_monitor.live import live
from slomon.live_monitor.monitor import LiveMonitor
from slomon.live_monitor.snapshot import Snapshot
from slomon.live_monitor.subscription import IncidentEvent, Subscription

T = TypeVar("T")
P = ParamSpec("P")


class ThreadedMonitor:
    """
    A live monitor on an event loop in a thread of its own, inside a `with` or between `start` and
    `stop`. Its methods are those of LiveMonitor; all may be called from any thread, and those that
    wait block the caller. `live` is the LiveMonitor, which the integrations take.

    If the program ends without `stop`, the monitor is stopped then. A forked process has no such
    thread: start a monitor there instead.
    """

    def __init__(self, monitor: LiveMonitor) -> None:
        self.live = monitor
        self.access = monitor.access
        self.counter = monitor.counter
        self.change = monitor.change
        self.fail = monitor.fail
        self._calls = threading.Lock()  # so that no call reaches a loop that is ending
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._process = 0
        self._ended: Future[None] = Future()

    @property
    def running(self) -> bool:
        """Has the monitor started, and not stopped?"""
        return self.live.running

    @property
    def has_started(self) -> bool:
        """Was it ever started, in this process or in one from which this one was forked?"""
        return self._process != 0

    def start(self) -> None:
        """
        Start the thread and the monitor. Raises RuntimeError if it is running or if there are no
        real threads, and what entering a LiveMonitor raises.
        """
        _check_threads()
        with self._calls:
            if self._thread is not None and self._process == os.getpid():
                raise RuntimeError("this live monitor is running; allowed: to stop it first")
            started: Future[None] = Future()
            self._ended = Future()
            self._process = os.getpid()
            # A daemon thread: otherwise a program that never stops it would not end.
            self._thread = threading.Thread(
                target=self._run, args=(started, self._ended), name="slomon-live", daemon=True
            )
            self._thread.start()
        try:
            started.result()
        except BaseException:
            self._forget_thread()
            raise
        atexit.register(self.stop)

    def stop(self) -> None:
        """
        Count what is in the buffer, save the state, and end the thread. Does nothing if the monitor
        is not running, or in a forked process. Raises the failure if the monitor has failed.
        """
        with self._calls:
            loop, leave, self._loop = self._loop, self._leave, None
            if loop is None or leave is None or self._process != os.getpid():
                return
            loop.call_soon_threadsafe(leave.set)
        atexit.unregister(self.stop)
        self._forget_thread()
        self._ended.result()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def call(self, function: Callable[..., Awaitable[T]], *args: object) -> T:
        """
        Run a coroutine function on the loop of the monitor, for example the `start` of a notifier,
        and return its result. Raises RuntimeError if the monitor is not running.
        """
        with self._calls:
            if self._loop is None or self._process != os.getpid():
                raise RuntimeError("this live monitor is not running; allowed: to start it first")
            result = asyncio.run_coroutine_threadsafe(_await(function, *args), self._loop)
        try:
            return result.result()
        except CancelledError:
            raise RuntimeError("the live monitor was stopped meanwhile") from None

    def send(self, verb: str, resource: str, status: int, at: float | str | None = None) -> bool:
        """`access` that waits while the buffer is full. False if the monitor is not running."""
        try:
            return self.call(self.live.send, verb, resource, status, at)
        except RuntimeError:
            return self.access(verb, resource, status, at)

    def flush(self) -> None:
        """Count the events that are in the buffer now."""
        self.call(self.live.flush)

    def subscribe(self, *, bound: int = 1000) -> Iterator[IncidentEvent]:
        """
        The incidents that open or end from now on, for a `for` loop in any thread, until the
        monitor stops. At most `bound` events wait: see LiveMonitor.
        """
        return self._iterate(self.call(self._subscribe, bound))

    def snapshot(self) -> Snapshot:
        """The present state, of the events that have been counted."""
        return self.live.snapshot()

    def mttr(self) -> float:
        """Mean seconds to repair over the closed incidents, to 2 decimals; 0.0 if none closed."""
        return self.live.mttr()

    def api_histogram(self) -> dict[str, int]:
        """Incidents per API, open ones included, in the order in which the APIs first broke."""
        return self.live.api_histogram()

    def incident_details(self) -> dict[str, list[IncidentDetail]]:
        """The incidents of each API that are kept; see ServiceMonitor."""
        return self.live.incident_details()

    def _run(self, started: Future[None], ended: Future[None]) -> None:
        try:
            options = {"use_uvloop": find_spec("uvloop") is not None}
            anyio.run(self._serve, started, backend_options=options)
        except BaseException as error:  # noqa: BLE001 (start or stop raises it, whatever it is)
            (ended if started.done() else started).set_exception(error)
        else:
            ended.set_result(None)

    async def _serve(self, started: Future[None]) -> None:
        await self.live.start()
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        started.set_result(None)
        await self._leave.wait()
        await self.live.stop()

    def _forget_thread(self) -> None:
        """Wait for the end of the thread."""
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    async def _subscribe(self, bound: int) -> Subscription:
        return self.live.subscribe(bound=bound)

    def _iterate(self, subscription: Subscription) -> Iterator[IncidentEvent]:
        while True:
            try:
                yield self.call(subscription.__anext__)
            except StopAsyncIteration:
                return
            except RuntimeError:  # the monitor has stopped, so the rest does not wait
                break
        yield from asyncio.run(_take_rest(subscription))


def _check_threads() -> None:
    """
    Raise RuntimeError if gevent or eventlet has replaced threads by greenlets: the event loop of a
    monitor would hold all of them for ever.
    """
    gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    if (gevent and gevent.is_module_patched("threading")) or (
        eventlet and eventlet.is_monkey_patched("thread")
    ):
        raise RuntimeError(
            f"{'gevent' if gevent else 'eventlet'} has replaced threads; allowed: real threads, as "
            "in gunicorn's workers sync and gthread"
        )


async def _await(function: Callable[..., Awaitable[T]], *args: object) -> T:
    return await function(*args)


async def _take_rest(subscription: Subscription) -> list[IncidentEvent]:
    return [event async for event in subscription]


def _in_thread(make: Callable[P, LiveMonitor]) -> Callable[P, ThreadedMonitor]:
    @wraps(make)
    def make_threaded(*args: P.args, **options: P.kwargs) -> ThreadedMonitor:
        return ThreadedMonitor(make(*args, **options))

    make_threaded.__name__ = make_threaded.__qualname__ = "live_in_thread"
    make_threaded.__module__ = __name__
    return make_threaded


live_in_thread = _in_thread(live)

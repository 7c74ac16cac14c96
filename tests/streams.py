"""
Small event streams. Each plays a script: a list of events in which an exception is raised, and a
`Gate` holds back what follows until a test opens it. After the last event the stream has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import ContextVar
from itertools import count
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from tests.strategies import END_OF_STREAM, access_event, change_event

GUARD_SECONDS = 20
"""After this long a test that hangs fails. Nothing ever waits for it otherwise."""

ENTRIES: list[dict[str, object]] = [
    {
        "name": name,
        "email": f"{name}@x.org",
        "verb": "GET",
        "resource": f"/{name}",
        "slo": 0.9,
        "window": 1,
    }
    for name in ("api", "web", "job")
]

caller: ContextVar[str] = ContextVar("caller", default="nobody")
"""Set by a test, and seen by the streams it starts."""


def success(second: int, name: str = "api") -> dict[str, object]:
    """A request that succeeds."""
    return access_event(str(second), "GET", f"/{name}", "200")


def failure(second: int, name: str = "api") -> dict[str, object]:
    """A request that fails, and opens an incident where it is alone in its second."""
    return access_event(str(second), "GET", f"/{name}", "500")


def flapping(names: Iterable[str] = ("api", "web", "job")) -> Iterator[dict[str, object]]:
    """For ever: each service in turn is changed, breaks, is changed again and is repaired."""
    for second in count(10, 2):  # pragma: no branch (it never ends)
        for name in names:
            yield _change(f"bad{second}", name)
            yield failure(second, name)
            yield _change(f"good{second}", name)
            yield success(second + 1, name)


def _change(commit: str, name: str) -> dict[str, object]:
    return change_event(
        [f"commit: {commit}", "Author: <a@x.org>", "Date: today", f"Service: {name}"]
    )


class Gate:
    """Holds back an event, or an exception, until it is opened."""

    def __init__(self, event: object = END_OF_STREAM) -> None:
        self.event = event
        self.reached = False
        self._opened = threading.Event()

    def open(self) -> None:
        """Let the event through."""
        self._opened.set()

    def block(self) -> object:
        """Wait for the event in a thread."""
        self.reached = True
        if not self._opened.wait(GUARD_SECONDS):  # pragma: no cover (guards against hanging)
            raise TimeoutError("nobody has opened the gate")
        return self.event

    async def wait(self) -> object:
        """Wait for the event in a task."""
        self.reached = True
        await until(self._opened.is_set)
        return self.event


class Script:
    """What a stream of any kind plays, and what was asked of it."""

    def __init__(self, events: Iterable[object] = (), info: object = ENTRIES) -> None:
        self.calls = 0
        self.threads: set[threading.Thread] = set()
        self.callers: set[str] = set()
        self._events = iter(events)
        self._info = info

    def _next(self) -> object:
        self.calls += 1
        self.threads.add(threading.current_thread())
        self.callers.add(caller.get())
        return next(self._events, END_OF_STREAM)

    def _blocking(self, item: object) -> Any:
        return _given(item.block() if isinstance(item, Gate) else item)

    async def _waiting(self, item: object) -> Any:
        return _given(await item.wait() if isinstance(item, Gate) else item)


class PlainStream(Script):
    """Both methods are plain, and block at a gate."""

    def get_info(self) -> Any:
        """The endpoints."""
        return self._blocking(self._info)

    def generate_event(self) -> Any:
        """The next event."""
        return self._blocking(self._next())


class AsyncStream(Script):
    """Both methods are async, and let others run at every call."""

    async def get_info(self) -> Any:
        """The endpoints."""
        await checkpoint()
        return await self._waiting(self._info)

    async def generate_event(self) -> Any:
        """The next event."""
        item = self._next()
        await checkpoint()
        return await self._waiting(item)


class HastyStream(Script):
    """Both methods are async, and never suspend but at a gate."""

    async def get_info(self) -> Any:
        """The endpoints."""
        return await self._waiting(self._info)

    async def generate_event(self) -> Any:
        """The next event."""
        return await self._waiting(self._next())


class AwaitableStream(Script):
    """Both methods are plain functions that return awaitables."""

    def get_info(self) -> Awaitable[Any]:
        """The endpoints."""
        return self._waiting(self._info)

    def generate_event(self) -> Awaitable[Any]:
        """The next event."""
        return self._waiting(self._next())


class AsyncInfoStream(PlainStream):
    """Only `get_info` is async."""

    async def get_info(self) -> Any:
        """The endpoints."""
        return await self._waiting(self._info)


class AsyncEventStream(AsyncStream):
    """Only `generate_event` is async."""

    def get_info(self) -> Any:
        """The endpoints."""
        return self._blocking(self._info)


Stream = (
    PlainStream | AsyncStream | HastyStream | AwaitableStream | AsyncInfoStream | AsyncEventStream
)

KINDS: tuple[type[Stream], ...] = (
    PlainStream,
    AsyncStream,
    HastyStream,
    AwaitableStream,
    AsyncInfoStream,
    AsyncEventStream,
)


async def until(holds: Callable[[], object]) -> None:
    """Let everybody else run until something holds."""
    with anyio.fail_after(GUARD_SECONDS):
        while not holds():
            await checkpoint()


async def turns(number: int) -> None:
    """Let everybody else have that many turns of the event loop."""
    for _ in range(number):
        await checkpoint()


def _given(item: object) -> object:
    if isinstance(item, BaseException):
        raise item
    return item

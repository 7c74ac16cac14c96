"""What a program reports to its live monitor: requests and deploys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Protocol

from slomon.live_monitor.batching import Deploy, Stamp, Version, read_stamp
from slomon.live_monitor.buffer import Buffer, Counter
from slomon.live_monitor.clock import Clock, Shift, SystemClock, latest_now, safe_now
from slomon.logging import OnceLog, show_some
from slomon.text import excerpt


class CountedRequest(Protocol):
    """A request that a middleware counts when its response ends."""

    def fail(self, status: int) -> bool:
        """Count it with this status. False if it was counted already."""


current_request: ContextVar[CountedRequest | None] = ContextVar("slomon_request", default=None)
"""The request that is being answered. A middleware sets it."""


class Reporter:
    """
    The methods by which a program reports. `failing_status` is a status that fails, and `services`
    are those that deploys may name.
    """

    def __init__(
        self,
        buffer: Buffer,
        clock: Clock,
        *,
        max_ahead: int,
        services: Sequence[str],
        failing_status: int,
    ) -> None:
        self._buffer, self._put = buffer, buffer.put
        self._ask, self._latest = safe_now(clock), latest_now(clock)
        # What `now` of the usual clock does, without a call: it runs within each request.
        self._monotonic: Callable[[], int] = int
        self._shift: Shift = (None,)
        if isinstance(clock, SystemClock):
            self._monotonic, self._shift = clock.monotonic, clock.shift
        self._max_ahead = max_ahead
        self._services = services
        self._failing_status = failing_status
        self._log = OnceLog()

    def access(
        self,
        verb: str,
        resource: str,
        status: int,
        at: float | str | None = None,
        *,
        duration: float | None = None,
    ) -> bool:
        """
        Count a request that was answered, now or at `at`, in seconds since the epoch, and took
        `duration` seconds. A request more than `max_ahead` after the clock is rejected, which is
        counted. Never waits and never raises. Returns False if the event was dropped, which is
        counted. `resource` must be written as in the endpoint's entry, otherwise the access is
        unmatched.
        """
        if at is not None:
            return self._put(self._read(at), verb, resource, status, duration)
        constant = self._shift[0]
        when = self._ask() if constant is None else self._monotonic() + constant
        return self._put(when, verb, resource, status, duration)

    def counter(self, verb: str, resource: str) -> Counter:
        """
        A function of the status, and the duration if that is known, that does what `access` does
        for one endpoint, but faster.
        """
        return self._buffer.counter(verb, resource, self._ask, self._monotonic, self._shift)

    async def send(
        self,
        verb: str,
        resource: str,
        status: int,
        at: float | str | None = None,
        *,
        duration: float | None = None,
    ) -> bool:
        """`access` that waits while the buffer is full. False if the monitor is not running."""
        await self._buffer.room()
        when = self._ask() if at is None else self._read(at)
        return self._put(when, verb, resource, status, duration, overflow=True)

    def fail(self) -> bool:
        """
        Count the request that is being answered here as failed, whatever the status of its
        response: an error in an answer of GraphQL, or in a stream of events. Returns False if no
        middleware of slomon counts a request here, or if it was counted already. Never raises.
        """
        request = current_request.get()
        return request is not None and request.fail(self._failing_status)

    def change(
        self,
        *,
        service: str,
        commit: str,
        author: str | None = "",
        date: str | None = "",
        if_new: bool = False,
    ) -> bool:
        """
        Count a deploy of a service: events that follow come after it. Never waits and never raises.
        Returns False if the event was dropped. `date` is only shown; by default it is the time of
        the clock. With `if_new`, `commit` is the one that runs: it is a deploy only if the last
        deploy of the service was of another commit. A service that is not watched is logged once.
        """
        if type(service) is str and service not in self._services:
            self._warn_of_service(service)
        make = Version if if_new else Deploy
        who, when = "" if author is None else author, "" if date is None else date
        return self._buffer.put_change(make(self._ask(), service, commit, who, when))

    def _read(self, at: float | str) -> Stamp:
        return read_stamp(at, self._latest(), self._max_ahead)

    def _warn_of_service(self, service: str) -> None:
        hint = "a deploy counts if its service is the name of an endpoint's entry"
        self._log.warn(
            "change.unmatched",
            service,
            service=excerpt(service),
            watched=show_some(self._services),
            hint=hint,
        )

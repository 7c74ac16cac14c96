"""The receiver: from a webhook request of one sender to a change, each change once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from threading import Lock
from typing import Final, Protocol, TypeAlias

from slomon.core.events import Change
from slomon.core.ticks import to_seconds
from slomon.dates import Undated, read_date
from slomon.errors import WebhookError
from slomon.integrations.deploy_hooks.providers import Body, Deployment, Sender
from slomon.integrations.deploy_hooks.signatures import Headers
from slomon.logging import get_logger
from slomon.options import (
    Duration,
    check_function,
    check_methods,
    option_error,
    read_count,
    read_duration,
    read_text,
)
from slomon.text import excerpt

Pair: TypeAlias = tuple[str | bytes, str | bytes]
"""The name and the value of a header."""

_MAX_BYTES: Final = 2**30
_MAX_FIELD: Final = 1000  # characters of a field of a change
_MAX_REMEMBERED: Final = 10_000  # changes
_SENDERS: Final = "a sender, such as GitHub(secret)"


class HasItems(Protocol):
    """The headers of a request in the form that most frameworks use."""

    def items(self) -> Iterable[Pair]:
        """Pairs of a name, in any case, and a value."""


class Receiver:
    """
    Reads the webhooks of one sender, in any thread.

    * `service`: the service of the changes, as in the endpoints' entries: a name, or a function
      of the event (a dict) that returns a name or None for no service; by default the repository
      or project
    * `environment`: deployments to other environments are skipped; None accepts all environments
    * `max_age`: a deployment that is older than this, or as far in the future, is skipped with a
      warning; a younger one that was accepted before is skipped without. So a recorded request
      that is sent again has no effect. The exception: after a restart, a deployment younger than
      this that was accepted before the restart is accepted once more
    * `max_body`: the most bytes of a body
    * `now`: returns the time in nanoseconds since the epoch

    Raises ConfigurationError if an option is wrong.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        service: str | Callable[[Body], str | None] | None = None,
        environment: str | None = "production",
        max_age: Duration = "1h",
        max_body: int = 2**20,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        check_methods("sender", sender, ["check", "parse", "find_deployment"], _SENDERS)
        if callable(service):
            check_function("service", service, "an event")
        check_function("now", now, "no argument")
        self._sender = sender
        self._service = service if callable(service) else read_text("service", service)
        self._environment = read_text("environment", environment)
        self._max_age = read_duration("max_age", max_age, 1)
        self._max_body = read_count("max_body", max_body, _MAX_BYTES)
        self._now = now
        self._accepted: dict[Change, int] = {}
        self._lock = Lock()

    def read(self, headers: HasItems | Iterable[Pair], body: bytes) -> Change | None:
        """
        The change that a request reports; None if it reports none, or one that was accepted before.
        Answer both with a success status, otherwise the sender repeats the request. `body` must be
        the bytes of the request: after parsing and rewriting, a signature no longer matches.

        Raises WebhookError with the HTTP status to answer (401, 413 or 400).
        """
        if not isinstance(body, bytes | bytearray | memoryview):
            raise TypeError(f"body is {type(body).__name__}; allowed: bytes, as they came")
        if len(body) > self._max_body:
            raise WebhookError(413, f"the body has bytes: {len(body)}; allowed: {self._max_body}")
        now, body = self._now(), bytes(body)
        self._sender.check(read_headers(headers), body, now)
        event = self._sender.parse(body)
        deployment = self._sender.find_deployment(event)
        if deployment is None or not self._matches_environment(deployment):
            return None
        service = self._find_service(event, deployment.change.service)
        if service is None:
            return None
        change = replace(deployment.change, service=service)
        return change if self._accept(change, _read_time(change), now) else None

    def _matches_environment(self, deployment: Deployment) -> bool:
        return not self._environment or self._environment in deployment.environments

    def _find_service(self, event: Body, default: str) -> str | None:
        if not callable(self._service):
            return self._service or default
        found = self._service(event)
        if found is not None and (not isinstance(found, str) or not found):
            raise option_error("service", found, "a function that returns a name, or None")
        return found

    def _accept(self, change: Change, tick: int, now: int) -> bool:
        """Is the change new? Remember it."""
        if abs(now - tick) > self._max_age:
            get_logger().warning(
                "webhook.stale",
                service=excerpt(change.service),
                commit=excerpt(change.commit),
                age=to_seconds(now - tick),
            )
            return False
        with self._lock:
            if change in self._accepted:
                return False
            recent = [item for item in self._accepted.items() if now - item[1] <= self._max_age]
            self._accepted = dict([*recent[1 - _MAX_REMEMBERED :], (change, tick)])
        return True


def read_headers(headers: HasItems | Iterable[Pair]) -> Headers:
    """The values by lower-case name. Several values of a name are joined by commas, as in HTTP."""
    pairs = headers.items() if hasattr(headers, "items") else headers
    found: dict[str, str] = {}
    for pair in pairs:
        name, value = (part.decode("latin-1") if isinstance(part, bytes) else part for part in pair)
        name = name.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _read_time(change: Change) -> int:
    """The tick of the deploy. Raises WebhookError (400) if the change is malformed."""
    for field in fields(change):
        value = getattr(change, field.name)
        if not value and field.name != "author":
            raise WebhookError(400, f"the deployment has no {field.name}")
        if len(value) > _MAX_FIELD:
            found = f"the deployment's {field.name} has characters: {len(value)}"
            raise WebhookError(400, f"{found}; allowed: {_MAX_FIELD}")
    tick = read_date(change.date)
    if isinstance(tick, Undated):
        raise WebhookError(400, tick.reason)
    return tick

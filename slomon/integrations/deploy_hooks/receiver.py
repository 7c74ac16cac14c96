"""The receiver: from a webhook request of one sender to a change, each change once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields, replace
from threading import Lock
from typing import Final, Protocol, TypeAlias

from slomon.core.events import Change
from slomon.core.ticks import to_seconds
from slomon.dates import Undated, read_date
from slomon.deploys.records import refuse_environment
from slomon.errors import WebhookError
from slomon.integrations.deploy_hooks.sender import Body, Deployment, Sender
from slomon.integrations.deploy_hooks.signatures import Headers
from slomon.live_monitor.monitor import LiveMonitor
from slomon.live_monitor.threaded import ThreadedMonitor
from slomon.logging import OnceLog, get_logger
from slomon.options import (
    Duration,
    check_function,
    check_methods,
    option_error,
    read_count,
    read_duration,
    read_names,
    read_text,
)
from slomon.text import excerpt, quote

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
      of the event (a dict) that returns a name or None for no service; by default the repository,
      the project or the application
    * `environment`: the environments whose deployments count, one or several; `*` stands for any
      text. By default production counts: as the sender says (`production_environment` of GitHub,
      `environment_tier` of GitLab), else by the name. A deployment without an environment counts.
      Others are skipped; each environment is logged once
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
        environment: str | Sequence[str] | None = None,
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
        self._wanted = () if environment is None else read_names("environment", environment)
        self._log = OnceLog()
        self._max_age = read_duration("max_age", max_age, 1)
        self._max_body = read_count("max_body", max_body, _MAX_BYTES)
        self._now = now
        self._accepted: dict[Change, int] = {}
        self._lock = Lock()

    def report(
        self,
        monitor: LiveMonitor | ThreadedMonitor,
        headers: HasItems | Iterable[Pair],
        body: bytes,
    ) -> bool:
        """
        Report the deploy of a request to a monitor. False if the request has none that is new, or
        if the monitor dropped it; for the answer and the errors see `read`.
        """
        found = self._find(headers, body)
        if found is None:
            return False
        return monitor.change(**asdict(found.change), if_new=found.restated)

    def read(self, headers: HasItems | Iterable[Pair], body: bytes) -> Change | None:
        """
        The change that a request reports; None if it reports none, or one that was accepted before.
        Answer both with a success status, otherwise the sender repeats the request. `body` must be
        the bytes of the request: after parsing and rewriting, a signature no longer matches. A
        sender in a cluster reports the same version again; see `Deployment`.

        Raises WebhookError with the HTTP status to answer (401, 413 or 400).
        """
        found = self._find(headers, body)
        return None if found is None else found.change

    def _find(self, headers: HasItems | Iterable[Pair], body: bytes) -> Deployment | None:
        """The new deployment of a request."""
        if not isinstance(body, bytes | bytearray | memoryview):
            raise TypeError(f"body is {type(body).__name__}; allowed: bytes, as they came")
        if len(body) > self._max_body:
            raise WebhookError(413, f"the body has bytes: {len(body)}; allowed: {self._max_body}")
        now, body = self._now(), bytes(body)
        self._sender.check(read_headers(headers), body, now)
        event = self._sender.parse(body)
        deployment = self._sender.find_deployment(event)
        if deployment is None or self._skips(deployment):
            return None
        service = self._find_service(event, deployment.change.service)
        if service is None:
            return None
        change = replace(deployment.change, service=service)
        if not self._accept(change, _read_time(change), now):
            return None
        return replace(deployment, change=change)

    def _skips(self, deployment: Deployment) -> bool:
        """Is the deployment to an environment that does not count? The first one is logged."""
        names = deployment.environments
        reason = refuse_environment(names, self._wanted, production=deployment.production)
        if reason:
            self._log.warn(
                "webhook.skipped",
                reason,
                service=excerpt(deployment.change.service),
                commit=excerpt(deployment.change.commit),
                reason=reason,
                hint=f"environment={quote(next(filter(None, names), '*'))} counts its deployments",
            )
        return bool(reason)

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

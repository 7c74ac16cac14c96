"""Incidents as signed messages to any HTTP receiver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from anyio import Event

from slomon.concurrency import Task
from slomon.core.incident_records import IncidentRecord
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.integrations.notify.delivery import HttpRequest, Sender, Url, read_headers
from slomon.integrations.notify.notifier import Notifier
from slomon.integrations.notify.outbox import Message, Outbox, build_request, read_secret
from slomon.live_monitor.clock import wall_now
from slomon.live_monitor.monitor import LiveMonitor
from slomon.live_monitor.subscription import IncidentClosed, IncidentOpened
from slomon.options import AnyPath, Duration, distinct_paths, read_duration, read_path
from slomon.state.file import PersistentFile


class Webhook(Notifier):
    """
    POSTs a message for each incident that opens and for each that ends, in this order. Each is
    retried until the receiver has accepted it (status 2xx) or rejected it (a redirect, or a 4xx
    other than 408, 425 and 429).

    The body is `{"type": ..., "timestamp": ..., "data": ...}`: the type `incident.opened`,
    `incident.closed` or `incident.expired`, the time of that event in RFC 3339, and the document of
    the incident, which `slomon.incident_schema()` describes.

    Messages are signed by the conventions of Standard Webhooks, so its libraries verify them:
    `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 of `webhook-id`,
    `webhook-timestamp` and the body, joined by full stops. A message that is sent again has the
    same id, by which a receiver can recognise duplicates.

    * `secret`: the signing key, `whsec_` and the base64 of 24 to 64 bytes; `headers`: added to all
      requests
    * `outbox`: a file for this webhook alone, which keeps undelivered messages over restarts. With
      this and the monitor's `state`, every message arrives at least once even if the process is
      killed. Without it, entering sends messages for the open incidents, and for nothing else from
      before
    * `retry_for`: for how long a message is retried after its first try, which waits for all
      messages before it
    * `queue_bound`: how many messages may wait; beyond that the oldest are given up
    * `linger`: how long leaving may wait for undelivered messages

    Raises ConfigurationError if an option is wrong. Entering raises OSError if the outbox can't be
    used, and StateFileError if that is a file of another kind. A damaged outbox is renamed.
    """

    def __init__(
        self,
        monitor: LiveMonitor,
        url: str,
        *,
        secret: str,
        outbox: AnyPath | None = None,
        headers: Mapping[str, str] | None = None,
        retry_for: Duration = "1d",
        queue_bound: int = 1000,
        linger: Duration = "5s",
    ) -> None:
        super().__init__(monitor, "webhook", queue_bound=queue_bound, linger=linger)
        self._key = read_secret("secret", secret)
        self._retry_for = read_duration("retry_for", retry_for)
        path = read_path("outbox", outbox)
        distinct_paths({**monitor.files, "outbox": path})
        self._sender = self._make_sender(Url("url", url), read_headers("headers", headers))
        self._file = None if path is None else PersistentFile(Path(path), "outbox")
        self._outbox = Outbox(self._bound)

    def _held(self) -> AbstractContextManager[None]:
        return super()._held() if self._file is None else self._file.held()

    async def _begin(self) -> None:
        await super()._begin()
        self._changed, self._unsaved, self._emptied = Event(), Event(), Event()
        saved = None if self._file is None else await self._file.load(self._restore)
        self._outbox = Outbox(self._bound) if saved is None else saved
        self._fresh = saved is None

    def _restore(self, saved: Mapping[str, Any]) -> Outbox:
        return Outbox.restore(saved, self._bound)

    async def _caught_up(self) -> None:
        if self._file is not None:  # now, so that a kill loses nothing from here on
            self._unsaved = Event()
            await self._save(self._file)

    async def _end(self) -> None:
        left = len(self._outbox.messages)
        if self._file is not None:
            await self._save(self._file)
        elif left:
            self._drop(left, "left behind")

    def _take(self, event: IncidentOpened | IncidentClosed) -> None:
        self._handle_change(self._outbox.take(event))

    def _catch_up(self, records: Sequence[IncidentRecord]) -> None:
        take = self._outbox.begin if self._fresh else self._outbox.catch_up
        self._handle_change(take(records))
        self._fresh = False

    def _senders(self) -> Sequence[Sender]:
        return [self._sender]

    def _tasks(self) -> Sequence[Task]:
        return [self._deliver, *([partial(self._save_often, self._file)] if self._file else [])]

    async def _drain(self) -> None:
        while self._outbox.messages:
            self._emptied = Event()
            await self._emptied.wait()

    async def _deliver(self) -> None:
        while True:
            while self._outbox.messages:
                await self._send(next(iter(self._outbox.messages.values())))
            self._emptied.set()
            self._changed = Event()
            await self._changed.wait()

    async def _send(self, message: Message) -> None:
        end = self._clock.now() + self._retry_for
        delivered = await self._sender.deliver(partial(self._build, message, end))
        if self._outbox.messages.pop(message.id, None) and not delivered:
            self._drop(1, "not taken by the receiver")
        self._unsaved.set()

    def _build(self, message: Message, end: int) -> HttpRequest | None:
        """The request of a message; None if its time is over, or it was given up."""
        if self._clock.now() > end or message.id not in self._outbox.messages:
            return None
        return build_request(message, self._key, wall_now(self._clock) // TICKS_PER_SECOND)

    async def _save_often(self, file: PersistentFile) -> None:
        while True:
            await self._unsaved.wait()
            self._unsaved = Event()
            await self._save(file)

    async def _save(self, file: PersistentFile) -> None:
        try:
            await file.save(self._outbox.save())
        except OSError as error:  # the next time may succeed
            self._log.warn("outbox.unsaved", reason=str(error))

    def _handle_change(self, dropped: int) -> None:
        """The outbox has changed, and gave up that many messages."""
        if dropped:
            self._drop(dropped, "too many wait")
        self._changed.set()
        self._unsaved.set()

    def _drop(self, count: int, reason: str) -> None:
        self._counts.dropped += count
        self._log.warn("notification.dropped", count=count, reason=reason)

"""The interfaces of the pipeline: the stream that it reads, and the listeners that it calls."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Protocol, TypeAlias

from slomon.core.endpoints import Catalogue
from slomon.core.events import Accounting, Malformed, Rejection
from slomon.core.incident import Incident

Event: TypeAlias = Mapping[str, object] | Malformed
"""`{"type": ..., "value": ...}`, or a Malformed if the stream itself knows that a record is bad."""

Entries: TypeAlias = Iterable[Mapping[str, object]]
"""The endpoints: dicts with `name`, `email`, `verb`, `resource`, `slo` and `window` (seconds)."""


class EventStream(Protocol):
    """
    Any object with these two methods; either may be `async`.

    A plain method may block: it is called in its own thread. All calls of `generate_event` are made
    in the same thread, and `get_info` is called in another one.
    """

    def generate_event(self) -> Event | Awaitable[Event]:
        """
        Return the next event, of type "access", "change" or "end-of-stream".

        No event follows "end-of-stream". Its value may be a timestamp: the stream was watched until
        then.
        """

    def get_info(self) -> Entries | Awaitable[Entries]:
        """Return the endpoints to watch. Called once, before the first event."""


class Listener:
    """Receives what happens in a run, in the event loop's thread. The methods here do nothing."""

    def started(self, catalogue: Catalogue) -> None:
        """The endpoints are known, and the first event is about to be read."""

    def incident_moved(self, incident: Incident) -> None:
        """
        An incident opened, closed or expired.

        The incidents of one endpoint arrive in order, as soon as they are found.
        """

    def event_rejected(self, rejection: Rejection) -> None:
        """An event was rejected. Rejections arrive in stream order."""

    def finished(self, accounting: Accounting) -> None:
        """The stream ended, and every event is accounted for."""

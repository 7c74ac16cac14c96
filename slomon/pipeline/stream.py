"""What the pipeline reads from, and whom it tells."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Protocol, TypeAlias

from slomon.core.endpoints import Catalogue
from slomon.core.events import Accounting, Malformed, Rejection
from slomon.core.incident import Incident

Event: TypeAlias = Mapping[str, object] | Malformed
"""`{"type": ..., "value": ...}`, or a Malformed where the stream itself knows a record is bad."""

Entries: TypeAlias = Iterable[Mapping[str, object]]
"""The endpoints: dicts of `name`, `email`, `verb`, `resource`, `slo` and `window` (seconds)."""


class EventStream(Protocol):
    """
    Anything with these two methods; either may be `async`. A plain one may block: it is called in
    a thread of its own, `generate_event` always in the same one, `get_info` in another.
    """

    def generate_event(self) -> Event | Awaitable[Event]:
        """
        The next event: of type "access", "change", or "end-of-stream", after which no more. The
        value of the last one may be a timestamp: until then the stream was watched.
        """

    def get_info(self) -> Entries | Awaitable[Entries]:
        """The endpoints to watch; asked once, before the first event."""


class Listener:
    """Is told what happens in a run, on the event loop's thread; does nothing of itself."""

    def started(self, catalogue: Catalogue) -> None:
        """The endpoints are known and the first event is about to be read."""

    def incident_moved(self, incident: Incident) -> None:
        """
        An incident opened, closed or expired. Each endpoint's come in order, as they are
        found.
        """

    def event_rejected(self, rejection: Rejection) -> None:
        """An event could not be read. These come in stream order."""

    def finished(self, accounting: Accounting) -> None:
        """The stream ended and every event is accounted for."""

"""
An incident's opening or end as a message of a webhook, by the conventions of Standard Webhooks
(https://www.standardwebhooks.com): receivers verify them with libraries that there are already.

What is to be delivered, and how far that has come.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import islice
from typing import Any, Final, NamedTuple, Self, TypeAlias

from slomon.core.endpoints import EndpointName
from slomon.core.incident import State
from slomon.core.records import IncidentRecord
from slomon.errors import OptionError
from slomon.integrations.notify.alertmanager import show_time
from slomon.integrations.notify.delivery import HttpRequest
from slomon.integrations.standard_webhooks import PREFIX, decode_key, sign
from slomon.live_monitor.subscription import IncidentClosed, IncidentOpened
from slomon.report.columns import incident_document
from slomon.state.file import Section

_MICROSECONDS: Final = 1_000_000


Event: TypeAlias = IncidentOpened | IncidentClosed


@dataclass(frozen=True, slots=True)
class Message:
    """
    What an event says. `id` is the same at every try, after restarts too: the receiver knows by it
    what it has already. `body` is JSON, in ASCII.
    """

    id: str
    body: str


def find_events(record: IncidentRecord) -> Iterator[Event]:
    """What happened to an incident so far."""
    yield IncidentOpened(record)
    if record.end is not None:
        yield IncidentClosed(record)


def identify(event: Event) -> str:
    """The id of its message: of which incident it is, when that opened, and what is told of it."""
    record = event.incident
    return f"{record.id}-{round(record.start * _MICROSECONDS)}-{_kind(event)}"


def date(event: Event) -> float:
    """When it happened, in seconds."""
    record = event.incident
    return record.start if isinstance(event, IncidentOpened) or record.end is None else record.end


def write_message(event: Event) -> Message:
    """Its message. An opening is told as one, though the end may be known already."""
    record = event.incident
    if isinstance(event, IncidentOpened):
        record = replace(record, state=State.OPEN, end=None, duration=None, fixed_by=None)
    content = {
        "type": f"incident.{_kind(event)}",
        "timestamp": show_time(date(event)),
        "data": incident_document(record),
    }
    return Message(identify(event), json.dumps(content, allow_nan=False))


def read_secret(name: str, value: object) -> bytes:
    """A key as it is handed out. Raises ConfigurationError, which doesn't show it, for others."""
    key = decode_key(value) if isinstance(value, str) else b""
    if not 24 <= len(key) <= 64:
        raise OptionError(
            [name], f" can't be used; allowed: '{PREFIX}' and the base64 of 24 to 64 bytes"
        )
    return key


def write_letter(message: Message, key: bytes, seconds: int) -> HttpRequest:
    """The message as it is sent at a time, which is signed with it."""
    time, body = str(seconds), message.body.encode()
    headers = {
        "webhook-id": message.id,
        "webhook-timestamp": time,
        "webhook-signature": sign(key, message.id.encode(), time.encode(), body).decode(),
    }
    return HttpRequest(body, headers)


def _kind(event: Event) -> str:
    return "opened" if isinstance(event, IncidentOpened) else str(event.incident.state)


class Cursor(NamedTuple):
    """The last event of an endpoint that was taken: the id of its message, and when it happened."""

    id: str
    at: float


class Outbox:
    """
    Messages in order, at most `bound` of them, and a mark for each endpoint. What happened since
    the marks is found in a monitor's history: so events are made up for that nobody took, because
    the process was killed or the loop held up.

    Its methods return how many messages were given up for newer ones.
    """

    def __init__(self, bound: int) -> None:
        self.messages: dict[str, Message] = {}
        """Those to be delivered, by their ids."""
        self.marks: dict[EndpointName, Cursor] = {}
        self._bound = bound

    def begin(self, records: Iterable[IncidentRecord]) -> int:
        """The first time: of a history only what is open is news."""
        newest = [events[-1] for events in _group(records).values()]
        for event in newest:
            self._mark(event)
        return self._put([event for event in newest if event.incident.end is None])

    def take(self, event: Event) -> int:
        """An incident opened or ended."""
        self._mark(event)
        return self._put([event])

    def catch_up(self, records: Iterable[IncidentRecord]) -> int:
        """What a history has that was not taken, in the order in which it happened."""
        news: list[Event] = []
        for key, events in _group(records).items():
            news += _find_news(events, self.marks.get(key))
            self._mark(events[-1])
        return self._put(sorted(news, key=date))

    def save(self) -> list[tuple[str, Section]]:
        """All of it, as sections of a file."""
        return [
            ("messages", [astuple(message) for message in self.messages.values()]),
            ("marks", [[*key, *mark] for key, mark in self.marks.items()]),
        ]

    @classmethod
    def restore(cls, saved: Mapping[str, Any], bound: int) -> Self:
        """
        Continue from a saved state. Raises ValueError, LookupError or TypeError if that is invalid.
        """
        outbox = cls(bound)
        messages = [Message(*fields) for fields in saved["messages"]]
        outbox.messages = {message.id: message for message in messages}
        outbox.marks = {
            (service, verb, resource): Cursor(*mark)
            for service, verb, resource, *mark in saved["marks"]
        }
        return outbox

    def _mark(self, event: Event) -> None:
        self.marks[event.incident.endpoint] = Cursor(identify(event), date(event))

    def _put(self, events: Iterable[Event]) -> int:
        news = [event for event in events if identify(event) not in self.messages]
        dropped = max(0, len(news) - self._bound)
        for event in news[dropped:]:
            self.messages[identify(event)] = write_message(event)
        excess = max(0, len(self.messages) - self._bound)
        for oldest in list(islice(self.messages, excess)):
            del self.messages[oldest]
        return dropped + excess


def _find_news(events: Sequence[Event], mark: Cursor | None) -> Sequence[Event]:
    """Of an endpoint's events those since its mark."""
    if mark is None:
        return events
    ids = [identify(event) for event in events]
    if mark.id in ids:
        return events[ids.index(mark.id) + 1 :]
    return [event for event in events if date(event) >= mark.at]  # of a history without it


def _group(records: Iterable[IncidentRecord]) -> dict[EndpointName, list[Event]]:
    """The events of each endpoint, in order."""
    groups: dict[EndpointName, list[Event]] = {}
    for record in records:
        groups.setdefault(record.endpoint, []).extend(find_events(record))
    return groups

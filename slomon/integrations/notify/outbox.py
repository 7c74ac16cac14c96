"""
The messages of a webhook, and the outbox that holds them until they are delivered. Messages follow
Standard Webhooks (https://www.standardwebhooks.com), so existing libraries can verify them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import islice
from typing import Any, Final, NamedTuple, Self, TypeAlias

from slomon.core.endpoints import EndpointName
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.errors import OptionError
from slomon.integrations.notify.alertmanager import show_time
from slomon.integrations.notify.delivery import HttpRequest
from slomon.integrations.standard_webhooks import PREFIX, decode_key, sign
from slomon.live_monitor.subscription import IncidentClosed, IncidentOpened
from slomon.report.columns import incident_document
from slomon.state.file import Section
from slomon.state.validation import check_texts, demand

_MICROSECONDS: Final = 1_000_000


Event: TypeAlias = IncidentOpened | IncidentClosed


@dataclass(frozen=True, slots=True)
class Message:
    """
    The message of an event. `id` is the same at every try, even after a restart: receivers
    recognise duplicates by it. `body` is JSON in ASCII.
    """

    id: str
    body: str


def find_events(record: IncidentRecord) -> Iterator[Event]:
    """The events of an incident so far."""
    yield IncidentOpened(record)
    if record.end is not None:
        yield IncidentClosed(record)


def identify(event: Event) -> str:
    """The id of an event's message: the incident, the time at which it opened, and the event."""
    record = event.incident
    return f"{record.id}-{round(record.start * _MICROSECONDS)}-{_kind(event)}"


def date(event: Event) -> float:
    """The time of an event, in seconds since the epoch."""
    record = event.incident
    return record.start if isinstance(event, IncidentOpened) or record.end is None else record.end


def write_message(event: Event) -> Message:
    """The message of an event. That of an opening never shows the end, even if it is known."""
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
    """The key of a secret. Raises ConfigurationError, which doesn't show it, if it is invalid."""
    key = decode_key(value) if isinstance(value, str) else b""
    if not 24 <= len(key) <= 64:
        raise OptionError(
            [name], f" can't be used; allowed: '{PREFIX}' and the base64 of 24 to 64 bytes"
        )
    return key


def build_request(message: Message, key: bytes, seconds: int) -> HttpRequest:
    """The signed request of a message at a time, in seconds since the epoch."""
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
    """The last event of an endpoint that was taken in: its message's id, and its time."""

    id: str
    at: float


class Outbox:
    """
    The undelivered messages in order, at most `bound` of them, and a cursor for each endpoint. By
    the cursors, events that were missed are found in a monitor's history: the process may have been
    killed, or the loop blocked.

    `begin`, `take` and `catch_up` return how many messages were given up for newer ones.
    """

    def __init__(self, bound: int) -> None:
        self.messages: dict[str, Message] = {}
        """Messages to be delivered, by id."""
        self.cursors: dict[EndpointName, Cursor] = {}
        self._bound = bound

    def begin(self, records: Iterable[IncidentRecord]) -> int:
        """Take in a history for the first time: only open incidents are news."""
        newest = [events[-1] for events in _group(records).values()]
        for event in newest:
            self._advance(event)
        return self._put([event for event in newest if event.incident.end is None])

    def take(self, event: Event) -> int:
        """Take in that an incident opened or ended."""
        self._advance(event)
        return self._put([event])

    def catch_up(self, records: Iterable[IncidentRecord]) -> int:
        """Take in the events of a history that were missed, in the order in which they happened."""
        news: list[Event] = []
        for key, events in _group(records).items():
            news += _find_news(events, self.cursors.get(key))
            self._advance(events[-1])
        return self._put(sorted(news, key=date))

    def save(self) -> list[tuple[str, Section]]:
        """The whole state, as sections of a file."""
        return [
            ("messages", [astuple(message) for message in self.messages.values()]),
            ("marks", [[*key, *cursor] for key, cursor in self.cursors.items()]),
        ]

    @classmethod
    def restore(cls, saved: Mapping[str, Any], bound: int) -> Self:
        """
        Continue from a saved state. Raises ValueError, LookupError or TypeError if that is invalid.
        """
        outbox = cls(bound)
        for fields in saved["messages"]:
            check_texts(fields)
            message = Message(*fields)
            demand(f"{message.id}{message.body}".isascii(), "a message can't be sent")
            outbox.messages[message.id] = message
        for service, verb, resource, name, at in saved["marks"]:
            check_texts([service, verb, resource, name])
            outbox.cursors[service, verb, resource] = Cursor(name, float(at))
        return outbox

    def _advance(self, event: Event) -> None:
        self.cursors[event.incident.endpoint] = Cursor(identify(event), date(event))

    def _put(self, events: Iterable[Event]) -> int:
        news = [event for event in events if identify(event) not in self.messages]
        dropped = max(0, len(news) - self._bound)
        for event in news[dropped:]:
            self.messages[identify(event)] = write_message(event)
        excess = max(0, len(self.messages) - self._bound)
        for oldest in list(islice(self.messages, excess)):
            del self.messages[oldest]
        return dropped + excess


def _find_news(events: Sequence[Event], cursor: Cursor | None) -> Sequence[Event]:
    """The events of an endpoint since its cursor."""
    if cursor is None:
        return events
    ids = [identify(event) for event in events]
    if cursor.id in ids:
        return events[ids.index(cursor.id) + 1 :]
    # The history no longer has the event of the cursor.
    return [event for event in events if date(event) >= cursor.at]


def _group(records: Iterable[IncidentRecord]) -> dict[EndpointName, list[Event]]:
    """The events of each endpoint, in order."""
    groups: dict[EndpointName, list[Event]] = {}
    for record in records:
        groups.setdefault(record.endpoint, []).extend(find_events(record))
    return groups

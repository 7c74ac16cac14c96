"""
An incident's opening or end as a message of a webhook, by the conventions of Standard Webhooks
(https://www.standardwebhooks.com): receivers verify them with libraries that there are already.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from slomon.core.incident import State
from slomon.core.records import IncidentRecord
from slomon.embedding.event import IncidentClosed, IncidentOpened
from slomon.errors import OptionError
from slomon.notify.alert import show_time
from slomon.notify.sender import Letter
from slomon.reporting.document import incident_document
from slomon.standard_webhooks import PREFIX, decode_key, sign

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


def write_letter(message: Message, key: bytes, seconds: int) -> Letter:
    """The message as it is sent at a time, which is signed with it."""
    time, body = str(seconds), message.body.encode()
    headers = {
        "webhook-id": message.id,
        "webhook-timestamp": time,
        "webhook-signature": sign(key, message.id.encode(), time.encode(), body).decode(),
    }
    return Letter(body, headers)


def _kind(event: Event) -> str:
    return "opened" if isinstance(event, IncidentOpened) else str(event.incident.state)

"""A recorded event stream: a file of events, one JSON object a line, and a file of endpoints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from slomon.core.event import Malformed
from slomon.endpoints.entry import Fields, join_fields
from slomon.errors import ConfigurationError
from slomon.pipeline.stream import Event


@contextmanager
def open_recording(events: Path, info: Path) -> Iterator[RecordedStream]:
    """
    The EventStream of two files, which are open while the `with` block lasts. `events` has an
    event a line; blank lines are passed over and a line that isn't JSON is a malformed event.
    `info` is a JSON list of the endpoints' entries.

    Raises OSError where a file can't be read, ConfigurationError where `info` can't be.
    """
    entries = _read_entries(info)
    # No byte is lost or fatal: what isn't UTF-8 stays visible, as an escape.
    with events.open(encoding="utf-8-sig", errors="backslashreplace") as lines:
        yield RecordedStream(lines, entries)


class RecordedStream:
    """An EventStream of lines of JSON, which ends with the lines if not by an event."""

    def __init__(self, lines: Iterable[str], entries: list[Mapping[str, object]]) -> None:
        numbered = enumerate(lines, 1)
        self._events = (_read_event(number, line) for number, line in numbered if line.strip())
        self._entries = entries

    def get_info(self) -> list[Mapping[str, object]]:
        """The endpoints' entries."""
        return self._entries

    def generate_event(self) -> Event:
        """The event of the next line."""
        return next(self._events, {"type": "end-of-stream", "value": ""})


def _read_event(number: int, line: str) -> Event:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Malformed(line.rstrip("\n"), f"line {number} is not JSON: {error}")
    return cast(Event, event)  # whatever it is: the reader of events decides


def _read_entries(info: Path) -> list[Mapping[str, object]]:
    try:
        text = info.read_text(encoding="utf-8-sig")
        entries = json.loads(text, object_pairs_hook=Fields)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"not JSON in UTF-8: {error}") from None
    if isinstance(entries, Fields):
        entries = dict(entries)
    elif isinstance(entries, list):
        entries = [join_fields(number, fields) for number, fields in enumerate(entries)]
    return cast(list[Mapping[str, object]], entries)  # the catalogue checks them

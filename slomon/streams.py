"""
A recorded event stream: a file of events, one JSON object a line, and a file of endpoints.

A simulated event stream: endpoints at steady rates, and deploys that break and repair them.
Deterministic: the same arguments give the same stream, to the last byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from heapq import heapify, heapreplace
from pathlib import Path
from random import Random
from typing import Final, cast

from slomon.core.events import Malformed
from slomon.endpoints.config import Fields, join_fields
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


# Simulated time is whole ten-thousandths of a second: the stamps have four decimals.
_SECOND: Final = 10_000
_START: Final = datetime(2018, 11, 28, 22, 11, 31, tzinfo=UTC)
_ZONE: Final = timedelta(hours=-8)  # of the dates of changes, which don't name it

_RATES: Final = (1, 5, 10)  # requests a second
_SLOS: Final = (0.9, 0.95, 0.99, 0.999, 0.9999)
_WINDOW: Final = 30  # seconds
_CHANGE_EVERY: Final = 10 * _SECOND, 20 * _SECOND  # least and most between two changes

_SYLLABLES: Final = (
    "al",
    "be",
    "cor",
    "di",
    "el",
    "fa",
    "gra",
    "ho",
    "in",
    "ka",
    "lo",
    "mi",
    "qua",
)


class SimulatedStream:
    """
    An EventStream of `max_events` requests and changes to `endpoints` APIs.

    A change to a bugged API fixes it; one to a healthy API bugs it with probability `prob_bug`.
    Each request to a bugged API fails with probability `prob_error`, none to a healthy one does.
    Raises ConfigurationError where a probability is outside [0, 1] or a number below its least.
    """

    def __init__(
        self,
        *,
        seed: int = 1337,
        max_events: int = 100_000,
        prob_bug: float = 0.1,
        prob_error: float = 0.05,
        endpoints: int = 20,
    ) -> None:
        _check_probability("prob_bug", prob_bug)
        _check_probability("prob_error", prob_error)
        _check_count("max_events", max_events, 0)
        _check_count("endpoints", endpoints, 1)
        self._random = Random(seed)
        self._left = max_events
        self._prob_bug = prob_bug
        self._prob_error = prob_error
        self._apis = [_Api(self._random, number) for number in range(endpoints)]
        self._next_change = self._random.randint(*_CHANGE_EVERY)
        self._requests = [(self._random.randrange(_SECOND), n) for n in range(endpoints)]
        heapify(self._requests)

    def get_info(self) -> list[dict[str, object]]:
        """The endpoints, one entry each."""
        return [api.entry() for api in self._apis]

    def generate_event(self) -> dict[str, str]:
        """The next event in the order of simulated time."""
        if self._left == 0:
            return {"type": "end-of-stream", "value": "end-of-stream"}
        self._left -= 1
        if self._next_change <= self._requests[0][0]:
            return {"type": "change", "value": self._change()}
        return {"type": "access", "value": self._request()}

    def _request(self) -> str:
        time, number = self._requests[0]
        api = self._apis[number]
        heapreplace(self._requests, (time + api.interval(self._random), number))
        failed = api.bugged and self._random.random() < self._prob_error
        stamp = int(_START.timestamp()) * _SECOND + time
        whole, fraction = divmod(stamp, _SECOND)
        return f"{whole}.{fraction:04d} GET {api.resource} {500 if failed else 200}"

    def _change(self) -> str:
        time = self._next_change
        self._next_change += self._random.randint(*_CHANGE_EVERY)
        api = self._random.choice(self._apis)
        api.bugged = not api.bugged and self._random.random() < self._prob_bug
        microseconds = time * 1_000_000 // _SECOND + self._random.randrange(100)
        date = _START + _ZONE + timedelta(microseconds=microseconds)
        return (
            f"commit: {self._random.getrandbits(128):032x}\n"
            f"Author: <{api.email}>\n"
            f"Date: {date:%Y-%m-%d %H:%M:%S.%f}\n"
            f"Service: {api.name}\n"
        )


class _Api:
    def __init__(self, random: Random, number: int) -> None:
        # The number keeps names apart that happen to be the same word.
        self.name = f"{_word(random)}{number}"
        self.email = f"{_word(random)}@{_word(random)}.com"
        self.resource = f"/api/v1/{_word(random)}{number}"
        self.bugged = False
        self._slo = random.choice(_SLOS)
        period = _SECOND // random.choice(_RATES)
        self._shortest, self._longest = period * 9 // 10, period * 11 // 10

    def entry(self) -> dict[str, object]:
        return {
            "name": self.name,
            "email": self.email,
            "verb": "GET",
            "resource": self.resource,
            "slo": self._slo,
            "window": _WINDOW,
        }

    def interval(self, random: Random) -> int:
        return random.randint(self._shortest, self._longest)


def _word(random: Random) -> str:
    return "".join(random.choice(_SYLLABLES) for _ in range(4))


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ConfigurationError(f"{name} is {value}; allowed: a probability, from 0 to 1")


def _check_count(name: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigurationError(f"{name} is {value}; allowed: a whole number from {least} up")

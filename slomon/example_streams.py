"""Event streams to try slomon with: one recorded in two files, and a simulated one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from heapq import heapify, heapreplace
from pathlib import Path
from random import Random
from typing import Final, TextIO, cast

from slomon.core.events import Malformed
from slomon.endpoints.config import Fields, join_fields, read_text
from slomon.errors import ConfigurationError
from slomon.pipeline.stream import Event
from slomon.sources.source import MAX_LINE

# Simulated time is in steps of 0.1 ms, because timestamps have four decimals.
_SECOND: Final = 10_000
_START: Final = datetime(2018, 11, 28, 22, 11, 31, tzinfo=UTC)
_ZONE: Final = timedelta(hours=-8)  # of the dates of changes, which don't state it

_RATES: Final = (1, 5, 10)  # requests a second
_SLOS: Final = (0.9, 0.95, 0.99, 0.999, 0.9999)
_WINDOW: Final = 30  # seconds
_CHANGE_INTERVALS: Final = 10 * _SECOND, 20 * _SECOND  # the shortest and the longest

_SYLLABLES: Final = (
    *("al", "be", "cor", "di", "el", "fa", "gra"),
    *("ho", "in", "ka", "lo", "mi", "qua"),
)


@contextmanager
def open_recording(events: Path, info: Path) -> Iterator[RecordedStream]:
    """
    Open a recorded event stream. The files stay open until the `with` block ends.

    * `events`: a JSON object per line, one event each; blank lines are skipped, and a line that
      isn't JSON or has over 1048576 characters is a malformed event
    * `info`: a JSON list of the endpoints' entries

    Raises OSError if a file can't be read, ConfigurationError if `info` is malformed.
    """
    entries = _read_entries(info)
    # Bytes that aren't UTF-8 are kept as escapes: they neither stop the stream nor disappear.
    with events.open(encoding="utf-8-sig", errors="backslashreplace") as lines:
        yield RecordedStream(_read_lines(lines), entries)


class RecordedStream:
    """An EventStream of lines of JSON. It ends at an end-of-stream event or after the last line."""

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


def _read_lines(file: TextIO) -> Iterator[str]:
    """The lines of a file. Of a line that is longer than `MAX_LINE`, only the first characters."""
    while line := file.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith("\n"):
            line = file.readline(MAX_LINE + 1)


def _read_event(number: int, line: str) -> Event:
    if len(line.removesuffix("\n")) > MAX_LINE:
        return Malformed(line, f"line {number} has over {MAX_LINE} characters")
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Malformed(line.rstrip("\n"), f"line {number} is not JSON: {error}")
    return cast(Event, event)  # of any type: the parser of events checks it


def _read_entries(info: Path) -> list[Mapping[str, object]]:
    try:
        entries = json.loads(read_text(info), object_pairs_hook=Fields)
    except ConfigurationError:
        raise
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"not JSON in UTF-8: {error}") from None
    if isinstance(entries, Fields):
        entries = dict(entries)
    elif isinstance(entries, list):
        entries = [join_fields(number, fields) for number, fields in enumerate(entries)]
    return cast(list[Mapping[str, object]], entries)  # the catalogue checks them


class SimulatedStream:
    """
    An EventStream of `max_events` accesses and changes of `endpoints` APIs. Equal arguments give
    equal streams, byte for byte.

    Each API gets requests at a steady rate. A change to an API with a bug fixes the bug; a change
    to a healthy API introduces a bug with probability `prob_bug`. A request to an API with a bug
    fails with probability `prob_error`; a request to a healthy API never fails.

    Raises ConfigurationError if a probability is outside [0, 1] or a count is too small.
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
        self._remaining = max_events
        self._prob_bug = prob_bug
        self._prob_error = prob_error
        self._apis = [_Api(self._random, number) for number in range(endpoints)]
        self._next_change = self._random.randint(*_CHANGE_INTERVALS)
        self._requests = [(self._random.randrange(_SECOND), n) for n in range(endpoints)]
        heapify(self._requests)

    def get_info(self) -> list[dict[str, object]]:
        """The endpoints, one entry each."""
        return [api.entry() for api in self._apis]

    def generate_event(self) -> dict[str, str]:
        """The next event in the order of simulated time."""
        if self._remaining == 0:
            return {"type": "end-of-stream", "value": "end-of-stream"}
        self._remaining -= 1
        if self._next_change <= self._requests[0][0]:
            return {"type": "change", "value": self._change()}
        return {"type": "access", "value": self._request()}

    def _request(self) -> str:
        time, number = self._requests[0]
        api = self._apis[number]
        heapreplace(self._requests, (time + api.interval(self._random), number))
        failed = api.has_bug and self._random.random() < self._prob_error
        stamp = int(_START.timestamp()) * _SECOND + time
        whole, fraction = divmod(stamp, _SECOND)
        return f"{whole}.{fraction:04d} GET {api.resource} {500 if failed else 200}"

    def _change(self) -> str:
        time = self._next_change
        self._next_change += self._random.randint(*_CHANGE_INTERVALS)
        api = self._random.choice(self._apis)
        api.has_bug = not api.has_bug and self._random.random() < self._prob_bug
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
        # The number makes names unique: two of the random words may be equal.
        self.name = f"{_draw_word(random)}{number}"
        self.email = f"{_draw_word(random)}@{_draw_word(random)}.com"
        self.resource = f"/api/v1/{_draw_word(random)}{number}"
        self.has_bug = False
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


def _draw_word(random: Random) -> str:
    return "".join(random.choice(_SYLLABLES) for _ in range(4))


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ConfigurationError(f"{name} is {value}; allowed: a probability, from 0 to 1")


def _check_count(name: str, value: int, minimum: int) -> None:
    if value < minimum:
        raise ConfigurationError(f"{name} is {value}; allowed: a whole number from {minimum} up")

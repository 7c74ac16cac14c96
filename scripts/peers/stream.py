"""
Measures how fast a stream is read, compared with a plain synchronous loop as one writes it by hand,
over the same recorded dicts. The two run in turn. The rows show whether the cost of an event stays
flat.

`plain` and `slomon` are nanoseconds per event of the whole run, including the set-up of endpoints
and the first request to each. `second half` is slomon's over the second half of the events, and
`ratio` the median of the ratios of the pairs. `report_memory` measures the memory of a million
endpoints instead.
"""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from slomon import get_service_monitor
from slomon.example_streams import SimulatedStream

Event = dict[str, str]
Details = Mapping[str, list[Any]]


class Recorded:
    """An event stream over a list of dicts, which both sides of the comparison read."""

    def __init__(self, events: list[Event], entries: list[dict[str, object]]) -> None:
        half = len(events) // 2
        self._events = chain(events[:half], self._note_half(), events[half:])
        self.half_time = 0.0
        self._entries = entries
        self._end = {"type": "end-of-stream", "value": ""}

    def _note_half(self) -> Iterator[Event]:
        self.half_time = time.perf_counter()
        yield from ()

    def get_info(self) -> list[dict[str, object]]:
        return self._entries

    def generate_event(self) -> Event:
        return next(self._events, self._end)


@dataclass
class Watched:
    """The state of one endpoint in the plain loop."""

    name: str
    slo: float
    width: float
    window: deque[tuple[float, bool]] = field(default_factory=deque)
    requests: int = 0
    successes: int = 0
    incident: dict[str, Any] | None = None


def plain_loop(stream: Recorded) -> Details:
    """A short loop: no checks, no accounting, floats for time."""
    watched = {
        (entry["verb"], entry["resource"]): Watched(
            str(entry["name"]), float(str(entry["slo"])), float(str(entry["window"]))
        )
        for entry in stream.get_info()
    }
    commits: dict[str, str] = {}
    details: dict[str, list[Any]] = {}
    while True:
        event = stream.generate_event()
        if event["type"] == "access":
            stamp, verb, path, status = event["value"].split()
            tick, ok = float(stamp), status == "200"
            endpoint = watched[verb, path]
            endpoint.window.append((tick, ok))
            endpoint.requests += 1
            endpoint.successes += ok
            while endpoint.window[0][0] <= tick - endpoint.width:
                _, was_ok = endpoint.window.popleft()
                endpoint.requests -= 1
                endpoint.successes -= was_ok
            if endpoint.successes / endpoint.requests < endpoint.slo:
                if endpoint.incident is None:
                    commit = commits.get(endpoint.name, "")
                    endpoint.incident = {"start": tick, "end": -1, "fix": "", "break": commit}
                    details.setdefault(endpoint.name, []).append(endpoint.incident)
            elif endpoint.incident is not None:
                endpoint.incident.update(end=tick, fix=commits.get(endpoint.name, ""))
                endpoint.incident = None
        elif event["type"] == "change":
            lines = dict(line.split(": ", 1) for line in event["value"].splitlines())
            commits[lines["Service"]] = lines["commit"]
        else:
            return details


def ours(stream: Recorded) -> Details:
    return get_service_monitor(stream).incident_details()


@dataclass(frozen=True)
class Timing:
    """The seconds of a run, and of its second half."""

    whole: float
    second_half: float


def timed(run: Callable[[Recorded], Details], stream: Recorded) -> tuple[Timing, Details]:
    gc.collect()
    start = time.perf_counter()
    details = run(stream)
    end = time.perf_counter()
    return Timing(end - start, end - stream.half_time), details


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    events: int = 1_000_000
    endpoints: int = 1_000
    window: float = 30


@dataclass(frozen=True)
class Result:
    """Medians: nanoseconds per event, and the ratio of a pair."""

    plain: float
    slomon: float
    second_half: float
    ratio: float
    incidents: int


def measure(case: Case, rounds: int) -> Result:
    simulated = SimulatedStream(
        max_events=case.events, endpoints=case.endpoints, prob_bug=0.5, prob_error=0.05
    )
    entries = [{**entry, "window": case.window} for entry in simulated.get_info()]
    events = [simulated.generate_event() for _ in range(case.events)]
    pairs = []
    for _ in range(rounds):
        theirs, expected = timed(plain_loop, Recorded(events, entries))
        mine, details = timed(ours, Recorded(events, entries))
        if details != expected:
            sys.exit(f"the two disagree on {case}")
        pairs.append((theirs, mine))
    scale = 1e9 / case.events
    return Result(
        plain=statistics.median(theirs.whole for theirs, _ in pairs) * scale,
        slomon=statistics.median(mine.whole for _, mine in pairs) * scale,
        second_half=statistics.median(mine.second_half for _, mine in pairs) * scale * 2,
        ratio=statistics.median(mine.whole / theirs.whole for theirs, mine in pairs),
        incidents=sum(map(len, details.values())),
    )


def cases(largest: int) -> Iterator[Case]:
    yield Case("the default simulation", events=min(100_000, largest), endpoints=20)
    for events in (100_000, 500_000, 2_000_000):
        yield Case("events", events=min(events, largest))
    for endpoints in (10, 1_000, 100_000):
        yield Case("endpoints", events=min(1_000_000, largest), endpoints=endpoints)
    for window in (1, 30, 3_600):
        yield Case("window", events=min(1_000_000, largest), endpoints=100, window=window)


class OncePerEndpoint:
    """A stream with one request to each endpoint."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._sent = 0

    def get_info(self) -> list[dict[str, object]]:
        common = {"email": "team@example.com", "verb": "GET", "slo": 0.999, "window": 30}
        return [{"name": f"s{n}", "resource": f"/api/{n}", **common} for n in range(self._count)]

    def generate_event(self) -> Event:
        if self._sent == self._count:
            return {"type": "end-of-stream", "value": ""}
        self._sent += 1
        return {"type": "access", "value": f"{self._sent} GET /api/{self._sent - 1} 200"}


def report_memory() -> None:
    """Print the peak memory of a process with a million endpoints and one request to each."""
    accounting = get_service_monitor(OncePerEndpoint(1_000_000)).accounting
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{accounting.accesses:,} endpoints with a request each: {peak:,.0f} MiB at the peak")


def report_speed(rounds: int, largest: int) -> None:
    timed(ours, Recorded([], []))  # so that no measured run imports the event loop
    print(f"{'':24}{'events':>10}{'endpoints':>11}{'window':>8}", end="")
    print(f"{'plain':>7}{'slomon':>8}{'ratio':>7}{'second half':>13}{'incidents':>11}")
    for case in cases(largest):
        found = measure(case, rounds)
        print(f"{case.name:24}{case.events:10,}{case.endpoints:11,}{case.window:7}s", end="")
        print(f"{found.plain:7.0f}{found.slomon:8.0f}{found.ratio:7.2f}", end="")
        print(f"{found.second_half:13.0f}{found.incidents:11,}", flush=True)

"""A whole replay gives the answers of a brute force over the lines, in the order of the rule."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.core.endpoints import Catalogue
from slomon.core.events import Change
from tests.core.ordering import Arrival, Arrivals, by_the_rule
from tests.log_replay.replays import BACKENDS, SECOND, Opened, RawEvent, told
from tests.oracle import expected
from tests.strategies import END_OF_STREAM, NO_TRAFFIC, Event, ending_at, portion, stamp, streams
from tests.strategies import Stream as Drawn

NOW = 1_543_443_091 * SECOND
backends = pytest.mark.parametrize("backend", BACKENDS)
any_workers = st.integers(1, 3)
whole_run = settings(max_examples=portion(25))


def json_lines(events: list[Event]) -> tuple[bytes, list[Event]]:
    """The events before the end of their stream that can be written as JSON, written so."""
    events = events[: events.index(END_OF_STREAM)] if END_OF_STREAM in events else events
    written, kept = [], []
    for event in events:
        try:
            text = json.dumps(event)
        except TypeError:
            continue
        written.append(text.encode() + b"\n")
        kept.append(json.loads(text))
    return b"".join(written), kept


def check(
    found: RawEvent,
    events: list[Event],
    entries: list[dict[str, object]],
    no_traffic: int | None = None,
) -> None:
    answers = expected(list(events), entries, no_traffic)
    assert found.monitor.mttr() == answers.mttr
    assert found.monitor.api_histogram() == answers.api_histogram
    assert list(found.monitor.incident_details().items()) == list(answers.incident_details.items())
    counts = {field: getattr(found.accounting, field) for field in answers.accounting}
    assert counts == answers.accounting


@backends
@whole_run
@given(streams(), any_workers)
def test_a_recorded_stream_gives_the_answers_of_a_brute_force(
    backend: Opened, stream: Drawn, workers: int
) -> None:
    log, events = json_lines(stream[0])
    found = told(backend, [log], "events", endpoints=Catalogue(stream[1]), workers=workers)
    check(found, events, stream[1])


@backends
@whole_run
@given(streams(), st.sampled_from(NO_TRAFFIC), st.integers(0, 2 * NOW))
def test_a_recorded_stream_may_say_until_when_it_was_watched(
    backend: Opened, stream: Drawn, no_traffic: int | None, until: int
) -> None:
    log, events = json_lines(stream[0])
    events = ending_at(events, until)
    log += json.dumps(events[-1]).encode() + b"\n"
    found = told(backend, [log], "events", endpoints=Catalogue(stream[1]), no_traffic=no_traffic)
    check(found, events, stream[1], no_traffic)


@backends
@whole_run
@given(streams(malformed=False), any_workers)
def test_a_plain_log_without_lateness_gives_the_answers_of_a_brute_force(
    backend: Opened, stream: Drawn, workers: int
) -> None:
    _, events = json_lines(stream[0])
    values = [e["value"] for e in events if isinstance(e, dict) and e["type"] == "access"]
    log = "".join(f"{value}\n" for value in values).encode()
    options = {"endpoints": Catalogue(stream[1]), "match_exactly": True, "lateness": 0}
    found = told(backend, [log], "plain", workers=workers, **options)
    check(found, [{"type": "access", "value": value} for value in values], stream[1])


Row = tuple[int, str]

ENTRIES: list[dict[str, object]] = [
    {"name": name, "email": "-", "verb": "GET", "resource": resource, "slo": slo, "window": window}
    for name, resource, slo, window in [
        *(("shop", "/a", 0.8, 3), ("shop", "/b", 0.5, 1), ("cart", "/c", 1, 5)),
    ]
]
_quarters = st.integers(4, 60).map(lambda quarter: quarter * SECOND // 4)
_accesses = st.tuples(
    _quarters, st.sampled_from([f"/{path} {status}" for path in "abcx" for status in (200, 500)])
)
_deploys = st.tuples(_quarters, st.sampled_from(["shop", "cart", "nobody"]))


@backends
@settings(max_examples=portion(60))
@given(
    st.lists(st.lists(_accesses, max_size=40), min_size=1, max_size=3),
    st.lists(_deploys, max_size=6).map(sorted),
    st.sampled_from([0, SECOND, 5 * SECOND]),
    any_workers,
)
def test_logs_and_deploys_are_merged_as_the_rule_of_reordering_says(
    backend: Opened, logs: list[list[Row]], deploys: list[Row], lateness: int, workers: int
) -> None:
    by_begin = sorted(logs, key=lambda rows: min((tick for tick, _ in rows), default=0))
    sources = [deploys, *by_begin]
    ordered = in_order([[tick for tick, _ in rows] for rows in sources], lateness)
    found = told(
        *(backend, [write_log(rows) for rows in logs], "plain"),
        endpoints=Catalogue(ENTRIES),
        changes=[(tick, Change("c" + str(tick), "-", "-", name)) for tick, name in deploys],
        lateness=lateness,
        workers=workers,
        block_bytes=len(logs) * 41,
        max_line=40,
    )
    events = [write_event(source > 0, *sources[source][number]) for source, number in ordered]
    check(found, events, ENTRIES)


def in_order(sources: list[list[int]], lateness: int) -> list[tuple[int, int]]:
    """Source and number of each row in the order of the rule, which is asked about numbers."""
    numbers = [(source, n) for source, ticks in enumerate(sources) for n in range(len(ticks))]
    key = {row: number << 1 for number, row in enumerate(numbers)}
    pieces = [
        Arrival(source, [(tick, key[source, n]) for n, tick in enumerate(ticks)], taken=False)
        for source, ticks in enumerate(sources)
    ]
    latenesses = [0, *[lateness] * (len(sources) - 1)]
    return [numbers[row[0]] for row in by_the_rule(Arrivals(latenesses, 1, pieces))[0]]


def write_log(rows: list[Row]) -> bytes:
    return "".join(f"{write_value(*row)}\n" for row in rows).encode()


def write_value(tick: int, request: str) -> str:
    return f"{stamp(tick)} GET {request}"


def write_event(is_access: bool, tick: int, text: str) -> Event:
    """An access of a request with its status, or a change of a service."""
    if is_access:
        return {"type": "access", "value": write_value(tick, text)}
    lines = f"commit: c{tick}", "Author: -", "Date: -", f"Service: {text}"
    return {"type": "change", "value": "\n".join(lines)}

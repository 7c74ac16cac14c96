"""A whole run: its answer, the calls of its listeners, and what waits for what."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict
from itertools import chain, count, islice

import pytest

from slomon import Accounting, ConfigurationError, Incident, Rejection, consume
from slomon.core.endpoints import Catalogue
from slomon.core.incident import State
from slomon.options import BackendName
from slomon.pipeline import run as run_module
from slomon.pipeline.collector import Collector
from slomon.pipeline.reader import BATCHES
from slomon.pipeline.run import DEFAULTS, Options, run
from slomon.pipeline.stream import Listener
from tests.oracle import expected
from tests.strategies import random_stream
from tests.streams import (
    ENTRIES,
    KINDS,
    AsyncStream,
    Gate,
    PlainStream,
    Stream,
    failure,
    flapping,
    success,
    turns,
    until,
)

Make = Callable[..., Options]

WAYS: list[tuple[type[Stream], BackendName]] = [
    *((kind, "python") for kind in KINDS),
    (PlainStream, "compiled"),
    (AsyncStream, "compiled"),
]
NUMBERS = {"workers": 1024, "queue_bound": 2**20, "batch_bound": 2**20}


@pytest.mark.parametrize(("name", "most"), NUMBERS.items())
def test_a_number_may_be_anything_from_one_to_its_most(name: str, most: int) -> None:
    make: Make = Options
    assert [getattr(make(**{name: value}), name) for value in (1, most)] == [1, most]


@pytest.mark.parametrize("value", [0, -1, 2**20 + 1, True, 2.0, "2", None])
@pytest.mark.parametrize(("name", "most"), NUMBERS.items())
def test_a_wrong_number_is_refused_by_name_and_value(name: str, most: int, value: object) -> None:
    make: Make = Options
    with pytest.raises(ConfigurationError) as caught:
        make(**{name: value})
    shown = f"'{value}'" if isinstance(value, str) else value
    assert str(caught.value) == (
        f"option '{name}' is {shown}; allowed: a whole number from 1 to {most}"
    )


def test_more_workers_than_their_most_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="'workers' is 1025; allowed: "):
        Options(workers=1025)


@pytest.mark.parametrize("name", ["strict", "sli_series"])
def test_a_flag_is_a_bool_and_not_any_text_that_is_true(name: str) -> None:
    make: Make = Options
    with pytest.raises(ConfigurationError, match=f"'{name}' is 'no'; allowed: True and False"):
        make(**{name: "no"})


def test_options_that_were_checked_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        DEFAULTS.workers = 0  # type: ignore[misc]


RANDOM = [random_stream(random.Random(seed), 150) for seed in (1, 2)]
ANSWERS = [expected(events, entries) for events, entries in RANDOM]


async def test_the_answer_is_the_same_however_the_work_is_cut(kind: type[Stream]) -> None:
    for workers, batch_bound in ((1, 1), (1, 1000), (2, 2), (7, 1000), (64, 2)):
        for (events, entries), answer in zip(RANDOM, ANSWERS, strict=True):
            monitor = await consume(kind(events, entries), workers=workers, batch_bound=batch_bound)
            way = workers, batch_bound
            assert repr(monitor.incident_details()) == repr(answer.incident_details), way
            assert repr(monitor.api_histogram()) == repr(answer.api_histogram), way
            assert monitor.mttr() == answer.mttr, way
            assert asdict(monitor.accounting) == answer.accounting, way


class Diary(Listener):
    """Records its calls."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, object]] = []

    def started(self, catalogue: Catalogue) -> None:
        self.entries.append(("started", len(catalogue.endpoints)))

    def incident_moved(self, incident: Incident) -> None:
        self.entries.append((incident.endpoint.name, incident.end_position))

    def event_rejected(self, rejection: Rejection) -> None:
        self.entries.append(("rejected", rejection.position))

    def finished(self, accounting: Accounting) -> None:
        self.entries.append(("finished", accounting.events))


@pytest.mark.parametrize("workers", [1, 2, 7])
async def test_listeners_are_told_first_of_the_start_and_last_of_the_end(workers: int) -> None:
    diary, options = Diary(), Options(workers=workers, batch_bound=3)
    await run(PlainStream([*islice(flapping(), 24), None]), options, [diary])
    assert diary.entries[0] == ("started", 3)
    assert diary.entries[-1] == ("finished", 25)
    by_subject = {
        name: [what for subject, what in diary.entries if subject == name]
        for name in ("api", "web", "job", "rejected")
    }
    assert by_subject == {
        "api": [None, 3, None, 15],
        "web": [None, 7, None, 19],
        "job": [None, 11, None, 23],
        "rejected": [24],
    }


def end(value: object) -> dict[str, object]:
    return {"type": "end-of-stream", "value": value}


@pytest.mark.parametrize(
    ("events", "end_of_api"),
    [
        #   second   1   2   .   5   6      window 1, no traffic 4: the deadline is at 5
        #   api      x           |
        pytest.param([failure(1)], None, id="watched to its own access"),
        pytest.param([failure(1), success(4, "web")], None, id="and to another's before"),
        pytest.param([failure(1), success(5, "web")], 5, id="at the deadline"),
        pytest.param([failure(1), success(6, "web")], 5, id="after it"),
        pytest.param([failure(1), success(5, "nobody")], 5, id="to one that nobody watches"),
        pytest.param([success(5, "web"), failure(1)], 5, id="to one that came before"),
        pytest.param([failure(1), end("4.999999999")], None, id="said: not so long"),
        pytest.param([failure(1), end("5")], 5, id="said: to the deadline"),
        pytest.param([failure(1), end("5.5")], 5, id="said: longer"),
        pytest.param([failure(1), end("soon")], None, id="said: nothing that is a time"),
        pytest.param([failure(1), end(5)], None, id="said: nothing that is text"),
        pytest.param([failure(1), end("2"), success(9, "web")], None, id="said: the end"),
        pytest.param([failure(1), success(6, "web"), end("2")], 5, id="said: less than is known"),
    ],
)
async def test_at_the_end_incidents_without_traffic_until_then_have_expired(
    events: list[object], end_of_api: int | None
) -> None:
    for kind, backend in WAYS:
        way = kind, backend
        monitor = await consume(kind(events), close_after_no_traffic="4s", backend=backend)
        [incident] = monitor.incidents
        assert incident.end == (None if end_of_api is None else end_of_api * 10**9), way
        assert incident.state == (State.OPEN if end_of_api is None else State.EXPIRED), way
        assert (await consume(kind(events), backend=backend)).incidents[0].end is None, way


async def test_listeners_are_notified_of_expired_incidents_whenever_these_are_found() -> None:
    diary, options = Diary(), Options(no_traffic=4 * 10**9)
    await run(
        PlainStream([failure(1), success(5), failure(6), success(9, "web")]), options, [diary]
    )
    assert diary.entries == [
        *(("started", 3), ("api", None), ("api", None), ("api", None)),
        ("finished", 4),
    ]
    await run(PlainStream([failure(1), success(5, "web")]), options, [diary])
    assert diary.entries[5:] == [("started", 3), ("api", None), ("api", None), ("finished", 2)]


async def test_a_stream_without_events_gives_an_empty_answer(kind: type[Stream]) -> None:
    monitor = await run(kind(), Options())
    assert (monitor.incidents, asdict(monitor.accounting)) == ([], asdict(Accounting()))


async def test_a_get_info_that_waits_never_blocks_the_event_loop(kind: type[Stream]) -> None:
    gate = Gate(ENTRIES)
    task = asyncio.ensure_future(run(kind([success(1)], gate), Options()))
    await until(lambda: gate.reached)
    await turns(100)
    gate.open()
    assert (await task).accounting.accesses == 1


@pytest.mark.parametrize(
    ("held", "batches_on_the_way"),
    [
        # in the intake, in the reader's hand, in the queue
        ((run_module, "work"), BATCHES + 1 + 3),
        # and in the worker's hand, and in the queue behind it
        ((Collector, "collect"), BATCHES + 1 + 3 + 1 + 3),
    ],
    ids=["worker", "collector"],
)
async def test_a_slow_consumer_holds_the_stream_up_however_long_it_is(
    kind: type[Stream],
    held: tuple[object, str],
    batches_on_the_way: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch_bound = 5
    consumer = getattr(*held)

    async def hold(length: int) -> None:
        gate = Gate()

        async def slow(*arguments: object) -> None:
            await gate.wait()
            await consumer(*arguments)

        monkeypatch.setattr(*held, slow)
        # Each batch has an incident that opens or closes, so each goes all the way.
        pairs = ((failure(second), success(second + 1)) for second in count(1, 2))
        stream = kind(islice(chain.from_iterable(pairs), length))
        options = Options(workers=1, queue_bound=3, batch_bound=batch_bound)
        task = asyncio.ensure_future(run(stream, options))
        # At least: a batch in the intake, and in each of the other places one of a single event.
        await until(lambda: stream.calls >= batch_bound + batches_on_the_way - BATCHES)
        await turns(100)
        assert stream.calls <= batch_bound * batches_on_the_way, length
        gate.open()
        assert (await task).accounting.accesses == length

    for length in (100, 400):
        await hold(length)

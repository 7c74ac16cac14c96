"""
The five laws, on streams that go where a monitor is likely to be wrong:

1. the windows, and with them the whole answer, equal a brute-force count over the raw events;
2. any number of workers, any batches, either speed of the kernel: the same answer, byte for byte;
3. live equals replay, resumed equals uninterrupted;
4. each endpoint's incidents open, then close, never two at once, and never back in time;
5. every event is accounted for.
"""

from __future__ import annotations

import copy
import json
import pickle
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import cycle, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon import ServiceMonitor, get_service_monitor
from slomon.compiled.windows import CompiledWindows
from slomon.core.batching import Batcher, Item
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.events import Change, End, Gap, Rejection, read_event
from slomon.core.incident import Incident
from slomon.core.shard import Shard
from slomon.core.statuses import server_errors_fail
from slomon.core.totals import Totals, add_up
from slomon.core.windows import Windows
from slomon.kernels.windows import WindowState
from tests.compiled.kernels import compiled
from tests.oracle import expected
from tests.strategies import (
    END_OF_STREAM,
    GAPS,
    LAST_TICK,
    NO_TRAFFIC,
    Entry,
    Event,
    ending_at,
    portion,
    random_stream,
    streams,
)
from tests.strategies import Stream as Drawn
from tests.streams import ENTRIES, KINDS, PlainStream, Stream, flapping

law = settings()  # of the chosen profile
whole_run_law = settings(max_examples=portion(15))  # each starts an event loop and threads

any_workers = st.sampled_from([1, 2, 7, 64])
any_silence = st.sampled_from(NO_TRAFFIC)
any_cuts = st.lists(st.integers(1, 30), min_size=1)


def replay(
    events: Sequence[Event],
    entries: list[Entry],
    *,
    workers: int = 1,
    cuts: Sequence[int] = (10,),
    no_traffic: int | None = None,
    resume: Callable[[Shard], Shard] = lambda shard: shard,
) -> ServiceMonitor:
    """
    Feed the core directly: batches of as many events as `cuts` says, over and over, and before
    each of them the shard is replaced by what `resume` makes of it.
    """
    sharding = Sharding(Catalogue(entries), workers)
    shards = [
        Shard(members, Windows(members, no_traffic=no_traffic, sli_series=True))
        for members in sharding.members
    ]
    batcher = Batcher(sharding, server_errors_fail)
    incidents: dict[int, Incident] = {}
    rejections: list[Rejection] = []
    for items in stretches(events, cuts):
        cut = batcher.cut(items)
        rejections += cut.rejections
        for number, batch in cut.batches:
            shards[number] = resume(shards[number])
            moved = shards[number].advance(batch)
            incidents.update((incident.start_position, incident) for incident in moved)
    newest = max(batcher.state.newest, _end(events).tick or 0)
    for shard in shards:
        left = shard.close_expired(newest) + shard.still_open()
        incidents.update((incident.start_position, incident) for incident in left)
    accounting = replace(batcher.state.accounting, late=sum(shard.late for shard in shards))
    totals = add_up(shards, batcher.state.deploys, batcher.state.span)
    return ServiceMonitor(incidents.values(), accounting, rejections, totals)


def _end(events: Sequence[Event]) -> End:
    return next((end for event in events if isinstance(end := read_event(event), End)), End())


def _items(events: Sequence[Event]) -> Iterator[Item]:
    for event in events:
        item = read_event(event)
        if isinstance(item, End):
            return
        if not isinstance(item, Gap):
            yield item


def stretches(events: Sequence[Event], cuts: Sequence[int]) -> Iterator[list[Item]]:
    """The items of a stream up to its end, so many at a time."""
    items = _items(events)
    sizes = cycle(cuts)
    while stretch := list(islice(items, next(sizes))):
        yield stretch


def run(
    stream: Stream,
    *,
    workers: int = 2,
    batch_bound: int = 10,
    queue_bound: int = 8,
    no_traffic: int | None = None,
) -> ServiceMonitor:
    """A whole run, with all its rejections in full, as the replay has them."""
    rejections: list[Rejection] = []
    monitor = get_service_monitor(
        stream,
        workers=workers,
        batch_bound=batch_bound,
        queue_bound=queue_bound,
        close_after_no_traffic=None if no_traffic is None else f"{no_traffic}ns",
        on_rejected=rejections.append,
        sli_series=True,
    )
    return ServiceMonitor(monitor.incidents, monitor.accounting, rejections, monitor.totals)


def report(monitor: ServiceMonitor) -> str:
    """All that a run says, to the last byte."""
    rejections = [asdict(rejection) for rejection in monitor.rejections]
    records = [asdict(record) for record in monitor.records()]
    summary = monitor.summary()
    sli_series = summary.series_step, [asdict(sli_series) for sli_series in summary.sli_series]
    return answers(monitor) + json.dumps(
        [rejections, records, *counted(monitor.totals), sli_series]
    )


def counted(totals: Totals) -> list[object]:
    """What a run counted beside its incidents."""
    columns = totals.requests.tolist(), totals.failures.tolist()
    return [*columns, repr(totals.deploys), asdict(totals.span)]


def answers(monitor: ServiceMonitor) -> str:
    """The three answers and the accounting, which brute force finds too."""
    return json.dumps(
        [
            monitor.mttr(),
            monitor.api_histogram(),
            monitor.incident_details(),
            asdict(monitor.accounting),
        ]
    )


def by_brute_force(events: list[Event], entries: list[Entry], no_traffic: int | None = None) -> str:
    return json.dumps(list(vars(expected(events, entries, no_traffic)).values()))


# 1. The answer equals a brute-force count.


@law
@given(streams(), any_cuts, any_silence)
def test_the_answer_is_that_of_a_brute_force_count(
    stream: Drawn, cuts: list[int], no_traffic: int | None
) -> None:
    found = replay(*stream, cuts=cuts, no_traffic=no_traffic)
    assert answers(found) == by_brute_force(*stream, no_traffic)


@law
@given(streams(), any_silence, st.sampled_from((-1, 0, 1, *GAPS)))
def test_what_ended_in_silence_depends_on_until_when_the_stream_was_watched(
    stream: Drawn, no_traffic: int | None, longer: int
) -> None:
    events, entries = stream
    details = replay(*stream, no_traffic=no_traffic).incident_details().values()
    newest = max((round(one["start"] * 1e9) for found in details for one in found), default=0)
    events = ending_at(events, min(max(newest + (no_traffic or 0) + longer, 0), LAST_TICK))
    assert answers(replay(events, entries, no_traffic=no_traffic)) == by_brute_force(
        events, entries, no_traffic
    )


@pytest.mark.slow
def test_the_answer_to_random_streams_is_that_of_a_brute_force_count() -> None:
    for seed in range(400):
        rng = random.Random(seed)
        stream, no_traffic = random_stream(rng, (10, 30, 100)[seed % 3]), rng.choice(NO_TRAFFIC)
        found = replay(*stream, workers=2, no_traffic=no_traffic)
        assert answers(found) == by_brute_force(*stream, no_traffic), seed


@pytest.mark.slow
def test_a_whole_run_over_a_random_stream_gives_the_answer_of_a_brute_force_count() -> None:
    for seed in range(20):
        rng = random.Random(seed)
        (events, entries), no_traffic = random_stream(rng, 300), rng.choice(NO_TRAFFIC)
        monitor = run(PlainStream(events, entries), no_traffic=no_traffic)
        assert answers(monitor) == by_brute_force(events, entries, no_traffic), seed


# 2. The answer does not depend on how the work was cut.


@law
@given(any_workers, streams(), any_cuts, any_silence)
def test_the_answer_is_the_same_for_any_workers_and_any_batches(
    workers: int, stream: Drawn, cuts: list[int], no_traffic: int | None
) -> None:
    whole = replay(*stream, cuts=[1000], no_traffic=no_traffic)
    cut = replay(*stream, workers=workers, cuts=cuts, no_traffic=no_traffic)
    assert report(cut) == report(whole)


@settings(max_examples=portion(60))
@given(any_workers, streams(), st.integers(1, 30), st.integers(1, 3))
def test_the_answer_of_a_whole_run_is_the_same_for_any_workers_and_bounds(
    workers: int, stream: Drawn, batch_bound: int, queue_bound: int
) -> None:
    monitor = run(
        PlainStream(*stream), workers=workers, batch_bound=batch_bound, queue_bound=queue_bound
    )
    assert report(monitor) == report(replay(*stream))


def compiled_windows(shard: Shard) -> Shard:
    """The shard, its windows going on at the compiled speed."""
    if isinstance(shard.windows, Windows):
        shard.windows = CompiledWindows(compiled(), shard.windows)
    return shard


def interpreted(shard: Shard) -> Shard:
    """The shard, its windows going on as plain Python."""
    columns = (column.tolist() for _, column in shard.windows.columns())
    windows = Windows(sli_series=True)
    assert windows.series is not None
    assert shard.windows.series is not None
    windows.series.state = shard.windows.series.state
    windows.state, windows.marks = WindowState._make(columns), shard.windows.marks
    shard.windows = windows
    return shard


@law
@given(streams(), any_cuts, any_silence)
def test_the_answer_is_the_same_at_either_speed_of_the_kernel(
    stream: Drawn, cuts: list[int], no_traffic: int | None
) -> None:
    fast = replay(*stream, workers=2, cuts=cuts, no_traffic=no_traffic, resume=compiled_windows)
    assert report(fast) == report(replay(*stream, workers=2, cuts=cuts, no_traffic=no_traffic))


# 3. Live equals replay, and resumed equals uninterrupted.


@pytest.mark.parametrize("kind", KINDS)
@whole_run_law
@given(streams(), any_silence)
def test_a_live_stream_of_any_kind_gives_the_answer_of_a_replay(
    kind: type[Stream], stream: Drawn, no_traffic: int | None
) -> None:
    assert report(run(kind(*stream), no_traffic=no_traffic)) == report(
        replay(*stream, no_traffic=no_traffic)
    )


class Row:
    """Has the fields of an event but is no dict, as the rows of some databases."""

    def __getitem__(self, field: str) -> str:
        return {"type": "access", "value": "5 GET /api 500"}[field]


CHANGE = Change("c1", "<a@x.org>", "today", "api")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "unresolved",
    [
        pytest.param({"type": "access", "value": CHANGE}, id="a change for a value"),
        pytest.param({"type": "access", "value": None}, id="no value"),
        pytest.param(Row(), id="no dict"),
    ],
)
def test_an_odd_event_is_judged_alike_in_a_live_stream_of_any_kind_and_in_a_replay(
    kind: type[Stream], unresolved: Event
) -> None:
    events = [unresolved, *islice(flapping(), 20)]
    assert report(run(kind(events))) == report(replay(events, ENTRIES))


def pickled(shard: Shard) -> Shard:
    """The shard as another process gets it."""
    resumed: Shard = pickle.loads(pickle.dumps(shard))
    return resumed


@law
@given(st.sampled_from([copy.deepcopy, pickled]), streams(), any_cuts, any_silence)
def test_a_shard_that_is_copied_between_batches_goes_on_to_the_same_answer(
    resume: Callable[[Shard], Shard], stream: Drawn, cuts: list[int], no_traffic: int | None
) -> None:
    resumed = replay(*stream, workers=2, cuts=cuts, no_traffic=no_traffic, resume=resume)
    assert report(resumed) == report(replay(*stream, no_traffic=no_traffic))


@law
@given(streams(), any_cuts, st.lists(st.booleans(), min_size=1), any_silence)
def test_a_state_may_pass_from_one_speed_to_the_other_between_any_two_batches(
    stream: Drawn, cuts: list[int], fast: list[bool], no_traffic: int | None
) -> None:
    turns = cycle(compiled_windows if compiled else interpreted for compiled in fast)

    def resume(shard: Shard) -> Shard:
        return next(turns)(shard)

    changing = replay(*stream, workers=2, cuts=cuts, no_traffic=no_traffic, resume=resume)
    assert report(changing) == report(replay(*stream, no_traffic=no_traffic))


# 4. Incidents are well formed.


@law
@given(streams(), any_silence)
def test_the_incidents_of_an_endpoint_open_then_end_and_never_go_back_in_time(
    stream: Drawn, no_traffic: int | None
) -> None:
    incidents = replay(*stream, workers=2, no_traffic=no_traffic).incidents
    for endpoint in {incident.endpoint for incident in incidents}:
        own = [incident for incident in incidents if incident.endpoint == endpoint]
        positions: list[int] = []  # of every opening and closing, and its tick or an expiry.s
        ticks: list[int] = []
        for incident in own:
            positions.append(incident.start_position)
            ticks.append(incident.start)
            if incident.end is not None:
                ticks.append(incident.end)
            if incident.end_position is not None:
                positions.append(incident.end_position)
        assert all(incident.end is not None for incident in own[:-1]), "one open at a time"
        assert positions == sorted(set(positions))
        assert ticks == sorted(ticks)


# 5. Every event is accounted for.


@law
@given(streams(), any_cuts, st.sampled_from([1, 7]))
def test_every_event_that_was_handed_in_is_counted_once(
    stream: Drawn, cuts: list[int], workers: int
) -> None:
    events, entries = stream
    before_end = [*events, END_OF_STREAM].index(END_OF_STREAM)

    monitor = replay(events, entries, workers=workers, cuts=cuts)

    count = monitor.accounting
    assert count.events == before_end
    counted = count.accesses + count.changes + count.unmatched + count.rejected
    assert count.events == counted + count.excluded
    assert count.rejected == len(monitor.rejections)
    assert count.late <= count.accesses

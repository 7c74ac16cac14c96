"""An SLI series has the buckets of its definition, with any backend and however work is cut."""

from __future__ import annotations

import random
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.compiled.windows import CompiledWindows
from slomon.core import sli_series as series_module
from slomon.core import summary as summary_module
from slomon.core.batching import Batch, TimeRange
from slomon.core.endpoints import Endpoint, ShardEndpoints
from slomon.core.events import Accounting
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.shard import Shard
from slomon.core.sli_series import SliSeries
from slomon.core.summary import Summary
from slomon.core.totals import add_up
from slomon.core.windows import Windows
from slomon.kernels.sli_series import SHORTEST
from tests.compiled.kernels import BACKENDS, Opened, compiled_kernels
from tests.core.builders import make_endpoint

SECOND = 1_000_000_000

Row = tuple[int, int, bool]  # key, tick, failed


class Cutting(NamedTuple):
    """How the work is cut, which must not change the answer."""

    workers: int = 1
    batch: int = 7
    library: Any = None  # of the compiled backend
    asked_every: int = 0  # batches, after which the totals are asked for in between


ANYHOW = Cutting()


def endpoint(number: int, slo: float = 0.9, window: int = 4 * SHORTEST) -> Endpoint:
    return make_endpoint(resource=f"/{number}", slo=slo, window=window)


def summarise(
    rows: Sequence[Row],
    endpoints: Sequence[Endpoint],
    cutting: Cutting = ANYHOW,
    **options: Any,
) -> Summary:
    """The summary of a run of the core over rows."""
    shards = []
    for number in range(cutting.workers):
        members = ShardEndpoints(endpoints, number, cutting.workers)
        windows = Windows(members, sli_series=True, **options)
        fast = cutting.library and CompiledWindows(cutting.library, windows)
        shards.append(Shard(members, fast or windows))
    incidents = {}
    for count, start in enumerate(range(0, len(rows), cutting.batch), 1):
        for shard in shards:
            for incident in shard.advance(_batch(rows, start, cutting, shard.members.shard)):
                incidents[incident.start_position] = incident
        if cutting.asked_every and count % cutting.asked_every == 0:
            add_up(shards, (), TimeRange())
    totals = add_up(shards, (), TimeRange())
    return ServiceMonitor(incidents.values(), Accounting(), (), totals).summary()


def _batch(rows: Sequence[Row], start: int, cutting: Cutting, shard: int) -> Batch:
    part = list(enumerate(rows))[start : start + cutting.batch]
    own = [
        (key // cutting.workers, tick, failed, position)
        for position, (key, tick, failed) in part
        if key % cutting.workers == shard
    ]
    slots, ticks, failures, positions = (array("q", [row[n] for row in own]) for n in range(4))
    return Batch(slots, ticks, failures, positions, [])


def by_definition(
    rows: Sequence[Row],
    endpoints: Sequence[Endpoint],
    bounds: tuple[int, int],
    min_requests: int = 1,
    resolution: int = 1,
) -> tuple[float, list[SliSeries]]:
    """The buckets of the shortest step at which they are few enough, counted one by one."""
    clocks: dict[int, int] = defaultdict(int)
    seen: dict[int, list[Row]] = defaultdict(list)
    judged = []  # key, tick, failed, SLI
    for key, time, failed in rows:
        tick = clocks[key] = max(clocks[key], time - time % resolution)
        seen[key].append((key, tick, failed))
        inside = [bad for _, at, bad in seen[key] if tick - endpoints[key].window < at]
        sli = inside.count(False) / len(inside) if len(inside) >= min_requests else 1.0
        judged.append((key, tick, failed, sli))
    step = SHORTEST
    while not fits({(key, tick // step) for key, tick, _, _ in judged}, bounds):
        step *= 2
    buckets: dict[tuple[int, int], list[tuple[bool, float]]] = defaultdict(list)
    for key, tick, failed, sli in judged:
        buckets[key, tick // step].append((failed, sli))
    sli_series = []
    for place, key in enumerate(sorted(seen)):
        own = sorted((at, inside) for (of, at), inside in buckets.items() if of == key)
        sli_series.append(
            SliSeries(
                place,
                [at * step / SECOND for at, _ in own],
                [len(inside) for _, inside in own],
                [sum(failed for failed, _ in inside) for _, inside in own],
                [min(sli for _, sli in inside) for _, inside in own],
            )
        )
    return step / SECOND, sli_series


def fits(buckets: set[tuple[int, int]], bounds: tuple[int, int]) -> bool:
    in_a_row, further = bounds
    places = [place for _, place in buckets]
    wide = max(places, default=0) - min(places, default=0) + 1
    return wide <= in_a_row and len(buckets) - len({key for key, _ in buckets}) <= further


@contextmanager
def bounded(in_a_row: int = 512, further: int = 1 << 18, few: int = 5) -> Iterator[None]:
    """With smaller bounds, which a few rows exceed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series_module, "_MOST_IN_A_ROW", in_a_row)
        patch.setattr(series_module, "MOST", further)
        patch.setattr(series_module, "_FEW", few)
        yield


def test_buckets_have_their_requests_failures_and_lowest_sli() -> None:
    #   step      0     1     2     3     4     5     6        a window is 4 steps long
    #   /0        o x   o           x                 o        SLI 1/2, 2/3, 1/2 (of 4) and 1/2
    #   /1                          o
    rows = [
        (0, 0, False),
        (0, SHORTEST - 1, True),
        (0, SHORTEST, False),
        (0, 3 * SHORTEST, True),
        (1, 4 * SHORTEST - 1, False),
        (0, 6 * SHORTEST, False),
    ]
    summary = summarise(rows, [endpoint(0), endpoint(1)])
    assert summary.series_step == 1 / 512
    assert summary.sli_series == [
        SliSeries(
            0,
            [0, 1 / 512, 3 / 512, 6 / 512],
            [2, 1, 1, 1],
            [1, 0, 1, 0],
            [1 / 2, 2 / 3, 1 / 2, 1 / 2],
        ),
        SliSeries(1, [3 / 512], [1], [0], [1.0]),
    ]


def test_what_begins_a_bucket_is_in_it_and_a_late_access_is_in_the_newest() -> None:
    rows = [(0, 2 * SHORTEST, False), (0, SHORTEST, True), (0, 3 * SHORTEST, False)]
    [sli_series] = summarise(rows, [endpoint(0)]).sli_series
    assert (sli_series.at, sli_series.requests, sli_series.failures) == (
        [2 / 512, 3 / 512],
        [2, 1],
        [1, 0],
    )


def test_windows_that_are_not_judged_are_not_the_lowest() -> None:
    rows = [
        (0, SHORTEST, True),
        (0, SHORTEST, False),
        (0, SHORTEST, False),
        (0, 9 * SHORTEST, True),
    ]
    [sli_series] = summarise(rows, [endpoint(0)], min_requests=3).sli_series
    assert (sli_series.failures, sli_series.min_sli) == ([1, 1], [2 / 3, 1.0])


def test_no_series_is_recorded_unless_it_is_asked_for() -> None:
    shard = Shard([endpoint(0)], Windows([endpoint(0)]))
    shard.advance(_all([(0, 5, False)]))
    totals = add_up([shard], (), TimeRange())
    summary = ServiceMonitor((), Accounting(), (), totals).summary()
    assert (summary.sli_series, summary.series_step) == ([], 0)


def test_without_a_request_there_is_no_series() -> None:
    assert summarise([], [endpoint(0)]).sli_series == []


@pytest.mark.parametrize(("seconds", "step"), [(0.9, 1 / 512), (1, 1 / 256), (511, 1), (512, 2)])
def test_the_step_doubles_until_there_are_at_most_512_in_a_row(seconds: float, step: float) -> None:
    #   of two endpoints: the first bucket is one's, and the last one the other's
    rows = [(0, 0, False), (1, int(seconds * SECOND), False)]
    summary = summarise(rows, [endpoint(0), endpoint(1)], Cutting(workers=2))
    assert summary.series_step == step
    assert [sli_series.at for sli_series in summary.sli_series] == [[0], [seconds // step * step]]


@pytest.mark.parametrize("bounds", [(512, 1 << 18), (1 << 40, 511)])
@pytest.mark.parametrize(("count", "step"), [(512, 1), (513, 2), (1024, 2), (1025, 4)])
def test_what_is_merged_in_the_middle_of_a_run_is_not_merged_too_much(
    count: int, step: int, bounds: tuple[int, int]
) -> None:
    rows = [(0, number * SHORTEST, False) for number in range(count)]
    with bounded(*bounds):
        summary = summarise(rows, [endpoint(0)], Cutting(batch=1))
    assert summary.series_step == step / 512
    [sli_series] = summary.sli_series
    assert (len(sli_series.at), sum(sli_series.requests)) == (-(-count // step), count)


TICKS = st.sampled_from([1, 0, SHORTEST // 2, SHORTEST, 3 * SHORTEST, 40 * SHORTEST, -SHORTEST])
ROWS = st.lists(st.tuples(st.integers(0, 4), TICKS, st.sampled_from([False, False, True])))
BOUNDS = st.tuples(st.sampled_from([3, 8, 512]), st.sampled_from([2, 9, 1000]))
CUTTINGS = st.builds(
    Cutting,
    workers=st.integers(1, 3),
    batch=st.sampled_from([1, 2, 7, 1000]),
    library=st.none(),
    asked_every=st.integers(0, 3),
)
ENDPOINTS = [
    endpoint(0),
    endpoint(1, 1.0, 1),
    endpoint(2, 0.5, 50 * SHORTEST),
    *(endpoint(number) for number in (3, 4)),
]


def walk(steps: Sequence[Row]) -> list[Row]:
    """Rows from the gaps between them, which may be negative."""
    tick = 5 * SHORTEST
    return [(key, tick := max(tick + step, 0), failed) for key, step, failed in steps]


@settings(deadline=None)
@given(ROWS, BOUNDS, CUTTINGS, st.sampled_from([1, 3]), st.sampled_from([0, 2 * SHORTEST + 1]))
def test_the_buckets_are_those_of_a_brute_force_count(
    steps: list[Row], bounds: tuple[int, int], cutting: Cutting, min_requests: int, resolution: int
) -> None:
    rows = walk(steps)
    with bounded(*bounds):
        found = summarise(
            rows, ENDPOINTS, cutting, min_requests=min_requests, resolution=resolution
        )
    expected = by_definition(rows, ENDPOINTS, bounds, min_requests, resolution or 1)
    assert (found.series_step, found.sli_series) == expected


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("workers", [1, 3])
def test_the_compiled_backend_gives_the_same_buckets(backend: Opened, workers: int) -> None:
    for seed in range(20 if backend is compiled_kernels else 2):
        rng = random.Random(seed)
        spread = rng.choice([1, SHORTEST, 100 * SHORTEST])
        steps = [
            (rng.randrange(5), rng.randrange(-spread // 9, spread), rng.random() < 0.3)
            for _ in range(300)
        ]
        bounds = rng.choice([(512, 1 << 18), (40, 1000), (1000, 60)])
        rows = walk(steps)
        with bounded(*bounds), backend() as library:
            cutting = Cutting(workers, rng.choice([1, 20, 300]), library, rng.choice([0, 2]))
            found = summarise(rows, ENDPOINTS, cutting)
        assert (found.series_step, found.sli_series) == by_definition(rows, ENDPOINTS, bounds), seed


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("bounds", [(512, 1 << 18), (1 << 40, 1024)])
def test_however_long_a_run_is_few_buckets_are_kept(
    backend: Opened, bounds: tuple[int, int]
) -> None:
    #   each access is a bucket of its own, of ever longer ones
    with bounded(*bounds, few=100), backend() as library:
        windows = CompiledWindows(library, Windows([endpoint(0), endpoint(1)], sli_series=True))
        for start in range(0, 20_000, 50):
            rows = [(number % 2, number * SECOND, False) for number in range(start, start + 50)]
            windows.advance(_all(rows))
            assert windows.series is not None
            assert len(windows.series.state.bucket_slot) < 2500


@pytest.mark.parametrize("backend", BACKENDS)
def test_with_so_many_endpoints_that_no_cache_holds_them_it_is_the_same(backend: Opened) -> None:
    rng = random.Random(1)
    many = list(map(endpoint, range(10_000)))
    rows = walk([(rng.randrange(9_990, 10_000), SHORTEST, rng.random() < 0.2) for _ in range(300)])
    with backend() as library:
        found = summarise(rows, many, Cutting(batch=100, library=library))
    places = {key: key - 9_990 for key, _, _ in rows}
    few = summarise([(places[key], *rest) for key, *rest in rows], many[:10])  # type: ignore[misc]
    assert (found.series_step, found.sli_series) == (few.series_step, few.sli_series)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_latest_time_has_a_bucket_too(backend: Opened) -> None:
    last = 2**63 - 1
    rows = [(0, 0, False), (0, last - 1, True), (0, last, False)]
    with backend() as library:
        found = summarise(rows, ENDPOINTS, Cutting(batch=3, library=library))
    [sli_series] = found.sli_series
    assert (sli_series.requests, sli_series.failures) == ([1, 2], [0, 1])
    assert (found.series_step, found.sli_series) == by_definition(rows, ENDPOINTS, (512, 1 << 18))


def _all(rows: Sequence[Row]) -> Batch:
    return _batch(rows, 0, Cutting(batch=len(rows)), 0)


def test_of_too_many_endpoints_those_with_incidents_have_series_and_then_the_busiest() -> None:
    requests = [0, 1, 1, 1, 4, 4]
    rows = [*((key, 1, False) for key in requests), (3, 2, True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary_module, "MOST_SERIES", 2)
        summary = summarise(rows, ENDPOINTS)
    traced = [summary.endpoints[sli_series.endpoint].resource for sli_series in summary.sli_series]
    assert traced == ["/1", "/3"]
    assert [sli_series.requests for sli_series in summary.sli_series] == [[3], [1]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_endpoints_may_be_found_while_a_series_is_recorded(backend: Opened) -> None:
    with backend() as library:
        for fast in (True, False):
            plain = Windows(sli_series=True)
            windows = CompiledWindows(library, plain) if fast else plain
            found = [endpoint(0)]
            shard = Shard(found, windows)
            shard.advance(_all([(0, 1, False)]))
            found.append(endpoint(1))
            shard.advance(_all([(1, SHORTEST, True), (0, SHORTEST, False)]))
            totals = add_up([shard], (), TimeRange())
            [first, second] = ServiceMonitor((), Accounting(), (), totals).summary().sli_series
            assert (first.at, second.at) == ([0, 1 / 512], [1 / 512])
            assert (second.failures, second.min_sli) == ([1], [0.0])

"""The compiled reorder buffer behaves like the one of core, piece by piece."""

from __future__ import annotations

import random
import tracemalloc
from array import array
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.compiled import reorder as order_host
from slomon.compiled.library import Library
from slomon.compiled.reorder import CompiledRowBuffer
from slomon.compiled.request_table import CompiledEndpointNames
from slomon.core.reorder import Order, PythonRowBuffer
from slomon.core.ticks import LAST_TICK
from slomon.endpoints.discovery import PythonEndpointNames
from slomon.kernels.codes import UNMATCHED
from slomon.kernels.reorder import ROW, cut
from tests.compiled.kernels import BACKENDS, Opened, compiled_kernels
from tests.core.ordering import (
    Arrival,
    Arrivals,
    all_arrivals,
    by_the_rule,
    counted,
    events,
    go_on,
    numbered,
    put_through,
    sorted_by_position,
    went_out,
)


def compiled_order(
    library: Library, sources: int, shards: int, names: CompiledEndpointNames | None = None
) -> Order:
    names = CompiledEndpointNames(library) if names is None else names
    return Order(sources, CompiledRowBuffer(library, shards, names))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("first_rows", [1, 16, 100])
@settings(deadline=None)
@given(all_arrivals())
def test_the_order_is_that_of_the_rule_however_the_rows_came(
    backend: Opened, first_rows: int, arrivals: Arrivals
) -> None:
    with backend() as library, pytest.MonkeyPatch.context() as patch:
        patch.setattr(order_host, "_FIRST_ROWS", first_rows)
        order = compiled_order(library, len(arrivals.latenesses), arrivals.shards)
        dealt = put_through(order, arrivals)

    assert sorted_by_position(dealt) == by_the_rule(arrivals)
    for source, clock in enumerate(order.clocks):
        assert (clock.newest, clock.disordered, clock.largest) == counted(arrivals, source)
    assert went_out(order) == events(arrivals)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(deadline=None)
@given(all_arrivals(), st.lists(st.booleans(), min_size=1))
def test_an_order_that_was_saved_continues_with_either_backend(
    backend: Opened, arrivals: Arrivals, fast: list[bool]
) -> None:
    sources, shards = len(arrivals.latenesses), arrivals.shards
    turns = cycle(fast)
    with backend() as library:

        def resume(before: Order) -> Order:
            if next(turns):
                return go_on(compiled_order(library, sources, shards), before)
            return go_on(Order(sources, PythonRowBuffer(shards)), before)

        dealt = put_through(Order(sources, PythonRowBuffer(shards)), arrivals, resume)
    assert sorted_by_position(dealt) == by_the_rule(arrivals)


def random_arrivals(rng: random.Random, sources: int) -> Arrivals:
    """Long ones, nearly in order, as logs are; each source is read as far as the others."""
    pieces = []
    for start in range(0, 3000, 300):
        for source in range(sources):
            ticks = [start + n + rng.choice([0, 0, 0, -3, -30, 40]) for n in range(0, 300, 2)]
            codes = rng.choices([0, 1, 2, 5, UNMATCHED, -100], k=len(ticks))
            rows = [(max(tick, 0), code) for tick, code in zip(ticks, codes, strict=True)]
            pieces.append(Arrival(source, rows, taken=True))
    return numbered(Arrivals([rng.choice([0, 1, 20, 50]) for _ in range(sources)], 2, pieces))


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("sources", [1, 2, 3])
def test_both_backends_make_the_same_batches_one_by_one(backend: Opened, sources: int) -> None:
    for seed in range(5 if backend is compiled_kernels else 1):
        arrivals = random_arrivals(random.Random(seed), sources)
        with backend() as library:
            order = compiled_order(library, sources, 2)
            dealt = put_through(order, arrivals)
        assert dealt == put_through(Order(sources, PythonRowBuffer(2)), arrivals)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("most", [1, 2, 3, 7])
@settings(deadline=None)
@given(arrivals=all_arrivals())
def test_both_backends_admit_the_same_endpoints(
    backend: Opened, most: int, arrivals: Arrivals
) -> None:
    sources, shards = len(arrivals.latenesses), arrivals.shards
    names = PythonEndpointNames(most)
    with backend() as library:
        table = CompiledEndpointNames(library, most)
        for key in range(5):  # of all keys that there are in arrivals
            assert table.key(b"GET /%d" % key) == names.key(b"GET /%d" % key) == key
        order, plain = (
            compiled_order(library, sources, shards, table),
            Order(sources, PythonRowBuffer(shards, names.accept)),
        )
        dealt = put_through(order, arrivals)
        assert sorted_by_position(dealt) == sorted_by_position(put_through(plain, arrivals))
        assert went_out(order) == went_out(plain)
        assert table.save() == names.save()
    keys = {
        slot * shards + shard for shard in dealt for slot, *rest in dealt[shard] if len(rest) == 3
    }
    assert len(keys) == names.admitted <= most


@pytest.mark.parametrize("backend", BACKENDS)
def test_many_shards_need_room_for_their_rows_alone(backend: Opened) -> None:
    rows = [(1, 0), *((2, key << 1) for key in range(0, 3000, 7))]
    arrivals = Arrivals([0], 1000, [Arrival(0, rows, taken=True)])
    with backend() as library:
        order = compiled_order(library, 1, 1000)
        ticks, codes = (array("q", column) for column in zip(*rows, strict=True))
        order.enter(0, ticks, codes, len(rows))
        order.end(0)
        tracemalloc.start()
        order.take()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 1_000_000  # the batches themselves need a few hundred bytes each
        dealt = put_through(compiled_order(library, 1, 1000), arrivals)
    assert sorted_by_position(dealt) == by_the_rule(arrivals)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_last_tick_there_is_has_its_place_too(backend: Opened) -> None:
    rows = [(LAST_TICK, 0), (LAST_TICK - 1, 1), (0, 0), (LAST_TICK, 1)]
    for lateness in (0, 1, LAST_TICK):
        arrivals = Arrivals([lateness], 1, [Arrival(0, rows, taken=True)])
        with backend() as library:
            dealt = put_through(compiled_order(library, 1, 1), arrivals)
        assert dealt == by_the_rule(arrivals)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("times", [[], [5], [5, 5, 5], [1, 2, 2, 3, 9], list(range(0, 64, 2))])
def test_what_is_final_ends_at_the_first_row_of_the_watermark(
    backend: Opened, times: list[int]
) -> None:
    rows = array("q", [number for time in times for number in (time, 0, time, 0)])
    for first in range(len(times) + 1):
        for watermark in range(-1, 70):
            expected = first + sum(time < watermark for time in times[first:])
            assert cut(rows, first, len(times), watermark - 1) == expected
            assert len(rows) == ROW * len(times)
    with backend() as library:
        order = compiled_order(library, 1, 1)
        arrivals = Arrivals([0], 1, [Arrival(0, [(time, 0)], taken=True) for time in times])
        assert put_through(order, arrivals) == by_the_rule(arrivals)

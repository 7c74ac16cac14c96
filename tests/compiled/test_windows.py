"""CompiledWindows equals Windows: the same crossings, and the same state."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from slomon.compiled.windows import CompiledWindows
from slomon.core.batching import Batch
from slomon.core.endpoints import Endpoint
from slomon.core.shard import AnyWindows
from slomon.core.windows import Windows
from slomon.kernels.windows import EXPIRED, OPENED, Crossing
from tests.compiled.kernels import BACKENDS, Opened, compiled_kernels
from tests.core.builders import make_endpoint
from tests.onsets import find_onsets

backends = pytest.mark.parametrize("backend", BACKENDS)
LIKE = make_endpoint(window=100)


def endpoints(rng: random.Random) -> list[Endpoint]:
    return [
        make_endpoint(
            resource=f"/{number}",
            slo=rng.choice([1.0, 0.9, 0.7, 0.5]),
            window=rng.choice([1, 7, 100, 2000]),
        )
        for number in range(rng.choice([1, 2, 50]))
    ]


def batches(rng: random.Random, slots: int) -> Iterator[Batch]:
    """Batches of very different sizes, so that the pool grows between some of them."""
    tick = position = 0
    for size in rng.choices([0, 1, 2, 10, 100, 500], k=20):
        steps = rng.choices([0, 0, 1, 1, 3, 20], k=size)
        ticks = [tick := tick + step for step in steps]
        late = [max(tick - rng.choice([0, 0, 0, 0, 2]), 0) for tick in ticks]
        places = rng.sample(range(position, position + 2 * size), size)
        position += 2 * size
        yield Batch(
            array("q", rng.choices(range(slots), k=size)),
            array("q", late),
            array("q", rng.choices([0, 0, 1], k=size)),
            array("q", sorted(places)),
            [],
        )


@pytest.mark.slow
@backends
@pytest.mark.parametrize("min_requests", [1, 3, 20])
@pytest.mark.parametrize("no_traffic", [None, 0, 30])
def test_crossings_and_state_are_those_of_the_python_backend(
    backend: Opened, min_requests: int, no_traffic: int | None
) -> None:
    resolutions, seeds = (0, 1, 10), range(6 if backend is compiled_kernels else 1)
    crossed: dict[int, list[Crossing]] = {resolution: [] for resolution in resolutions}
    for resolution, seed in product(resolutions, seeds):
        options: dict[str, Any] = {
            "min_requests": min_requests,
            "resolution": resolution,
            "no_traffic": no_traffic,
        }
        rng = random.Random(seed)
        watched = endpoints(rng)
        plain = Windows(watched, **options)
        with backend() as library:
            windows = CompiledWindows(library, Windows(watched, **options))
            for batch in batches(rng, len(watched)):
                found = windows.advance(batch)
                assert found == plain.advance(batch)
                crossed[resolution] += found
            assert windows.late == plain.late
            assert windows.count == plain.count
            assert list(windows.columns()) == list(plain.columns())
    assert all(crossed.values())
    if no_traffic is not None and min_requests < 20:  # of so many, some come in time
        for crossings in crossed.values():
            assert any(crossing.kind == EXPIRED for crossing in crossings)


def brute_force(
    rows: list[tuple[int, int]], like: Endpoint, min_requests: int, no_traffic: int | None
) -> list[Crossing]:
    """The crossings of one endpoint's accesses (tick, failed), each window counted anew."""
    crossings: list[Crossing] = []
    seen: list[tuple[int, int, int]] = []  # tick, position, failed
    lowest = (1, 0, 0)  # requests, failures, tick
    since = 0  # the access after which an incident last ended
    clock = breached = 0
    for position, (tick, failed) in enumerate(rows):
        newest, clock = clock, max(clock, tick)
        if breached and no_traffic is not None and clock - newest >= max(like.window, no_traffic):
            breached = 0
            ended = newest + max(like.window, no_traffic)
            failures = [access for access in seen if access[2]]
            onsets, recovery = find_onsets(seen, since, like.slo)
            crossings.append(
                Crossing(
                    *(0, position, ended, EXPIRED, failed),
                    *(*onsets, len(seen), len(failures), failures[-1][0], *lowest, recovery),
                )
            )
            since = position
        seen.append((clock, position, failed))
        inside = [access for access in seen if clock - like.window < access[0]]
        requests, bad = len(inside), sum(failed for *_, failed in inside)
        if requests < min_requests:
            continue
        sli = (requests - bad) / requests
        below = int(sli < like.slo)
        if below and (not breached or sli < (lowest[0] - lowest[1]) / lowest[0]):
            lowest = requests, bad, clock
        if below != breached:
            breached = below
            failures = [access for access in seen if access[2]]
            onsets, recovery = find_onsets(seen, since, like.slo)
            crossings.append(
                Crossing(
                    *(0, position, clock, below, failed),
                    *(*onsets, len(seen), len(failures), failures[-1][0], *lowest, recovery),
                )
            )
            if not below:
                since = position + 1
    return crossings


@pytest.mark.slow
@pytest.mark.parametrize("min_requests", [1, 2, 3, 8])
@pytest.mark.parametrize("no_traffic", [None, 0, 100, 120])
def test_windows_with_min_requests_are_judged_as_a_brute_force_count_judges_them(
    min_requests: int, no_traffic: int | None
) -> None:
    crossed, seeds = 0, 20
    for seed in range(seeds):
        rng = random.Random(seed)
        tick = 0
        ticks = [tick := tick + rng.choice((0, 1, 5, 30, 120)) for _ in range(200)]
        late = [max(tick - rng.choice((0, 0, 0, 4)), 0) for tick in ticks]
        rows = [(tick, int(rng.random() < 0.3)) for tick in late]
        expected = brute_force(rows, LIKE, min_requests, no_traffic)
        crossed += len(expected)
        columns = zip(*[(0, tick, failed, n) for n, (tick, failed) in enumerate(rows)], strict=True)
        slots, at, failures, positions = (array("q", column) for column in columns)
        batch = Batch(slots, at, failures, positions, [])
        for backend in BACKENDS if seed < 5 else (compiled_kernels,):
            with backend() as library:
                windows = CompiledWindows(
                    library, Windows([LIKE], min_requests=min_requests, no_traffic=no_traffic)
                )
                assert windows.advance(batch) == expected
        assert (
            Windows([LIKE], min_requests=min_requests, no_traffic=no_traffic).advance(batch)
            == expected
        )
    assert crossed > seeds


@backends
@pytest.mark.parametrize("seed", range(5))
def test_windows_continue_from_those_of_the_python_backend_between_any_two_batches(
    backend: Opened, seed: int
) -> None:
    rng = random.Random(seed)
    watched = endpoints(rng)
    plain, windows = (Windows(watched, min_requests=2, no_traffic=30) for _ in range(2))
    fast: AnyWindows = windows
    with backend() as library:
        for number, batch in enumerate(batches(rng, len(watched))):
            if number == 4 * seed:
                fast = CompiledWindows(library, windows)
            assert fast.advance(batch) == plain.advance(batch)
        assert list(fast.columns()) == list(plain.columns())


@backends
@pytest.mark.parametrize("no_traffic", [None, 0, 30])
def test_incidents_expire_between_any_two_batches(backend: Opened, no_traffic: int | None) -> None:
    rng = random.Random(no_traffic)
    watched = [*endpoints(rng), LIKE]
    plain, ended = Windows(watched, no_traffic=no_traffic), 0
    with backend() as library:
        windows = CompiledWindows(library, Windows(watched, no_traffic=no_traffic))
        for batch in batches(rng, len(watched)):
            assert windows.advance(batch) == plain.advance(batch)
            for slot in range(len(watched)):
                deadline = windows.deadline(slot)
                assert deadline == plain.deadline(slot)
                if deadline is not None and plain.state.breached[slot] and rng.random() < 0.5:
                    for either in (plain, windows):
                        either.expire(slot, deadline)
                    assert windows.totals_of(slot) == plain.totals_of(slot)
                    ended += 1
        assert list(windows.columns()) == list(plain.columns())
    assert (ended > 0) == (no_traffic is not None)


@backends
@pytest.mark.parametrize("rows", [1, 63, 64, 65, 1000])
def test_each_access_of_a_batch_may_expire_an_incident_and_open_another(
    backend: Opened, rows: int
) -> None:
    for count in (1, 10_000):
        plain = Windows([LIKE] * count, no_traffic=0)
        ticks = array("q", range(0, 100 * rows, 100))
        slots, failures = array("q", [0] * rows), array("q", [1] * rows)
        batch = Batch(slots, ticks, failures, array("q", range(rows)), [])
        with backend() as library:
            windows = CompiledWindows(library, Windows([LIKE] * count, no_traffic=0))
            found = windows.advance(batch)
        assert found == plain.advance(batch)
        assert [crossing.kind for crossing in found] == [OPENED, *[EXPIRED, OPENED] * (rows - 1)]


@backends
def test_endpoints_may_be_found_while_it_runs(backend: Opened) -> None:
    rng = random.Random(5)
    plain = Windows()
    with backend() as library:
        windows = CompiledWindows(library, Windows())
        assert windows.advance(Batch(array("q"), array("q"), array("q"), array("q"), [])) == []
        for slots, batch in zip((1, 1, 2, 9, 9, 300), batches(rng, 1), strict=False):
            for grown in (windows, plain):
                grown.grow(slots - grown.count, LIKE)
            batch.slots = array("q", rng.choices(range(slots), k=len(batch.slots)))
            assert windows.advance(batch) == plain.advance(batch)
        assert windows.count == 300
        assert list(windows.columns()) == list(plain.columns())


@backends
@pytest.mark.parametrize("rows", [1, 63, 64, 65, 1000])
def test_the_answer_is_the_same_with_more_endpoints_than_the_processors_cache_holds(
    backend: Opened, rows: int
) -> None:
    rng = random.Random(rows)
    watched = [LIKE] * 10_000
    plain = Windows(watched)
    with backend() as library:
        windows = CompiledWindows(library, Windows(watched))
        for start in range(0, 4000, max(rows, 40)):
            batch = Batch(
                array("q", rng.choices(range(9998, 10_000), k=rows)),
                array("q", [start] * rows),
                array("q", rng.choices((0, 0, 1), k=rows)),
                array("q", range(start, start + rows)),
                [],
            )
            assert windows.advance(batch) == plain.advance(batch)
        assert list(windows.columns()) == list(plain.columns())


@backends
def test_the_longest_window_has_an_edge_in_each_backend(backend: Opened) -> None:
    longest = 2**63 - 1
    ticks = array("q", [0, longest - 1, longest])
    batch = Batch(array("q", [0, 0, 0]), ticks, array("q", [1, 0, 0]), array("q", [0, 1, 2]), [])
    with backend() as library:
        windows = CompiledWindows(library, Windows([make_endpoint(window=longest)]))
        found = [crossing[:4] for crossing in windows.advance(batch)]
        assert found == [(0, 0, 0, 1), (0, 2, longest, 0)]

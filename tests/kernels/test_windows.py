"""The sliding windows: what is in them, what crosses the SLO, and what they cost."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate, cycle, islice
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.batching import Batch
from slomon.core.endpoints import Endpoint
from slomon.core.statistics import Counts
from slomon.core.windows import Windows
from slomon.kernels.windows import (
    BLOCK,
    DETAIL,
    DETAILS,
    ENDPOINT,
    OPENED,
    Crossing,
    WindowState,
    add_details,
    add_totals,
)
from tests.core.builders import make_endpoint

SECOND = 1_000_000_000

Row = tuple[int, int, int]  # slot, tick, failed
GOOD, BAD = 0, 1


def endpoint(*, slo: float = 0.9, width: int = 10) -> Endpoint:
    return make_endpoint(slo=slo, window=width)


def batches(rows: Iterable[Row], size: int = 1) -> Iterator[Batch]:
    """The rows, cut into batches; their positions are their numbers."""
    numbered = iter(enumerate(rows))
    while part := list(islice(numbered, size)):
        yield Batch(
            [slot for _, (slot, _, _) in part],
            [tick for _, (_, tick, _) in part],
            [failed for _, (_, _, failed) in part],
            [position for position, _ in part],
            [],
        )


def crossings(*accesses: tuple[int, int], slo: float = 0.9, width: int = 10) -> list[str]:
    """What accesses (tick, failed) of one endpoint cross: '<tick> opened' or '<tick> closed'."""
    windows = Windows([endpoint(slo=slo, width=width)])
    rows = [(0, tick, failed) for tick, failed in accesses]
    found = [crossing for batch in batches(rows) for crossing in windows.advance(batch)]
    return [f"{one.tick} {'opened' if one.kind == OPENED else 'closed'}" for one in found]


def entries(state: WindowState) -> int:
    """How many entries the pool has room for: its memory."""
    return len(state.entry_tick)


def blocks_in_use(state: WindowState) -> int:
    return len(state.next_block) - 1 - state.free_count[0]


# In the pictures "x" is an access that failed and "o" one that did not, each under its tick. The
# line below is a window: an access above its "(" is outside, an access above its "]" is inside.


def test_an_access_exactly_a_window_old_has_left() -> None:
    #   tick   5    6    7    8    9   10   11   12   13   14   15
    #          x                                                 o
    #          (-------------------------------------------------]
    assert crossings((5, BAD), (15, GOOD)) == ["5 opened", "15 closed"]


def test_an_access_a_nanosecond_younger_is_still_in_the_window() -> None:
    #   tick   5    6    7    8    9   10   11   12   13   14   15
    #          x                                            o
    #     (-------------------------------------------------]
    assert crossings((5, BAD), (14, GOOD)) == ["5 opened"]


def test_all_accesses_that_left_the_window_are_gone_at_once() -> None:
    #   tick   1    2    3    4    5   ...  15
    #          x    x    x    x    x         o
    #                              (---------]
    failures = [(tick, BAD) for tick in range(1, 6)]
    assert crossings(*failures, (14, GOOD)) == ["1 opened"]
    assert crossings(*failures, (15, GOOD)) == ["1 opened", "15 closed"]


def test_a_window_of_one_tick_holds_one_tick() -> None:
    #   tick   5    6    7
    #         xxo   oo   x
    #          (----]
    #               (----]
    assert crossings((5, BAD), (5, BAD), (5, GOOD), (6, GOOD), (6, GOOD), (7, BAD), width=1) == [
        "5 opened",
        "6 closed",
        "7 opened",
    ]


def test_the_longest_window_has_an_edge_too() -> None:
    #   tick   0   1   ...   2**63 - 2   2**63 - 1
    #          x                 o           o
    #          (-----------------------------]
    longest = 2**63 - 1
    assert crossings((0, BAD), (longest - 1, GOOD), width=longest) == ["0 opened"]
    assert crossings((0, BAD), (longest, GOOD), width=longest) == [
        "0 opened",
        f"{longest} closed",
    ]


def test_a_late_access_counts_at_the_newest_time() -> None:
    #   tick   5    6   ...  10   ...  16   ...  19   20
    #          o    x ------> o                        the x is late: it counts at 10
    #                         x         o         o    o
    #                         (------------------------]
    assert crossings((5, GOOD), (10, GOOD), (6, BAD), (16, GOOD), (19, GOOD), (20, GOOD)) == [
        "10 opened",
        "20 closed",
    ]


@pytest.mark.parametrize(("ticks", "late"), [((5, 5, 6), 0), ((6, 5), 1), ((6, 5, 5, 6, 0), 3)])
def test_an_access_is_late_if_its_endpoint_has_seen_a_newer_one(
    ticks: tuple[int, ...], late: int
) -> None:
    windows = Windows([endpoint(), endpoint()])
    rows = [(1, 100, GOOD), *((0, tick, GOOD) for tick in ticks)]
    for batch in batches(rows):
        windows.advance(batch)
    assert windows.late == late


@pytest.mark.parametrize(
    ("successes", "requests", "slo"),
    [
        (90, 100, 0.9),
        (9, 10, 0.9),
        (7, 25, 0.28),  # 0.28 * 25 is 7.000000000000001
        (7, 100, 0.07),
        (999, 1000, 0.999),
        (1, 2, 0.5),
    ],
)
def test_a_rate_exactly_at_the_slo_is_not_below_it(
    successes: int, requests: int, slo: float
) -> None:
    #   o ... o x ... x     90 and 10: never below 0.9
    #   o ... o x ... x x   90 and 11: below
    accesses = [(5, GOOD)] * successes + [(5, BAD)] * (requests - successes)
    assert crossings(*accesses, slo=slo) == []
    assert crossings(*accesses, (5, BAD), slo=slo) == ["5 opened"]


def test_a_rate_that_is_back_exactly_at_the_slo_closes() -> None:
    #   x x ... x o o ... o   ten failures, then successes: at the ninetieth it is 90 of 100
    failures = [(5, BAD)] * 10
    assert crossings(*failures, *[(6, GOOD)] * 89) == ["5 opened"]
    assert crossings(*failures, *[(6, GOOD)] * 90) == ["5 opened", "6 closed"]


def test_an_slo_of_one_allows_no_failure_while_it_is_in_the_window() -> None:
    #   tick   5    6    7   ...  15   16
    #          o    x   o...o   o...o   o
    #          (---------------------]
    #               (-------------------]
    many = [(tick, GOOD) for tick in range(7, 16) for _ in range(100)]
    assert crossings((5, GOOD), (6, BAD), *many, slo=1.0) == ["6 opened"]
    assert crossings((5, GOOD), (6, BAD), *many, (16, GOOD), slo=1.0) == ["6 opened", "16 closed"]


def test_a_rate_may_cross_back_and_forth() -> None:
    #   tick   5    6   ...  16   17   ...  26
    #          x    o         x    o         o
    #                    1 of 1   1 of 2         rates: 0, then 1/2, then 0, then 1/2
    assert crossings((5, BAD), (6, GOOD), (16, BAD), (17, GOOD), (26, GOOD), slo=0.5) == [
        "5 opened",
        "6 closed",
        "16 opened",
        "17 closed",
    ]


def test_a_crossing_says_which_endpoint_and_which_access() -> None:
    windows = Windows([endpoint(), endpoint()])
    [batch] = batches([(0, 5, GOOD), (1, 6, BAD), (0, 7, BAD), (1, 16, GOOD)], size=4)
    assert [crossing[:4] for crossing in windows.advance(batch)] == [
        (1, 1, 6, 1),
        (0, 2, 7, 1),
        (1, 3, 16, 0),
    ]


def test_a_crossing_has_its_onset_and_the_totals_of_the_endpoint() -> None:
    #   tick      0 . 2 . 4 . 6 . 8 . 10 . 12 . 14       slo 0.6, window 8
    #             o   o   x   x   o   o    o    o
    #             (             ]                    2 of 4 opens; 3 of 4, of 12 on, closes
    windows = Windows([endpoint(slo=0.6, width=8)])
    outcomes = [GOOD, GOOD, BAD, BAD, GOOD, GOOD, GOOD, GOOD]
    rows = [(0, 2 * number, failed) for number, failed in enumerate(outcomes)]
    opened, closed = (found for batch in batches(rows) for found in windows.advance(batch))
    assert opened == Crossing(
        slot=0,
        position=3,
        tick=6,
        kind=OPENED,
        failed=BAD,
        onset_tick=4,
        onset_requests=2,
        onset_failures=2,
        surge_tick=4,
        surge_requests=2,
        surge_failures=2,
        requests=4,
        failures=2,
        last_failure_tick=6,
        min_sli_requests=4,
        min_sli_failures=2,
        min_sli_tick=6,
        recovery_tick=6,
    )
    assert closed[11:] == (7, 2, 6, 4, 2, 6, 6)
    assert (closed.tick, closed.onset_tick, closed.onset_requests) == (12, 4, 5)
    assert windows.totals_of(0) == (8, 2, 6, 4, 2, 6, 6)
    assert [column.tolist() for column in windows.totals()] == [[8], [2]]


def onsets(*outcomes: int, slo: float, width: int) -> list[tuple[int, ...]]:
    """Onset, surge and peak of each crossing of requests that come at the ticks 0, 1, ..."""
    windows = Windows([endpoint(slo=slo, width=width)])
    rows = [(0, tick, failed) for tick, failed in enumerate(outcomes)]
    found = [crossing for batch in batches(rows) for crossing in windows.advance(batch)]
    return [(*one[5:11], one.recovery_tick) for one in found]


def test_the_onset_is_the_first_failure_since_the_excess_was_0() -> None:
    #   slo 0.6: a success takes 0.1 from the excess, so 10 successes after a failure it is 0
    for successes, onset in ((8, 5), (10, 16)):
        outcomes = [*[GOOD] * 5, BAD, *[GOOD] * successes, BAD, BAD, BAD]
        [opened] = onsets(*outcomes, slo=0.6, width=5)
        assert opened[0] == onset


def test_a_stray_failure_moves_the_onset_but_not_the_surge() -> None:
    #   slo 0.9, width 20: a success takes 0.025 from the excess, and 0.4 from the surge
    outcomes = [*[GOOD] * 20, BAD, *[GOOD] * 15, BAD, BAD]
    [opened] = onsets(*outcomes, slo=0.9, width=20)
    assert opened == (20, 18, 3, 36, 2, 2, 37)


def test_a_stray_failure_after_the_recovery_does_not_move_the_peak() -> None:
    #   slo 0.9, width 20: 3 failures of 20 until they leave the window
    outcomes = [*[GOOD] * 20, BAD, BAD, BAD, *[GOOD] * 19, BAD, GOOD, GOOD]
    opened, closed = onsets(*outcomes, slo=0.9, width=20)
    assert (opened[6], closed[6]) == (22, 22)


def test_when_an_incident_closes_the_excess_begins_anew() -> None:
    found = onsets(BAD, GOOD, GOOD, GOOD, BAD, BAD, slo=0.6, width=3)
    assert [one[0] for one in found] == [0, 0, 4]


def test_marks_are_the_totals_at_the_newest_changes_with_requests_between_them() -> None:
    windows = Windows([endpoint(width=3), endpoint()])
    both, first = array("q", [0, 1]), array("q", [0])
    for step in ([(0, 1, BAD), (0, 2, GOOD)], [], [(0, 30, BAD)], [(1, 31, GOOD)]):
        for batch in batches(step):
            windows.advance(batch)
        windows.mark(both if step else first)
    assert windows.marks.tolist() == [3, 2, 2, 1, 1, 0, 0, 0]


ROWS = st.lists(
    # slot, ticks since the access before (negative: the access is late), failed
    st.tuples(st.integers(0, 2), st.sampled_from([1, 0, 2, 5, 7, 10, 30, -1, -3]), st.booleans()),
    max_size=200,
)


@given(ROWS)
def test_the_counts_in_a_window_are_those_of_a_brute_force_count(
    steps: list[tuple[int, int, bool]],
) -> None:
    endpoints = [endpoint(width=10), endpoint(slo=1.0, width=1), endpoint(slo=0.5, width=25)]
    windows = Windows(endpoints)
    seen: list[list[tuple[int, bool]]] = [[] for _ in endpoints]
    now = 5
    for slot, step, failed in steps:
        now = max(now + step, 0)
        clock = max([now, *(tick for tick, _ in seen[slot][-1:])])
        seen[slot].append((clock, failed))

        [batch] = batches([(slot, now, failed)])
        windows.advance(batch)

        horizon = clock - endpoints[slot].window
        inside = [failed for tick, failed in seen[slot] if horizon < tick]
        assert windows.state.failures[slot] == sum(inside)
        # Without a failure, requests that left may still be counted: the SLI is 1 either way.
        assert windows.state.requests[slot] == len(inside) or not any(inside)
        below = inside.count(False) / len(inside) < endpoints[slot].slo
        assert windows.state.breached[slot] == below


def test_accesses_at_one_tick_share_an_entry() -> None:
    #   tick   5                 one entry, not a thousand
    #          oxoxoxox...
    windows = Windows([endpoint()])
    for batch in batches([(0, 5, number % 2) for number in range(1000)], size=100):
        windows.advance(batch)
    assert blocks_in_use(windows.state) == 1
    assert (windows.state.requests[0], windows.state.failures[0]) == (1000, 500)


@given(ROWS, st.sampled_from([2, 3, 10]))
def test_with_a_resolution_the_answer_is_the_exact_one_for_times_in_its_steps(
    steps: list[tuple[int, int, bool]], resolution: int
) -> None:
    endpoints = [endpoint(width=10), endpoint(slo=1.0, width=1), endpoint(slo=0.5, width=25)]
    coarse, exact = Windows(endpoints, resolution=resolution), Windows(endpoints)
    ticks = list(accumulate((step for _, step, _ in steps), initial=500))[1:]
    rows = [(slot, tick, failed) for (slot, _, failed), tick in zip(steps, ticks, strict=True)]
    floored = [(slot, tick - tick % resolution, failed) for slot, tick, failed in rows]
    found = [crossing for batch in batches(rows, 7) for crossing in coarse.advance(batch)]
    assert found == [crossing for batch in batches(floored) for crossing in exact.advance(batch)]
    for slot in range(3):
        times = [crossing.tick for crossing in found if crossing.slot == slot]
        assert times == sorted(times)


def test_an_endpoint_without_accesses_has_no_block() -> None:
    windows = Windows([endpoint()] * 1000)
    for batch in batches([(7, 5, GOOD)]):
        windows.advance(batch)
    assert blocks_in_use(windows.state) == 1


# What an endpoint's accesses do, over and over: 1 is a failure.
HABITS = [
    pytest.param([GOOD], id="never fails"),
    pytest.param([BAD], id="always fails"),
    pytest.param([BAD] + [GOOD] * 49, id="fails now and then"),
    pytest.param([GOOD] * 300 + [BAD] * 300, id="fails by turns"),
]


@pytest.mark.slow
@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("size", [1, 7, 64])
def test_the_pool_of_a_steady_endpoint_stops_growing(habit: list[int], size: int) -> None:
    #   [ a b c d ] -> [ e f g h ] -> [ i j . . ]     the oldest block, once it is out of the
    #     `---- free list ----------> next one        window, is the next one to be written
    windows = Windows([endpoint(width=100)])
    accesses = ((0, tick, failed) for tick, failed in enumerate(cycle(habit)))
    steady = batches(accesses, size)
    for batch in islice(steady, 1500 // size):
        windows.advance(batch)
    warm = entries(windows.state)

    for batch in islice(steady, 15_000 // size):
        windows.advance(batch)

    assert entries(windows.state) == warm


@pytest.mark.parametrize("habit", HABITS)
def test_a_window_of_whole_second_stamps_costs_an_entry_a_second_and_less_than_two_blocks(
    habit: list[int],
) -> None:
    seconds, a_second = 100, 5
    windows = Windows([endpoint(width=seconds * SECOND)])
    failures = islice(cycle(habit), 1000 * a_second)
    for batch in batches(
        (0, number // a_second * SECOND, failed) for number, failed in enumerate(failures)
    ):
        windows.advance(batch)
        assert blocks_in_use(windows.state) * BLOCK < seconds + 2 * BLOCK


@pytest.mark.parametrize("habit", HABITS)
def test_a_busy_window_gives_its_blocks_back_when_the_endpoint_calms_down(
    habit: list[int],
) -> None:
    windows = Windows([endpoint(width=10_000)])
    busy = ((0, tick, failed) for tick, failed in zip(range(10_000), cycle(habit), strict=False))
    for batch in batches(busy, size=64):
        windows.advance(batch)
    assert blocks_in_use(windows.state) >= 10_000 // BLOCK

    for batch in batches((0, (2 + number) * 10_000, GOOD) for number in range(BLOCK)):
        windows.advance(batch)

    assert blocks_in_use(windows.state) <= 2


def test_the_pool_grows_seldom_and_by_an_eighth_of_what_it_holds() -> None:
    windows = Windows([endpoint(width=10_000)])
    sizes = set()
    for batch in batches((0, tick, BAD) for tick in range(10_000)):
        windows.advance(batch)
        sizes.add(entries(windows.state))
    assert len(sizes) < 100
    assert max(sizes) <= 10_000 * 9 / 8 + 2 * BLOCK


def test_blocks_are_passed_on_from_endpoint_to_endpoint() -> None:
    #   endpoint 0   busy   .     busy   .       room for one busy endpoint and one at rest, never
    #   endpoint 1   .      busy  .      busy    for two busy ones
    windows = Windows([endpoint(width=100), endpoint(width=100)])
    excesses = []
    for turn in range(20):
        busy, idle = turn % 2, 1 - turn % 2
        start = turn * 10_000
        rows = [(busy, start + tick, BAD) for tick in range(1000)]
        for batch in batches([*rows, (idle, start + 5000, BAD), (busy, start + 5000, BAD)], 10):
            windows.advance(batch)
        excesses.append(entries(windows.state))
    assert excesses[2:] == excesses[1:2] * 18
    assert excesses[-1] < 2 * excesses[0]


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), max_size=60),
    st.integers(0, 60),
    st.integers(1, 40),
)
def test_a_window_can_be_read_at_a_time_after_its_newest_request(
    drawn: list[tuple[int, int]], later: int, width: int
) -> None:
    windows = Windows([endpoint(), endpoint(width=width)])
    ticks = list(accumulate((gap for gap, _ in drawn), initial=1000))[1:]
    rows = [(1, tick, failed) for tick, (_, failed) in zip(ticks, drawn, strict=True)]
    for batch in batches(rows, 5):
        windows.advance(batch)
    now = (ticks[-1] if ticks else 1000) + later

    inside = [failed for _, tick, failed in rows if now - width < tick]
    assert windows.peek(1, now) == Counts(len(inside), sum(inside))
    assert windows.peek(0, now) == Counts(0, 0)


def test_an_endpoint_gets_details_of_its_own_with_its_first_failure() -> None:
    endpoints = [0] * (3 * ENDPOINT)
    shared = [7] * (DETAILS - 1)
    details = [*shared, 1, *([0] * (2 * DETAILS))]
    add_details(endpoints, details, [0, 2, 1, 2, 0], [0, 1, 0, 1, 1], 5)
    assert endpoints[DETAIL::ENDPOINT] == [2, 0, 1]
    assert details[DETAILS - 1] == 3
    assert details[DETAILS:] == [*shared, 0, *shared, 0]


def test_the_totals_of_records_are_what_is_in_the_window_and_what_has_left_it() -> None:
    state = Windows([endpoint(), endpoint()]).state
    state.requests[:], state.past_requests[:] = [3, 4], [10, 20]
    state.failures[:], state.past_failures[:] = [1, 0], [5, 6]
    columns = [*cast("tuple[list[int], ...]", state)[:DETAIL], [0, 0]]
    records = [column[slot] for slot in range(2) for column in columns]
    requests, failures = [0, 0], [0, 0]
    add_totals(records, 2, requests, failures)
    assert (requests, failures) == ([13, 24], [6, 6])

"""Windows that are carried over continue as if uninterrupted; the others leave nothing behind."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from slomon.core.endpoints import Endpoint
from slomon.core.statistics import Counts
from slomon.core.windows import Windows, carry_marks, carry_over
from slomon.kernels.windows import BLOCK, CLOSED, Crossing
from tests.core.builders import make_endpoint
from tests.kernels.test_windows import Row, batches, blocks_in_use

MANY = [make_endpoint(resource=f"/{n}", slo=0.7, window=40) for n in range(4)]
ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 25), st.integers(0, 1)), max_size=80)
SLOTS = range(len(MANY))


def with_ticks(drawn: Iterable[Row], begin: int) -> list[Row]:
    """Rows with ticks, from rows with the gaps between their ticks."""
    rows, tick = [], begin
    for slot, gap, failed in drawn:
        tick += gap
        rows.append((slot, tick, failed))
    return rows


def advance(windows: Windows, rows: Iterable[Row]) -> list[Crossing]:
    return [crossing for batch in batches(rows, 7) for crossing in windows.advance(batch)]


def carry(windows: Windows, endpoints: Sequence[Endpoint], places: dict[int, int]) -> Windows:
    carried = Windows(endpoints)
    carried.state = carry_over(windows.state, endpoints, places)
    carried.marks = carry_marks(windows.marks, len(endpoints), places)
    return carried


@given(ROWS, ROWS, st.permutations(SLOTS), st.integers(0, 4), st.integers(0, 3))
def test_a_window_that_is_carried_over_continues_as_if_uninterrupted(
    before: list[Row], after: list[Row], order: list[int], kept: int, new: int
) -> None:
    first = with_ticks(before, 1000)
    second = with_ticks(after, first[-1][1] if first else 1000)
    through, interrupted = Windows(MANY), Windows(MANY)
    for windows in (through, interrupted):
        advance(windows, first)
        windows.mark(array("q", SLOTS))
    places = {then: new + now for now, then in enumerate(order[:kept])}
    endpoints = [MANY[0]] * new + [MANY[then] for then in places]
    carried = carry(interrupted, endpoints, places)

    expected = [one for one in advance(through, second) if one.slot in places]
    rows = [(places.get(slot, -1), tick, failed) for slot, tick, failed in second]
    positioned = list(batches(rows, 1))
    found = [
        crossing
        for batch in positioned
        if batch.slots[0] >= 0
        for crossing in carried.advance(batch)
    ]
    assert found == [one._replace(slot=places[one.slot]) for one in expected]
    for then, now in places.items():
        assert carried.totals_of(now) == through.totals_of(then)
        assert carried.marks[4 * now : 4 * now + 4] == through.marks[4 * then : 4 * then + 4]


@given(ROWS, st.sets(st.sampled_from(SLOTS)))
def test_the_blocks_of_other_endpoints_become_free(before: list[Row], kept: set[int]) -> None:
    windows, alone = Windows(MANY), Windows(MANY)
    rows = with_ticks(before, 1000)
    advance(windows, rows)
    advance(alone, [row for row in rows if row[0] in kept])
    places = {then: now for now, then in enumerate(sorted(kept))}
    carried = carry(windows, [MANY[then] for then in places], places)

    assert blocks_in_use(carried.state) == blocks_in_use(alone.state)
    free: list[int] = []
    block = carried.state.first_free[0]
    while len(free) < carried.state.free_count[0]:
        free.append(block)
        block = carried.state.next_block[block]
    assert len(set(free)) == len(free)


def test_an_endpoint_takes_its_new_slo_and_window() -> None:
    windows = Windows(MANY)
    advance(windows, [(0, 1000, 1), (0, 1010, 0), (0, 1020, 0)])  # opened, with 2 of 3 now
    narrow = [make_endpoint(resource="/0", slo=0.5, window=15)]
    carried = carry(windows, narrow, {0: 0})

    assert carried.state.width == [15]
    assert carried.state.slo == [0.5]
    assert [one.kind for one in carried.advance(next(batches([(0, 1021, 0)])))] == [CLOSED]
    assert carried.peek(0, 1021) == Counts(3, 0)


@given(ROWS, ROWS)
def test_onsets_are_known_after_windows_were_carried_over(
    before: list[Row], after: list[Row]
) -> None:
    rows = with_ticks([*before, *after], 1000)
    windows, carried = Windows(MANY), Windows(MANY)
    advance(carried, rows[: len(before)])
    found = advance(carry(carried, MANY, {slot: slot for slot in SLOTS}), rows[len(before) :])
    expected = [one for one in advance(windows, rows) if one.position >= len(before)]
    assert [one[5:11] for one in found] == [one[5:11] for one in expected]


def test_endpoints_that_never_had_a_request_hold_no_blocks() -> None:
    windows = Windows(MANY)
    assert blocks_in_use(carry(windows, [], {}).state) == 0
    assert len(carry(windows, MANY, {}).state.entry_tick) == BLOCK


def test_windows_of_many_blocks_are_free_again_and_no_others() -> None:
    windows = Windows(MANY)
    advance(windows, [(n % 2, 1000 + n, 0) for n in range(6 * BLOCK)])
    carried = carry(windows, MANY[1:2], {1: 0})
    assert blocks_in_use(carried.state) == blocks_in_use(windows.state) - 3
    assert carried.peek(0, 1000 + 6 * BLOCK) == windows.peek(1, 1000 + 6 * BLOCK)


def test_its_columns_are_arrays_by_their_names_with_or_without_an_sli_series() -> None:
    plain, recording = Windows(), Windows(sli_series=True)
    for windows in (plain, recording):
        windows.grow(2, MANY[0])
        advance(windows, [(0, 5, 1), (1, 6, 0)])
        columns = dict(windows.columns())
        assert columns["slo"] == array("d", [0.7, 0.7])
        assert columns["requests"] == array("q", [1, 1])
    assert recording.series is not None
    assert dict(recording.series.columns())["newest_bucket"] == recording.series.state.newest_bucket


def test_what_a_window_holds_is_peeked_at_across_its_blocks() -> None:
    windows = Windows([replace(MANY[0], window=4 * BLOCK)])
    advance(windows, [(0, tick, tick % 2) for tick in range(3 * BLOCK)])
    for now in (3 * BLOCK, 4 * BLOCK, 5 * BLOCK + 1, 6 * BLOCK + 1, 7 * BLOCK):
        inside = [tick for tick in range(3 * BLOCK) if tick > now - 4 * BLOCK]
        assert windows.peek(0, now) == Counts(len(inside), sum(tick % 2 for tick in inside))

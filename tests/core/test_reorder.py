"""Rows of several sources come out in order of time, whatever the pieces in which they came."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given

from slomon.core.batching import Batch
from slomon.core.events import PositionedChange
from slomon.core.reorder import Order, PythonRowBuffer, SourceClock, WaitingEvents, check_rows
from slomon.endpoints.discovery import PythonEndpointNames
from slomon.kernels.codes import BLANK, EXCLUDED, NO_TICK, REJECTED, UNMATCHED
from tests.core.ordering import (
    Arrivals,
    all_arrivals,
    by_the_rule,
    change,
    counted,
    events,
    go_on,
    put_through,
    sorted_by_position,
    went_out,
)

GOOD, BAD = 0, 1


def enter(order: Order, source: int, *rows: tuple[int, int]) -> None:
    ticks, codes = (array("q", column) for column in zip(*rows, strict=True))
    order.enter(source, ticks, codes, len(rows))


def out(order: Order) -> list[int]:
    """The ticks that are final now, of a single shard."""
    return [tick for _, batch in order.take() for tick in batch.ticks]


def late_by(lateness: int, sources: int = 1) -> Order:
    order = Order(sources, PythonRowBuffer(1))
    for clock in order.clocks:
        clock.lateness = lateness
    return order


@given(all_arrivals())
def test_the_order_is_that_of_the_rule_however_the_rows_came(arrivals: Arrivals) -> None:
    order = Order(len(arrivals.latenesses), PythonRowBuffer(arrivals.shards))
    dealt = put_through(order, arrivals)

    assert sorted_by_position(dealt) == by_the_rule(arrivals)
    for source, clock in enumerate(order.clocks):
        assert (clock.newest, clock.disordered, clock.largest) == counted(arrivals, source)
    assert went_out(order) == events(arrivals)


@given(all_arrivals())
def test_an_order_that_was_saved_goes_on_as_if_it_never_was(arrivals: Arrivals) -> None:
    sources, shards = len(arrivals.latenesses), arrivals.shards
    order = Order(sources, PythonRowBuffer(shards))
    dealt = put_through(
        order, arrivals, lambda before: go_on(Order(sources, PythonRowBuffer(shards)), before)
    )
    assert sorted_by_position(dealt) == by_the_rule(arrivals)


def test_a_row_that_is_late_within_the_bound_is_put_where_it_belongs() -> None:
    order = late_by(5)
    enter(order, 0, (10, GOOD), (12, GOOD), (8, BAD), (20, GOOD))
    assert out(order) == [8, 10, 12]


def test_rows_of_a_log_that_is_read_alone_are_removed_in_their_order() -> None:
    order = late_by(5)
    enter(order, 0, (10, GOOD), (12, GOOD), (NO_TICK, REJECTED), (8, BAD), (20, GOOD))
    removed = [8, 0, 8, BAD, 10, 0, 10, GOOD, 12, 0, 12, GOOD, 12, 0, 1, REJECTED]
    assert order.remove().tolist() == removed
    order.end(0)
    assert order.remove().tolist() == [20, 0, 20, GOOD]
    assert order.remove().tolist() == []


def test_a_row_that_is_later_than_that_stands_at_the_watermark_and_keeps_its_tick() -> None:
    #   newest 20, lateness 5: the watermark is at 15, and 14 stands there, behind 13 and before 16
    order = late_by(5)
    enter(order, 0, (13, GOOD), (20, GOOD), (16, GOOD), (14, BAD), (2, GOOD), (99, GOOD))
    assert out(order) == [13, 14, 2, 16, 20]


def test_what_stands_at_the_watermark_is_not_final_yet() -> None:
    order = late_by(5)
    enter(order, 0, (10, GOOD), (15, GOOD))
    assert out(order) == []
    enter(order, 0, (10, BAD), (16, GOOD))
    assert out(order) == [10, 10]


def test_without_lateness_one_source_keeps_its_order() -> None:
    order = late_by(0)
    enter(order, 0, (10, GOOD), (5, GOOD), (7, GOOD), (10, BAD), (11, GOOD))
    order.end(0)
    assert out(order) == [10, 5, 7, 10, 11]


def test_nothing_is_final_before_every_source_has_begun() -> None:
    order = late_by(0, sources=2)
    enter(order, 0, (10, GOOD), (20, GOOD))
    assert out(order) == []
    enter(order, 1, (15, GOOD))
    assert out(order) == [10]
    order.end(1)
    assert out(order) == [15]
    order.end(0)
    assert out(order) == [20]


def test_at_the_same_time_the_earlier_source_comes_first() -> None:
    order = late_by(0, sources=2)
    enter(order, 1, (10, BAD), (10, BAD))
    enter(order, 0, (10, GOOD))
    for source in (0, 1):
        order.end(source)
    [(_, batch)] = order.take()
    assert batch == Batch([0, 0, 0], [10, 10, 10], [GOOD, BAD, BAD], [0, 1, 2], [])


def test_what_has_no_time_stands_at_the_newest_time_before_it_and_takes_a_place() -> None:
    order = late_by(3)
    code = order.add_change(change(1))
    rows = (10, GOOD), (8, GOOD), (NO_TICK, code), (NO_TICK, REJECTED), (9, UNMATCHED), (10, BAD)
    enter(order, 0, *rows)
    order.end(0)
    [(_, batch)] = order.take()
    assert batch == Batch(
        [0, 0, 0], [8, 10, 10], [0, 0, 1], [0, 2, 5], [PositionedChange(3, 10, change(1))]
    )
    assert order.position == 6


def test_a_blank_line_takes_no_place() -> None:
    order = late_by(0)
    enter(order, 0, (NO_TICK, BLANK), (5, GOOD), (NO_TICK, BLANK))
    order.end(0)
    order.take()
    assert order.position == 1


def test_a_run_of_events_that_no_shard_sees_is_one_row_and_takes_all_its_places() -> None:
    order = late_by(0)
    rejected, unmatched = (NO_TICK, REJECTED), (5, UNMATCHED)
    enter(
        order, 0, rejected, rejected, (5, GOOD), unmatched, unmatched, (NO_TICK, BLANK), unmatched
    )
    enter(order, 0, (NO_TICK, UNMATCHED), rejected, rejected, (6, BAD))
    assert len(order.save_rows()) // 4 == 5
    order.end(0)
    [(_, batch)] = order.take()
    assert batch == Batch([0, 0], [5, 6], [GOOD, BAD], [2, 9], [])
    assert (order.position, order.accesses, order.unmatched, order.blank) == (10, 2, 4, 1)


def test_the_endpoints_that_are_found_are_the_first_ones_in_the_order_of_time() -> None:
    names = PythonEndpointNames(2)
    for name in (b"GET /z", b"GET /a", b"GET /b"):
        names.key(name)
    order = Order(2, PythonRowBuffer(1, names.accept))
    enter(order, 0, (100, 0 << 1), (200, 0 << 1 | BAD), (300, 2 << 1))
    enter(order, 1, (10, 1 << 1), (20, 2 << 1 | BAD), (350, 1 << 1))
    order.end(0)
    order.end(1)
    [(_, batch)] = order.take()
    assert batch == Batch(
        [1, 2, 2, 1], [10, 20, 300, 350], [GOOD, BAD, GOOD, GOOD], [0, 1, 4, 5], []
    )
    assert (order.position, order.accesses, order.unmatched, names.capped) == (6, 4, 2, 2)


def test_a_change_goes_to_every_shard() -> None:
    order = Order(1, PythonRowBuffer(3))
    enter(order, 0, (5, 2 << 1), (NO_TICK, order.add_change(change(1))), (6, 3 << 1 | BAD))
    order.end(0)
    assert order.take() == [
        (0, Batch([1], [6], [BAD], [2], [PositionedChange(1, 5, change(1))])),
        (1, Batch([], [], [], [], [PositionedChange(1, 5, change(1))])),
        (2, Batch([0], [5], [GOOD], [0], [PositionedChange(1, 5, change(1))])),
    ]


def test_a_shard_without_rows_gets_no_batch() -> None:
    order = Order(1, PythonRowBuffer(3))
    enter(order, 0, (5, 1 << 1))
    order.end(0)
    assert [shard for shard, _ in order.take()] == [1]


@pytest.mark.parametrize(
    ("newest", "ended", "chosen"),
    [
        ([0, 0, 0], set(), 0),
        ([7, 5, 6], set(), 1),
        ([7, 5, 5], set(), 1),
        ([7, 5, 6], {1}, 2),
        ([7, 5, 6], {1, 2}, 0),
        ([7, 5, 6], {0, 1, 2}, None),
    ],
)
def test_the_source_to_read_next_is_the_one_furthest_behind(
    newest: list[int], ended: set[int], chosen: int | None
) -> None:
    order = Order(3, PythonRowBuffer(1))
    for clock, tick in zip(order.clocks, newest, strict=True):
        clock.newest = tick
    for source in ended:
        order.end(source)
    assert order.next_source() == chosen


def test_a_source_is_read_when_the_tick_at_which_it_begins_is_reached() -> None:
    #   source 0: 10, 90         source 1 begins at 50, at most 5 before
    order = Order(2, PythonRowBuffer(1))
    order.start([SourceClock(5), SourceClock(5, newest=50)])
    assert order.next_source() == 0
    enter(order, 0, (10, GOOD), (90, GOOD))
    assert (order.next_source(), order.watermark(), out(order)) == (1, 45, [10])
    enter(order, 1, (45, GOOD), (60, GOOD), (NO_TICK, REJECTED))
    assert (order.next_source(), order.watermark(), out(order)) == (1, 55, [45])
    order.end(1)
    assert (order.next_source(), order.watermark(), out(order)) == (0, 85, [60])
    assert [clock.rows for clock in order.clocks] == [2, 3]
    order.end(0)
    assert (order.next_source(), out(order)) == (None, [90])


def waiting() -> Order:
    """Rows that wait: accesses to endpoints 0 and 1, a change, two unmatched accesses, a reject."""
    order = late_by(10)
    code = order.add_change(change(1))
    enter(order, 0, (100, 0 << 1 | GOOD), (99, UNMATCHED), (99, UNMATCHED), (NO_TICK, REJECTED))
    enter(order, 0, (NO_TICK, code), (105, 1 << 1 | BAD))
    return order


def test_the_events_of_saved_rows_are_counted() -> None:
    order = waiting()
    assert check_rows(order.save_rows(), order, 2) == WaitingEvents(2, 1, 2, 1, 0)
    assert check_rows(array("q"), late_by(10), 2) == WaitingEvents(0, 0, 0, 0, 0)


TIME, SOURCE, TICK, CODE = range(4)


@pytest.mark.parametrize(
    ("row", "column", "number", "reason"),
    [
        (0, TIME, 101, "not in order"),
        (0, TIME, 5, "not in order"),
        (-1, TIME, 106, "is of source 0 at 106"),
        (-1, SOURCE, 1, "is of source 1 at 105"),
        (-1, TICK, 104, "the tick 104 and the code 3"),
        (-1, CODE, 2 << 1, "the tick 105 and the code 4"),
        (-1, CODE, -99, "the tick 105 and the code -99"),
    ],
)
def test_a_saved_row_that_can_not_wait_is_refused(
    row: int, column: int, number: int, reason: str
) -> None:
    order = waiting()
    rows = order.save_rows()
    rows[(row % (len(rows) // 4)) * 4 + column] = number
    with pytest.raises(ValueError, match=reason):
        check_rows(rows, order, 2)


def test_saved_rows_that_contradict_what_else_is_known_are_refused() -> None:
    order = waiting()
    rows = order.save_rows()
    with pytest.raises(ValueError, match="cut off"):
        check_rows(rows[:-1], order, 2)
    with pytest.raises(ValueError, match="newest row of a source does not wait"):
        check_rows(rows[:-4], order, 2)
    order.add_change(change(2))
    with pytest.raises(ValueError, match="not those on their way"):
        check_rows(rows, order, 2)


def test_a_change_after_the_last_tick_is_excluded_for_every_shard() -> None:
    order = late_by(0)
    order.last = 9
    codes = [order.add_change(change(number)) for number in range(3)]
    enter(order, 0, (9, codes[0]), (9, GOOD), (10, codes[1]), (10, EXCLUDED), (10, EXCLUDED))
    order.end(0)
    [(_, batch)] = order.take()
    assert [positioned.change for positioned in batch.changes] == [change(0)]
    assert batch.positions == [1]
    assert (order.position, order.excluded, order.excluded_changes) == (5, 2, 1)
    assert [positioned.position for positioned in order.deploys] == [0]


def test_a_batch_of_excluded_changes_only_is_not_sent() -> None:
    order = late_by(0)
    order.last = 9
    enter(order, 0, (10, order.add_change(change(0))))
    order.end(0)
    assert order.take() == []
    assert (order.position, order.excluded_changes, order.deploys) == (1, 1, [])

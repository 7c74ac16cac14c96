"""A shard's machine: batches in, the incidents that moved out."""

from __future__ import annotations

import pickle
from dataclasses import replace

from slomon.core.batch import Batch
from slomon.core.endpoint import Endpoint
from slomon.core.event import Change, Placed
from slomon.core.shard import Shard

SHOP = Endpoint("shop", "ana@example.com", "GET", "/shop", slo=0.9, window=10)
CART = Endpoint("shop", "ana@example.com", "GET", "/cart", slo=0.9, window=10)
USER = Endpoint("user", "ana@example.com", "GET", "/user", slo=0.9, window=10)


def change(commit: str, service: str = "shop") -> Change:
    return Change(commit, "<ana@example.com>", "2018-11-28", service)


def batch(*events: tuple[int, int, int] | Change, first: int = 0) -> Batch:
    """A batch of accesses (slot, tick, failed) and changes, at the positions from `first` on."""
    rows, changes = [], []
    for position, event in enumerate(events, first):
        if isinstance(event, Change):
            changes.append(Placed(position, 0, event))
        else:
            rows.append((*event, position))
    slots, ticks, failures, positions = map(list, zip(*rows, strict=True)) if rows else [[]] * 4
    return Batch(slots, ticks, failures, positions, changes)


def test_an_incident_is_told_when_it_opens_and_again_when_it_closes() -> None:
    shard = Shard([SHOP])
    [opened] = shard.advance(batch((0, 5, 1)))
    assert (opened.endpoint, opened.start, opened.start_position) == (SHOP, 5, 0)
    assert (opened.end, opened.end_position, opened.fixing) == (None, None, None)
    [closed] = shard.advance(batch((0, 15, 0), first=1))
    assert replace(closed, course=opened.course, end=None, end_position=None, fixing=None) == opened
    assert (closed.end, closed.end_position) == (15, 1)
    assert shard.advance(batch((0, 25, 0), first=2)) == []


def test_incidents_are_told_in_stream_order_within_a_batch() -> None:
    moved = Shard([SHOP, USER]).advance(batch((1, 5, 1), (0, 5, 1), (1, 15, 0), (1, 15, 1)))
    assert [(found.endpoint.name, found.end) for found in moved] == [
        ("user", None),
        ("shop", None),
        ("user", 15),
        ("user", None),
    ]


def test_the_last_change_before_an_access_broke_or_fixed_it() -> None:
    [opened, closed] = Shard([SHOP]).advance(
        batch(
            change("old"),
            change("bug"),
            change("other", "user"),
            (0, 5, 1),  # opens
            change("try"),
            (0, 6, 0),
            change("fix"),
            (0, 15, 0),
            (0, 16, 0),
            change("too late"),
        )
    )
    assert opened.broken_by == change("bug")
    assert (closed.end, closed.fixed_by, closed.broken_by) == (15, change("fix"), change("bug"))


def test_one_commit_may_break_and_fix() -> None:
    [_, closed] = Shard([SHOP]).advance(batch(change("c1"), (0, 5, 1), (0, 15, 0)))
    assert (closed.broken_by, closed.fixed_by) == (change("c1"), change("c1"))


def test_a_change_after_the_access_in_the_stream_did_not_break_it() -> None:
    shard = Shard([SHOP])
    [opened] = shard.advance(batch((0, 5, 1), change("c1")))
    [closed] = shard.advance(batch((0, 15, 0), change("c2"), first=2))
    assert (opened.broken_by, closed.fixed_by) == (None, change("c1"))


def test_a_change_of_a_service_counts_for_all_its_endpoints_and_for_no_other() -> None:
    shard = Shard([SHOP, CART, USER])
    shard.advance(batch(change("c1")))
    moved = shard.advance(batch((0, 5, 1), (1, 5, 1), (2, 5, 1), first=1))
    assert [found.broken_by for found in moved] == [change("c1"), change("c1"), None]


def test_other_endpoints_never_move_an_incident() -> None:
    shard = Shard([SHOP, CART])
    shard.advance(batch((0, 5, 1)))
    assert shard.advance(batch(*((1, tick, 0) for tick in range(5, 100)), first=1)) == []
    assert shard.advance(batch((0, 14, 0), first=96)) == []  # still in its own window


def test_a_late_access_counts_at_the_newest_time_and_as_late() -> None:
    shard = Shard([SHOP])
    shard.advance(batch((0, 50, 0)))
    [opened] = shard.advance(batch((0, 5, 1), (0, 49, 1), (0, 50, 1), first=1))
    assert (opened.start, opened.start_position) == (50, 1)
    assert shard.late == 2


def test_a_shard_keeps_the_newest_hundred_changes_of_a_service_and_no_more() -> None:
    shard, sizes = Shard([SHOP]), []
    for number in range(1000, 2000):
        shard.advance(batch(change(f"c{number}"), (0, number, 0), first=2 * number))
        sizes.append(len(pickle.dumps(shard)))
    assert max(sizes[100:]) - max(sizes[:100]) < 100  # numbers that are longer written


def test_a_shard_without_endpoints_has_nothing_to_say() -> None:
    assert Shard([]).advance(batch()) == []

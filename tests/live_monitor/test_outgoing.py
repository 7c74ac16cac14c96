"""Events on their way to where they are counted: none gets lost, and they are in order of time."""

from __future__ import annotations

from itertools import chain, groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.ticks import TICKS_PER_SECOND
from slomon.live_monitor.batching import Deploy, RawEvent
from slomon.live_monitor.buffer import Buffer
from slomon.live_monitor.outgoing import Outgoing, cut_after, find_tick, merge_by_time


def request(tick: int, name: str = "/users") -> RawEvent:
    return tick, "GET", name, 200, None


async def filled(*ticks: int) -> Outgoing:
    buffer = Buffer(10, {200})
    buffer.open()
    for tick in ticks:
        assert buffer.put(tick, "GET", "/users", 200)
    return Outgoing(buffer)


async def test_events_stay_until_they_are_dropped() -> None:
    outgoing = await filled(1, 2, 3)
    assert outgoing.take(2) == outgoing.take(2) == [request(1), request(2)]
    assert len(outgoing) == 3
    outgoing.drop(1)
    assert outgoing.take(9) == [request(2), request(3)]
    outgoing.drop(1)  # again
    assert outgoing.number == 1
    outgoing.drop(3)
    assert not outgoing.take(9)


async def test_events_that_were_reported_after_a_tick_wait() -> None:
    outgoing = await filled(1, 9, 2, 8)
    assert outgoing.take(9, 5) == [request(1), request(9), request(2)]


def test_a_time_far_ahead_does_not_hold_events_back() -> None:
    events = [request(5 * TICKS_PER_SECOND)]
    assert cut_after(events, 3 * TICKS_PER_SECOND) == events
    assert cut_after(events, 4 * TICKS_PER_SECOND) == []


async def test_too_many_kept_events_are_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("slomon.live_monitor.outgoing._MOST_KEPT", 2)
    buffer = Buffer(10, {200})
    buffer.open()
    for tick in range(3):
        buffer.put(tick, "GET", "/users", 200)
    outgoing = Outgoing(buffer)
    assert len(outgoing.keep_more(10)) == 3
    assert (outgoing.number, outgoing.take(10)) == (1, [request(1), request(2)])
    assert buffer.dropped == {"full": 1}


def test_an_event_without_a_time_keeps_its_place() -> None:
    assert find_tick("nonsense") == find_tick(Deploy("soon", "", "", "", "")) == 0
    assert find_tick(Deploy(7, "", "", "", "")) == 7
    merged = merge_by_time([[request(3), "nonsense"], [request(1), request(4)]])
    assert [event for _, event in merged] == [request(1), request(3), "nonsense", request(4)]


@given(st.lists(st.lists(st.integers(0, 9), max_size=9), max_size=4))
def test_each_sender_keeps_its_order_and_sorted_ones_become_one_sorted_stream(
    ticks: list[list[int]],
) -> None:
    batches = [[request(tick, f"/{index}") for index, tick in enumerate(one)] for one in ticks]
    merged = merge_by_time(batches)
    by_sender = sorted(merged, key=lambda one: one[0])
    found = {
        sender: [event for _, event in own] for sender, own in groupby(by_sender, lambda p: p[0])
    }
    assert found == {number: batch for number, batch in enumerate(batches) if batch}
    if all(one == sorted(one) for one in ticks):
        assert [find_tick(event) for _, event in merged] == sorted(chain(*ticks))

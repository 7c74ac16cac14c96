"""A saved state and the inputs since then give the state as if nothing had happened."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.batching import Item
from slomon.core.events import Malformed
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.live_monitor.engine import Engine
from slomon.live_monitor.inputs import Expiry, pack_input
from slomon.state.encoding import Saved
from tests.live_monitor.services import (
    ORDERS,
    USERS,
    access,
    answers,
    change,
    entry,
    make_engine,
    read,
)

OPTIONS: dict[str, Any] = {"no_traffic": 40, "history": 5, "sli_series": True}


def feed(engine: Engine, second: int, items: Sequence[Item]) -> list[bytes]:
    """The records of these events, and of the incidents that expired before them."""
    records = []
    events, now = engine.events, second * TICKS_PER_SECOND
    if engine.close_expired(now):
        records.append(pack_input(Expiry(events, now)))
    if items:
        records.append(pack_input(engine.feed(list(items)).counted))
    return records


def draw_items(second: int, kinds: Sequence[int]) -> list[Item]:
    every: list[Item] = [
        *(access(second), access(second, status=500), access(second - 3, "orders")),
        *(access(second, "orders", 500), access(second + 2, "nobody"), "what?"),
        *(change(f"c{second}"), change("d", "nobody"), Malformed("x", "it is not")),
    ]
    return [every[kind] for kind in kinds]


steps = st.lists(
    st.tuples(st.sampled_from([0, 1, 7, 60]), st.lists(st.integers(0, 8), max_size=6)), max_size=12
)


@given(
    *(steps, st.integers(0, 12), st.integers(0, 12)),
    *(st.sampled_from([0, 5]), st.sampled_from([0, 2, 9])),
)
def test_it_is_restored_whenever_it_was_saved_and_wherever_the_journal_begins(
    some: list[tuple[int, list[int]]], saved_at: int, begun_at: int, resolution: int, finds: int
) -> None:
    options = {**OPTIONS, "resolution": resolution, "finds": finds}
    engine, second = make_engine(**options), 100
    records: list[bytes] = []
    saved = dict(engine.save())
    skipped = 0
    for number, (seconds, kinds) in enumerate(some):
        second += seconds
        if number == min(begun_at, saved_at):
            skipped = len(records)
        if number == saved_at:
            saved = dict(engine.save())
        records += feed(engine, second, draw_items(second, kinds))
    if saved_at >= len(some):
        saved = dict(engine.save())
    following = make_engine(**options, saved=saved, records=records[skipped:])

    assert following.invalid_record == ""
    for _ in range(2):
        assert answers(read(following, second)) == answers(read(engine, second))
        assert read(following, second).endpoints == read(engine, second).endpoints
        assert read(following, second).accounting == read(engine, second).accounting
        assert read(following, second).forgotten == read(engine, second).forgotten
        assert read(following, second).summary() == read(engine, second).summary()
        second += 30
        for one in (engine, following):
            feed(one, second, draw_items(second, range(9)))


def restored(saved: Saved, records: Sequence[bytes]) -> Engine:
    return make_engine(USERS, ORDERS, **OPTIONS, saved=deepcopy(saved), records=records)


def broken() -> tuple[Engine, Saved, list[bytes]]:
    """An engine, what it saved, and what came then: incidents of two endpoints."""
    engine = make_engine(USERS, ORDERS, **OPTIONS)
    engine.feed([access(100), access(101, "orders")])
    saved = dict(engine.save())
    records = feed(engine, 102, [change("c1"), access(102, status=500)])
    records += feed(engine, 103, [access(103, "orders", 500)])
    records += feed(engine, 104, [change("c2"), access(140, "orders")])
    return engine, saved, records


def test_what_was_reported_under_the_old_options_stays_under_new_ones() -> None:
    engine, saved, records = broken()
    new = entry("users", slo=0.4, window=3000)
    following = make_engine(new, entry("new"), saved=saved, records=records)
    then, now = read(engine).records(), read(following).records()
    assert [one.start for one in now] == [102]
    # The incidents of the endpoint that was removed are no evidence any more.
    judged = now[0].broken_by.candidates[0].commit, now[0].broken_by.verdict
    assert judged == (then[0].broken_by.candidates[0].commit, then[0].broken_by.verdict)
    assert now[0] == replace(then[0], co_occurring=(), broken_by=now[0].broken_by)
    assert list(following.removed_endpoints) == ["orders GET /orders"]
    assert read(following).forgotten == 1
    assert read(following).api_histogram() == {"users": 1, "orders": 1}
    assert read(following).mttr() == 37.0
    # With the new SLO, the next request ends it: 2 of 3 succeeded.
    assert [one.end for one in following.feed([access(141)]).moved] == [141 * TICKS_PER_SECOND]


def test_an_invalid_record_and_what_follows_is_left_out() -> None:
    _, saved, records = broken()
    whole = [answers(read(restored(saved, records[:count]))) for count in range(len(records) + 1)]
    for number, record in enumerate(records):
        words = array("q", record[: len(record) // 8 * 8])
        spoilt = [record[:-1], record[:50], b"", b"\xff" * len(record), record + b"["]
        spoilt += [record + b"[" * 100_000]
        for place in range(len(words)):
            for value in (-1, 2**62, 7):
                changed = words[:]
                changed[place] = value
                spoilt.append(changed.tobytes() + record[len(words) * 8 :])
        for one in spoilt:
            if one == record:
                continue
            given = [*records[:number], one, *records[number + 1 :]]
            engine = restored(saved, given)
            assert engine.invalid_record or read(engine).accounting.events <= 7
            if engine.invalid_record.startswith(f"record {number + 1} "):
                assert answers(read(engine)) == whole[number]


def test_inputs_after_a_gap_are_left_out() -> None:
    _, saved, records = broken()
    engine = restored(saved, records[1:])
    assert "record 1 is invalid: ValueError: there are events missing" in engine.invalid_record
    assert read(engine).incidents == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_inputs_that_the_state_has_already_are_recognized(count: int) -> None:
    engine, saved, records = broken()
    part = restored(saved, records[:count])
    following = restored(dict(part.save()), records)
    assert answers(read(following)) == answers(read(engine))
    assert following.invalid_record == ""

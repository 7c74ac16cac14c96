"""What a live monitor runs on: it counts exactly, can be read at any time, saved and loaded."""

from __future__ import annotations

import json
from array import array
from copy import deepcopy
from typing import Any

import pytest

from slomon.core.batching import Item
from slomon.core.events import Malformed
from slomon.core.ticks import TICKS_PER_SECOND as SECOND
from slomon.live_monitor.engine import Engine
from slomon.state.encoding import Saved
from tests.live_monitor.services import (
    ENTRIES,
    ORDERS,
    USERS,
    Entry,
    access,
    answers,
    change,
    entry,
    make_engine,
    read,
)


def saved(engine: Engine) -> Saved:
    """What is saved, as it comes out of a file."""
    sections = dict(engine.save())
    return {
        name: section if isinstance(section, array) else json.loads(json.dumps(section))
        for name, section in sections.items()
    }


def reload(engine: Engine, *entries: Entry, history: int = 100) -> Engine:
    """The next engine, of these endpoints."""
    return make_engine(*entries, history=history, saved=saved(engine))


def test_every_event_is_accounted_for() -> None:
    engine = make_engine()
    items: list[Item] = [
        *(access(1), access(2, status=500), access(3, "nobody"), "what is this?"),
        *(change("c1"), change("c2", "nobody"), Malformed("x", "it is not")),
    ]
    assert [one.start for one in engine.feed(items).moved] == [2 * SECOND]
    accounting = read(engine).accounting
    assert (accounting.events, accounting.accesses, accounting.changes) == (7, 2, 1)
    assert (accounting.unmatched, accounting.rejected, accounting.late) == (2, 2, 0)


def test_of_what_is_rejected_the_first_hundred_are_kept_and_cut() -> None:
    engine = make_engine()
    step = engine.feed(["x" * 3000] * 80)
    assert len(step.rejections[0].text) == 3000
    engine.feed(["y"] * 80)

    rejections = read(engine).rejections
    assert [one.position for one in rejections] == list(range(100))
    assert {len(one.text) for one in rejections} == {1000, 1}
    assert read(engine).accounting.rejected == 160


def test_incidents_of_one_step_are_described_together() -> None:
    names = [f"s{number}" for number in range(12)]
    engine = make_engine(*(entry(name) for name in names))
    before = engine.feed([access(100, "s0", 500)]).moved
    step = engine.feed([*(access(110, name, 500) for name in names[1:]), access(140, "s1")])
    records = engine.describe(step.moved)

    assert [one.service for one in records] == [*names[1:], "s1"]
    assert records[0].co_occurring == ("s0", *names[2:11])
    assert records[-1].co_occurring == records[0].co_occurring
    assert records[-1].end == 140
    assert [one.id for one in engine.describe(before)] == [
        one.id for one in read(engine).records()[:1]
    ]


@pytest.mark.parametrize("cut", range(9))
def test_a_saved_one_goes_on_as_if_uninterrupted(cut: int) -> None:
    items: list[Item] = [
        *(change("c1"), access(100), access(101, status=500), access(101.5, "orders", 500)),
        *(change("c2"), access(99), "what?", access(140), access(141, status=500)),
    ]
    whole, first = make_engine(), make_engine()
    whole.feed(list(items))
    first.feed(items[:cut])
    second = reload(first, *ENTRIES)
    second.feed(items[cut:])

    assert answers(read(second)) == answers(read(whole))
    assert read(second).accounting == read(whole).accounting
    assert read(second).endpoints == read(whole).endpoints


def test_endpoints_are_known_again_wherever_they_stand() -> None:
    engine = make_engine(USERS, ORDERS)
    engine.feed([access(100, status=500), access(100, "orders", 500), access(101, "orders")])
    then = {one.service: one for one in read(engine).endpoints}
    new = entry("new")
    now = {one.service: one for one in read(reload(engine, new, ORDERS, USERS)).endpoints}

    assert list(now) == ["new", "orders", "users"]
    assert (now["users"], now["orders"]) == (then["users"], then["orders"])
    assert (now["new"].incidents, now["new"].all_requests, now["new"].incident) == (0, 0, None)


def test_an_endpoint_that_is_gone_takes_its_incidents_with_it_but_was_counted() -> None:
    engine = make_engine(USERS, ORDERS)
    engine.feed([access(100, status=500), access(130), access(131, "orders", 500)])
    engine.feed([access(140, status=500)])
    now = reload(engine, ORDERS)

    assert [one.endpoint.name for one in read(now).incidents] == ["orders"]
    assert read(now).forgotten == 2
    assert read(now).api_histogram() == {"users": 2, "orders": 1}
    assert read(now).mttr() == 30.0
    assert [one.start for one in now.feed([access(170, "orders")]).moved] == [131 * SECOND]
    assert read(now).mttr() == 34.5


def test_another_slo_or_window_holds_from_the_next_request_on() -> None:
    engine = make_engine(USERS)
    engine.feed([access(100), access(110, status=500), access(115)])
    now = reload(engine, entry("users", slo=0.5, window=10))

    assert read(now, 118).endpoints[0].requests == 2
    closed = now.feed([access(118)]).moved
    assert [(one.start, one.end) for one in closed] == [(110 * SECOND, 118 * SECOND)]
    assert read(now).incidents[0].endpoint.slo == 0.9  # as it was when it opened


def test_the_minimum_of_requests_is_the_present_one_not_the_saved_one() -> None:
    engine = make_engine()
    sections: dict[str, Any] = dict(saved(engine))
    sections["shard 0 min_requests"] = array("q", [50])
    following = make_engine(saved=sections)
    assert len(following.feed([access(100, status=500)]).moved) == 1


def test_a_trace_goes_on_with_the_same_endpoints_and_begins_anew_with_others() -> None:
    before = make_engine(sli_series=True)
    before.feed([access(1000), access(1001, status=500)])
    saved = dict(before.save())
    same = make_engine(sli_series=True, saved=saved)
    fewer = make_engine(USERS, sli_series=True, saved=saved)
    for engine in (same, fewer):
        engine.feed([access(1002)])

    [whole] = same.read(10**12, {}).summary().sli_series
    [rest] = fewer.read(10**12, {}).summary().sli_series
    assert (list(whole.requests), list(whole.failures)) == ([1, 1, 1], [0, 1, 0])
    assert (list(rest.requests), list(rest.failures)) == ([1], [0])


def test_the_end_of_an_expired_incident_stays() -> None:
    engine = make_engine(no_traffic=40)
    engine.feed([access(100, status=500)])
    assert engine.next_expiry() == 140 * SECOND
    assert [one.end for one in engine.close_expired(150 * SECOND)] == [140 * SECOND]
    assert engine.next_expiry() is None
    following = reload(engine, *ENTRIES)
    step = following.feed([access(120, "orders", 500), change("c1"), "no time", access(141)])

    assert step.items == ["140.000000000 GET /orders 500", change("c1"), "no time", access(141)]
    assert [one.start for one in step.moved] == [140 * SECOND]


@pytest.mark.parametrize("sli_series", [False, True])
def test_what_is_saved_is_of_one_moment_though_it_is_written_later(*, sli_series: bool) -> None:
    engine = make_engine(sli_series=sli_series)
    items: list[Item] = [change("c1"), access(100, status=500), change("c2"), access(150)]
    engine.feed(list(items))
    sections = dict(engine.save())
    then = deepcopy(sections)
    engine.feed([*items, access(300, status=500), change("c3"), access(400, "orders", 500)])
    assert sections == then


@pytest.mark.slow
def test_a_large_state_is_saved_whole_and_in_small_sections() -> None:
    entries = [entry(f"service{number}") for number in range(600)]
    engine = make_engine(*entries, history=2000)
    for second in (100, 200):
        for one in entries:
            name = str(one["name"])
            engine.feed([change(f"c{second}", name), access(second, name, status=500)])
            if second == 100:
                engine.feed([access(second + 50, name)])
    texts = {
        name: json.dumps(section)
        for name, section in engine.save()
        if not isinstance(section, array)
    }
    assert max(map(len, texts.values())) < 120_000 < sum(map(len, texts.values())) / 4
    following = reload(engine, *entries, history=2000)
    assert answers(read(following)) == answers(read(engine))
    assert len(read(following).incidents) == 1200
    assert sum(one.end is None for one in read(following).incidents) == 600

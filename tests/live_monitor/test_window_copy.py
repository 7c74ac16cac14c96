"""A copy of windows is of one moment, whatever is counted while it is made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.live_monitor import window_copy
from slomon.live_monitor.engine import Engine
from slomon.state.encoding import Sections
from tests.live_monitor.services import access, answers, entry, make_engine, read

NO_TRAFFIC = 40


def load(sections: Sections, finds: int) -> Engine:
    return make_engine(saved=dict(sections), no_traffic=NO_TRAFFIC, finds=finds)


steps = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 3, 50]),  # seconds since the step before
        st.sampled_from(["users", "orders"]),
        st.sampled_from([200, 500]),
        st.integers(1, 12),  # requests
    ),
    max_size=8,
)


def feed(engine: Engine, second: int, some: Any) -> int:
    for seconds, name, status, count in some:
        second += seconds
        engine.close_expired(second * 10**9)
        times = (second + number / 100 for number in range(count))
        engine.feed([access(time, name, status) for time in times])
    return second + 1


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_copy, "_NUMBERS", 8)
    monkeypatch.setattr(window_copy, "_BLOCKS", 1)
    monkeypatch.setattr(window_copy, "_ENDPOINTS", 1)


@given(steps, st.lists(steps, max_size=6), steps, st.sampled_from([0, 2]))
def test_what_is_counted_between_the_parts_is_in_it(
    before: Any, between: list[Any], after: Any, finds: int
) -> None:
    engine = make_engine(no_traffic=NO_TRAFFIC, finds=finds)
    second = feed(engine, 100, before)
    copied = engine.copy_windows()
    left = iter(between)
    for _ in copied.parts():
        second = feed(engine, second, next(left, ()))
    for some in left:
        second = feed(engine, second, some)
    sections = engine.save(copied)
    at_once = load(engine.save(), finds)
    feed(engine, second, after)  # in the memory of the windows that were saved

    following = load(sections, finds)
    assert answers(read(following, second)) == answers(read(at_once, second))
    assert read(following, second).endpoints == read(at_once, second).endpoints
    for one in (following, at_once):
        feed(one, second, after)
    assert answers(read(following, second + 500)) == answers(read(engine, second + 500))
    assert read(following, second + 500).endpoints == read(engine, second + 500).endpoints


def test_a_large_one_is_copied_in_many_parts() -> None:
    engine = make_engine()
    engine.feed([access(100 + number / 100) for number in range(1000)])
    assert sum(1 for _ in engine.copy_windows().parts()) >= 3 * 128


def test_at_the_end_only_the_endpoints_that_have_changed_are_copied_again() -> None:
    entries = [entry(f"service{number}") for number in range(100)]
    engine = make_engine(*entries)
    engine.feed([access(100, str(one["name"])) for one in entries])
    copied = engine.copy_windows()
    for _ in copied.parts():
        pass
    engine.feed([access(101, "service7")])
    assert list(copied._changed) == [7]
    restored = make_engine(*entries, saved=dict(engine.save(copied)))
    assert [one.requests for one in read(restored, 102).endpoints[6:9]] == [1, 2, 1]

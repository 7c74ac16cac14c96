"""A raw event counts as its text would."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from hypothesis import given
from hypothesis import strategies as st

from slomon.core.batching import Batcher, Item
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.statuses import StatusTable, server_errors_fail
from slomon.live_monitor.batching import (
    Deploy,
    LiveBatcher,
    RawEvent,
    make_request,
    read_deploy,
    show_request,
)
from slomon.live_monitor.endpoints import LiveEndpoints
from tests.live_monitor.services import ENTRIES, change

SHARDING = Sharding(Catalogue(ENTRIES), 1)


def endpoints() -> LiveEndpoints:
    return LiveEndpoints(Catalogue(ENTRIES).endpoints)


_ticks = st.integers(0, 5_000_000_000)
_verbs = st.sampled_from(["GET", "POST", "", "GE T"])
_resources = st.sampled_from(["/users", "/orders", "/nobody", "", "/users 200", "\ud800"])
_statuses = st.sampled_from([200, 404, 500, 99, 600, -500, 10**5000])
_raw_events: st.SearchStrategy[RawEvent] = st.one_of(
    st.tuples(_ticks, _verbs, _resources, _statuses, st.none() | st.floats()),
    st.builds(Deploy, _ticks, st.sampled_from(["users", "nobody"]), st.just("c1"), st.just("ana")),
    st.sampled_from(["1 GET /users 500", "2.5 GET /orders 200", "what?", "GET!", "", change("c2")]),
)


def as_text(raw: RawEvent) -> Item:
    if isinstance(raw, Deploy):
        return read_deploy(raw)
    return show_request(*raw[:4]) if isinstance(raw, tuple) else raw


def cut(batcher: Batcher | LiveBatcher, stretches: Sequence[Sequence[RawEvent]]) -> list[object]:
    cuts = [batcher.cut(stretch) for stretch in stretches]  # type: ignore[arg-type] # either's own
    return [cuts, batcher.state]


@given(st.lists(st.lists(_raw_events, max_size=12), max_size=4))
def test_it_is_cut_as_its_texts_would_be(stretches: list[list[RawEvent]]) -> None:
    texts = [[as_text(raw) for raw in stretch] for stretch in stretches]
    found = cut(LiveBatcher(endpoints(), StatusTable.from_rule(server_errors_fail)), stretches)
    assert found == cut(Batcher(SHARDING, server_errors_fail), texts)


def test_a_rule_decides_which_statuses_there_are() -> None:
    statuses = StatusTable.from_rule(lambda status: None if status == 404 else status == 429)
    batcher = LiveBatcher(endpoints(), statuses)
    requests: list[RawEvent] = [
        (1, "GET", "/users", status, None) for status in (200, 404, 429, 500)
    ]
    [(_, batch)] = batcher.cut(requests).batches
    assert batch.failures == [0, 1, 0]
    assert batcher.state.accounting.rejected == 1


class Verb(str):
    """An exact text is what it stands for, whatever it says of itself."""

    __slots__ = ()

    def __str__(self) -> str:
        return "DELETE"


def test_what_is_a_text_or_a_whole_number_too_is_taken_for_that() -> None:
    request = make_request(1, Verb("GET"), "/users", HTTPStatus.OK, 3)
    assert request == (1, "GET", "/users", 200, 3.0)
    assert [type(field) for field in request] == [int, str, str, int, float]
    assert make_request(1, "GET", "/users", 200, "soon") == (1, "GET", "/users", 200, None)
    assert make_request(1, "GET", "/users", 200.0, None) == "0.000000001 GET /users 200.0"
    assert make_request("soon", "GET", "/users", 200, None) == "soon GET /users 200"

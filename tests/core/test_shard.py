"""A shard's machine: batches in, the incidents that opened or ended out."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.batching import Batch
from slomon.core.endpoints import Endpoint, ShardEndpoints
from slomon.core.events import EVERY_SERVICE, Change, PositionedChange
from slomon.core.incident import Incident
from slomon.core.shard import Shard
from slomon.core.windows import Windows
from tests.core.builders import ListedEndpoints, make_endpoint

SHOP, CART, USER = make_endpoint(), make_endpoint(resource="/cart"), make_endpoint("user")


def change(commit: str, service: str = "shop") -> Change:
    return Change(commit, "<ana@example.com>", "2018-11-28", service)


def batch(*events: tuple[int, int, int] | Change, first: int = 0) -> Batch:
    """A batch of accesses (slot, tick, failed) and changes, at the positions from `first` on."""
    rows, changes = [], []
    for position, event in enumerate(events, first):
        if isinstance(event, Change):
            changes.append(PositionedChange(position, 0, event))
        else:
            rows.append((*event, position))
    slots, ticks, failures, positions = map(list, zip(*rows, strict=True)) if rows else [[]] * 4
    return Batch(slots, ticks, failures, positions, changes)


def test_an_incident_is_returned_when_it_opens_and_again_when_it_closes() -> None:
    shard = Shard([SHOP])
    [opened] = shard.advance(batch((0, 5, 1)))
    assert (opened.endpoint, opened.start, opened.start_position) == (SHOP, 5, 0)
    assert (opened.end, opened.end_position, opened.fixing) == (None, None, None)
    [closed] = shard.advance(batch((0, 15, 0), first=1))
    still = replace(closed, end=None, end_position=None, fixing=None, recovery=None)
    assert replace(still, stats=opened.stats) == opened
    assert (closed.onset, closed.recovery) == (5, 5)
    assert (closed.end, closed.end_position) == (15, 1)
    assert shard.advance(batch((0, 25, 0), first=2)) == []


def test_incidents_of_a_batch_are_returned_in_stream_order() -> None:
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


# Incidents that expire. In the pictures "x" is an access that failed, "o" one that did not, "." no
# access, and "|" the deadline: the newest access plus `no_traffic`, or plus the window if longer.

GOOD, BAD = 0, 1


def quiet_shard(
    *endpoints: Endpoint, no_traffic: int | None = None, min_requests: int = 1, resolution: int = 0
) -> Shard:
    windows = Windows(
        endpoints, no_traffic=no_traffic, min_requests=min_requests, resolution=resolution
    )
    return Shard(endpoints, windows)


def show(*incidents: Incident) -> list[str]:
    return [f"{one.start} to {one.end} {one.state}" for one in incidents]


def lives(*accesses: tuple[int, int], **options: int) -> list[str]:
    """The final incidents of one endpoint's accesses (tick, failed)."""
    shard = quiet_shard(SHOP, **options)
    found: dict[int, Incident] = {}
    for number, access in enumerate(accesses):
        moved = shard.advance(batch((0, *access), first=number))
        found.update((incident.start_position, incident) for incident in moved)
    return show(*found.values())


@pytest.mark.parametrize(
    ("access", "incidents"),
    [
        ((24, BAD), ["5 to None open"]),
        ((24, GOOD), ["5 to 24 closed"]),
        ((25, GOOD), ["5 to 25 expired"]),
        ((25, BAD), ["5 to 25 expired", "25 to None open"]),
        ((26, GOOD), ["5 to 25 expired"]),
        ((26, BAD), ["5 to 25 expired", "26 to None open"]),
        ((900, BAD), ["5 to 25 expired", "900 to None open"]),
    ],
)
def test_an_access_at_the_deadline_or_later_finds_that_an_incident_has_expired(
    access: tuple[int, int], incidents: list[str]
) -> None:
    #   tick   5    .    .    .   24   25   26      window 10, no traffic 20
    #          x                   ?    |?   ?
    assert lives((5, BAD), access, no_traffic=20) == incidents


@pytest.mark.parametrize("no_traffic", [0, 1, 10])
def test_no_incident_expires_before_its_window_is_empty(no_traffic: int) -> None:
    #   tick   5    .    .   14   15        window 10
    #          x              o    |x
    assert lives((5, BAD), (14, GOOD), no_traffic=no_traffic) == ["5 to None open"]
    assert lives((5, BAD), (15, GOOD), no_traffic=no_traffic) == ["5 to 15 expired"]
    assert lives((5, BAD), (14, GOOD), (23, GOOD), no_traffic=no_traffic) == ["5 to 23 closed"]
    assert lives((5, BAD), (14, BAD), (24, BAD), no_traffic=no_traffic) == [
        "5 to 24 expired",
        "24 to None open",
    ]


def test_each_access_puts_the_deadline_off_and_a_late_one_does_not() -> None:
    #   tick   5   .   20   .   39   40       window 10, no traffic 20
    #          x        x        .    |o
    #          x   <--- x late   |o           the deadline stays at 25
    assert lives((5, BAD), (20, BAD), (39, GOOD), no_traffic=20) == ["5 to 39 closed"]
    assert lives((5, BAD), (20, BAD), (40, GOOD), no_traffic=20) == ["5 to 40 expired"]
    assert lives((5, BAD), (3, BAD), (25, GOOD), no_traffic=20) == ["5 to 25 expired"]


def test_incident_after_incident_expires() -> None:
    ticks = range(0, 100, 20)
    assert lives(*((tick, BAD) for tick in ticks), no_traffic=20) == [
        *(f"{tick} to {tick + 20} expired" for tick in range(0, 80, 20)),
        "80 to None open",
    ]


def test_incidents_expire_even_if_windows_with_few_requests_are_not_judged() -> None:
    #   tick   5 6 7   .   20   .   40 41 42    window 10, no traffic 20, at least 3 requests
    #          x x x        o        |x  x  x   opens at 7; 20 puts the deadline off to 40; the
    #                                          third one opens another
    start = [(5, BAD), (6, BAD), (7, BAD), (20, GOOD)]
    assert lives(*start, (39, GOOD), no_traffic=20, min_requests=3) == ["7 to None open"]
    for outcome in (GOOD, BAD):
        assert lives(*start, (40, outcome), no_traffic=20, min_requests=3) == ["7 to 40 expired"]
    following = [(40, BAD), (41, BAD), (42, BAD)]
    assert lives(*start, *following, no_traffic=20, min_requests=3) == [
        "7 to 40 expired",
        "42 to None open",
    ]


def test_with_a_resolution_no_traffic_is_measured_between_the_times_at_which_accesses_count() -> (
    None
):
    #   tick      5 .. 19   20 .. 24        window 10, no traffic 20, resolution 10
    #   counts at 0    10    |20
    assert lives((5, BAD), (19, GOOD), no_traffic=20, resolution=10) == ["0 to 10 closed"]
    assert lives((5, BAD), (20, GOOD), no_traffic=20, resolution=10) == ["0 to 20 expired"]


def test_the_longest_no_traffic_lets_an_incident_expire_and_none_never_does() -> None:
    longest = 2**63 - 1
    assert lives((0, BAD), (longest, GOOD), no_traffic=longest) == [f"0 to {longest} expired"]
    assert lives((0, BAD), (longest, GOOD)) == [f"0 to {longest} closed"]
    assert lives((1, BAD), (longest, GOOD), no_traffic=longest) == [f"1 to {longest} closed"]


def test_incidents_expire_at_any_moment_in_the_order_of_their_deadlines() -> None:
    #   tick   5  6  .  25  26        window 10, no traffic 20
    #   shop      x         |
    #   cart      x         |
    #   user   x         |
    shard = quiet_shard(SHOP, CART, USER, no_traffic=20)
    assert shard.next_expiry() is None
    moved = shard.advance(batch((2, 5, BAD), (1, 6, BAD), (0, 6, BAD)))
    assert shard.next_expiry() == 25
    assert shard.close_expired(24) == []
    ended = shard.close_expired(26)
    assert [one.endpoint for one in ended] == [USER, SHOP, CART]
    assert ended == [
        replace(moved[0], end=25, recovery=5),
        replace(moved[2], end=26, recovery=6),
        replace(moved[1], end=26, recovery=6),
    ]
    assert shard.still_open() == shard.close_expired(900) == []
    assert shard.next_expiry() is None


def test_without_no_traffic_there_is_no_deadline() -> None:
    shard = Shard([SHOP])
    shard.advance(batch((0, 5, BAD)))
    assert shard.next_expiry() is None
    assert shard.close_expired(2**63 - 1) == []
    assert show(*shard.still_open()) == ["5 to None open"]


@pytest.mark.parametrize(("tick", "late"), [(24, 1), (25, 0), (26, 0)])
def test_an_access_after_an_expiry_counts_at_the_end_of_the_incident_at_the_earliest(
    tick: int, late: int
) -> None:
    #   tick   5   .   24  25  26  .  34        window 10, no traffic 20
    #          x        ?   |?  ?               the incident expired before the access
    shard = quiet_shard(SHOP, no_traffic=20)
    shard.advance(batch((0, 5, BAD)))
    assert show(*shard.close_expired(25)) == ["5 to 25 expired"]
    [opened] = shard.advance(batch((0, tick, BAD), first=1))
    assert (opened.start, opened.before) == (max(tick, 25), (1, 1))
    assert opened.stats.requests == 1
    assert shard.late == late
    assert shard.next_expiry() == opened.start + 20


STEPS = st.lists(
    # slot, or none: then it is only said what time it is; ticks since then; failed
    st.tuples(
        st.sampled_from([0, 1, 2, None]), st.sampled_from([0, 1, 5, 9, 10, 15, 30]), st.booleans()
    ),
    max_size=60,
)


@given(STEPS, st.sampled_from([0, 5, 10, 15]), st.sampled_from([1, 3]))
def test_incidents_that_end_as_time_goes_by_end_as_they_do_in_a_replay(
    steps: list[tuple[int | None, int, bool]], no_traffic: int, min_requests: int
) -> None:
    options = {"no_traffic": no_traffic, "min_requests": min_requests}
    live = quiet_shard(SHOP, CART, USER, **options)
    replayed = quiet_shard(SHOP, CART, USER, **options)
    seen: dict[int, Incident] = {}
    again: dict[int, Incident] = {}
    floors = dict.fromkeys(live.members, 0)
    now = 100
    for number, (slot, step, failed) in enumerate(steps):
        if slot is None:
            now += step
            moved = live.close_expired(now)
            floors.update((one.endpoint, one.end or 0) for one in moved)
        else:
            tick = now - step  # often older than the time that was said
            moved = live.advance(batch((slot, tick, failed), first=number))
            floored = max(tick, floors[live.members[slot]])
            again.update(known(replayed.advance(batch((slot, floored, failed), first=number))))
        seen.update(known(moved))
    seen.update(known(live.close_expired(now) + live.still_open()))
    again.update(known(replayed.close_expired(now) + replayed.still_open()))
    assert seen == again
    assert [column.tolist() for column in live.windows.totals()] == [
        column.tolist() for column in replayed.windows.totals()
    ]


def known(incidents: list[Incident]) -> Iterator[tuple[int, Incident]]:
    return ((incident.start_position, incident) for incident in incidents)


def test_a_change_of_every_service_may_break_each_of_them() -> None:
    moved = Shard([SHOP, USER]).advance(
        batch(change("one", "user"), change("all", EVERY_SERVICE), (0, 5, 1), (1, 5, 1))
    )
    assert [opened.broken_by for opened in moved] == [change("all", EVERY_SERVICE)] * 2


@pytest.mark.parametrize("shards", [1, 2])
def test_a_change_counts_for_endpoints_that_are_made_when_they_are_read_as_for_others(
    shards: int,
) -> None:
    alone = [make_endpoint(f"GET /{path}", f"/{path}") for path in "xy"]
    endpoints = [alone[0], USER, SHOP, alone[1], CART]
    found = ListedEndpoints(*endpoints)
    for shard in range(shards):
        either = [Shard(ShardEndpoints(of, shard, shards)) for of in (endpoints, found)]
        slots = range(len(either[0].members))
        for first, service in enumerate(["shop", "user", "GET /x", "shop"]):
            passed = [(slot, 100 * first + 5, 0) for slot in slots]
            failed = [(slot, 100 * first + 25, 1) for slot in slots]
            events = batch(change(f"c{first}", service), *passed, *failed, first=100 * first)
            listed, owned = (one.advance(events) for one in either)
            assert listed == owned
            assert [one.endpoint.name for one in listed if one.end is None] == [
                members.name for members in either[0].members
            ]


@pytest.mark.parametrize("sli_series", [False, True])
def test_a_shard_made_from_the_state_of_another_continues_like_it(*, sli_series: bool) -> None:
    shard = Shard([SHOP], windows := Windows([SHOP], sli_series=sli_series))
    shard.advance(batch(change("bug"), (0, 5, 1), change("fix")))
    recorded = None if windows.series is None else windows.series.state
    state, series = deepcopy((windows.state, recorded))
    again = Shard(
        [SHOP],
        Windows.from_state(state, windows.marks[:], series, resolution=windows.resolution),
        changes=list(shard.changes),
        open_incidents=shard.open,
    )
    following = batch((0, 6, 1), (0, 17, 0), first=3)

    assert again.advance(following) == shard.advance(following) != []
    assert [*again.windows.columns()] == [*windows.columns()]
    if again.windows.series is not None:
        assert again.windows.series.state == recorded

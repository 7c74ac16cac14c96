"""The history keeps the newest incidents that ended, and counts all of them."""

from __future__ import annotations

from dataclasses import replace

from slomon.core.endpoints import Catalogue
from slomon.live_monitor.incident_history import History, Tally
from tests.incidents import make_incident
from tests.live_monitor.services import ENTRIES

USERS, ORDERS = Catalogue(ENTRIES).endpoints


def note(history: History, number: int, *, key: int = 0, ended: bool = True) -> None:
    """An incident that opens at that position, and is repaired three ticks later."""
    endpoint = (USERS, ORDERS)[key]
    opened = replace(make_incident(endpoint, number, number), key=key)
    history.note(opened)
    if ended:
        fixing = opened.breaking
        history.note(replace(opened, end=number + 3, end_position=number + 1, fixing=fixing))


def positions(history: History) -> list[int]:
    return list(history.incidents)


def test_those_that_are_open_are_never_forgotten() -> None:
    history = History(2, 2)
    note(history, 0, ended=False)
    for number in range(10, 60, 10):
        note(history, number, key=1)

    assert positions(history) == [0, 40, 50]
    assert history.forgotten == 3
    assert history.services == {"users": 1, "orders": 5}
    assert (history.repaired, history.ticks) == (5, 15)
    assert history.tally(0) == Tally(1, 0, 0)
    assert history.tally(1) == Tally(5, 5, 15)


def test_the_newest_ones_come_in_their_order() -> None:
    history = History(2, 10)
    for number in range(0, 50, 10):
        note(history, number)
    assert [one.start_position for one in history.recent(3)] == [20, 30, 40]
    assert len(history.recent(100)) == 5


def test_what_ended_without_a_repair_is_no_repair() -> None:
    history = History(2, 10)
    opened = make_incident(USERS, 1, 1)
    history.note(opened)
    history.note(replace(opened, end=5))
    assert history.tally(0) == Tally(1, 0, 0)
    assert (history.repaired, history.ticks) == (0, 0)


def test_of_what_is_no_longer_watched_the_counts_are_kept() -> None:
    then = History(2, 10)
    note(then, 0)
    note(then, 10, key=1)
    saved, incidents = then.save(), then.incidents.values()
    now = History.restore(saved, incidents, {1: 0}, endpoints=1, bound=10)

    assert [(one.start_position, one.key) for one in now.incidents.values()] == [(10, 0)]
    assert now.forgotten == 1
    assert now.services == {"users": 1, "orders": 1}
    assert (now.repaired, now.ticks) == (2, 6)
    assert now.tally(0) == Tally(1, 1, 3)


def test_where_fewer_are_kept_than_before_the_oldest_are_forgotten() -> None:
    then = History(2, 10)
    for number in range(0, 60, 10):
        note(then, number)
    incidents, keys = then.incidents.values(), {0: 0, 1: 1}
    now = History.restore(then.save(), incidents, keys, endpoints=2, bound=2)

    assert positions(now) == [40, 50]
    assert now.forgotten == 4

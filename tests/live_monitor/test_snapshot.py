"""A snapshot is of one moment, whatever goes on meanwhile and whatever was forgotten."""

from __future__ import annotations

import threading

from slomon.core.batching import Item
from slomon.core.incident import Incident
from slomon.live_monitor.engine import Engine
from slomon.live_monitor.snapshot import Snapshot
from tests.live_monitor.services import access, change, make_engine, read


def test_an_endpoint_is_where_it_is_now_and_not_at_its_last_request() -> None:
    engine = make_engine()
    engine.feed([access(10), access(20, status=500), access(20), access(21, "orders")])
    users, orders = read(engine, 39.5).endpoints
    assert (users.requests, users.failures, users.sli) == (3, 1, 2 / 3)
    assert (orders.requests, orders.sli) == (1, 1.0)
    assert users.incident
    assert users.incident.requests == 2  # the failure and the one after it

    users, orders = read(engine, 40).endpoints
    assert (users.requests, users.failures, users.sli) == (2, 1, 0.5)
    users, orders = read(engine, 50).endpoints
    assert (users.requests, users.sli, users.all_requests, users.all_failures) == (0, None, 3, 1)
    assert (users.incidents, users.closed, users.closed_seconds) == (1, 0, 0)
    assert orders.requests == 1


def break_and_repair(engine: Engine, times: int) -> list[Incident]:
    """Each lasts 30 seconds, and has two changes of its own."""
    moved = []
    for number in range(times):
        at = 100 * number
        items: list[Item] = [change(f"break {number}"), access(at, status=500)]
        items += [change(f"fix {number}"), access(at + 30)]
        moved += engine.feed(items).moved
    return moved


def test_what_is_forgotten_was_counted() -> None:
    short, long = make_engine(history=3), make_engine(history=100)
    for engine in (short, long):
        break_and_repair(engine, 10)
        engine.feed([access(1000, status=500)])
    few, all_of_them = read(short), read(long)

    assert few.mttr() == all_of_them.mttr() == 30.0
    assert few.api_histogram() == all_of_them.api_histogram() == {"users": 11}
    assert few.incident_details()["users"] == all_of_them.incident_details()["users"][-4:]
    assert (few.forgotten, all_of_them.forgotten) == (7, 0)
    assert len(few.totals.deploys) == 3
    assert few.endpoints[0].closed_seconds == 300


def test_each_reading_from_another_thread_is_of_one_moment() -> None:
    engine = make_engine()
    ended = threading.Event()
    wrong: list[Snapshot] = []

    def watch() -> None:
        while not ended.is_set():
            snapshot = read(engine)
            counted = snapshot.accounting
            sums = (
                counted.accesses + counted.changes + counted.unmatched + counted.rejected,
                sum(one.all_requests for one in snapshot.endpoints),
                sum(one.incidents for one in snapshot.endpoints),
            )
            histogram = sum(snapshot.api_histogram().values())
            if sums != (counted.events, counted.accesses, histogram):
                wrong.append(snapshot)

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    for second in range(0, 20_000, 50):
        status = 500 if second % 1000 else 200
        engine.feed(
            [access(second + n / 10, ["users", "orders", "x"][n % 3], status) for n in range(60)]
        )
        engine.feed([change(str(second)), "what?"])
    ended.set()
    for watcher in watchers:
        watcher.join()
    assert wrong == []
    assert read(engine).accounting.events == 400 * 62

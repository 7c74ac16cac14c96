"""What fits into the buffer, what doesn't, and that nobody waits in vain."""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

from slomon.live_monitor.batching import LONGEST, Deploy, RawEvent
from slomon.live_monitor.buffer import Buffer
from tests.live_monitor.clock import ManualClock

DEPLOY = Deploy(5_000_000_000, "users", "c1", "ana@example.com", "today")
CALM = {200}


def put(buffer: Buffer, resource: str, status: int = 500) -> bool:
    return buffer.put(1, "GET", resource, status)


def requests(*resources: str, status: int = 500) -> list[RawEvent]:
    return [(1, "GET", resource, status, None) for resource in resources]


async def test_what_does_not_fit_is_dropped_and_counted_by_its_reason() -> None:
    buffer = Buffer(2, CALM)
    assert not put(buffer, "before it is opened")
    buffer.open()
    taken_in = [put(buffer, text) for text in ("a", "x" * LONGEST, "b", "c")]
    assert taken_in == [True, False, True, False]
    assert buffer.dropped == {"closed": 1, "full": 1, "too long": 1}
    buffer.close()
    assert not buffer.put_change(DEPLOY)
    assert buffer.dropped == {"closed": 2, "full": 1, "too long": 1}  # the two in it may be taken

    assert buffer.take(1) == requests("a")
    buffer.freeze()
    assert buffer.dropped == {"closed": 3, "full": 1, "too long": 1}


async def test_a_change_fits_where_no_access_does_but_not_without_end() -> None:
    buffer = Buffer(1, CALM)
    buffer.open()
    assert put(buffer, "a")
    assert not put(buffer, "b")
    taken_in = [buffer.put_change(DEPLOY) for _ in range(2000)]

    assert taken_in == [True] * 1024 + [False] * 976
    assert not buffer.put_change(DEPLOY._replace(author="x" * LONGEST))
    assert buffer.dropped == {"full": 977, "too long": 1}


async def test_all_who_wait_for_room_get_it() -> None:
    buffer = Buffer(1, CALM)
    buffer.open()
    order: list[int] = []

    async def put_one(number: int) -> None:
        await buffer.room()
        assert put(buffer, str(number))
        order.append(number)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(put_one, number)
            while len(order) < 5:
                await checkpoint()
                buffer.take(1)
    assert sorted(order) == [0, 1, 2, 3, 4]


async def test_none_waits_for_room_once_there_will_never_be_any() -> None:
    buffer = Buffer(1, CALM)
    buffer.open()
    put(buffer, "a")
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(buffer.room)
            await checkpoint()
            buffer.close()


async def test_an_arrival_wakes_the_loop_from_any_thread() -> None:
    buffer = Buffer(10, CALM)
    buffer.open()
    for leave, item in (
        (partial(put, buffer, "a"), requests("a")),
        (partial(buffer.put_change, DEPLOY), [DEPLOY]),
    ):
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(buffer.arrival)
                await checkpoint()
                await asyncio.to_thread(leave)
        assert buffer.take(1) == item
    put(buffer, "b")
    await buffer.arrival()  # at once
    # asyncio's pool of threads would be left behind otherwise
    await asyncio.get_running_loop().shutdown_default_executor()


def test_what_comes_after_the_loop_is_gone_waits_in_vain_and_raises_nothing() -> None:
    buffer = Buffer(2, CALM)

    async def leave_waiting() -> None:
        buffer.open()
        waiting = asyncio.create_task(buffer.arrival())
        await checkpoint()
        waiting.cancel()

    asyncio.run(leave_waiting())
    assert [put(buffer, text) for text in "abc"] == [True, True, False]
    assert buffer.dropped == {"full": 1}


@pytest.mark.parametrize(("ok_statuses", "urgent"), [(1, 1), (3, 0)])
async def test_what_can_wait_wakes_nobody_until_it_is_much_or_something_urgent_comes(
    ok_statuses: int, urgent: int
) -> None:
    buffer = Buffer(6, CALM)
    buffer.open()
    woken = anyio.Event()

    async def wait() -> None:
        await buffer.urgency()
        woken.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await wait_all_tasks_blocked()
        for _ in range(ok_statuses):
            put(buffer, "o", 200)
            await wait_all_tasks_blocked()
            assert not woken.is_set()
        put(buffer, "x", 500 if urgent else 200)
        await woken.wait()


async def test_who_comes_when_something_urgent_is_there_need_not_wait() -> None:
    buffer = Buffer(6, CALM)
    buffer.open()
    put(buffer, "x")
    await buffer.urgency()
    assert buffer.take(6) == requests("x")


async def test_something_urgent_that_was_left_is_still_urgent() -> None:
    buffer = Buffer(6, CALM)
    buffer.open()
    put(buffer, "o", 200)
    put(buffer, "x")
    buffer.take(1)
    with anyio.fail_after(20):
        await buffer.urgency()
    assert buffer.take(6) == requests("x")


async def test_much_of_what_can_wait_need_not() -> None:
    buffer = Buffer(2, CALM)
    buffer.open()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(buffer.urgency)
            await wait_all_tasks_blocked()
            assert put(buffer, "o", 200)
            assert put(buffer, "o", 200)
            await wait_all_tasks_blocked()
            assert buffer.take(6) == requests("o", "o", status=200)


async def test_who_has_waited_for_room_is_taken_in_where_others_took_it() -> None:
    buffer = Buffer(1, CALM)
    assert not buffer.put(1, "GET", "a", 500, overflow=True)  # it is closed
    buffer.open()
    assert put(buffer, "a")
    taken_in = [buffer.put(1, "GET", "b", 500, overflow=True) for _ in range(1025)]
    assert taken_in == [True] * 1024 + [False]
    assert buffer.dropped == {"closed": 1, "full": 1}


async def test_something_urgent_that_was_taken_wakes_nobody() -> None:
    buffer = Buffer(2, CALM)
    buffer.open()
    put(buffer, "a")
    buffer.take(1)
    buffer._urgent = True  # as a thread does that is about to append an urgent event
    woken = anyio.Event()

    async def wait() -> None:
        await buffer.arrival()
        woken.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await wait_all_tasks_blocked()
        assert not woken.is_set()
        put(buffer, "b")
        await woken.wait()


NOW = ManualClock().now
CLOCKS: list[list[Any]] = [[NOW], [NOW, lambda: NOW() - 5, [5]], [NOW, int, [None]]]


@pytest.mark.parametrize("clock", CLOCKS)
async def test_what_a_counter_counts_is_what_would_be_put(clock: list[Any]) -> None:
    buffer = Buffer(3, CALM)
    count = buffer.counter("GET", "/a", *clock)
    assert not count(200)
    buffer.open()
    assert [count(200), count(500, 0.5), count(HTTPStatus.OK, 2), count(200)] == [1, 1, 1, 0]
    at = NOW()
    assert buffer.take(3) == [
        (at, "GET", "/a", 200, None),
        (at, "GET", "/a", 500, 0.5),
        (at, "GET", "/a", 200, 2.0),
    ]
    assert not buffer.counter("GET", "x" * LONGEST, *clock)(200)
    assert buffer.counter("GET", "/a", lambda: "noon")(200)
    assert buffer.take(1) == ["noon GET /a 200"]
    assert buffer.dropped == {"closed": 1, "full": 1, "too long": 1}


@pytest.mark.parametrize("clock", CLOCKS)
async def test_a_counter_wakes_who_waits_for_what_it_counts(clock: list[Any]) -> None:
    buffer = Buffer(2, CALM)
    buffer.open()
    count = buffer.counter("GET", "/a", *clock)
    with anyio.fail_after(20):
        for wait, statuses in ((buffer.arrival, [200]), (buffer.urgency, [200, 200])):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await wait_all_tasks_blocked()
                for status in statuses:
                    assert count(status)
            buffer.take(2)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(buffer.urgency)
            await wait_all_tasks_blocked()
            assert count(500)

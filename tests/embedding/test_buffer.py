"""What fits into the buffer, what doesn't, and that nobody waits in vain."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

from slomon.core.event import Change
from slomon.embedding.buffer import LONGEST, Buffer

CHANGE = Change("c1", "<ana@example.com>", "today", "users")


async def test_what_does_not_fit_is_dropped_and_counted_by_its_reason() -> None:
    buffer = Buffer(2)
    assert not buffer.put("before it is opened")
    buffer.open()
    assert [buffer.put(text) for text in ("a", "b", "c", "x" * (LONGEST + 1))] == [
        *(True, True),
        *(False, False),
    ]
    assert buffer.dropped == {"closed": 1, "full": 1, "too long": 1}
    buffer.close()
    assert not buffer.squeeze_in(CHANGE, 10)
    assert buffer.dropped == {"closed": 4, "full": 1, "too long": 1}  # with the two that are in it

    assert buffer.take(10) == ["a", "b"]
    assert buffer.dropped == {"closed": 2, "full": 1, "too long": 1}


async def test_a_change_fits_where_no_access_does_but_not_without_end() -> None:
    buffer = Buffer(1)
    buffer.open()
    assert buffer.put("a")
    assert not buffer.put("b")
    taken_in = [buffer.squeeze_in(CHANGE, 10) for _ in range(2000)]

    assert taken_in == [True] * 1024 + [False] * 976
    assert not buffer.squeeze_in(CHANGE, LONGEST + 1)
    assert buffer.dropped == {"full": 977, "too long": 1}


async def test_all_who_wait_for_room_get_it() -> None:
    buffer = Buffer(1)
    buffer.open()
    order: list[int] = []

    async def put(number: int) -> None:
        await buffer.room()
        assert buffer.put(str(number))
        order.append(number)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(put, number)
            while len(order) < 5:
                await checkpoint()
                buffer.take(1)
    assert sorted(order) == [0, 1, 2, 3, 4]


async def test_none_waits_for_room_once_there_will_never_be_any() -> None:
    buffer = Buffer(1)
    buffer.open()
    buffer.put("a")
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(buffer.room)
            await checkpoint()
            buffer.close()


async def test_an_arrival_wakes_the_loop_from_any_thread() -> None:
    buffer = Buffer(10)
    buffer.open()
    for item in ("a", CHANGE):
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(buffer.arrival)
                await checkpoint()
                if isinstance(item, str):
                    await asyncio.to_thread(buffer.put, item)
                else:
                    await asyncio.to_thread(buffer.squeeze_in, item, 10)
        assert buffer.take(1) == [item]
    buffer.put("b")
    await buffer.arrival()  # at once
    # asyncio's pool of threads would be left behind otherwise
    await asyncio.get_running_loop().shutdown_default_executor()


def test_what_comes_after_the_loop_is_gone_waits_in_vain_and_raises_nothing() -> None:
    buffer = Buffer(2)

    async def leave_waiting() -> None:
        buffer.open()
        waiting = asyncio.create_task(buffer.arrival())
        await checkpoint()
        waiting.cancel()

    asyncio.run(leave_waiting())
    assert [buffer.put(text) for text in "abc"] == [True, True, False]
    assert buffer.dropped == {"full": 1}


@pytest.mark.parametrize(("calm", "urgent"), [(1, 1), (4, 0)])
async def test_what_can_wait_wakes_nobody_until_it_is_much_or_something_urgent_comes(
    calm: int, urgent: int
) -> None:
    buffer = Buffer(6)
    buffer.open()
    woken = anyio.Event()

    async def wait() -> None:
        await buffer.urgency()
        woken.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await wait_all_tasks_blocked()
        for _ in range(calm):
            buffer.put("o", urgent=False)
            await wait_all_tasks_blocked()
            assert not woken.is_set()
        buffer.put("x", urgent=bool(urgent))
        await woken.wait()


async def test_who_comes_when_something_urgent_is_there_need_not_wait() -> None:
    buffer = Buffer(6)
    buffer.open()
    buffer.put("x")
    await buffer.urgency()
    assert buffer.take(6) == ["x"]


async def test_something_urgent_that_was_left_is_still_urgent() -> None:
    buffer = Buffer(6)
    buffer.open()
    buffer.put("o", urgent=False)
    buffer.put("x")
    buffer.take(1)
    with anyio.fail_after(20):
        await buffer.urgency()
    assert buffer.take(6) == ["x"]


async def test_much_of_what_can_wait_need_not() -> None:
    buffer = Buffer(2)
    buffer.open()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(buffer.urgency)
            await wait_all_tasks_blocked()
            assert buffer.squeeze_in("o", 1, urgent=False)
            assert buffer.put("o", urgent=False)
            tasks.start_soon(buffer.room)  # there is none: so it is time to take what is there
            await wait_all_tasks_blocked()
            assert buffer.take(6) == ["o", "o"]

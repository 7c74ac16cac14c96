"""Each subscriber has a queue of its own, and learns how much it missed."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest
from anyio.lowlevel import checkpoint

from slomon import IncidentOpened, IncidentsMissed
from slomon.live_monitor.subscription import IncidentEvent, Subscription
from tests.report.records import record


def opened(number: int) -> IncidentOpened:
    return IncidentOpened(replace(record("shop"), id=str(number)))


async def drain(subscription: Subscription) -> list[IncidentEvent]:
    return [event async for event in subscription]


async def test_a_slow_one_learns_how_many_it_missed_before_the_next_one() -> None:
    subscription = Subscription(2)
    for number in range(5):
        subscription.put(opened(number))
    assert [await anext(subscription) for _ in range(2)] == [IncidentsMissed(3), opened(3)]

    for number in (5, 6):
        subscription.put(opened(number))
    subscription.close()
    subscription.put(opened(7))
    assert await drain(subscription) == [IncidentsMissed(1), opened(5), opened(6)]


async def test_one_that_waits_is_woken_by_an_event_and_by_the_end() -> None:
    subscription = Subscription(2)
    told: list[IncidentEvent] = []

    async def listen() -> None:
        told.extend(await drain(subscription))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            await checkpoint()
            subscription.put(opened(1))
            await checkpoint()
            subscription.close()
    assert told == [opened(1)]
    with pytest.raises(StopAsyncIteration):
        await anext(subscription)


async def test_tasks_that_share_one_share_its_events() -> None:
    subscription = Subscription(10)
    told: list[IncidentEvent] = []

    async def listen() -> None:
        told.extend(await drain(subscription))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(listen)
            await checkpoint()
            for number in range(5):
                subscription.put(opened(number))
                await checkpoint()
            subscription.close()
    assert sorted(event.incident.id for event in told if isinstance(event, IncidentOpened)) == [
        *"01234"
    ]

"""A run that is cancelled from outside, by whatever means and at whatever moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain, count, islice

import anyio
import pytest

from slomon import ServiceMonitor
from slomon.pipeline.run import Options, run
from tests.oracle import expected
from tests.streams import (
    ENTRIES,
    AsyncStream,
    AwaitableStream,
    Gate,
    PlainStream,
    Stream,
    flapping,
    success,
    turns,
    until,
)

TIGHT = Options(workers=7, queue_bound=1, batch_bound=1)
EVENTS = list(islice(flapping(), 12))
ANSWER = expected([*EVENTS], ENTRIES).incident_details

Cancelled = Callable[[int, Awaitable[ServiceMonitor]], Awaitable[ServiceMonitor | None]]


async def by_task(after: int, running: Awaitable[ServiceMonitor]) -> ServiceMonitor | None:
    """Cancel with asyncio's own task.cancel()."""
    task = asyncio.ensure_future(running)
    await turns(after)
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return None


async def by_scope(after: int, running: Awaitable[ServiceMonitor]) -> ServiceMonitor | None:
    """Cancel with anyio's cancel scope."""
    answer = None
    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:
            group.start_soon(cancel_after, after, scope.cancel)
            answer = await running
        group.cancel_scope.cancel()
    assert scope.cancelled_caught == (answer is None)
    return answer


async def by_timeout(after: int, running: Awaitable[ServiceMonitor]) -> ServiceMonitor | None:
    """Cancel with asyncio.timeout()."""
    answer = None
    async with anyio.create_task_group() as group:
        try:
            async with asyncio.timeout(None) as timeout:
                group.start_soon(cancel_after, after, lambda: timeout.reschedule(0))
                answer = await running
        except TimeoutError:
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0
        group.cancel_scope.cancel()
    return answer


async def cancel_after(number: int, cancel: Callable[[], object]) -> None:
    await turns(number)
    cancel()


any_way = pytest.mark.parametrize("cancelled", [by_task, by_scope, by_timeout])


@pytest.mark.slow
@any_way
async def test_a_run_that_is_cancelled_at_any_await_is_cancelled_or_complete(
    kind: type[Stream], cancelled: Cancelled
) -> None:
    options, moments = Options(batch_bound=2, queue_bound=1), count()
    while (monitor := await cancelled(next(moments), run(kind(EVENTS), options))) is None:
        pass
    assert monitor.incident_details() == ANSWER
    assert next(moments) > 10


@any_way
async def test_a_run_without_end_can_be_cancelled(kind: type[Stream], cancelled: Cancelled) -> None:
    assert await cancelled(100, run(kind(flapping()), TIGHT)) is None


async def test_a_run_can_be_waited_for_with_a_timeout(kind: type[Stream]) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run(kind(flapping()), TIGHT), 0.001)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("event", [success(9), KeyError("too late")])
async def test_a_cancellation_takes_effect_once_a_blocking_generate_event_has_returned(
    event: object, times: int
) -> None:
    gate = Gate(event)
    stream = PlainStream(chain([success(1), gate], flapping()))
    task = asyncio.ensure_future(run(stream, Options()))
    await until(lambda: gate.reached)
    for _ in range(times):
        task.cancel()
        await turns(50)
        assert not task.done()
    gate.open()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.calls <= 3


async def test_a_cancellation_takes_effect_once_a_blocking_get_info_has_returned() -> None:
    gate = Gate(ENTRIES)
    stream = PlainStream(flapping(), gate)
    task = asyncio.ensure_future(run(stream, Options()))
    await until(lambda: gate.reached)
    task.cancel()
    await turns(50)
    assert not task.done()
    gate.open()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.calls == 0


async def test_a_cancellation_takes_effect_at_once_in_an_async_stream() -> None:
    gate = Gate()
    task = asyncio.ensure_future(run(AsyncStream([success(1), gate]), Options()))
    await until(lambda: gate.reached)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("method", ["get_info", "generate_event"])
async def test_an_awaitable_that_comes_after_the_cancellation_is_not_left_unawaited(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, stream = Gate(), AwaitableStream(flapping())
    give = getattr(stream, method)

    def give_late() -> object:
        gate.block()
        return give()

    monkeypatch.setattr(stream, method, give_late)
    task = asyncio.ensure_future(run(stream, Options()))
    await until(lambda: gate.reached)
    task.cancel()
    await turns(50)
    gate.open()
    with pytest.raises(asyncio.CancelledError):
        await task

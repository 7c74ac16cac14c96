from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from itertools import chain, product, repeat
from typing import Any

import anyio
import pytest

from slomon import Malformed, MalformedEventError, Rejection, consume
from slomon.concurrency import run_in_thread
from slomon.core.batching import Batch, Batcher, Item
from slomon.core.endpoints import Catalogue, Sharding
from slomon.core.statuses import server_errors_fail
from slomon.pipeline.reader import BATCHES, Intake, Reader, pump
from slomon.pipeline.run import Options, run
from slomon.pipeline.stream import Listener
from slomon.pipeline.worker import WorkerInput
from tests.strategies import access_event
from tests.streams import (
    ENTRIES,
    AsyncStream,
    Gate,
    HastyStream,
    PlainStream,
    Stream,
    caller,
    failure,
    success,
    turns,
    until,
)

both = pytest.mark.parametrize("kind", [PlainStream, AsyncStream])


class ReusingStream(PlainStream):
    """Gives the same dict each time, with other things in it."""

    def __init__(self, events: Iterable[object]) -> None:
        super().__init__(events)
        self._event: dict[str, object] = {}

    def generate_event(self) -> dict[str, object]:
        self._event.clear()
        self._event.update(super().generate_event())
        return self._event


@asynccontextmanager
async def pumping(stream: Stream, intake: Intake) -> AsyncIterator[None]:
    """Let a stream fill the buffer, until the block, which is the reader, goes."""
    async with anyio.create_task_group() as group:
        group.start_soon(pump, stream, intake)
        try:
            yield
        finally:
            intake.close()


async def drained(intake: Intake) -> list[Item]:
    items: list[Item] = []
    while taken := await intake.take():
        items += taken
    return items


async def test_every_event_arrives_in_order_up_to_the_end(kind: type[Stream]) -> None:
    stream, intake = kind([success(second) for second in range(50)]), Intake(3)
    async with pumping(stream, intake):
        items = await drained(intake)
    assert items == [f"{second} GET /api 200" for second in range(50)]


async def test_a_gap_is_no_event_but_its_missing_events_are_counted(kind: type[Stream]) -> None:
    gap = {"type": "gap", "value": "3 1 2"}
    monitor = await run(kind([gap, success(1), gap, failure(2)]), Options())
    [incident] = monitor.incidents
    assert incident.start_position == 1
    assert (monitor.accounting.events, monitor.accounting.missing) == (2, 6)


async def test_a_stream_is_asked_for_nothing_after_its_end(kind: type[Stream]) -> None:
    stream = kind([success(1), success(2)])
    await run(stream, Options())
    assert stream.calls == 3


async def test_the_reader_takes_all_that_has_arrived_but_never_more_than_the_bound() -> None:
    intake = Intake(3)
    intake.items += "abcde"
    assert [await intake.take(), await intake.take()] == [["a", "b", "c"], ["d", "e"]]


async def test_an_event_that_comes_just_as_the_reader_turns_to_wait_is_not_missed() -> None:
    class Arriving(list[Item]):
        """Looks empty twice, and then there is an item."""

        looks = 0

        def __bool__(self) -> bool:
            self.looks += 1
            self[:] = ["item"] * (self.looks > 2)
            return len(self) > 0

    intake = Intake(3)
    intake.items = Arriving()
    assert await intake.take() == ["item"]


async def test_an_event_never_waits_for_the_next_one(kind: type[Stream]) -> None:
    class Watcher(Listener):
        def __init__(self) -> None:
            self.moved: list[object] = []

        def incident_moved(self, incident: object) -> None:
            self.moved.append(incident)

    async def watch(quiet_after: int, batch_bound: int) -> None:
        gate, watcher = Gate(), Watcher()
        stream = kind([*(success(second) for second in range(1, quiet_after)), failure(9), gate])
        task = asyncio.ensure_future(run(stream, Options(batch_bound=batch_bound), [watcher]))
        await until(lambda: watcher.moved)
        await until(lambda: gate.reached)
        assert not task.done(), (quiet_after, batch_bound)
        gate.open()
        monitor = await task
        assert monitor.incidents == watcher.moved, (quiet_after, batch_bound)

    for quiet_after, batch_bound in product((1, 2, 5), (1, 2, 1000)):
        await watch(quiet_after, batch_bound)


async def test_a_stream_that_waits_never_blocks_the_event_loop(kind: type[Stream]) -> None:
    gate = Gate()
    task = asyncio.ensure_future(run(kind([success(1), gate]), Options()))
    await until(lambda: gate.reached)
    await turns(100)
    gate.open()
    assert (await task).accounting.events == 1


async def test_an_async_stream_that_never_suspends_lets_others_run() -> None:
    stream = HastyStream(repeat(success(1)))
    task = asyncio.ensure_future(run(stream, Options(batch_bound=10)))
    await until(lambda: stream.calls > 1000)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_plain_stream_is_called_from_one_thread_which_is_not_the_loops() -> None:
    stream = PlainStream([success(1)] * 100)
    await run(stream, Options(batch_bound=2))
    assert len(stream.threads) == 1
    assert stream.threads.isdisjoint({threading.current_thread()})


@pytest.mark.parametrize("kind", [AsyncStream, HastyStream])
async def test_an_async_stream_is_called_from_the_loops_thread(kind: type[Stream]) -> None:
    stream = kind([success(1)] * 100)
    await run(stream, Options(batch_bound=2))
    assert stream.threads == {threading.current_thread()}


async def test_a_stream_sees_the_context_of_the_caller(kind: type[Stream]) -> None:
    caller.set("somebody")
    stream = kind([success(1)])
    await run(stream, Options())
    assert stream.callers == {"somebody"}


async def test_a_stream_may_use_its_dict_again() -> None:
    monitor = await run(ReusingStream([failure(1), success(2), failure(3)]), Options())
    assert [incident.start // 10**9 for incident in monitor.incidents] == [1, 3]


NO_EVENTS: list[object] = [
    {"type": "access", "value": None},
    {"type": "change", "value": None},
    {"type": "access"},
    {"type": None},
    {},
    None,
    7,
    "access",
    ["access", "1 GET /api 500"],
    type("Row", (), {"__getitem__": lambda _, key: failure(1)[key]})(),
]


async def test_what_is_no_event_is_rejected_whichever_way_it_came(kind: type[Stream]) -> None:
    for event in NO_EVENTS:
        monitor = await run(kind([failure(1), event, success(2)]), Options())
        assert [rejection.position for rejection in monitor.rejections] == [1], event
        assert monitor.accounting.events == 3, event


@both
async def test_a_full_buffer_holds_the_stream_up(kind: type[Stream]) -> None:
    stream, intake = kind([success(second) for second in range(50)]), Intake(2)
    async with pumping(stream, intake):
        await until(lambda: len(intake.items) == 2 * BATCHES)
        await turns(100)
        assert stream.calls == 2 * BATCHES
        assert len(await drained(intake)) == 50


@both
async def test_a_stream_that_waits_for_room_is_let_go_when_the_reader_goes(
    kind: type[Stream],
) -> None:
    stream, intake = kind(repeat(success(1))), Intake(2)
    async with pumping(stream, intake):
        await until(lambda: len(intake.items) == 2 * BATCHES)
    assert stream.calls == 2 * BATCHES


async def test_a_plain_stream_is_asked_for_no_more_once_the_reader_has_gone() -> None:
    gate, intake = Gate(success(2)), Intake(1000)
    stream = PlainStream([success(1), gate, *repeat(success(3), 10)])
    async with anyio.create_task_group() as group:
        group.start_soon(pump, stream, intake)
        await until(lambda: gate.reached)
        intake.close()
        gate.open()
    assert stream.calls == 2


async def blocking(intake: Intake) -> None:
    await run_in_thread(intake.block_while_full)


either_producer = pytest.mark.parametrize("wait", [blocking, Intake.wait_while_full])
Wait = Callable[[Intake], Coroutine[None, None, None]]


@either_producer
async def test_a_producer_sleeps_until_the_reader_has_taken_all_and_wants_more(wait: Wait) -> None:
    intake = Intake(1)
    intake.items += ["item"] * BATCHES
    room = intake._room
    producer = asyncio.create_task(wait(intake))
    await until(lambda: intake._room is not room)  # the thread of the producer has begun
    for _ in range(BATCHES):
        await turns(100)
        assert not producer.done()
        await intake.take()
    reader = asyncio.create_task(intake.take())
    await producer
    intake.end()
    assert await reader == []


@either_producer
async def test_a_buffer_with_room_holds_nobody_up(wait: Wait) -> None:
    intake = Intake(1)
    await wait(intake)
    assert intake.room() == BATCHES


async def test_a_stream_may_return_awaitables_for_some_events_and_not_for_others() -> None:
    class Mixed(PlainStream):
        def generate_event(self) -> Any:
            event = super().generate_event()
            return self._later(event) if self.calls % 2 else event

        async def _later(self, event: Any) -> Any:
            return event

    monitor = await run(Mixed([success(second) for second in range(5)]), Options())
    assert monitor.accounting.accesses == 5


CUTS: list[dict[str, Any]] = [
    {"batch_bound": batch_bound, "workers": workers}
    for batch_bound, workers in ((1, 1), (2, 7), (3, 1), (1000, 1), (1000, 7))
]

BAD_STAMP = access_event("soon", "GET", "/api", "200")  # known by its text, but for the stamp
BAD_STATUS = access_event("4", "GET", "/web", "900")
OWN_VERDICT = Malformed("<binary>", "the broker says so")

STREAM = [success(1), success(2), BAD_STAMP, BAD_STATUS, failure(3), OWN_VERDICT]
REJECTIONS = [
    Rejection(
        2,
        "soon GET /api 200",
        "the timestamp is 'soon'; allowed: "
        "seconds since the epoch, a plain decimal of at most 9 places, before 2262",
    ),
    Rejection(
        3,
        "4 GET /web 900",
        "the status is '900'; allowed: one that the rule knows, by default 100 to 599",
    ),
    Rejection(5, "<binary>", "the broker says so"),
]


async def test_malformed_events_are_counted_and_told_in_stream_order(kind: type[Stream]) -> None:
    for cut in CUTS:
        told: list[Rejection] = []
        monitor = await consume(kind(STREAM), **cut, on_rejected=told.append)
        assert told == monitor.rejections == REJECTIONS, cut
        assert (monitor.accounting.events, monitor.accounting.rejected) == (6, 3), cut


async def test_strict_mode_stops_at_the_first_malformed_event(kind: type[Stream]) -> None:
    for cut in CUTS:
        told: list[Rejection] = []
        stream = kind(chain(STREAM, repeat(BAD_STATUS)))
        with pytest.raises(MalformedEventError) as caught:
            await consume(stream, strict=True, **cut, on_rejected=told.append)
        error = caught.value
        assert Rejection(error.position, error.text, error.reason) == REJECTIONS[0], cut
        assert (error.__cause__, error.__context__) == (None, None), cut
        assert not told, cut


@pytest.mark.parametrize("batch_bound", [7, 1000])
async def test_the_first_hundred_are_kept_with_their_text_shortened(batch_bound: int) -> None:
    told: list[Rejection] = []
    text = "x" * 5000
    monitor = await consume(
        PlainStream([{"type": "access", "value": text}] * 250),
        batch_bound=batch_bound,
        on_rejected=told.append,
    )
    assert monitor.accounting.rejected == len(told) == 250
    assert {rejection.text for rejection in told} == {text}
    assert [rejection.position for rejection in monitor.rejections] == list(range(100))
    assert {rejection.text for rejection in monitor.rejections} == {text[:1000]}


async def test_strict_mode_gives_the_text_as_it_arrived() -> None:
    text = "\x00" * 5000
    with pytest.raises(MalformedEventError) as caught:
        await consume(PlainStream([{"type": "access", "value": text}]), strict=True)
    assert caught.value.text == text


async def test_a_reader_whose_worker_has_gone_ends_quietly_and_closes_all_queues() -> None:
    intake = Intake(1000)
    intake.items += [f"{second} GET /{name} 200" for second in (1, 2) for name in ("api", "web")]
    intake.end()
    batcher = Batcher(Sharding(Catalogue(ENTRIES), 2), server_errors_fail)
    pairs = [anyio.create_memory_object_stream[WorkerInput](9) for _ in range(2)]
    for _, receive in pairs:
        receive.close()
    queues = [queue for queue, _ in pairs]
    await Reader(intake, batcher, (), strict=False).read(queues)
    for queue in queues:
        with pytest.raises(anyio.ClosedResourceError):
            queue.send_nowait(Batch([], [], [], [], []))
    assert not intake.open

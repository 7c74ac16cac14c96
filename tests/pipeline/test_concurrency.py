"""Whatever fails in a run reaches its caller as it is, and nothing else does."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from itertools import count, islice
from textwrap import dedent
from typing import Any

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream

from slomon import ConfigurationError, Incident, Rejection, consume
from slomon.concurrency import CallThread, background_tasks, run_in_thread
from slomon.core.shard import Shard
from slomon.pipeline import run as run_module
from slomon.pipeline.run import Options, run
from slomon.pipeline.stream import Listener
from tests.streams import (
    ENTRIES,
    GUARD_SECONDS,
    Gate,
    PlainStream,
    Stream,
    caller,
    failure,
    flapping,
    success,
    turns,
    until,
)

TIGHT = Options(workers=7, queue_bound=1, batch_bound=1)


class Broken(Exception):  # noqa: N818 (it is what a user's code raises)
    """Raised on purpose, with a history of its own."""

    def __init__(self) -> None:
        super().__init__("broken on purpose")
        self.__cause__ = KeyError("cause")
        self.__context__ = KeyError("context")


def broken_group() -> BaseException:
    return ExceptionGroup("the stream's own", [Broken(), ExceptionGroup("nested", [Broken()])])


async def raises_exactly(error: BaseException, running: Awaitable[object]) -> None:
    history = error.__cause__, error.__context__
    with pytest.raises(type(error)) as caught:
        await running
    assert caught.value is error
    assert (error.__cause__, error.__context__) == history


@pytest.mark.parametrize("make_error", [Broken, broken_group, KeyError])
async def test_what_generate_event_raises_reaches_the_caller_as_it_is(
    kind: type[Stream], make_error: Callable[[], BaseException]
) -> None:
    for events_before in (0, 1, 20):
        error = make_error()
        stream = kind([*islice(flapping(), events_before), error, *islice(flapping(), 9)])
        await raises_exactly(error, run(stream, TIGHT))
        assert stream.calls == events_before + 1


@pytest.mark.parametrize("make_error", [Broken, broken_group, KeyError])
async def test_what_get_info_raises_reaches_the_caller_as_it_is(
    kind: type[Stream], make_error: Callable[[], BaseException]
) -> None:
    error = make_error()
    stream = kind(flapping(), error)
    await raises_exactly(error, run(stream, TIGHT))
    assert stream.calls == 0


async def test_what_the_entries_raise_reaches_the_caller_as_it_is(kind: type[Stream]) -> None:
    error = Broken()

    def entries() -> Any:
        yield ENTRIES[0]
        raise error

    await raises_exactly(error, run(kind(flapping(), entries()), TIGHT))


async def test_a_wrong_entry_stops_the_run_before_the_first_event(kind: type[Stream]) -> None:
    stream = kind(flapping(), [{**ENTRIES[0], "slo": 2}])
    with pytest.raises(ConfigurationError, match="'slo' is 2"):
        await run(stream, TIGHT)
    assert stream.calls == 0


async def test_something_else_that_was_cancelled_is_never_taken_for_the_end(
    kind: type[Stream],
) -> None:
    """As where `generate_event` awaits a task that somebody cancels."""
    stream = kind([failure(1), asyncio.CancelledError(), success(2)])
    with pytest.raises(asyncio.CancelledError):
        await run(stream, Options())


async def test_a_plain_iterator_that_runs_out_is_an_error_and_not_the_end() -> None:
    """No coroutine can raise StopIteration, so this one comes as the cause."""
    error = StopIteration()
    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        await run(PlainStream([failure(1), error]), TIGHT)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("batches_before", [0, 1, 5])
async def test_what_a_worker_raises_reaches_the_caller(
    kind: type[Stream], batches_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, batches, advance = Broken(), count(), Shard.advance

    def failing(shard: Shard, batch: Any) -> list[Incident]:
        if next(batches) == batches_before:
            raise error
        return advance(shard, batch)

    monkeypatch.setattr(Shard, "advance", failing)
    await raises_exactly(error, run(kind(flapping()), TIGHT))


async def test_a_worker_that_fails_while_the_reader_waits_on_its_full_queue_ends_the_run(
    kind: type[Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = Broken()

    async def failing(_: Shard, batches: MemoryObjectReceiveStream[Any], moved: Any) -> None:
        with batches, moved:
            await until(lambda: batches.statistics().tasks_waiting_send)
            raise error

    monkeypatch.setattr(run_module, "work", failing)
    options = Options(workers=1, queue_bound=1, batch_bound=1)
    await raises_exactly(error, run(kind(flapping()), options))


class BrokenListener(Listener):
    """Raises in one of its methods."""

    def __init__(self, method: str, error: BaseException) -> None:
        setattr(self, method, self._fail)
        self._error = error

    def _fail(self, _: object) -> None:
        raise self._error


async def test_what_a_listener_raises_reaches_the_caller(kind: type[Stream]) -> None:
    for method in ("started", "incident_moved", "event_rejected", "finished"):
        error = Broken()
        stream = kind([*islice(flapping(), 50), None])
        await raises_exactly(error, run(stream, TIGHT, [BrokenListener(method, error)]))


async def test_what_the_hook_for_rejections_raises_reaches_the_caller(kind: type[Stream]) -> None:
    error = Broken()

    def hook(_: Rejection) -> None:
        raise error

    await raises_exactly(error, consume(kind([None]), on_rejected=hook))


async def test_what_the_status_rule_raises_reaches_the_caller(kind: type[Stream]) -> None:
    error = Broken()

    def is_failure(_: int) -> bool:
        raise error

    await raises_exactly(error, consume(kind(flapping()), is_failure=is_failure))


async def cancelled_natively(call: Callable[[], Awaitable[object]], gate: Gate) -> None:
    """Cancel a call at its gate by asyncio's own means, and again, then open the gate."""
    task = asyncio.ensure_future(call())
    await until(lambda: gate.reached)
    for _ in range(3):
        task.cancel()
        await turns(20)
        assert not task.done()
    gate.open()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancelled_by_scope(call: Callable[[], Awaitable[object]], gate: Gate) -> None:
    """Cancel a call at its gate by its cancel scope, then open the gate."""
    returned = False

    async def cancelled_call() -> None:
        nonlocal returned
        with scope:
            await call()
        returned = True

    async with anyio.create_task_group() as group:
        scope = anyio.CancelScope()
        group.start_soon(cancelled_call)
        await until(lambda: gate.reached)
        scope.cancel()
        await turns(20)
        assert not returned
        gate.open()
    assert scope.cancelled_caught


async def test_a_call_returns_what_its_function_returns() -> None:
    assert await run_in_thread(lambda: 7) == 7


@pytest.mark.parametrize(
    "error", [ValueError("broken"), ExceptionGroup("two", [ValueError("one"), KeyError("other")])]
)
async def test_a_call_raises_what_its_function_raises_as_it_is(error: Exception) -> None:
    def function() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await run_in_thread(function)
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)


async def test_each_call_has_a_thread_of_its_own_which_ends_with_it() -> None:
    threads = [await run_in_thread(threading.current_thread) for _ in range(3)]
    assert len({*threads, threading.current_thread()}) == 4
    assert not any(thread.is_alive() for thread in threads)


async def test_a_call_thread_makes_one_call_after_the_other_and_ends_when_it_is_left() -> None:
    with CallThread() as thread:
        made = [await thread.call(threading.current_thread) for _ in range(3)]
        assert len({*made, threading.current_thread()}) == 2
        assert made[0].is_alive()
    assert not made[0].is_alive()
    with CallThread():
        pass  # it was never needed


async def test_a_function_sees_the_context_of_its_caller() -> None:
    caller.set("somebody")
    assert await run_in_thread(caller.get) == "somebody"


async def test_others_run_while_a_function_blocks() -> None:
    gate = Gate("done")
    task = asyncio.ensure_future(run_in_thread(gate.block))
    await until(lambda: gate.reached)
    await turns(100)
    gate.open()
    assert await task == "done"


@pytest.mark.parametrize("cancelled", [cancelled_natively, cancelled_by_scope])
@pytest.mark.parametrize("outcome", ["done", ValueError("broken")])
async def test_a_cancellation_takes_effect_when_the_function_has_ended(
    cancelled: Callable[[Callable[[], Awaitable[object]], Gate], Awaitable[None]], outcome: object
) -> None:
    gate = Gate(outcome)

    def function() -> object:
        result = gate.block()
        if isinstance(result, Exception):
            raise result
        return result

    await cancelled(lambda: run_in_thread(function), gate)


async def test_a_thread_that_cannot_start_is_reported_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = RuntimeError("can't start new thread")

    def start(_: threading.Thread) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError) as caught:
            await run_in_thread(lambda: 7)
    assert caught.value is error


@pytest.mark.slow
@pytest.mark.parametrize("end", ["pass", "gate.set(); thread.join()"], ids=["never", "too late"])
def test_a_function_that_outlives_its_loop_keeps_no_interpreter_from_exiting(end: str) -> None:
    program = f"""
        import asyncio, os, sys, threading
        from slomon.concurrency import run_in_thread

        gate, reached = threading.Event(), threading.Event()
        loop = asyncio.new_event_loop()
        task = loop.create_task(run_in_thread(lambda: (reached.set(), gate.wait())))
        while not reached.is_set():
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        thread, = (thread for thread in threading.enumerate() if thread.daemon)
        {end}
        print("the end")
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)],
        capture_output=True,
        text=True,
        timeout=GUARD_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "the end\n")
    assert "Exception in thread" not in done.stderr


class Beside:
    """What happens, in order, as a body runs beside a task; each part may fail."""

    def __init__(self, **errors: BaseException) -> None:
        self.happened: list[str] = []
        self._errors = errors

    def context(self) -> AbstractAsyncContextManager[None]:
        return background_tasks([self.task], finish=self.finish, end=self.end)

    async def task(self) -> None:
        try:
            await (turns(5) if "task" in self._errors else anyio.sleep_forever())
        finally:
            self.add("task")

    async def finish(self) -> None:
        await turns(5)
        self.add("finish")

    async def end(self) -> None:
        self.add("end")

    def add(self, part: str) -> None:
        self.happened.append(part)
        if part in self._errors:
            raise self._errors[part]


async def test_tasks_are_cancelled_between_the_finish_and_the_end() -> None:
    beside = Beside()
    async with beside.context():
        await turns(5)
        beside.add("body")
    assert beside.happened == ["body", "finish", "task", "end"]


async def test_what_a_task_raises_ends_the_body_and_comes_out_as_itself() -> None:
    error = Broken()
    beside = Beside(task=error)

    with pytest.raises(Broken) as caught:
        async with beside.context():
            await anyio.sleep_forever()
    assert caught.value is error
    assert beside.happened == ["task", "end"]


@pytest.mark.parametrize("others", [(), ("task",), ("end",), ("task", "end")])
async def test_what_the_body_raises_wins(others: tuple[str, ...]) -> None:
    error = Broken()
    beside = Beside(body=error, **{part: KeyError(part) for part in others})

    with pytest.raises(Broken) as caught:
        async with beside.context():
            beside.add("body")
    assert caught.value is error
    assert beside.happened[0] == "body"
    assert beside.happened[-2:] == ["task", "end"]


async def test_a_cancelled_body_is_not_finished_but_ended() -> None:
    beside = Beside()
    with anyio.CancelScope() as scope:
        async with beside.context():
            await turns(5)
            scope.cancel()
            await turns(5)
    assert scope.cancelled_caught
    assert beside.happened == ["task", "end"]

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from textwrap import dedent

import anyio
import pytest

from slomon.concurrency import in_own_thread
from tests.streams import GUARD_SECONDS, Gate, caller, turns, until


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
    assert await in_own_thread(lambda: 7) == 7


@pytest.mark.parametrize(
    "error", [ValueError("broken"), ExceptionGroup("two", [ValueError("one"), KeyError("other")])]
)
async def test_a_call_raises_what_its_function_raises_as_it_is(error: Exception) -> None:
    def function() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await in_own_thread(function)
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)


async def test_each_call_has_a_thread_of_its_own_which_ends_with_it() -> None:
    threads = [await in_own_thread(threading.current_thread) for _ in range(3)]
    assert len({*threads, threading.current_thread()}) == 4
    assert not any(thread.is_alive() for thread in threads)


async def test_a_function_sees_the_context_of_its_caller() -> None:
    caller.set("somebody")
    assert await in_own_thread(caller.get) == "somebody"


async def test_others_run_while_a_function_blocks() -> None:
    gate = Gate("done")
    task = asyncio.ensure_future(in_own_thread(gate.block))
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

    await cancelled(lambda: in_own_thread(function), gate)


async def test_a_thread_that_cannot_start_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RuntimeError("can't start new thread")

    def start(_: threading.Thread) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError) as caught:
            await in_own_thread(lambda: 7)
    assert caught.value is error


@pytest.mark.parametrize("end", ["pass", "gate.set(); thread.join()"], ids=["never", "too late"])
def test_a_function_that_outlives_its_loop_keeps_no_interpreter_from_exiting(end: str) -> None:
    program = f"""
        import asyncio, os, sys, threading
        from slomon.pipeline.thread import in_own_thread

        gate, reached = threading.Event(), threading.Event()
        loop = asyncio.new_event_loop()
        task = loop.create_task(in_own_thread(lambda: (reached.set(), gate.wait())))
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

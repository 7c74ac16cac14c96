"""A monitor is started in one task and stopped in another, as frameworks with hooks do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import unittest
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint

import slomon
from slomon import LiveMonitor
from slomon.integrations.notify import Alertmanager
from tests.live_monitor.clock import ManualClock
from tests.live_monitor.services import ENTRIES


class NotifyError(Exception):
    pass


class FailingClock(ManualClock):
    """Fails when something waits for a time."""

    async def sleep_until(self, _: int) -> None:
        raise NotifyError


async def in_a_task(call: Callable[[], Any]) -> Any:
    async def run() -> Any:
        return await call()

    return await asyncio.create_task(run())


async def test_one_task_enters_and_another_leaves(tmp_path: Path) -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock(), state=tmp_path / "state")
    await in_a_task(monitor.__aenter__)
    monitor.access("GET", "/users", 500)
    await in_a_task(lambda: monitor.__aexit__(None, None, None))
    assert monitor.snapshot().accounting.events == 1
    await checkpoint()  # and no cancel scope is left in this task


async def test_scopes_of_the_host_may_be_entered_and_left_in_any_order() -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock())
    with anyio.CancelScope() as scope:
        await monitor.start()
        scope.cancel()
    with anyio.CancelScope():
        await monitor.stop()
    assert not monitor.running


async def test_a_notifier_is_started_and_stopped_by_different_tasks() -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock())
    notifier = Alertmanager(monitor, "http://127.0.0.1:9")
    for one in (monitor, notifier):
        await in_a_task(one.start)
    for one in (notifier, monitor):
        await in_a_task(one.stop)


async def test_stopping_what_does_not_run_does_nothing() -> None:
    monitor = slomon.live(ENTRIES)
    await monitor.stop()
    async with monitor:
        await asyncio.gather(monitor.stop(), monitor.stop())
        await monitor.stop()
    assert not monitor.running


async def test_a_monitor_that_was_stopped_starts_again() -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock())
    for events in (1, 2):
        await monitor.start()
        with pytest.raises(RuntimeError, match="this live monitor is running"):
            await monitor.start()
        monitor.access("GET", "/users", 200)
        await monitor.stop()
        assert monitor.snapshot().accounting.events == events


async def test_what_prevents_the_start_is_raised_and_it_can_be_started_later(
    tmp_path: Path,
) -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock(), event_log=tmp_path / "events")
    (tmp_path / "events").mkdir()
    with pytest.raises(OSError, match="events"):
        await monitor.start()
    (tmp_path / "events").rmdir()
    await monitor.start()
    await monitor.stop()


async def test_a_failure_of_its_own_tasks_cancels_the_body_and_is_raised_on_leaving(
    tmp_path: Path,
) -> None:
    monitor = slomon.live(ENTRIES, clock=FailingClock(), state=tmp_path / "state")
    with pytest.raises(NotifyError):
        async with monitor:
            await anyio.sleep_forever()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await checkpoint()


async def test_a_body_that_swallows_its_cancellation_gets_the_failure_too(
    tmp_path: Path,
) -> None:
    async def serve() -> None:
        async with slomon.live(ENTRIES, clock=FailingClock(), state=tmp_path / "state"):
            with suppress(asyncio.CancelledError):  # as a careless body does
                await anyio.sleep_forever()

    with pytest.raises(NotifyError):
        await serve()
    await checkpoint()


async def test_a_failure_after_start_is_reported_and_raised_by_stop(tmp_path: Path) -> None:
    reported: list[dict[str, Any]] = []
    failed = asyncio.Event()

    def note(_: object, context: dict[str, Any]) -> None:
        reported.append(context)
        failed.set()

    asyncio.get_running_loop().set_exception_handler(note)
    monitor = slomon.live(ENTRIES, clock=FailingClock(), state=tmp_path / "state")
    await monitor.start()
    await failed.wait()
    assert reported[0]["message"] == "a live monitor has failed"
    assert isinstance(reported[0]["exception"], NotifyError)
    assert not monitor.running
    with pytest.raises(NotifyError):
        await monitor.stop()


async def test_a_cancelled_host_saves_and_runs_its_later_handlers(tmp_path: Path) -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock(), state=tmp_path / "state")
    cleaned: list[str] = []
    started = asyncio.Event()

    async def serve() -> None:
        await monitor.start()
        monitor.access("GET", "/users", 500)
        try:
            started.set()
            await anyio.sleep_forever()
        finally:
            for stop in (monitor.stop, monitor.stop):
                await stop()
                await asyncio.sleep(0)
                cleaned.append("after the monitor")

    task = asyncio.create_task(serve())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == ["after the monitor"] * 2
    async with slomon.live(ENTRIES, clock=ManualClock(), state=tmp_path / "state") as following:
        assert following.snapshot().accounting.events == 1


def test_a_loop_that_ends_without_stopping_it_saves(tmp_path: Path) -> None:
    monitor = slomon.live(ENTRIES, clock=ManualClock(), state=tmp_path / "state")

    async def serve() -> None:
        await monitor.start()
        monitor.access("GET", "/users", 500)

    asyncio.run(serve())
    assert not (tmp_path / "state.journal").exists()
    with slomon.live_in_thread(ENTRIES, clock=ManualClock(), state=tmp_path / "state") as following:
        assert following.snapshot().accounting.events == 1


def test_under_trio_it_says_what_it_needs() -> None:
    coroutine = slomon.live(ENTRIES).start()  # trio runs a coroutine as this does
    with pytest.raises(RuntimeError, match="a live monitor runs only under asyncio"):
        coroutine.send(None)


class InTestCase(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.monitor = await self.enterAsyncContext(slomon.live(ENTRIES, clock=ManualClock()))

    async def test_it(self) -> None:
        self.monitor.access("GET", "/users", 500)
        await self.monitor.flush()
        assert self.monitor.snapshot().accounting.events == 1


def test_it_is_entered_in_the_set_up_of_unittest() -> None:
    result = unittest.TestResult()
    InTestCase("test_it").run(result)
    assert result.wasSuccessful(), result.errors + result.failures


@pytest.fixture
async def entered() -> AsyncIterator[LiveMonitor]:
    async with slomon.live(ENTRIES, clock=ManualClock()) as monitor:
        yield monitor


async def test_it_is_entered_in_a_fixture(entered: LiveMonitor) -> None:
    entered.access("GET", "/users", 500)
    await entered.flush()
    assert entered.snapshot().accounting.events == 1


async def test_it_lives_in_the_cleanup_context_of_aiohttp(tmp_path: Path) -> None:
    web = pytest.importorskip("aiohttp.web")
    monitor = slomon.live(ENTRIES, clock=ManualClock(), state=tmp_path / "state")
    cleaned: list[bool] = []

    async def live(_: object) -> AsyncIterator[None]:
        async with monitor:
            yield

    async def other(_: object) -> AsyncIterator[None]:
        yield
        await checkpoint()
        cleaned.append(monitor.running)

    async def answer(_: object) -> Any:
        monitor.access("GET", "/users", 500)
        return web.Response(status=500)

    application = web.Application()
    application.cleanup_ctx.extend([other, live])  # cleaned up in reverse order
    application.router.add_get("/users", answer)
    runner = web.AppRunner(application)
    await in_a_task(runner.setup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/users")).status_code == 500
    await in_a_task(runner.cleanup)
    assert cleaned == [False]
    assert monitor.snapshot().accounting.events == 1
    assert not (tmp_path / "state.journal").exists()


def test_it_lives_in_the_listeners_of_sanic(tmp_path: Path) -> None:
    pytest.importorskip("sanic")
    state = tmp_path / "state"
    script = f"""
        import asyncio, socket
        from sanic import Sanic, response
        import slomon

        app = Sanic("users")
        monitor = slomon.live({ENTRIES!r}, state={str(state)!r})

        @app.before_server_start
        async def start(app):
            await monitor.start()

        @app.after_server_stop
        async def stop(app):
            await monitor.stop()
            await asyncio.sleep(0)
            print("stopped", monitor.snapshot().accounting.events, flush=True)

        @app.get("/users")
        async def users(request):
            monitor.access("GET", "/users", 500)
            request.app.stop()
            return response.text("no", status=500)

        @app.after_server_start
        async def ready(app):
            print("port", server.getsockname()[1], flush=True)

        server = socket.create_server(("127.0.0.1", 0))
        app.run(sock=server, single_process=True, motd=False, access_log=False)
    """
    running = subprocess.Popen(
        [sys.executable, "-c", dedent(script)], stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    with running:
        # Sanic writes there, too.
        port = next(line for line in running.stdout if line.startswith("port")).split()[1]
        assert httpx.get(f"http://127.0.0.1:{port}/users").status_code == 500
        assert "stopped 1\n" in running.stdout
    assert running.returncode == 0
    assert not (tmp_path / "state.journal").exists()

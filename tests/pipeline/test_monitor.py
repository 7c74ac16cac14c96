"""The two ways in, `consume` and `get_service_monitor`: what only they promise."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from slomon import (
    ConfigurationError,
    MalformedEventError,
    Rejection,
    concurrency,
    consume,
    get_service_monitor,
)
from slomon.core.incident import State
from slomon.core.service_monitor import ServiceMonitor
from slomon.pipeline.run import DEFAULTS, Options
from tests.streams import AsyncStream, PlainStream, Stream, failure, success

BREAKING = [success(1), failure(2), None, success(5)]


def from_plain_code(call: Callable[[], ServiceMonitor]) -> ServiceMonitor:
    """As a script calls it."""
    return call()


def inside_a_running_loop(call: Callable[[], ServiceMonitor]) -> ServiceMonitor:
    """As a notebook calls it."""

    async def cell() -> ServiceMonitor:
        return call()

    return asyncio.run(cell())


def in_a_thread_of_a_loop(call: Callable[[], ServiceMonitor]) -> ServiceMonitor:
    """As a service calls blocking code."""
    return asyncio.run(asyncio.to_thread(call))


anywhere = pytest.mark.parametrize(
    "place", [from_plain_code, inside_a_running_loop, in_a_thread_of_a_loop]
)
Place = Callable[[Callable[[], ServiceMonitor]], ServiceMonitor]


class LoopWatcher(AsyncStream):
    """Notes which event loop it is read on, and in which thread."""

    async def get_info(self) -> Any:
        self.loop = type(asyncio.get_running_loop()).__module__
        self.thread = threading.current_thread()
        return await super().get_info()


@anywhere
def test_it_gives_the_answers_wherever_it_is_called(kind: type[Stream], place: Place) -> None:
    monitor = place(lambda: get_service_monitor(kind(BREAKING)))
    assert monitor.mttr() == 3.0
    assert monitor.accounting.events == 4


@anywhere
def test_what_the_stream_raises_comes_out_as_it_is(kind: type[Stream], place: Place) -> None:
    def fail_with(error: BaseException) -> None:
        with pytest.raises(type(error)) as caught:
            place(lambda: get_service_monitor(kind([success(1), error])))
        assert caught.value is error
        assert (error.__cause__, error.__context__) == (None, None)

    group = ExceptionGroup("two", [OSError(), KeyError()])
    for error in (KeyError("lost"), group, SystemExit(3)):
        fail_with(error)


def test_inside_a_running_loop_it_runs_in_a_thread_of_its_own() -> None:
    stream = LoopWatcher()
    inside_a_running_loop(lambda: get_service_monitor(stream))
    assert stream.thread is not threading.current_thread()


def test_from_plain_code_it_runs_in_the_callers_thread() -> None:
    stream = LoopWatcher()
    get_service_monitor(stream)
    assert stream.thread is threading.current_thread()


@anywhere
def test_it_runs_on_uvloop_where_there_is_one(place: Place) -> None:
    pytest.importorskip("uvloop")
    stream = LoopWatcher()
    place(lambda: get_service_monitor(stream))
    assert stream.loop.startswith("uvloop")


@anywhere
def test_it_runs_on_asyncio_where_there_is_no_uvloop(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "find_spec", lambda _: None)
    stream = LoopWatcher()
    place(lambda: get_service_monitor(stream))
    assert stream.loop.startswith("asyncio")


def test_both_take_the_same_options_and_the_defaults_are_those_of_options() -> None:
    parameters = inspect.signature(consume).parameters
    assert inspect.signature(get_service_monitor).parameters == parameters
    chosen = {name: one.default for name, one in parameters.items() if name != "event_stream"}
    assert (chosen.pop("on_rejected"), chosen.pop("backend")) == (None, "auto")
    assert (chosen.pop("close_after_no_traffic"), chosen.pop("fail_status")) == (None, None)
    assert Options(**chosen) == DEFAULTS


async def never(status: int) -> bool:
    return status < 0


@pytest.mark.parametrize("rule", [500, never])
async def test_a_status_rule_is_a_plain_function(rule: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'is_failure' is .*; allowed: a plain function"):
        await consume(LoopWatcher(), is_failure=rule)


async def blocking(*arguments: Any, **options: Any) -> ServiceMonitor:
    return get_service_monitor(*arguments, **options)


@pytest.mark.parametrize("call", [consume, blocking])
async def test_every_option_reaches_the_run(call: Callable[..., Awaitable[ServiceMonitor]]) -> None:
    told: list[Rejection] = []
    monitor = await call(PlainStream(BREAKING), is_failure=lambda _: False, on_rejected=told.append)
    assert (monitor.incidents, told) == ([], monitor.rejections)
    monitor = await call(PlainStream(BREAKING), fail_status="4xx")
    assert monitor.incidents == []
    with pytest.raises(ConfigurationError, match="'is_failure' and 'fail_status' are both given"):
        await call(PlainStream(BREAKING), is_failure=lambda _: False, fail_status="4xx")
    with pytest.raises(MalformedEventError):
        await call(PlainStream(BREAKING), strict=True)
    monitor = await call(PlainStream([failure(1), success(9)]), close_after_no_traffic=8)
    assert [incident.state for incident in monitor.incidents] == [State.EXPIRED]
    for name in ("workers", "queue_bound", "batch_bound"):
        with pytest.raises(ConfigurationError, match=name):
            await call(PlainStream(BREAKING), **{name: 0})


@pytest.mark.parametrize("value", ["", "soon", -1, True, []])
def test_a_close_after_no_traffic_that_is_no_duration_is_rejected(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="option 'close_after_no_traffic'"):
        get_service_monitor(PlainStream([]), close_after_no_traffic=value)


@pytest.mark.parametrize("hook", [5, asyncio.sleep])
def test_a_hook_that_is_no_plain_function_is_rejected(hook: Any) -> None:
    with pytest.raises(ConfigurationError, match="option 'on_rejected' is "):
        get_service_monitor(PlainStream([]), on_rejected=hook)


def test_a_monitor_shows_what_it_found() -> None:
    monitor = get_service_monitor(PlainStream([success(1)]))
    assert repr(monitor).startswith("<ServiceMonitor: 0 incidents, Accounting(events=1, ")

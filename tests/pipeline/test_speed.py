"""A run may be handed over to other parts between any two batches, once, and only if it is due."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise

import pytest

from slomon import ServiceMonitor, get_service_monitor
from slomon.core.batching import Batcher
from slomon.core.endpoints import Sharding
from slomon.core.events import StatusRule
from slomon.core.shard import AnyWindows
from slomon.pipeline.run import Options, run
from slomon.pipeline.worker import Parts, Relief
from tests.streams import ENTRIES, PlainStream, Stream, flapping


class SameParts:
    """Parts that are those of before, and remember that they were asked for."""

    def __init__(self) -> None:
        self.batchers: list[Batcher] = []
        self.all_windows: list[AnyWindows] = []

    def batcher(self, batcher: Batcher) -> Batcher:
        self.batchers.append(batcher)
        return batcher

    def windows(self, windows: AnyWindows) -> AnyWindows:
        self.all_windows.append(windows)
        return windows


class Reliever:
    """Is due after so many events, and brings nothing the first few times."""

    def __init__(self, after: int, failures: int = 0) -> None:
        self.parts = SameParts()
        self.asked: list[tuple[int, bool]] = []
        self.threads: list[threading.Thread] = []
        self._after = after
        self._failures = failures

    def __call__(self, sharding: Sharding, is_failure: StatusRule) -> Relief:
        assert len(sharding.members) == 3
        assert is_failure(500)
        return self

    def due(self, events: int, *, busy: bool) -> bool:
        self.asked.append((events, busy))
        return events >= self._after

    def bring(self) -> Parts | None:
        self.threads.append(threading.current_thread())
        return self.parts if len(self.threads) > self._failures else None


async def relieved(stream: Stream, reliever: Callable[[Sharding, StatusRule], Relief]) -> str:
    options = Options(workers=3, batch_bound=10)
    return report(await run(stream, options, relieve=reliever))


def report(monitor: ServiceMonitor) -> str:
    return repr([monitor.incidents, asdict(monitor.accounting)])


def events() -> list[object]:
    return [event for event, _ in zip(flapping(), range(200), strict=False)]


async def test_a_run_that_is_handed_over_gives_the_same_answer(kind: type[Stream]) -> None:
    reliever = Reliever(after=100)
    alone = report(await run(kind(events()), Options(workers=3, batch_bound=10)))

    assert await relieved(kind(events()), reliever) == alone
    assert len(reliever.parts.batchers) == 1
    assert len(reliever.parts.all_windows) == 3, "one for each shard"
    assert reliever.threads != [threading.current_thread()], "it may take long"


async def test_nobody_is_asked_again_once_a_run_was_handed_over() -> None:
    reliever = Reliever(after=100)
    await relieved(PlainStream(events()), reliever)

    assert [read for read, _ in reliever.asked if read >= 100] == [reliever.asked[-1][0]]


async def test_a_run_that_can_not_be_handed_over_goes_on_and_may_be_later() -> None:
    reliever = Reliever(after=0, failures=2)
    await relieved(PlainStream(events()), reliever)

    assert len(reliever.threads) == 3
    assert len(reliever.parts.batchers) == 1


async def test_a_stream_that_fills_its_batches_is_busy() -> None:
    reliever = Reliever(after=1000)
    await relieved(PlainStream(events()), reliever)

    assert reliever.asked[-1][0] == 200
    assert any(busy for _, busy in reliever.asked)
    for (before, _), (read, busy) in pairwise([(0, False), *reliever.asked]):
        assert busy == (read - before == 10)


def test_where_nothing_may_take_over_none_is_asked() -> None:
    monitor = get_service_monitor(PlainStream(events(), ENTRIES), compiled=False)
    assert monitor.accounting.events == 200


def test_what_may_take_over_is_named_where_it_is_wrong() -> None:
    with pytest.raises(ValueError, match="compiled"):
        get_service_monitor(PlainStream(events(), ENTRIES), compiled="yes")  # type: ignore[arg-type]

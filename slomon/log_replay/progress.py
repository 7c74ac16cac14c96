"""The progress of a replay, and how it is reported while the replay runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anyio import CancelScope, create_task_group, sleep

from slomon.concurrency import unwrap_first
from slomon.core.service_monitor import ServiceMonitor
from slomon.log_replay.run import Replay


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far a replay has come: `read_bytes` of the files' `total_bytes`, compressed as they are on
    disk (None if one of them is a pipe), and the `lines` that were counted.
    """

    read_bytes: int
    total_bytes: int | None
    lines: int


async def run_watched(
    replay: Replay,
    total_bytes: int | None,
    on_progress: Callable[[Progress], object],
    interval: float = 0.1,
) -> ServiceMonitor:
    """
    Run a replay, and call `on_progress` every `interval` seconds and at the end. An exception of
    the replay or of `on_progress` comes out as itself.
    """

    def report() -> None:
        read_bytes = sum(log.bytes_read for log in replay.logs)
        on_progress(Progress(read_bytes, total_bytes, replay.lines))

    async def watch() -> None:
        with watching:
            while True:
                report()
                await sleep(interval)

    watching = CancelScope()
    with unwrap_first():
        async with create_task_group() as group:
            group.start_soon(watch)
            monitor = await replay.run()
            watching.cancel()
    report()
    return monitor

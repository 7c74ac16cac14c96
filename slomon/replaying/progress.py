"""How far a replay has come, told while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anyio import CancelScope, create_task_group, sleep

from slomon.concurrency import raising_first
from slomon.core.service_monitor import ServiceMonitor
from slomon.replaying.run import Replay


@dataclass(frozen=True, slots=True)
class Progress:
    """
    `read_bytes` of the files as they are on disk, of `total_bytes` (None where there is a pipe
    among them), and the `lines` that were counted.
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
    Run a replay, telling how far it has come every `interval` seconds and at its end. What it
    raises, or the hook, is raised as it is.
    """

    def tell() -> None:
        hosts = replay.hosts
        read_bytes = sum(host.bytes_read for host in hosts)
        on_progress(Progress(read_bytes, total_bytes, sum(host.lines for host in hosts)))

    async def watch() -> None:
        with watching:
            while True:
                tell()
                await sleep(interval)

    watching = CancelScope()
    with raising_first():
        async with create_task_group() as group:
            group.start_soon(watch)
            monitor = await replay.run()
            watching.cancel()
    tell()
    return monitor

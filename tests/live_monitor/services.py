"""The endpoints of a small service, and what a monitor says of them."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio

import slomon
from slomon.core.endpoints import Catalogue, Endpoint
from slomon.core.events import Change
from slomon.core.service_monitor import STALE_AFTER, ServiceMonitor
from slomon.core.statuses import StatusTable, server_errors_fail
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.example_streams import RecordedStream
from slomon.live_monitor.endpoints import Discovery
from slomon.live_monitor.engine import Engine
from slomon.live_monitor.snapshot import Snapshot
from slomon.state.encoding import Saved

Entry = dict[str, object]


def entry(name: str, resource: str = "", *, slo: float = 0.9, window: int = 30) -> Entry:
    return {
        "name": name,
        "email": f"{name}@example.com",
        "verb": "GET",
        "resource": resource or f"/{name}",
        "slo": slo,
        "window": window,
    }


USERS, ORDERS = entry("users"), entry("orders")
ENTRIES = [USERS, ORDERS]
FOUND = Endpoint("users", "-", "", "", 0.9, 30 * TICKS_PER_SECOND)
"""What found endpoints are like."""


def make_engine(
    *entries: Entry,
    history: int = 100,
    no_traffic: int | None = None,
    sli_series: bool = False,
    resolution: int = 0,
    saved: Saved | None = None,
    records: Sequence[bytes] = (),
    finds: int = 0,
) -> Engine:
    """An engine of these endpoints, or of one that finds at most `finds`."""
    stale = STALE_AFTER * TICKS_PER_SECOND
    catalogue = Catalogue(entries if entries or finds else ENTRIES)
    return Engine(
        catalogue,
        StatusTable.from_rule(server_errors_fail),
        min_requests=1,
        no_traffic=None if no_traffic is None else no_traffic * TICKS_PER_SECOND,
        sli_series=sli_series,
        stale_after=stale,
        history=history,
        resolution=resolution * TICKS_PER_SECOND,
        saved=saved,
        records=records,
        discovery=Discovery(FOUND, finds) if finds else None,
    )


def answers(monitor: ServiceMonitor) -> str:
    """All that it found, to the byte."""
    records = [asdict(record) for record in monitor.records()]
    found = monitor.mttr(), monitor.api_histogram(), monitor.incident_details(), records
    return json.dumps(found, default=str)


def recorded(path: Path) -> RecordedStream:
    """A recording, as the stream that it is of."""
    lines = path.read_text(encoding="ascii").splitlines(keepends=True)
    return RecordedStream(lines, [dict(one) for one in ENTRIES])


def access(second: float, name: str = "users", status: int = 200) -> str:
    return f"{second} GET /{name} {status}"


def change(commit: str, service: str = "users") -> Change:
    return Change(commit, "<ana@example.com>", "today", service)


def read(engine: Engine, second: float = 100) -> Snapshot:
    return engine.read(round(second * TICKS_PER_SECOND), {})


@asynccontextmanager
async def in_own_task(monitor: slomon.LiveMonitor) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Enter a monitor in a task of its own. Calling what this yields leaves it."""
    entered, leaving, left = anyio.Event(), anyio.Event(), anyio.Event()

    async def run() -> None:
        async with monitor:
            entered.set()
            await leaving.wait()
        left.set()

    async def leave() -> None:
        leaving.set()
        await left.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await entered.wait()
        yield leave
        await leave()


def replay(*paths: Path, **options: Any) -> ServiceMonitor:
    """A replay of files, from which no thread is left."""
    monitor = slomon.replay(paths, **options)
    for thread in threading.enumerate():
        if thread.name.startswith("AnyIO"):  # told to end, but not waited for
            thread.join()
    return monitor

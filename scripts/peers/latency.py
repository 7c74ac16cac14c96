"""
Measures how soon a live monitor reports an incident, and whether it counts every call. The event
loop, the requests and the subscriber share one process, as in a service.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import threading
import time
from typing import Final

from slomon import IncidentOpened, LiveMonitor, live

_STEP: Final = 0.001  # seconds between two bursts of requests
_ENDPOINTS: Final = 100
# Steps between two breaks: meanwhile the endpoint that broke before gets requests and recovers.
_BREAKS_EVERY: Final = 50
_THREADS: Final = 4


def report_latency(rate: int, seconds: float) -> None:
    """Print the time from the call for a request that broke an endpoint to the event."""
    times = asyncio.run(_measure(rate, seconds))
    cuts = statistics.quantiles(times, n=100)
    print(
        f"{len(times)} incidents at {rate:,} requests a second: p50 {cuts[49] * 1000:.1f} ms, "
        f"p99 {cuts[98] * 1000:.1f} ms, longest {max(times) * 1000:.1f} ms"
    )


def report_calls(calls: int) -> None:
    """Print how calls from threads and the loop were counted. Exits if any is missing."""
    began = time.perf_counter()
    accepted, monitor = asyncio.run(_call(calls))
    seconds = time.perf_counter() - began
    accounting = monitor.snapshot().accounting
    counted, dropped = accounting.accesses, sum(accounting.dropped.values())
    print(f"{calls:,} calls in {seconds:.1f} s: {counted:,} counted, {dropped:,} dropped")
    if (counted, counted + dropped) != (accepted, calls):
        sys.exit(f"{accepted:,} were accepted: some are missing")


async def _measure(rate: int, seconds: float) -> list[float]:
    began: dict[str, float] = {}
    times: list[float] = []

    async def listen(monitor: LiveMonitor) -> None:
        async for event in monitor.subscribe():
            now = time.perf_counter()
            if isinstance(event, IncidentOpened):
                times.append(now - began.pop(event.incident.resource))

    async with live(_entries(window=0.02)) as monitor:
        listening = asyncio.create_task(listen(monitor))
        await asyncio.sleep(0)
        start = time.perf_counter()
        for step in range(round(seconds / _STEP)):
            await asyncio.sleep(max(start + step * _STEP - time.perf_counter(), 0))
            for number in range(round(rate * _STEP)):
                monitor.access("GET", f"/{(step + number) % _ENDPOINTS}", 200)
            if not step % _BREAKS_EVERY:
                resource = f"/{step // _BREAKS_EVERY % _ENDPOINTS}"
                began[resource] = time.perf_counter()
                monitor.access("GET", resource, 500)
    await listening
    return times


async def _call(calls: int) -> tuple[int, LiveMonitor]:
    share, rest = divmod(calls, _THREADS + 1)
    accepted: list[int] = []

    def call(monitor: LiveMonitor) -> None:
        accepted.append(sum(monitor.access("GET", "/1", 200) for _ in range(share)))

    async with live(_entries(window=30)) as monitor:
        threads = [threading.Thread(target=call, args=(monitor,)) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for number in range(share + rest):
            accepted.append(monitor.access("GET", "/2", 500 if number % 1000 > 900 else 200))
            if not number % 100:
                await asyncio.sleep(0)
        for thread in threads:
            await asyncio.to_thread(thread.join)
    return sum(accepted), monitor


def _entries(window: float) -> list[dict[str, object]]:
    service = {"name": "shop", "email": "shop@example.com", "verb": "GET"}
    return [
        {**service, "resource": f"/{number}", "slo": 0.999, "window": window}
        for number in range(_ENDPOINTS)
    ]

"""A service with two endpoints and a live monitor, of which tests break one or the other."""

from __future__ import annotations

from typing import Any

import slomon
from slomon.live_monitor.monitor import LiveMonitor
from tests.integrations.notify.clock import WatchedClock

ENTRIES = [
    {"name": name, "email": "a@b", "verb": "GET", "resource": f"/{name}", "slo": 0.9, "window": 30}
    for name in ("users", "shop")
]


def live(clock: WatchedClock, **options: Any) -> LiveMonitor:
    return slomon.live(ENTRIES, clock=clock, save_every="1d", **options)


async def break_it(
    monitor: LiveMonitor, service: str = "users", commit: str = "c1", at: float | None = None
) -> None:
    """A deploy, a failure: an incident opens."""
    monitor.change(service=service, commit=commit, author="ana@example.com")
    monitor.access("GET", f"/{service}", 500, at=at)
    await monitor.flush()


async def mend_it(monitor: LiveMonitor, clock: WatchedClock, service: str = "users") -> None:
    """A deploy and a success, after the failures have left the window: it closes."""
    clock.advance(31)
    monitor.change(service=service, commit="fix", author="bob@example.com")
    monitor.access("GET", f"/{service}", 200)
    await monitor.flush()

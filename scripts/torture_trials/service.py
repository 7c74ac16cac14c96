"""
A small service that slomon watches, to be tortured: its endpoints break and recover all the time.

Prints a JSON object a line: `started` with the incidents that the monitor has by then, `opened` and
`closed` as subscribers are notified, and `ended` with what the heartbeat measured.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any, Final

import anyio
import anyio.lowlevel

import slomon

_HELD: Final = 120  # endpoints with long windows, in which requests pile up
_HELD_SECONDS: Final = 3600
_BEAT_SECONDS: Final = 0.005
_LONG_HOLD_SECONDS: Final = 0.05


def say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


class Heart:
    """Measures how long the event loop is held by others."""

    def __init__(self) -> None:
        self.holds: list[float] = []
        """Seconds of each long hold."""

    async def beat(self) -> None:
        """Look at the clock until cancelled."""
        while True:
            before = time.perf_counter()
            await anyio.sleep(_BEAT_SECONDS)
            held = time.perf_counter() - before - _BEAT_SECONDS
            if held > _LONG_HOLD_SECONDS:
                self.holds.append(round(held, 3))


def endpoints(flapping: int) -> list[dict[str, object]]:
    """Entries of endpoints that flap, and of those whose windows hold many requests."""
    short = [{"name": f"f{n}", "resource": f"/f{n}", "window": 0.05} for n in range(flapping)]
    long = [{"name": f"h{n}", "resource": f"/h{n}", "window": _HELD_SECONDS} for n in range(_HELD)]
    return [{**one, "email": "ana@example.com", "verb": "GET", "slo": 0.9} for one in short + long]


async def notify(incidents: slomon.Subscription) -> None:
    """Print each incident as it opens or closes."""
    async for event in incidents:
        if isinstance(event, slomon.IncidentsMissed):
            continue
        record = event.incident
        key = [record.service, record.start]
        if isinstance(event, slomon.IncidentOpened):
            say(opened=key)
        else:
            say(closed=[*key, record.end])


async def fill(monitor: slomon.LiveMonitor, requests: int) -> None:
    """Fill the long windows with requests of the last half hour."""
    began = time.time() - _HELD_SECONDS / 2
    for number in range(requests):
        at = began + number * _HELD_SECONDS / 2 / requests
        await monitor.send("GET", f"/h{number % _HELD}", 200, at)
        if number % 1000 == 0:
            await anyio.lowlevel.checkpoint()
    await monitor.flush()


async def flap(monitor: slomon.LiveMonitor, flapping: int, seconds: float) -> None:
    """Let the endpoints break and recover in turn: one of them every few milliseconds."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        status = 500 if number // flapping % 2 else 200
        monitor.access("GET", f"/f{number % flapping}", status)
        number += 1
        await anyio.sleep(0.1 / flapping)


async def serve(arguments: argparse.Namespace) -> None:
    monitor = slomon.live(
        endpoints(arguments.flapping),
        state=arguments.state,
        save_every=arguments.save_every,
        event_log=arguments.event_log,
    )
    heart = Heart()
    async with monitor:
        say(started=monitor.incident_details())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(notify, monitor.subscribe(bound=100_000))
            await fill(monitor, arguments.fill)
            tasks.start_soon(heart.beat)
            cpu, wall = time.process_time(), time.perf_counter()
            await flap(monitor, arguments.flapping, arguments.seconds)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            tasks.cancel_scope.cancel()
    say(ended={"cpu": cpu, "wall": wall, "holds": heart.holds})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state")
    parser.add_argument("--event-log")
    parser.add_argument("--save-every", default="1s")
    parser.add_argument("--flapping", type=int, default=10, help="endpoints that flap")
    parser.add_argument("--fill", type=int, default=0, help="requests in long windows")
    parser.add_argument("--seconds", type=float, default=2.0)
    anyio.run(serve, parser.parse_args())


if __name__ == "__main__":
    main()

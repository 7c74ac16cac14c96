"""Workers of a service: processes that share a state, driven line by line over pipes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

FORKED_SECONDS: Final = 60
"""How long a forked child lives, unless it is killed."""

WORKER: Final = """
import json, os, sys, time
import anyio, slomon
from anyio import to_thread
from dataclasses import asdict
from tests.live_monitor.services import ENTRIES
from tests.live_monitor.workers import FORKED_SECONDS

async def serve(folder):
    files = {"state": f"{folder}/state", "event_log": f"{folder}/events"}
    async with slomon.live(ENTRIES, **files) as monitor, anyio.create_task_group() as tasks:
        sent, loading = 0, False

        async def load():
            nonlocal sent
            while loading:
                for _ in range(20):
                    sent += monitor.access("GET", "/users", 200)
                await anyio.sleep(0.002)

        async def answer(line):
            nonlocal sent, loading
            match line.split():
                case ["access", name, status, count]:
                    for _ in range(int(count)):
                        sent += monitor.access("GET", f"/{name}", int(status))
                case ["change", commit]:
                    sent += monitor.change(service="users", commit=commit)
                case ["flush"]:
                    await monitor.flush()
                case ["load"]:
                    loading = True
                    tasks.start_soon(load)
                case ["rest"]:
                    loading = False
                case ["fork"]:
                    if child := os.fork():
                        return child
                    os.closerange(0, 3)
                    time.sleep(FORKED_SECONDS)
                    os._exit(0)
                case ["leads"]:
                    return monitor.leads
                case ["leading"]:
                    await monitor.leading()
                case ["read"]:
                    snapshot = await monitor.read()
                    return [asdict(snapshot.accounting), snapshot.incident_details()]
            return sent

        print("true", flush=True)
        while line := await to_thread.run_sync(sys.stdin.readline):
            if line == "leave\\n":
                break
            print(json.dumps(await answer(line)), flush=True)
        loading = False
    print(json.dumps(monitor.running), flush=True)

anyio.run(serve, sys.argv[1])
"""


class Worker:
    """A process of the group."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", WORKER, str(folder)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def ask(self, line: str) -> Any:
        """Give the worker a line, and return its answer."""
        self.tell(line)
        return self.answer()

    def tell(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def leave(self) -> None:
        """Leave the monitor, and end."""
        assert self.ask("leave") is False
        self.end()

    def end(self) -> None:
        with self.process:
            pass
        self.process.wait()


@contextmanager
def workers(folder: Path, count: int) -> Iterator[list[Worker]]:
    """Workers that run. Those that are still in the list at the end are killed."""
    with ExitStack() as stack:
        started = [Worker(folder) for _ in range(count)]
        for worker in started:
            stack.callback(worker.end)
            stack.callback(worker.process.kill)
            assert worker.answer() is True
        yield started

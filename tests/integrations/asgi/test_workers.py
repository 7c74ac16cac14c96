"""Several workers of real servers are one service: killed, reloaded and stopped under load."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote

import pytest

import slomon
from slomon.core.service_monitor import ServiceMonitor
from tests.servers import GUARD_SECONDS, Server, Servers, find_free_port, poll

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets"),
]

APP = "tests.integrations.asgi.app_of_workers"
UVICORN = ["-m", "uvicorn", f"{APP}:app", "--workers=4", "--log-level=critical"]
GUNICORN = [
    "-m",
    "gunicorn",
    f"{APP}:app",
    "--workers=4",
    "--worker-class=asgi",
    "--no-control-socket",
]


class Service:
    """A service under a real server."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
        self.process = process
        self.url = url
        self.folder = folder
        self.sent = 0

    def get(self, path: str) -> bytes:
        """Each request has a connection of its own, so any worker may answer."""
        with urllib.request.urlopen(self.url + path, timeout=GUARD_SECONDS) as response:
            body: bytes = response.read()
            return body

    def load(self, count: int, path: str = "/users") -> None:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: self.ask(path), range(count)))
        self.sent += count

    def ask(self, path: str) -> None:
        """A request that is repeated if its worker was killed before it answered."""
        while True:
            try:
                self.get(path)
            except HTTPError:
                return
            except (URLError, RemoteDisconnected, ConnectionError):
                continue
            return

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("/slomon"))
        return found

    def is_counted(self) -> bool | None:
        """Is every request counted that was matched?"""
        return self.status()["accounting"]["accesses"] == self.sent or None

    def deploy(self, commit: str) -> None:
        event = {
            "object_kind": "deployment",
            "status": "success",
            "status_changed_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S %z}",
            "environment": "production",
            "project": {"name": "users"},
            "short_sha": commit,
        }
        headers = {"X-Gitlab-Token": "of a test", "Content-Type": "application/json"}
        body = json.dumps(event).encode()
        request = urllib.request.Request(f"{self.url}/deploys", body, headers)
        urllib.request.urlopen(request, timeout=GUARD_SECONDS).close()

    def find(self, *, leads: bool) -> int:
        """The process of a worker that leads, or does not."""

        def look() -> int | None:
            process, leading = self.get("/who").split()
            return int(process) if (leading == b"1") == leads else None

        return poll(look, "a worker")

    def wait_for_workers(self, *, instead_of: Collection[bytes] = ()) -> set[bytes]:
        """Return when all four answer: a worker that starts misses the signal to stop."""
        seen: set[bytes] = set()

        def look() -> set[bytes] | None:
            seen.add(self.get("/who").split()[0])
            return seen if len(seen.difference(instead_of)) >= 4 else None

        return poll(look, "all workers answer")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(GUARD_SECONDS)


@contextmanager
def serving(server: list[str], folder: Path, **more: str) -> Iterator[Service]:
    port = find_free_port()
    address = f"--bind=127.0.0.1:{port}" if server is GUNICORN else f"--port={port}"
    command = [sys.executable, *server, address]
    environment = {**os.environ, "SLOMON_TEST_FOLDER": str(folder), **more}
    with ExitStack() as stack, (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        stack.enter_context(process)
        stack.callback(process.kill)  # if it does not stop
        service = Service(process, f"http://127.0.0.1:{port}", folder)
        stack.callback(service.stop)

        def is_ready() -> bool | None:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                return bool(service.status())
            except URLError:
                return None

        poll(is_ready, "the service is ready")
        service.wait_for_workers()
        yield service


def replayed(folder: Path) -> ServiceMonitor:
    from slomon.example_streams import RecordedStream  # noqa: PLC0415
    from tests.integrations.asgi.service import entry  # noqa: PLC0415

    lines = (folder / "events").read_text("ascii").splitlines(keepends=True)
    entries: list[Mapping[str, object]] = [entry(path) for path in ("/users", "/broken", "/slow")]
    return slomon.get_service_monitor(RecordedStream(lines, entries))


@pytest.mark.parametrize("server", [UVICORN, GUNICORN], ids=["uvicorn", "gunicorn"])
def test_workers_count_as_one_service_and_lose_nothing_when_one_is_killed(
    server: list[str], tmp_path: Path
) -> None:
    with serving(server, tmp_path) as service:
        service.load(100)
        service.deploy("191b6ce")
        service.load(3, "/broken")
        poll(service.is_counted, "all is counted")
        for leads in (True, False):
            os.kill(service.find(leads=leads), signal.SIGKILL)
            service.find(leads=True)
            service.load(100)
            poll(service.is_counted, "all is counted")
        status = [service.status() for _ in range(8)]
        assert {one["accounting"]["accesses"] for one in status} == {303}
        assert {one["newest"][0]["broken_by"] for one in status} == {"191b6ce"}
        metrics = service.get("/metrics").decode()
        assert 'result="failure",route="/broken",service="users"} 3.0' in metrics
        assert "slomon_up 1.0" in metrics
        service.wait_for_workers()
    assert sorted(replayed(tmp_path).api_histogram().items()) == [("users", 1)]
    assert replayed(tmp_path).accounting.accesses == service.sent


def test_a_reload_with_a_slow_request_loses_no_request_and_no_incident(tmp_path: Path) -> None:
    with serving(GUNICORN, tmp_path) as service, ThreadPoolExecutor(4) as threads:
        service.load(3, "/broken")
        poll(service.is_counted, "all is counted")
        before = service.status()["newest"]
        old = service.wait_for_workers()
        slow = [threads.submit(service.get, "/slow") for _ in range(4)]
        time.sleep(0.2)  # no event says that a server has begun to answer
        service.process.send_signal(signal.SIGHUP)
        service.load(200)
        for one in slow:
            one.result()
        service.sent += len(slow)
        poll(service.is_counted, "all is counted")
        service.wait_for_workers(instead_of=old)
        assert b"%d" % service.find(leads=True) not in old
        assert service.status()["newest"] == before


def test_prometheus_and_alertmanager_see_one_service_while_leaders_are_killed(
    tmp_path: Path, servers: Servers, alertmanager: Server
) -> None:
    with serving(UVICORN, tmp_path, SLOMON_TEST_ALERTMANAGER=alertmanager.url) as service:
        prometheus = servers.prometheus(service.url.removeprefix("http://"))

        def see(query: str, value: float) -> None:
            def ask() -> bool | None:
                found = prometheus.get(f"/api/v1/query?query={quote(query)}")["data"]["result"]
                return [float(one["value"][1]) for one in found] == [value] or None

            poll(ask, f"{query} is {value}")

        def alert() -> Any:
            return poll(lambda: alertmanager.get("/api/v2/alerts") or None, "an alert")[0]

        see("sum(slomon_events_total)", 0)
        service.deploy("191b6ce")
        service.load(3, "/broken")
        first = alert()
        for _ in range(2):
            os.kill(service.find(leads=True), signal.SIGKILL)
            service.load(50)
            poll(service.is_counted, "all is counted")
        service.load(60, "/broken?ok")
        see("sum(slomon_events_total)", service.sent)
        see("sum(resets(slomon_events_total[1m]))", 0)
        see("sum(slomon_incidents_total)", 1)
        poll(lambda: not alertmanager.get("/api/v2/alerts") or None, "it is resolved")
        assert first["annotations"]["broken_by"] == "191b6ce"
        (incident,) = service.status()["newest"]
        assert incident["end"] is not None

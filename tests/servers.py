"""
Real servers for tests: Prometheus and Alertmanager, each a process of its own on a free port of
127.0.0.1, with its data in the test's own folder. Where one is not installed (`scripts/servers`
does that) its tests are skipped, but never with CI set: there they fail.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Any, Final, TypeVar

import pytest

T = TypeVar("T")

GUARD_SECONDS: Final = 120.0
"""How long anything may take here; far longer than it does."""


@dataclass
class Server:
    """
    A server that is started, stopped, killed and started again, always on the same port and with
    the same data. What it says is in the file `log`.
    """

    command: list[str]
    url: str
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Returns once the server says that it is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command, stdout=log, stderr=subprocess.STDOUT)
        poll(self._is_ready, f"{self.command[0]} is ready")

    def stop(self) -> None:
        """As an operator does: it may save what it has. Nothing where it does not run."""
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """As a power cut does."""
        self._end(subprocess.Popen.kill)

    def get(self, path: str) -> Any:
        """What its API answers there, read as JSON."""
        return json.loads(fetch(self.url + path))

    def _is_ready(self) -> bool | None:
        assert self._process
        if self._process.poll() is not None:
            raise AssertionError(f"{self.command[0]} has ended: {self.log.read_text()}")
        try:
            return fetch(f"{self.url}/-/ready") is not None
        except OSError:  # nobody listens there yet, or it answers that it is still starting
            return None

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        process, self._process = self._process, None
        if process:
            how(process)
            process.wait(GUARD_SECONDS)


@dataclass
class Servers:
    """Starts servers, and stops them when the test is over."""

    folder: Path
    stack: ExitStack

    def prometheus(self, *targets: str) -> Server:
        """Scrapes each target, a `host:port`, ten times a second, as the job `slomon`."""
        config = {
            "global": {"scrape_interval": "100ms", "scrape_timeout": "100ms"},
            "scrape_configs": [{"job_name": "slomon", "static_configs": [{"targets": targets}]}],
        }
        return self._start(["prometheus"], config, "--storage.tsdb.path={data}")

    def alertmanager(self) -> Server:
        """Takes alerts and notifies nobody."""
        config = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
        names = ["prometheus-alertmanager", "alertmanager"]  # as Debian calls it, and its makers
        return self._start(names, config, "--storage.path={data}", "--cluster.listen-address=")

    def _start(self, names: list[str], config: object, *options: str) -> Server:
        program, port = find_program(*names), find_free_port()
        folder = self.folder / f"{names[0]}-{port}"
        folder.mkdir()
        file = folder / "config.yml"
        file.write_text(json.dumps(config))  # which is YAML as well
        address = f"127.0.0.1:{port}"
        command = [program, f"--config.file={file}", f"--web.listen-address={address}"]
        command += [option.format(data=folder / "data") for option in options]
        server = Server(command, f"http://{address}", folder / "log")
        self.stack.callback(server.stop)
        server.start()
        return server


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(tmp_path, stack)


@pytest.fixture
def alertmanager(servers: Servers) -> Server:
    return servers.alertmanager()


def find_program(*names: str) -> str:
    """The path of the first that is installed; else the test is skipped, or fails in CI."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found:
        return found
    reason = f"{names[0]} is not installed; scripts/servers does that"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def find_free_port() -> int:
    """
    A port for a server that can't choose one itself. No other program gets it in the meantime:
    systems give out higher ports, and each process of pytest-xdist has its own hundred.
    """
    hundred = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + 100 * (hundred % 100)
    for port in SystemRandom().sample(range(first, first + 100), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError(f"no port from {first} on is free")


def poll(ask: Callable[[], T | None], what: str) -> T:
    """What `ask` answers as soon as that is not None; fails where it never is."""
    deadline = time.monotonic() + GUARD_SECONDS
    while (answer := ask()) is None:
        assert time.monotonic() < deadline, f"not within {GUARD_SECONDS:g} s: {what}"
        time.sleep(0.02)
    return answer


def fetch(url: str) -> bytes:
    """The body of an answer of 200; anything else is an OSError. No proxy stands between."""
    with _OPENER.open(url, timeout=GUARD_SECONDS) as answer:
        body: bytes = answer.read()
        return body


_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))

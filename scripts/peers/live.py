"""
Measures what it costs a service to be watched. Two servers run on one core: uvicorn with a trivial
Starlette application, and the same in the middleware. wrk sends requests to them in turn from
another core. The servers are restarted each round, because of two equal servers one may be 3 %
slower as long as it runs.

`ratio` is the median over the rounds of the watched server's requests per second divided by the
plain server's. `cpu` is the CPU time of the server per request, which is disturbed less by other
work on the machine.

`report_memory` sends requests to the watched server, each to another path, and prints its memory.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from peers.process import SCRIPTS

_CONNECTIONS: Final = (2, 32)
_WARM_UP: Final = 1  # second
_SCRIPTS: Final = {
    "one path": "",
    "new paths": 'request = function() return wrk.format("GET", "/users/" .. math.random(1e9)) end',
}


@dataclass(frozen=True, slots=True)
class Load:
    """A run of wrk: requests, requests per second, and the server's CPU time per request in us."""

    requests: int
    rate: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    process: subprocess.Popen[str]
    url: str

    def load(self, connections: int, seconds: float, script: str) -> Load:
        before = self._cpu()
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
            file.write(script)
            file.flush()
            command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=30s"]
            output = _run_on(_cores()[-1], [*command, "-s", file.name, f"{self.url}/users/1"])
        if wrong := re.search("Non-2xx.*|Socket errors.*", output):
            sys.exit(f"{self.url}: {wrong[0]}")
        requests = int(_find(r"(\d+) requests in", output))
        cpu = (self._cpu() - before) / requests / 1000
        return Load(requests, float(_find(r"Requests/sec:\s+([\d.]+)", output)), cpu)

    def memory(self) -> float:
        """The resident memory in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(_find(r"VmRSS:\s+(\d+)", status)) / 1024

    def accounting(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.url}/slomon", timeout=60) as answer:
            found: dict[str, int] = json.load(answer)["accounting"]
        return found

    def _cpu(self) -> int:
        """The CPU time of the main thread, in nanoseconds."""
        stat = Path(f"/proc/{self.process.pid}/schedstat").read_text(encoding="utf-8")
        return int(stat.split()[0])


def report_cost(rounds: int, seconds: float, parsers: list[str]) -> None:
    """Print a row for each of uvicorn's parsers, kind of paths, and number of connections."""
    _check_tools()
    print(f"{'':34}{'plain/s':>9}{'watched/s':>11}{'ratio':>7}{'plain cpu':>11}{'watched cpu':>13}")
    for parser in parsers:
        pairs: dict[str, list[tuple[Load, Load]]] = defaultdict(list)
        for number in range(rounds):
            for name, loads in _load_both(parser, seconds, reverse=bool(number % 2)):
                pairs[name].append(loads)
        for name, found in pairs.items():
            print(_row(name, found), flush=True)


def _load_both(
    parser: str, seconds: float, *, reverse: bool
) -> Iterator[tuple[str, tuple[Load, Load]]]:
    """Start both servers, in one order or the other, and run all loads on them."""
    names = ["plain", "watched"]
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(serving(name, parser))
            for name in (names[::-1] if reverse else names)
        }
        for paths, script in _SCRIPTS.items():
            for connections in _CONNECTIONS:
                for server in servers.values():
                    server.load(connections, _WARM_UP, script)
                loads = {
                    name: one.load(connections, seconds, script) for name, one in servers.items()
                }
                both = loads["plain"], loads["watched"]
                yield f"{parser}, {paths}, {connections} connections", both
        _check_counts(servers["watched"])


def report_memory(requests: int, parser: str) -> None:
    """Print the memory of the watched server after each tenth of the requests."""
    _check_tools()
    with serving("watched", parser) as server:
        answered, step = 0, requests // 10
        for goal in range(step, requests + 1, step):
            while answered < goal:
                answered += server.load(64, 2, _SCRIPTS["new paths"]).requests
            print(f"{answered:>12,} requests {server.memory():>8.1f} MiB", flush=True)
        _check_counts(server)


@contextmanager
def serving(name: str, parser: str) -> Iterator[Server]:
    command = [sys.executable, "-P", "-m", "uvicorn", f"peers.service:{name}", "--port=0"]
    options = [f"--app-dir={SCRIPTS}", f"--http={parser}", "--no-access-log"]
    process = subprocess.Popen(
        ["taskset", "-c", str(_cores()[0]), *command, *options],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Server(process, _read_url(process))
    finally:
        process.terminate()
        process.communicate()


def _read_url(process: subprocess.Popen[str]) -> str:
    output = []
    for line in process.stderr or ():
        output.append(line)
        if found := re.search(r"running on (http://\S+)", line):
            return found[1]
    sys.exit("".join(output))


def _check_counts(server: Server) -> None:
    """Exit if the watched server has not counted all requests."""
    found = server.accounting()
    if found["unmatched"] or found["rejected"] or found["dropped"]:
        sys.exit(f"not all requests were counted: {found}")


def _check_tools() -> None:
    if lacking := [tool for tool in ("wrk", "taskset") if not shutil.which(tool)]:
        sys.exit(f"not installed: {', '.join(lacking)}; Debian's packages are wrk and util-linux")


def _row(name: str, pairs: list[tuple[Load, Load]]) -> str:
    plains, watches = zip(*pairs, strict=True)
    ratio = statistics.median(watched.rate / plain.rate for plain, watched in pairs)
    rates = [statistics.median(load.rate for load in loads) for loads in (plains, watches)]
    cpus = [statistics.median(load.cpu for load in loads) for loads in (plains, watches)]
    return (
        f"{name:34}{rates[0]:>9,.0f}{rates[1]:>11,.0f}{ratio:>7.3f}"
        f"{cpus[0]:>8.1f} us{cpus[1]:>10.1f} us"
    )


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def _run_on(core: int, command: list[str]) -> str:
    return subprocess.run(
        ["taskset", "-c", str(core), *command], capture_output=True, text=True, check=True
    ).stdout


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if not found:
        raise LookupError(f"no {pattern} in {text}")
    return found[1]

"""
Finds the incidents with a short loop as one writes it by hand: no checks, no accounting, floats for
time.

    python scripts/peers/plain_loop.py access.log endpoints.json incidents.jsonl plain|combined|json

These variants took the same time within a tenth: reading bytes, two deques per endpoint, lists with
an index, and the split inside the loop.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Watched:
    """The state of one endpoint."""

    slo: float
    width: float
    window: deque[tuple[float, bool]] = field(default_factory=deque)
    successes: int = 0
    incident: dict[str, Any] | None = None


def split_plain(line: str) -> tuple[float, str, str, str]:
    stamp, verb, path, status = line.split()
    return float(stamp), verb, path, status


def split_combined(line: str) -> tuple[float, str, str, str]:
    client, request, answer, _ = line.split('"', 3)
    verb, path, _ = request.split(" ")
    return parse_calendar(client[client.index("[") + 1 : -2]), verb, path, answer[1:4]


def split_json(line: str) -> tuple[float, str, str, str]:
    record = json.loads(line)
    now = parse_iso(record["time_iso8601"])
    return now, record["request_method"], record["request_uri"], record["status"]


@lru_cache(maxsize=1)
def parse_iso(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@lru_cache(maxsize=1)
def parse_calendar(text: str) -> float:
    return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp()


def find_incidents(
    log: Path, endpoints: Path, split: Callable[[str], tuple[float, str, str, str]]
) -> list[dict[str, Any]]:
    watched = {
        (entry["verb"], entry["resource"]): Watched(entry["slo"], entry["window"])
        for entry in json.loads(endpoints.read_text())
    }
    found = []
    with gzip.open(log, "rt") if log.suffix == ".gz" else log.open() as lines:
        for line in lines:
            now, verb, path, status = split(line)
            endpoint = watched[verb, path]
            window = endpoint.window
            ok = status < "5"
            window.append((now, ok))
            endpoint.successes += ok
            while window[0][0] <= now - endpoint.width:
                endpoint.successes -= window.popleft()[1]
            if endpoint.successes / len(window) < endpoint.slo:
                if endpoint.incident is None:
                    endpoint.incident = {"verb": verb, "resource": path, "start": now, "end": -1}
                    found.append(endpoint.incident)
            elif endpoint.incident is not None:
                endpoint.incident["end"] = now
                endpoint.incident = None
    return found


if __name__ == "__main__":
    log, endpoints, out, form = sys.argv[1:]
    splits = {"plain": split_plain, "combined": split_combined, "json": split_json}
    incidents = find_incidents(Path(log), Path(endpoints), splits[form])
    Path(out).write_text("".join(f"{json.dumps(incident)}\n" for incident in incidents))

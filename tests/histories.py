"""A log with one incident, and the deploys that broke and fixed it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

BROKEN: Final = "100 GET /users 200\n101 GET /users 500\n461 GET /users 200\n"
DEPLOYS: Final = "".join(
    json.dumps(deploy) + "\n"
    for deploy in (
        {"commit": "c1", "author": "ana", "deployed_at": "1970-01-01T00:01:41Z"},
        {"commit": "c2", "author": "bob", "deployed_at": "1970-01-01T00:05:00Z"},
    )
)
ENTRY: Final = {"name": "users", "verb": "GET", "resource": "/users", "slo": "0.9", "window": "5m"}


def write(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def early(folder: Path) -> str:
    """The deploys, of which the one that broke it came a minute before the failure."""
    return write(folder, "early.jsonl", DEPLOYS.replace("00:01:41", "00:00:41"))


def broken(folder: Path) -> str:
    """A log with one incident: from 101 to 461, under the default SLO and window."""
    return write(folder, "access.log", BROKEN)


def morning(folder: Path) -> tuple[str, str]:
    """
    Three hours from 8:00 in which 6d0080a breaks GET /users/{id} and 191b6ce repairs that, and
    e2f41aa breaks POST /orders for good; and their deploys.
    """
    lines = []
    for second in range(0, 10_800, 2):
        path, fails = {
            0: ("GET /cart", False),
            1: (f"GET /users/{second}", 3_000 <= second < 4_400 and second % 5 == 0),
            2: ("POST /orders", second >= 8_300 and second % 4 == 0),
        }[second // 2 % 3]
        lines.append(f"{1_760_083_200 + second} {path} {500 if fails else 200}\n")
    changes = "commit,author,deployed_at\n" + "".join(
        f"{commit},{author},2025-10-10T{at}Z\n"
        for commit, author, at in (
            ("6d0080a", "ana", "08:50:00"),
            ("191b6ce", "bob", "09:13:20"),
            ("e2f41aa", "ana", "10:18:20"),
        )
    )
    log = write(folder, "access.log", "".join(lines))
    return log, write(folder, "deploys.csv", changes)


def deploys(folder: Path) -> str:
    """Its deploys: of c1 just before, of c2 in the middle of it."""
    return write(folder, "deploys.jsonl", DEPLOYS)

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


def broken(folder: Path) -> str:
    """A log with one incident: from 101 to 461, under the default SLO and window."""
    return write(folder, "access.log", BROKEN)


def deploys(folder: Path) -> str:
    """Its deploys: of c1 just before, of c2 in the middle of it."""
    return write(folder, "deploys.jsonl", DEPLOYS)

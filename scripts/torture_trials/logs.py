"""Logs whose answers are long, and replays of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from torture_trials.processes import SLOMON

_START: Final = 1_700_000_000  # seconds since the epoch
_ENDPOINTS: Final = 7
_OPTIONS: Final = ("--window", "10s", "--log-level", "error")


def write_log(path: Path, rng: Random, lines: int) -> Path:
    """
    Write a log in which endpoints break and recover all the time, so that half of its lines open an
    incident or close one. One line in 500 is malformed.
    """
    turn = rng.randrange(_ENDPOINTS)
    with path.open("w") as file:
        for number in range(lines):
            failed = (number + turn) // _ENDPOINTS % 2
            at = _START + 2 * number
            file.write(f"{at} GET /api/e{number % _ENDPOINTS} {500 if failed else 200}\n")
            if rng.random() < 1 / 500:
                file.write(f"malformed {rng.random()}\n")
    return path


def write_recording(folder: Path, lines: int) -> tuple[Path, Path]:
    """Write the files of `main.py --events --info`, with incidents as in `write_log`."""
    events, info = folder / "events.jsonl", folder / "info.json"
    with events.open("w") as file:
        for number in range(lines):
            status = 500 if number // _ENDPOINTS % 2 else 200
            value = f"{_START + 2 * number} GET /api/e{number % _ENDPOINTS} {status}"
            file.write(json.dumps({"type": "access", "value": value}) + "\n")
    entries = [
        {"name": f"e{n}", "email": "a@b.c", "verb": "GET", "resource": f"/api/e{n}", "slo": 0.999}
        for n in range(_ENDPOINTS)
    ]
    info.write_text(json.dumps([{**entry, "window": 10} for entry in entries]))
    return events, info


def replay(log: Path, *arguments: str, backend: str = "python") -> Sequence[str]:
    """The command that replays a log, logging errors only."""
    return [*SLOMON, "replay", str(log), *_OPTIONS, "--backend", backend, *arguments]


def output_options(folder: Path, names: Sequence[str]) -> list[str]:
    """Options that write each output, as "output" or "incidents", to a file of its own name."""
    return [part for name in names for part in (f"--{name}", str(folder / name))]


def read_files(folder: Path, names: Sequence[str]) -> dict[str, bytes | None]:
    """The contents of files; None for those that aren't there."""
    paths = {name: folder / name for name in names}
    return {name: path.read_bytes() if path.exists() else None for name, path in paths.items()}

"""Files for which there is no room: one line of error, and nothing corrupt."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from torture_trials.logs import output_options, read_files, replay, write_log
from torture_trials.processes import (
    SERVICE,
    Problems,
    SkippedTrial,
    backends,
    check_answered,
    check_ended,
    check_no_leftovers,
    check_refused,
    run,
)

_LINES: Final = 4_000
_NAMES: Final = ("output", "incidents", "report")
_BEFORE: Final = b"as it was before\n"
_FULL: Final = "/dev/full"


def limit_file_size(size: int) -> Callable[[], None]:
    """What a process calls at its start to write no file beyond so many bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def run_full_disk(rng: Random, folder: Path) -> Problems:
    """Write to /dev/full, and to files that may not grow."""
    backend = rng.choice(backends())
    log = write_log(folder / "access.log", rng, _LINES)
    return [
        *_write_to_full_device(rng, log, backend),
        *_write_limited(rng, folder, log, backend),
        *_serve_limited(rng, folder),
    ]


def run_full_tmpfs(rng: Random, folder: Path) -> Problems:
    """Write to a file system that is really full. Only root can mount one."""
    backend = rng.choice(backends())
    log = write_log(folder / "access.log", rng, _LINES)
    alone, place = folder / "alone", folder / "full"
    alone.mkdir()
    place.mkdir()
    problems = check_answered(run(replay(log, *output_options(alone, _NAMES), backend=backend)))
    whole = read_files(alone, _NAMES)
    with mounted(place, rng.choice((32_768, 65_536, 131_072))):
        for name in _NAMES:
            (place / name).write_bytes(_BEFORE)
        options = ["--checkpoint", str(place / "checkpoint"), "--checkpoint-every", "0.01s"]
        command = replay(log, *options, *output_options(place, _NAMES), backend=backend)
        problems += check_refused(run(command))
        problems += [
            f"{name} has {len(content or b'')} bytes on a full disk, not the old ones"
            for name, content in read_files(place, _NAMES).items()
            if content not in (_BEFORE, whole[name])
        ]
        problems += check_no_leftovers(place, *_NAMES, "checkpoint")
    return problems


@contextmanager
def mounted(place: Path, size: int) -> Iterator[None]:
    """A tmpfs of so many bytes. Raises SkippedTrial if none can be mounted."""
    if os.geteuid() != 0:
        raise SkippedTrial("only root can mount a tmpfs")
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if result.returncode:
        raise SkippedTrial(f"no tmpfs can be mounted: {result.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, timeout=30)


def _write_to_full_device(rng: Random, log: Path, backend: str) -> Problems:
    option = rng.choice(("--output", "--incidents", "--report", "--rejects"))
    problems = check_refused(run(replay(log, option, _FULL, backend=backend)))
    with Path(_FULL).open("wb") as full:
        outcome = run(replay(log, backend=backend), stdout=full.fileno())
    return problems + check_refused(outcome)


def _write_limited(rng: Random, folder: Path, log: Path, backend: str) -> Problems:
    alone, place = folder / "alone", folder / "limited"
    alone.mkdir()
    place.mkdir()
    problems = check_answered(run(replay(log, *output_options(alone, _NAMES), backend=backend)))
    whole = read_files(alone, _NAMES)
    for name in _NAMES:
        (place / name).write_bytes(_BEFORE)
    largest = max(len(content or b"") for content in whole.values())
    size = rng.randrange(largest)
    kept = ["--checkpoint", str(place / "checkpoint"), "--checkpoint-every", "0.01s"]
    command = replay(log, *kept, *output_options(place, _NAMES), backend=backend)
    found = check_refused(run(command, preexec_fn=limit_file_size(size)))
    for name, content in read_files(place, _NAMES).items():
        if content not in (_BEFORE, whole[name]):
            found.append(f"{name} has {len(content or b'')} bytes, neither old nor new")
    found += check_no_leftovers(place, *_NAMES, "checkpoint")
    found += check_answered(run(command))
    if read_files(place, _NAMES) != whole:
        found.append(f"once there is room, the answers differ: {' '.join(command)}")
    return problems + [f"files of at most {size} bytes: {one}" for one in found]


def _serve_limited(rng: Random, folder: Path) -> Problems:
    """A service goes on if neither its state nor its event log can be written."""
    files = ["--state", str(folder / "state"), "--event-log", str(folder / "events")]
    command: Sequence[str] = [*SERVICE, *files, "--seconds", "1", "--fill", "2000"]
    size = rng.choice((0, 100, rng.randrange(100_000)))
    outcome = run(command, preexec_fn=limit_file_size(size))
    found = check_ended(outcome)
    if size and not found:
        found = check_answered(outcome)
    after = run(command)
    found += check_answered(after)
    if "state.damaged" in after.stderr:
        found.append(f"the state was damaged: {after}")
    names = "access.log", "alone", "limited", "state", "events"
    found += check_no_leftovers(folder, *names)
    return [f"service with files of at most {size} bytes: {one}" for one in found]

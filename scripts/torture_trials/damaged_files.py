"""Checkpoints and states that are damaged: refused in a line, or read right, and never a crash."""

from __future__ import annotations

import hashlib
import json
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from torture_trials.logs import replay, write_log
from torture_trials.processes import (
    SERVICE,
    Problems,
    SkippedTrial,
    backends,
    check_answered,
    check_ended,
    check_refused,
    run,
    started,
)

_LINES: Final = 12_000
_CHECKPOINTS: Final = 10  # damaged ones a round, and so the states
_STATES: Final = 2
_HANG_SECONDS: Final = 30.0  # no replay of so short a log takes that long
_MAGIC: Final = b"slomon state "  # a version and a line end follow
_JOURNAL: Final = b"slomon journal "
_DIGEST: Final = 32  # bytes of the SHA-256 at the end
_TOO_LARGE: Final = (2**62, 2**63 - 1)
_IMPOSSIBLE: Final = (*_TOO_LARGE, -1, -(2**63))
_SENTINELS: Final = ("tick", "rows")  # columns in which -1 and the least number have a meaning


@dataclass(frozen=True, slots=True)
class StateSection:
    """A section of a state file: its name, "json" or the type code of its column, and its bytes."""

    name: str
    kind: str
    body: bytes


def split_state(data: bytes) -> tuple[bytes, list[StateSection]]:
    """The first line of a state file, and its sections; `slomon/state/file.py` has the format."""
    place = data.index(b"\n") + 1
    first, end = data[:place], len(data) - _DIGEST
    sections = []
    while place < end:
        body = data.index(b"\n", place) + 1
        head = json.loads(data[place:body])
        place = body + head["bytes"]
        sections.append(StateSection(head["name"], head["type"], data[body:place]))
    return first, sections


def join_state(first: bytes, sections: Sequence[StateSection]) -> bytes:
    """A state file of these sections, with the right digest."""
    parts = [first]
    for one in sections:
        head = {"name": one.name, "type": one.kind, "bytes": len(one.body)}
        parts += [json.dumps(head).encode(), b"\n", one.body]
    data = b"".join(parts)
    return data + hashlib.sha256(data).digest()


Damage = Callable[[Random, bytes], tuple[str, bytes]]


def flip_bytes(rng: Random, data: bytes) -> tuple[str, bytes]:
    """Other bytes at random offsets; the digest is wrong then."""
    damaged = bytearray(data)
    offsets = [rng.randrange(len(data)) for _ in range(rng.choice((1, 1, 10)))]
    for offset in offsets:
        damaged[offset] ^= rng.randrange(1, 256)
    return f"bytes flipped at {offsets}", bytes(damaged)


def cut(rng: Random, data: bytes) -> tuple[str, bytes]:
    """A file that ends early."""
    size = rng.choice((0, 1, rng.randrange(len(data)), len(data) - 1))
    return f"cut to {size} bytes", data[:size]


def exchange_sections(rng: Random, data: bytes) -> tuple[str, bytes]:
    """Two sections of one type with the contents of each other, sealed."""
    first, sections = split_state(data)
    kind = rng.choice([one.kind for one in sections])
    mine, other = rng.choices([n for n, one in enumerate(sections) if one.kind == kind], k=2)
    a, b = sections[mine], sections[other]
    sections[mine], sections[other] = replace(a, body=b.body), replace(b, body=a.body)
    return f"'{a.name}' and '{b.name}' exchanged, resealed", join_state(first, sections)


def spoil_column(rng: Random, data: bytes) -> tuple[str, bytes]:
    """A column with impossible numbers, sealed."""
    first, sections = split_state(data)
    columns = [n for n, one in enumerate(sections) if one.kind in "qdB" and one.body]
    at = rng.choice(columns)
    section = sections[at]
    column: array[Any] = array(section.kind, section.body)
    places = range(len(column)) if rng.random() < 0.5 else [rng.randrange(len(column))]
    values: Sequence[float] = _TOO_LARGE if section.name.endswith(_SENTINELS) else _IMPOSSIBLE
    if section.kind != "q":
        values = (float("nan"), -1.0) if section.kind == "d" else (255,)
    value = rng.choice(values)
    for place in places:
        column[place] = value
    sections[at] = replace(section, body=column.tobytes())
    what = f"{value} in '{section.name}' at {places}, resealed"
    return what, join_state(first, sections)


def spoil_json(rng: Random, data: bytes) -> tuple[str, bytes]:
    """A number in a section of JSON that is impossible, or of another type, sealed."""
    first, sections = split_state(data)
    decoded = {n: json.loads(one.body) for n, one in enumerate(sections) if one.kind == "json"}
    numbers = {n: found for n, value in decoded.items() if (found := _numbers(value))}
    at = rng.choice(list(numbers))
    section, path, changed = sections[at], rng.choice(numbers[at]), decoded[at]
    value: object = rng.choice((-1, 2**70, None, "x", [], 0.5))
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    sections[at] = replace(section, body=json.dumps(changed).encode())
    return f"{value!r} in '{section.name}' at {path}, resealed", join_state(first, sections)


def _numbers(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all whole numbers in what JSON holds."""
    if isinstance(value, int) and not isinstance(value, bool):
        return [path] if path else []
    if not isinstance(value, dict | list):
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [found for key, one in items for found in _numbers(one, (*path, key))]


DAMAGES: Final[tuple[Damage, ...]] = (
    *(flip_bytes, cut, exchange_sections, spoil_json),
    *(spoil_column, spoil_column, spoil_column),
)


def run_damaged(rng: Random, folder: Path) -> Problems:
    """Resume from damaged checkpoints, and restart with damaged states."""
    return [*_damage_checkpoints(rng, folder), *_damage_states(rng, folder)]


def _damage_checkpoints(rng: Random, folder: Path) -> Problems:
    log, checkpoint = write_log(folder / "access.log", rng, _LINES), folder / "checkpoint"
    options = ["--checkpoint", str(checkpoint), "--checkpoint-every", "0.01s", "--json"]
    options += rng.choice(([], ["--workers", "2"], ["--close-after-no-traffic", "1m"]))
    whole = run(replay(log, *options))
    good = _interrupted(replay(log, *options), checkpoint)
    problems = check_answered(whole)
    for number in range(_CHECKPOINTS):
        damage = DAMAGES[number % len(DAMAGES)] if number < 3 else spoil_column
        what, data = damage(rng, good)
        backend = rng.choice(backends())
        checkpoint.write_bytes(data)
        outcome = run(replay(log, *options, backend=backend), seconds=_HANG_SECONDS)
        # Columns exchanged on purpose may hold possible numbers: then only the digest could tell.
        expected = None if damage is exchange_sections else whole.stdout
        answered = outcome.code == 0
        found = check_answered(outcome, expected) if answered else check_refused(outcome, 1, 2)
        problems += [f"checkpoint with {what}: {one}" for one in found]
        if outcome.hung:
            break  # another one would take as long again
    return problems


def _interrupted(command: Sequence[str], checkpoint: Path) -> bytes:
    """The checkpoint that a killed replay leaves."""
    for _ in range(10):
        with started(command) as program:
            program.wait_for(checkpoint)
            time.sleep(0.02)
            program.kill()
            program.wait()
        if checkpoint.exists():
            return checkpoint.read_bytes()
    raise SkippedTrial("no replay was caught between its first checkpoint and its end")


def _damage_states(rng: Random, folder: Path) -> Problems:
    """A monitor comes up whatever its state is: a damaged one is logged in a line."""
    state, journal = folder / "state", folder / "state.journal"
    command = [*SERVICE, "--state", str(state), "--seconds"]
    with started([*command, "60", "--fill", "2000"]) as program:
        program.wait_for(journal)
        time.sleep(rng.uniform(0.2, 1))
        program.kill()
        program.wait()
    good, inputs = state.read_bytes(), journal.read_bytes()
    problems: Problems = []
    for number in range(2 * _STATES):
        data, lost_name = good, False
        journal.write_bytes(inputs)
        if number % 2:
            what, damaged = rng.choice((flip_bytes, cut))(rng, inputs)
            journal.write_bytes(damaged)
            what = f"a journal with {what}"
            lost_name = damaged[: len(_JOURNAL)] != inputs[: len(damaged[: len(_JOURNAL)])]
        else:
            what, data = rng.choice(DAMAGES)(rng, good)
            lost_name = not data.startswith(_MAGIC)
        state.write_bytes(data)
        outcome = run([*command, "0.3"])
        found = check_ended(outcome)
        errors = [line for line in outcome.stderr.splitlines() if "[error" in line]
        if len(errors) > 1:
            found.append(f"{len(errors)} lines of error: {outcome}")
        # A file that lost its name is not slomon's any more: the service may refuse to start.
        if outcome.code != 0 and not found and not lost_name:
            found.append(f"the service doesn't come up: {outcome}")
        problems += [f"state with {what}: {one}" for one in found]
    return problems

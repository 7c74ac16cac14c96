"""Programs that are killed, and resumed, and programs that are told to stop."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from torture_trials.logs import output_options, read_files, replay, write_log
from torture_trials.processes import (
    LIMIT_SECONDS,
    MAIN,
    SERVICE,
    Outcome,
    Problems,
    Program,
    backends,
    check_answered,
    check_ended,
    check_no_leftovers,
    run,
    started,
    startup_seconds,
    wait_until,
)

_LINES: Final = {"python": 12_000, "compiled": 24_000}
_KILLS: Final = 4
_NAMES: Final = ("output", "incidents", "rejects")
_BEFORE: Final = b"as it was before\n"
_CODES: Final = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def run_kill(rng: Random, folder: Path) -> Problems:
    """Kill a replay and a live monitor at random moments; they go on as if nothing had happened."""
    return [*_kill_replay(rng, folder), *_kill_service(rng, folder)]


def _kill_replay(rng: Random, folder: Path) -> Problems:
    backend = rng.choice(backends())
    log = write_log(folder / "access.log", rng, _LINES[backend])
    alone, place = folder / "undisturbed", folder / "killed"
    alone.mkdir()
    place.mkdir()
    began = time.monotonic()
    problems = check_answered(run(replay(log, *output_options(alone, _NAMES), backend=backend)))
    seconds = time.monotonic() - began
    every = f"{rng.choice((0.01, 0.05, 0.2))}s"
    kept = ["--checkpoint", str(place / "checkpoint"), "--checkpoint-every", every]
    command = replay(log, *kept, *output_options(place, _NAMES), backend=backend)
    for _ in range(_KILLS):
        with started(command) as program:
            time.sleep(rng.uniform(0.2, 1.2) * seconds)
            if program.process.poll() is not None:
                break
            program.kill()
    if program.process.poll() != 0:
        problems += check_answered(run(command))
    expected, found = read_files(alone, _NAMES), read_files(place, _NAMES)
    problems += [
        f"{name} differs after kill and resume: {' '.join(command)}"
        for name in _NAMES
        if found[name] != expected[name]
    ]
    return problems + check_no_leftovers(place, *_NAMES)


def _kill_service(rng: Random, folder: Path) -> Problems:
    """Kill a service; once restarted, its monitor has the incidents that it had notified."""
    state = folder / "state"
    endless = [*SERVICE, "--state", str(state), "--seconds", "60", "--save-every", "5s"]
    endless += ["--fill", str(rng.choice((0, 20_000)))]
    said = folder / "said"
    problems: Problems = []
    expected: list[dict[str, Any]] = []
    for _ in range(2):
        with said.open("wb") as file, started(endless, stdout=file.fileno()) as program:
            if not wait_until(lambda: b"opened" in said.read_bytes(), LIMIT_SECONDS):
                return [*problems, f"the service notified of nothing: {program.wait(1)}"]
            problems += _compare(said, expected)
            time.sleep(rng.uniform(0.2, 2.0))
            program.kill()
            outcome = program.wait()
        expected = read_said(said.read_bytes())
        if "state.damaged" in outcome.stderr or "Traceback" in outcome.stderr:
            problems.append(f"the state was damaged: {outcome}")
    with said.open("wb") as file:
        outcome = run([*SERVICE, "--state", str(state), "--seconds", "0.2"], stdout=file.fileno())
    problems += check_answered(outcome) or _compare(said, expected)
    return problems + check_no_leftovers(
        folder, "access.log", "undisturbed", "killed", "said", "state"
    )


def _compare(said: Path, notified: Iterable[dict[str, Any]]) -> Problems:
    """What was notified before the kill is among the incidents with which the service started."""
    [details] = [one["started"] for one in read_said(said.read_bytes()) if "started" in one]
    ends = {(name, one["start"]): one["end"] for name in details for one in details[name]}
    problems: Problems = []
    for event in notified:
        if "opened" in event and tuple(event["opened"]) not in ends:
            problems.append(f"an incident that was notified is gone after a kill: {event}")
        elif "closed" in event:
            name, start, end = event["closed"]
            if ends.get((name, start)) != end:
                problems.append(
                    f"an incident's end that was notified is gone after a kill: {event}"
                )
    return problems[:3]


def read_said(output: bytes) -> list[dict[str, Any]]:
    """The lines that the service printed whole."""
    whole = output[: output.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]


def run_signals(rng: Random, folder: Path) -> Problems:
    """Tell a replay or main.py to stop, once or twice, at a few random moments."""
    backend = rng.choice(backends())
    names: Sequence[str] = sorted(rng.sample(("output", "incidents", "report"), rng.randint(1, 3)))
    if rng.random() < 0.25:
        names = ["report"]
        command = [*MAIN, "--max-events", "30000", "--log-level", "error"]
    else:
        log = write_log(folder / "access.log", rng, _LINES[backend])
        command = list(replay(log, backend=backend))
    place = folder / "outputs"
    place.mkdir()
    command += output_options(place, names)
    began = time.monotonic()
    problems = check_answered(run(command))
    seconds = time.monotonic() - began
    whole = read_files(place, names)
    for number in _CODES:
        for path in place.iterdir():
            path.unlink()
        for name in names:
            (place / name).write_bytes(_BEFORE)
        # At any time, or soon after the first output was opened.
        opened = rng.choice((None, place))
        least, most = (startup_seconds(), seconds) if opened is None else (0.0, seconds / 4)
        delay = rng.uniform(least, max(least, most))
        gap = rng.choice((None, 0.0, 0.002, 0.02))
        outcome = _interrupt(command, number, delay, gap, opened)
        since = "the start" if opened is None else "an output was opened"
        what = f"{signal.Signals(number).name} {delay:.3f} s after {since}"
        what += "" if gap is None else f" and again {gap} s later"
        found = _judge(outcome, _CODES[number])
        for name, content in read_files(place, names).items():
            allowed = [whole[name]] if outcome.code == 0 else [_BEFORE, whole[name]]
            if content not in allowed:
                size = None if content is None else len(content)
                found.append(f"{name} is neither old nor new ({size} bytes): {outcome}")
        found += check_no_leftovers(place, *names)
        problems += [f"{what}: {one} ({outcome.command})" for one in found]
    return problems


def _interrupt(
    command: Sequence[str],
    number: signal.Signals,
    delay: float,
    gap: float | None,
    opened: Path | None,
) -> Outcome:
    with started(command) as program:
        if opened is not None:
            _wait_for_more(opened, program)
        time.sleep(delay)
        program.signal(number)
        if gap is not None:
            time.sleep(gap)
            program.signal(number)
        return program.wait()


def _wait_for_more(folder: Path, program: Program) -> None:
    """Wait until a file is new in a folder, or the program has ended."""
    before = set(folder.iterdir())
    ended = program.process.poll
    wait_until(lambda: ended() is not None or set(folder.iterdir()) != before, LIMIT_SECONDS)


def _judge(outcome: Outcome, code: int) -> Problems:
    """It ends with the code of its signal, or was done before, and says at most one line."""
    if outcome.shell_code == code:
        if "Traceback" in outcome.stderr or "Exception ignored" in outcome.stderr:
            return check_ended(outcome)
        lines = outcome.stderr.splitlines()
        return [f"{len(lines)} lines of error: {outcome}"] if len(lines) > 1 else []
    if outcome.code == 0:
        return check_ended(outcome)
    return [*check_ended(outcome), f"exit code is not {code}: {outcome}"]

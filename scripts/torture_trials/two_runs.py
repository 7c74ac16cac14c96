"""Runs at once with the same files: each file must be the whole answer of one of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Final

from torture_trials.logs import output_options, read_files, replay, write_log
from torture_trials.processes import (
    Outcome,
    Problems,
    backends,
    check_answered,
    check_ended,
    check_no_leftovers,
    check_refused,
    names_another_run,
    run,
    started,
)

_LINES: Final = 8_000
_ROUNDS: Final = 1
_OUTPUTS: Final = ("output", "incidents", "report", "rejects")
_BEFORE: Final = b"as it was before\n"

Files = Mapping[str, bytes | None]


def run_two_runs(rng: Random, folder: Path) -> Problems:
    """Start two or three runs at once: with the same outputs, then with the same checkpoint too."""
    count = rng.choice((2, 2, 3))
    backend = rng.choice(backends())
    logs = [write_log(folder / f"{number}.log", rng, _LINES) for number in range(count)]
    problems: Problems = []
    for number in range(_ROUNDS):
        place = folder / f"outputs{number}"
        place.mkdir()
        names = sorted(rng.sample(_OUTPUTS, rng.randint(1, 3)))
        problems += _share_outputs(rng, place, logs, names, backend)
        place = folder / f"checkpoint{number}"
        place.mkdir()
        problems += _share_checkpoint(rng, place, logs[0], count, backend)
    return problems


def _share_outputs(
    rng: Random, place: Path, logs: Sequence[Path], names: Sequence[str], backend: str
) -> Problems:
    """Runs of different logs write the same files."""
    alone = place.parent / "alone"
    alone.mkdir(exist_ok=True)
    answers: list[Files] = []
    for log in logs:
        run(replay(log, *output_options(alone, names), backend=backend))
        answers.append(read_files(alone, names))
    for name in names:
        (place / name).write_bytes(_BEFORE)
    commands = [replay(log, *output_options(place, names), backend=backend) for log in logs]
    outcomes = _run_at_once(rng, commands)
    after = read_files(place, names)
    what = f"{len(logs)} runs with the same {', '.join(names)}"
    problems = [*_judge(outcomes), *check_no_leftovers(place, *names)]
    problems += _judge_files(outcomes, answers, after)
    return [f"{what}: {problem}" for problem in problems]


def _judge_files(outcomes: Sequence[Outcome], answers: Sequence[Files], after: Files) -> Problems:
    """Each file holds an answer of a run that succeeded, or if there is none, of any or before."""
    problems: Problems = []
    succeeded = [outcome.code == 0 for outcome in outcomes]
    for name, content in after.items():
        whole = [answer[name] for answer in answers]
        good = [one for one, fine in zip(whole, succeeded, strict=True) if fine]
        size = None if content is None else len(content)
        codes = [outcome.code for outcome in outcomes]
        if content not in [*whole, _BEFORE]:
            problems.append(
                f"{name} is no whole answer: {size} bytes, exit codes {codes}: "
                f"{outcomes[0].command} & the same of another log"
            )
        elif good and content not in good:
            problems.append(
                f"{name} is not the answer of a run with exit code 0; exit codes {codes}: "
                f"{outcomes[0].command} & the same of another log"
            )
    return problems


def _share_checkpoint(rng: Random, place: Path, log: Path, count: int, backend: str) -> Problems:
    """Runs of one log write one checkpoint, and each an output of its own."""
    kept = ["--checkpoint", str(place / "checkpoint"), "--checkpoint-every", "0.02s"]
    names = [f"output{number}" for number in range(count)]
    whole = run(replay(log, backend=backend))
    commands = [replay(log, *kept, "-o", str(place / name), backend=backend) for name in names]
    outcomes = _run_at_once(rng, commands)
    written = read_files(place, names).values()
    problems = [*check_answered(whole), *_judge(outcomes)]
    for outcome, content in zip(outcomes, written, strict=True):
        if outcome.code == 0 and content != whole.stdout:
            problems.append(f"exit code 0 and another answer: {outcome}")
    if any(outcome.code == 0 for outcome in outcomes):
        problems += check_no_leftovers(place, *names)
    return [f"{count} runs with the same checkpoint: {problem}" for problem in problems]


def _run_at_once(rng: Random, commands: Sequence[Sequence[str]]) -> list[Outcome]:
    with ExitStack() as running:
        programs = []
        for command in commands:
            programs.append(running.enter_context(started(command)))
            time.sleep(rng.choice((0.0, 0.05 * rng.random(), 0.3 * rng.random())))
        return [program.wait() for program in programs]


def _judge(outcomes: Sequence[Outcome]) -> Problems:
    """Some run succeeds; a refused one says in one line that another run is in the way."""
    problems: Problems = []
    for outcome in outcomes:
        if outcome.code == 0:
            problems += check_ended(outcome)
            continue
        found = check_refused(outcome)
        if not found and not names_another_run(outcome.stderr):
            found = [f"refused without a word about the other run: {outcome}"]
        problems += found
    if all(outcome.code for outcome in outcomes):
        problems.append(f"no run succeeded: {outcomes[0]}")
    return problems

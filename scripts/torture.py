"""
Torture slomon from outside: programs that are killed, starved, stalled, and given damaged files.

    python scripts/torture.py --seconds 60 --seed 1
    python scripts/torture.py --only stalled-reader kill --seed 7

Each trial is done once; then trials are drawn at random until the time is up. Prints what was
tried, what broke and how to repeat it, and exits with 1 if anything broke. A round takes some
seconds, so the last one ends after the time is up. The script needs Linux. As root it tries more:
a disk that is full, and files of another user.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from torture_trials.damaged_files import run_damaged
from torture_trials.foreign_places import run_cache, run_foreign, run_limits, run_read_only
from torture_trials.full_disk import run_full_disk, run_full_tmpfs
from torture_trials.interruptions import run_kill, run_signals
from torture_trials.live_load import run_live_load
from torture_trials.processes import Problems, SkippedTrial, Trial, backends
from torture_trials.stalled_reader import run_stalled_reader
from torture_trials.two_runs import run_two_runs

TRIALS: Final = (
    Trial("stalled-reader", run_stalled_reader),
    Trial("two-runs", run_two_runs),
    Trial("kill", run_kill),
    Trial("signals", run_signals),
    Trial("full-disk", run_full_disk),
    Trial("full-tmpfs", run_full_tmpfs),
    Trial("damaged", run_damaged),
    Trial("foreign", run_foreign),
    Trial("read-only", run_read_only),
    Trial("cache", run_cache),
    Trial("limits", run_limits),
    Trial("live-load", run_live_load),
)


def main() -> int:
    arguments = parse()
    for number in (signal.SIGINT, signal.SIGHUP):  # ignored in the background and by nohup
        signal.signal(number, lambda *_: sys.exit(1))
    chosen = set(arguments.only) - set(arguments.skip)
    trials = [trial for trial in TRIALS if trial.name in chosen]
    if not trials:
        sys.exit("no trial is left; allowed: fewer names after --skip")
    print(f"backends: {', '.join(backends())}", flush=True)
    rounds, broken = Counter[str](), Counter[str]()
    took: dict[str, float] = {trial.name: 0.0 for trial in trials}
    end = time.monotonic() + arguments.seconds
    for seed, trial in enumerate(draw(trials, arguments.seed), arguments.seed):
        if time.monotonic() >= end and all(rounds[one.name] for one in trials):
            break
        began = time.monotonic()
        problems = attempt(trial, seed)
        seconds = time.monotonic() - began
        rounds[trial.name] += 1
        broken[trial.name] += bool(problems)
        took[trial.name] += seconds
        verdict = f"{len(problems)} broken" if problems else "fine"
        print(f"{trial.name} --seed {seed}: {verdict}, {seconds:.1f} s", flush=True)
        for problem in problems:
            print(f"    {problem}", flush=True)
        if problems:
            again = f"--only {trial.name} --seed {seed} --seconds 0"
            print(f"    again: python scripts/torture.py {again}", flush=True)
    for trial in trials:
        name = trial.name
        print(f"{name}: {rounds[name]} rounds, {broken[name]} broken, {took[name]:.0f} s")
    return 1 if broken.total() else 0


def draw(trials: Sequence[Trial], seed: int) -> Iterator[Trial]:
    """Each trial once, and then any for ever."""
    rng = random.Random(seed)
    yield from rng.sample(trials, len(trials))
    while True:
        yield rng.choice(trials)


def attempt(trial: Trial, seed: int) -> Problems:
    """One round, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        try:
            return trial.run(random.Random(f"{trial.name} {seed}"), Path(folder))
        except SkippedTrial as reason:
            print(f"{trial.name}: skipped, {reason}", flush=True)
            return []


def parse() -> argparse.Namespace:
    names = [trial.name for trial in TRIALS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first round; each next round has the next one"
    )
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument(
        "--skip", nargs="+", choices=names, default=[], metavar="NAME", help="leave these out"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

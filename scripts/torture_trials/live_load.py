"""A live monitor under load: what saving its state costs the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from torture_trials.interruptions import read_said
from torture_trials.processes import SERVICE, Outcome, Problems, check_answered, run

_REQUESTS: Final = 200_000  # in windows
_SECONDS: Final = 6
_MOST_SHARE: Final = 0.05  # of the time, for saves
_RECURS: Final = 3  # long holds, more than the same service has without a state


@dataclass(frozen=True, slots=True)
class Load:
    """CPU seconds a second, and the seconds of each long hold of the loop."""

    share: float
    holds: Sequence[float]


def run_live_load(rng: Random, folder: Path) -> Problems:
    """Measure a service with flapping endpoints, with and without a state file."""
    flapping = rng.choice((5, 10, 20))
    command = [*SERVICE, "--flapping", str(flapping), "--fill", str(_REQUESTS)]
    command += ["--seconds", str(_SECONDS), "--save-every", "10s"]
    without = run(command)
    saving = run([*command, "--state", str(folder / "state")])
    problems = [*check_answered(without), *check_answered(saving)]
    if problems:
        return problems
    plain, load = _measure(without), _measure(saving)
    share = load.share - plain.share
    longest = max(load.holds, default=0.0)
    print(
        f"live-load: {flapping} flapping endpoints, {_REQUESTS} requests in windows: saves take "
        f"{share:.1%} of the time; {len(load.holds)} holds of more than 50 ms, the longest "
        f"{longest * 1000:.0f} ms (without a state: {len(plain.holds)})"
    )
    if share > _MOST_SHARE:
        problems.append(f"saves take {share:.1%} of the time: {saving.command}")
    if len(load.holds) >= len(plain.holds) * 2 + _RECURS:
        problems.append(
            f"the loop is held for more than 50 ms {len(load.holds)} times, {longest:.3f} s at "
            f"most, and {len(plain.holds)} times without a state: {saving.command}"
        )
    return problems


def _measure(outcome: Outcome) -> Load:
    [ended] = [one["ended"] for one in read_said(outcome.stdout) if "ended" in one]
    measured: dict[str, Any] = ended
    return Load(measured["cpu"] / measured["wall"], measured["holds"])

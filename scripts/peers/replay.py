"""
Measures replays. In each round, every tool reads the same file in a process of its own. Their
incidents are compared every time; if they differ, nothing is printed.

`MB/s` are millions of bytes of the file; `wc` is `wc -l`, which reads each byte and does no more.

A round before the measured ones fills the page cache and the caches of compiled code. `ratio` is
the median over the rounds of a tool's time divided by slomon's.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from peers.case import Case, prepare
from peers.process import Cost, run
from peers.tool import Tool

Incident: TypeAlias = tuple[str, str, float, float]
Answers: TypeAlias = dict[str, list[Incident]]
"""The incidents of each tool that finds incidents."""


@dataclass(frozen=True, slots=True)
class Round:
    costs: dict[str, Cost]
    answers: Answers


def report(case: Case, tools: list[Tool], rounds: int) -> None:
    """Print the table of one case, of the tools that read its log. Exits if the tools disagree."""
    prepare(case)
    tools = [tool for tool in tools if tool.reads(case)]
    with tempfile.TemporaryDirectory() as folder:
        run_round(case, tools, Path(folder))
        measured = [run_round(case, tools, Path(folder)) for _ in range(rounds)]
    print(_title(case, measured[0].answers))
    print(
        f"{'':8}{'median':>9}{'min':>9}{'max':>9}{'lines/s':>14}{'MB/s':>8}{'cpu':>9}{'MiB':>8}{'ratio':>8}"
    )
    for tool in tools:
        print(_row(tool.name, case, measured), flush=True)


def run_round(case: Case, tools: list[Tool], folder: Path) -> Round:
    costs, answers = {}, {}
    for tool in tools:
        out = folder / f"{tool.name}.jsonl"
        costs[tool.name] = run(tool.command(case, out))
        if tool.answers:
            answers[tool.name] = read_incidents(out)
    check_agreement(case, answers)
    return Round(costs, answers)


def read_incidents(path: Path) -> list[Incident]:
    with path.open(encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return sorted((row["verb"], row["resource"], row["start"], row["end"]) for row in found)


def check_agreement(case: Case, answers: Answers) -> None:
    """Exit with the first incident that one tool found and another did not."""
    for (one, expected), (other, found) in pairwise(answers.items()):
        if expected != found:
            difference = min(set(expected) ^ set(found))
            sys.exit(
                f"{case.name}: {one} found {len(expected)} incidents and {other} {len(found)}, "
                f"and they differ first in {difference}"
            )


def _title(case: Case, answers: Answers) -> str:
    size = case.log.stat().st_size / 2**20
    counts = [len(found) for found in answers.values()]
    agreement = f"the same {counts[0]:,} incidents by all" if len(counts) > 1 else "not compared"
    return (
        f"\n{case.name}: {case.lines:,} lines, {size:,.0f} MiB, "
        f"{case.endpoints:,} endpoints, {agreement}"
    )


def _row(name: str, case: Case, measured: list[Round]) -> str:
    costs = [one.costs[name] for one in measured]
    walls = [cost.wall for cost in costs]
    median, size = statistics.median(walls), case.log.stat().st_size
    peak = max(cost.peak for cost in costs)
    cpu = statistics.median(cost.cpu for cost in costs)
    times = f"{median:8.2f}s{min(walls):8.2f}s{max(walls):8.2f}s"
    return (
        f"{name:8}{times}{case.lines / median:14,.0f}{size / median / 1e6:8,.0f}{cpu:8.2f}s"
        f"{peak:8,.0f}"
        f"{_ratio(name, measured):>8}"
    )


def _ratio(name: str, measured: list[Round]) -> str:
    ratios = [
        one.costs[name].wall / one.costs["slomon"].wall for one in measured if "slomon" in one.costs
    ]
    return f"{statistics.median(ratios):.2f}" if ratios else ""

"""
Measures attribution in worlds with known causes, as `tests/worlds/` draws and judges them, beside
two plain rules. Each row is a share:

    right      of the commits that are named (by slomon: with the verdict `clear`), those that
               really broke, or repaired, the endpoint
    named      of the incidents that a deploy caused, or repaired, those whose commit is named
    at once    the same among the incidents whose deploy broke the endpoint at once
    others     of the incidents that no deploy caused, or repaired, those with a commit named
    outages    `right`, `named` and `others` again, but each fault counts once, however many
               incidents it has
    Brier      the sum of squared errors of an incident's probabilities, on average; from 0 to 2

The calibration tables compare stated probabilities with the share that is true: `every` for all
candidates and "no known change", `highest` for the most probable one of each incident.

The worlds of a `--seed` are always the same. A model that was built on one seed must be judged on
another.

With `--observer` an observer speaks, too. It knows how the worlds were drawn and the fault behind
each failure (`tests/worlds/observer.py`), so it shows how much the events can tell. It judges the
incidents of faults only.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import quantiles
from typing import Final

import structlog

from slomon import get_service_monitor
from slomon.core.incident_records import IncidentRecord
from tests.worlds.drawing import draw_world
from tests.worlds.observer import observe
from tests.worlds.recording import Recording
from tests.worlds.scoring import Bin, Score, measure_calibration_error
from tests.worlds.statements import Statement, name_newest, read_blame, read_credit
from tests.worlds.truth import Truth, explain
from tests.worlds.world import EPOCH, Kind

_FOREVER: Final = float("inf")
_QUARTER: Final = 900.0
SPEAKERS: Final = {"slomon": None, "newest change": _FOREVER, "newest within 15 min": _QUARTER}
OBSERVER: Final = "observer"


@dataclass(frozen=True, slots=True)
class Judged:
    """An incident, the truth, and what each speaker says about its start and its end."""

    world: int
    record: IncidentRecord
    truth: Truth
    blames: dict[str, Statement]
    credits: dict[str, Statement]


def judge_world(seed: int, number: int, *, observer: bool = False) -> tuple[int, list[Judged]]:
    """The number of requests of a world, and its incidents."""
    world = draw_world(f"{seed}/{number}")
    recording = Recording(world)
    monitor = get_service_monitor(recording)
    judged = []
    for record in monitor.records():
        end = record.end if record.fixed_by else None
        blames, credits_ = {}, {}
        for speaker, within in SPEAKERS.items():
            if within is None:
                blames[speaker], credits_[speaker] = read_blame(record), read_credit(record)
                continue
            blames[speaker] = name_newest(world, record.service, record.start, within)
            if end is not None:
                credits_[speaker] = name_newest(world, record.service, end, within)
        truth = explain(recording, record.resource, record.start, end)
        judged.append(Judged(number, record, truth, blames, credits_))
    if observer:
        _let_observe(recording, judged)
    return len(recording.events), judged


def _let_observe(recording: Recording, judged: list[Judged]) -> None:
    of_faults: dict[int, list[Judged]] = {}
    for one in judged:
        if one.truth.fault is not None:
            of_faults.setdefault(one.truth.number, []).append(one)
    for number, incidents in of_faults.items():
        resources = sorted({one.record.resource for one in incidents})
        statement = observe(recording, number, resources)
        for one in incidents:
            one.blames[OBSERVER] = statement


def judge_worlds(
    seed: int, worlds: int, processes: int, *, observer: bool = False
) -> Iterator[tuple[int, list[Judged]]]:
    """`judge_world` for each of the worlds of a seed."""
    judge = partial(judge_world, observer=observer)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if processes == 1:
        yield from (judge(seed, number) for number in range(worlds))
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(judge, [seed] * worlds, range(worlds), chunksize=4)


def report(seed: int, worlds: int, processes: int, *, observer: bool) -> None:
    """Print how good the attribution is in the worlds of a seed."""
    began = time.perf_counter()
    events = 0
    judged: list[Judged] = []
    for count, found in judge_worlds(seed, worlds, processes, observer=observer):
        events += count
        judged += found
    seconds = time.perf_counter() - began
    print(f"{worlds} worlds of seed {seed}: {events:,} events, {len(judged):,} incidents, ", end="")
    print(f"{seconds:.0f} s\n")
    _report_breaks(judged)
    _report_fixes(judged)
    _report_onsets(judged)


def _report_breaks(judged: list[Judged]) -> None:
    decided = [one for one in judged if one.truth.cause is not None]
    print(f"Broken by ({len(judged) - len(decided)} incidents without a known truth left out)")
    speakers = dict.fromkeys(speaker for one in decided for speaker in one.blames)
    scores = {speaker: (Score(), Score()) for speaker in speakers}
    sizes = Counter((one.world, one.truth.number, one.record.endpoint) for one in decided)
    for one in decided:
        true, fault = one.truth.cause, one.truth.fault
        assert true is not None
        at_once = fault is not None and fault.kind is Kind.AT_ONCE
        size = sizes[one.world, one.truth.number, one.record.endpoint]
        for speaker, statement in one.blames.items():
            each, once = scores[speaker]
            each.add(statement, true, at_once=at_once)
            once.add(statement, true, at_once=at_once, weight=1 / size)
    _print_scores(scores)


def _report_fixes(judged: list[Judged]) -> None:
    ended = [one for one in judged if one.record.fixed_by]
    decided = [one for one in ended if one.truth.fix is not None]
    print(f"\nFixed by ({len(ended) - len(decided)} incidents without a known truth left out)")
    scores = {speaker: (Score(), Score()) for speaker in SPEAKERS}
    sizes = Counter((one.world, one.truth.number, one.record.endpoint) for one in decided)
    for one in decided:
        true = one.truth.fix
        assert true is not None
        size = sizes[one.world, one.truth.number, one.record.endpoint]
        for speaker, (each, once) in scores.items():
            each.add(one.credits[speaker], true)
            once.add(one.credits[speaker], true, weight=1 / size)
    _print_scores(scores)


def _print_scores(scores: dict[str, tuple[Score, Score]]) -> None:
    rows = [("", *scores)]
    for kind in range(2):
        for name in ("right", "named", "at_once", "others"):
            cells = (str(getattr(pair[kind], name)) for pair in scores.values())
            rows += [(name.replace("_", " ") + (", outages" if kind else ""), *cells)]
    briers = (each.mean_brier for each, _ in scores.values())
    rows += [("Brier", *("-" if one is None else f"{one:.3f}" for one in briers))]
    for name, *texts in rows:
        if any(text != "-" for text in texts):
            print(f"  {name:18}" + "".join(f"{text:>22}" for text in texts))
    each, _ = scores["slomon"]
    if each.rated:
        _print_calibration("every", each.every)
        _print_calibration("highest", each.highest)


def _print_calibration(name: str, bins: list[Bin]) -> None:
    print(f"\n  {name:8} expected calibration error {measure_calibration_error(bins):.1%}")
    for number, one in enumerate(bins):
        if one.count:
            shares = f"stated {one.stated / one.count:6.1%}, true {one.true / one.count:6.1%}"
            print(f"    from {number / len(bins):.1f}: {shares}, {one.count:6,} statements")


def _report_onsets(judged: list[Judged]) -> None:
    """How far the onset is from the truth, for the first incident of each fault at an endpoint."""
    first: dict[tuple[int, int, str], float] = {}
    for one in judged:
        fault = one.truth.fault
        if fault is not None and not fault.ramp:
            key = one.world, one.truth.number, one.record.resource
            first.setdefault(key, abs(one.record.onset - EPOCH - fault.begin))
    if len(first) > 1:
        deciles = quantiles(first.values(), n=10, method="inclusive")
        text = ", ".join(f"{deciles[place - 1]:.1f} s ({place * 10} %)" for place in (5, 8, 9))
        print(f"\nOnsets of {len(first)} faults without a ramp, distance from the truth: {text}")

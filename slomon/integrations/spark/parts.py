"""
The parts of logs: each is scanned by a task. A large plain log is cut into parts, so that one log
can use all cores.

A task does not know what the lines before its part are. It guesses the newest tick among them, and
reads its lines as if none before them changed how the next one is read. If that turns out to be
wrong, these parts are scanned again, or all of the log at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from slomon.integrations.spark.engine import keep, read_summaries
from slomon.integrations.spark.summaries import SourceSummary
from slomon.integrations.spark.tasks import LogPart
from slomon.log_replay.ranges import WHOLE, LogRange

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_LEAST: Final = 32 << 20  # bytes of a part: a task costs as much as to read a few megabytes
_MOST: Final = 512 << 20
_PER_CORE: Final = 2  # tasks: each costs 0.1 s beside what it reads


def choose_task_bytes(size: int, cores: int) -> int:
    """How much text a task reads, given the size of all logs and the number of cores."""
    return min(max(-(-size // (_PER_CORE * cores)), _LEAST), _MOST)


def cut(log: LogPart, task_bytes: int) -> list[LogPart]:
    """The parts of a log, each for about one task."""
    count = round(log.size / task_bytes)
    if count <= 1:
        return [log]
    edges = [log.size * number // count for number in range(count)]
    ranges = map(LogRange, edges, [*edges[1:], None])
    return [replace(log, range=one, size=log.size // count) for one in ranges]


def group(parts: Iterable[LogPart], task_bytes: int) -> list[list[LogPart]]:
    """The parts that each task reads: of small logs, several."""
    groups: dict[int, list[LogPart]] = {}
    before = 0
    for part in parts:
        middle = before + part.size // 2
        groups.setdefault(middle // task_bytes, []).append(part)
        before += part.size
    return list(groups.values())


def number_parts(logs: Sequence[Sequence[LogPart]]) -> list[list[LogPart]]:
    """The parts of logs, with their numbers as sources."""
    numbers = iter(range(1, 1 + sum(map(len, logs))))
    return [[replace(part, source=next(numbers)) for part in log] for log in logs]


def scan_parts(
    stack: ExitStack,
    logs: Sequence[Sequence[LogPart]],
    scan: Callable[[Sequence[LogPart]], DataFrame],
) -> tuple[DataFrame, list[SourceSummary]]:
    """
    The packed rows of logs, given in parts, and a summary of each log. `scan` returns the packed
    rows of some parts; they are kept until `stack` is closed.
    """
    packed = stack.enter_context(keep(scan([part for log in logs for part in log])))
    found = {one.source: one for one in read_summaries(packed)}
    while wrong := [one for log in logs for one in find_wrong(log, found)]:
        replaced = {part.source for old, _ in wrong for part in old}
        again = stack.enter_context(keep(scan([new for _, new in wrong])))
        packed = packed.where(f"source not in ({', '.join(map(str, replaced))})").union(again)
        found = {source: one for source, one in found.items() if source not in replaced}
        found |= {one.source: one for one in read_summaries(again)}
        logs = [_replace(log, replaced, [new for _, new in wrong]) for log in logs]
    return packed, [join_summaries([found[part.source] for part in log]) for log in logs]


def find_wrong(
    log: Sequence[LogPart], found: dict[int, SourceSummary]
) -> list[tuple[Sequence[LogPart], LogPart]]:
    """
    The parts of a log that have to be scanned again, given the summaries of all parts by source:
    pairs of old parts, and the part to scan in place of them.
    """
    summaries = [found[part.source] for part in log]
    if len(log) > 1 and not all(map(_is_independent, summaries)):
        return [(log, replace(log[0], range=WHOLE))]
    wrong: list[tuple[Sequence[LogPart], LogPart]] = []
    newest = log[0].began
    for part, summary in zip(log, summaries, strict=True):
        if part is not log[0] and summary.newest_before != newest:
            wrong.append(([part], replace(part, range=replace(part.range, newest=newest))))
        newest = max(newest, summary.clock.newest)
    return wrong


def join_summaries(parts: Sequence[SourceSummary]) -> SourceSummary:
    """The summary of a log, given those of its parts in order."""
    first, *rest = parts
    for one in rest:
        first.append(one)
    return first


def _is_independent(summary: SourceSummary) -> bool:
    """Was a part read to its end, and do no lines in it change how later ones are read?"""
    return summary.problem is None and summary.is_stateless


def _replace(log: Sequence[LogPart], replaced: set[int], added: Sequence[LogPart]) -> list[LogPart]:
    sources = {part.source for part in log}
    kept = [part for part in log if part.source not in replaced]
    return sorted(
        [*kept, *(part for part in added if part.source in sources)], key=lambda one: one.source
    )

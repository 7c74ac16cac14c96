"""Every event is accounted for: how many there were, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeVar

_KEPT: Final = 100
_KEPT_TEXT: Final = 1000  # characters


@dataclass(slots=True)
class Accounting:
    """
    `events` = `accesses` + `changes` + `unmatched` (to an endpoint or service that nothing
    watches) + `rejected` (malformed). `late` are those of the accesses that were older than the
    newest one of their endpoint, and counted at its time.
    """

    events: int = 0
    accesses: int = 0
    changes: int = 0
    unmatched: int = 0
    rejected: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Rejection:
    """A malformed event; `position` counts the stream's events from 0."""

    position: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A malformed line of a file; `line` counts the file's lines from 1."""

    file: str
    line: int
    text: str
    reason: str


AnyRejection = TypeVar("AnyRejection", Rejection, RejectedLine)


def keep_first(kept: list[AnyRejection], rejected: AnyRejection) -> None:
    """Keep what was rejected if it is of the first 100, its text cut to 1000 characters."""
    if len(kept) < _KEPT:
        kept.append(replace(rejected, text=rejected.text[:_KEPT_TEXT]))


@dataclass(slots=True)
class ReplayAccounting(Accounting):
    """
    What became of every line: `lines` of logs and `records` of change files are `accesses` +
    `changes` + `unmatched` + `rejected` + `blank`; `events` are those that aren't blank.

    * `capped`: those of the unmatched to endpoints beyond the most that may be found
    * `disordered`: how many were older than a line before them, and `largest_lateness` by
      how many seconds at most; `late` counts those of them that no reordering could put right
    * `endpoints`: how many were watched
    """

    lines: int = 0
    records: int = 0
    blank: int = 0
    capped: int = 0
    disordered: int = 0
    largest_lateness: float = 0.0
    endpoints: int = 0

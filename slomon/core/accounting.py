"""Every event is accounted for: how many there were, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass


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

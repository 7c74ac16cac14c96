"""
Whether the result of a run can be trusted: the warnings that follow from its numbers.

A warning is *certain* if the answer is wrong whatever the events mean, because it lacks a whole
input or because many accesses count at a wrong time. Otherwise the answer may be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from slomon.core.events import Accounting


@dataclass(frozen=True, slots=True)
class ResultWarning:
    """Why a result can't be trusted, and what to do about it. `code` identifies the kind."""

    code: str
    text: str
    certain: bool = False


def warn_of_late_accesses(
    accounting: Accounting,
    remedy: str = "send the events in order of time",
    *,
    certain: bool = False,
) -> list[ResultWarning]:
    """A warning if more than one access in a hundred is late; `remedy` says what to do."""
    late, accesses = accounting.late, accounting.accesses
    if late * 100 <= accesses:
        return []
    text = (
        f"{late:,} of {accesses:,} accesses ({late / accesses:.1%}) are late: older than one "
        f"before them to the same endpoint, so they count at a later time; {remedy}"
    )
    return [ResultWarning("late_accesses", text, certain)]

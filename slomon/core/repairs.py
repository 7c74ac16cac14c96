"""
What may have ended a fault: a new commit, a rollback, or nothing known.

    last failures      xx x      x              |  r1, r2: changes of the service meanwhile
                            r1        r2        |  r1 came too early, r2 just in time
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum
from typing import Final, NamedTuple

REPAIR: Final = 5.0
"""Mean seconds from a fix to the end of the failures."""
FIXED: Final = (0.45, 0.25)
"""The share of faults that a new commit ends: of those by a change, of those by themselves."""
ROLLED_BACK: Final = (0.30, 0.05)
"""The share that a rollback ends."""
NOT_TAKEN_BACK: Final = 0.03
"""The share of faults by a change that is ended by a rollback that did not take it back."""
RECOVERED: Final = (0.2, 0.7)
"""The share that ends by itself."""


class Repair(NamedTuple):
    """
    A change during an incident: its position and time, and the positions of the changes that it
    took back if it is a rollback.
    """

    change: int
    time: float
    taken_back: frozenset[int] | None = None


class Ending(NamedTuple):
    """How well the end of a fault fits to one cause: the weight of each repair, and of all."""

    repairs: dict[int, float]
    whole: float


def weigh_repairs(
    repairs: Sequence[tuple[Repair, float]], causes: Iterable[int], itself: int
) -> dict[int, Ending]:
    """
    Weigh the repairs of a fault under each of its possible causes; `itself` is the cause of faults
    by themselves. A repair weighs as much as its density at the end, which is given with it, is
    above the rate of the changes of the service.
    """
    endings = {}
    for cause in causes:
        own = cause == itself
        weights = {}
        for one, density in repairs:
            if one.change == cause:
                continue
            share = FIXED[own]
            if one.taken_back is not None:
                taken_back = own or cause in one.taken_back
                share = ROLLED_BACK[own] if taken_back else NOT_TAKEN_BACK
            weights[one.change] = share * density
        endings[cause] = Ending(weights, fsum(weights.values()) + RECOVERED[own])
    return endings

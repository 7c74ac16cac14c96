"""When failures began and ended, counted anew from all accesses of an endpoint."""

from __future__ import annotations

from slomon.kernels.windows import UNIT


def find_onsets(
    seen: list[tuple[int, int, int]], since: int, slo: float
) -> tuple[tuple[int, ...], int]:
    """
    Onset and surge, and the tick of the recovery, of accesses (tick, position, failed): an onset is
    the beginning of the accesses at which the excess never fell to 0. It was set to 0 at `since`.
    """
    found: list[int] = []
    recovery = last = max(tick for tick, _, failed in seen if failed)
    onset = [last, 1, 1]
    allowed = 4 * int((1 - slo) / 4 * UNIT)
    for reference in ((1 - slo) / 4, min(4 * (1 - slo), 0.5)):
        units, excess, first, relief = int(reference * UNIT), 0, 0, 0
        for place, (tick, _, failed) in enumerate(seen):
            excess = 0 if place == since else excess
            if failed and not excess:
                first, relief = place, 0
            relief = max(relief - UNIT + allowed, 0) if failed else relief + allowed
            if failed and not found and not relief:
                recovery = tick
            excess = max(excess + (UNIT - units if failed else -units), 0)
        if excess:
            part = seen[first:]
            onset = [part[0][0], len(part), sum(failed for *_, failed in part)]
        found += onset
    return tuple(found), recovery

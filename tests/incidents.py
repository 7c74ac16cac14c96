"""Incidents as tests need them: what they leave out is of no matter to them."""

from __future__ import annotations

from slomon.core.endpoints import Endpoint
from slomon.core.events import Change, PositionedChange
from slomon.core.incident import Candidates, Incident, IncidentStats
from slomon.core.statistics import Counts


def suspect(*changes: Change, at: int = 0, tick: int = 0) -> Candidates:
    """Changes that may have done it, of which the last stands at that position and tick."""
    positioned = [
        PositionedChange(at - back, tick - back, change)
        for back, change in enumerate(reversed(changes))
    ]
    return Candidates(tuple(reversed(positioned)), 0, Counts(0, 0), Counts(1, 1))


def make_incident(  # noqa: PLR0917 (the order in which things happen)
    endpoint: Endpoint,
    start: int,
    position: int,
    broken_by: Change | None = None,
    end: int | None = None,
    end_position: int | None = None,
    fixed_by: Change | None = None,
) -> Incident:
    """An incident of one failure; or of one and a success that closed it, or expired if none."""
    return Incident(
        *(0, endpoint, start, position, start, (1, 1), (start, 1, 1), (0, 0)),
        suspect(*[broken_by] if broken_by else []),
        IncidentStats(1 + (end_position is not None), 1, start, 1, 1, start),
        *(end, end_position),
        None if end_position is None else suspect(*[fixed_by] if fixed_by else []),
        None if end is None else start,
    )

"""
What is said about each incident (by slomon and by two plain rules), as a `Statement`: the named
commit and the probability of each commit. `NOTHING` stands for "no known change".
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from slomon.core.incident_records import IncidentRecord
from tests.worlds.truth import NOTHING
from tests.worlds.world import EPOCH, World

_CLOCK_ERROR: Final = 1e-5


@dataclass(frozen=True, slots=True)
class Statement:
    """
    * `named`: the commit that is blamed (or credited) without reservation, or None
    * `probabilities`: of commits and of `NOTHING`; empty if none are stated
    """

    named: str | None
    probabilities: Mapping[str, float] = field(default_factory=dict)


def read_blame(record: IncidentRecord) -> Statement:
    """What slomon says broke the endpoint."""
    return read_attribution(record.broken_by)


def read_credit(record: IncidentRecord) -> Statement:
    """What slomon says repaired the endpoint."""
    return read_attribution(record.fixed_by) if record.fixed_by else Statement(None)


def read_attribution(attribution: Any) -> Statement:
    """What an attribution says."""
    probabilities: dict[str, float] = {}
    suspect = attribution.candidates[-1].commit if attribution.candidates else None
    if hasattr(attribution, "unexplained"):
        probabilities[NOTHING] = attribution.unexplained
        for candidate in attribution.candidates:
            known = probabilities.get(candidate.commit, 0.0)
            probabilities[candidate.commit] = known + candidate.probability
        suspect = attribution.suspect and attribution.suspect.commit
    return Statement(suspect if attribution.verdict == "clear" else None, probabilities)


def name_newest(world: World, service: str, time: float, within: float) -> Statement:
    """The newest deploy of a service before a Unix time, if it is at most `within` seconds old."""
    own = [deploy for deploy in world.deploys if deploy.service == service]
    instant = time - EPOCH + _CLOCK_ERROR
    place = bisect_right(own, instant, key=attrgetter("time"))
    newest = own[place - 1] if place else None
    if newest is None or instant - newest.time > within:
        return Statement(None, {NOTHING: 1.0})
    return Statement(newest.commit, {newest.commit: 1.0})

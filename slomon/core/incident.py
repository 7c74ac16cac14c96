"""
What the product is about: an `Incident`, from the access that took an endpoint below its SLO to
the one that brought it back, with the commits that broke and fixed it. Or to an end in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from slomon.core.endpoint import Endpoint
from slomon.core.event import Change
from slomon.core.record import State
from slomon.core.suspicion import Suspicion


class Course(NamedTuple):
    """
    How an incident went so far: the endpoint's requests since it opened (its first and its last one
    included) and failures, the tick of the last failure, and the window as its SLI was lowest.
    """

    requests: int
    failures: int
    last_failure: int
    lowest_requests: int
    lowest_failures: int
    lowest_tick: int


@dataclass(frozen=True, slots=True)
class Incident:
    """
    `key` is the endpoint's number in the run. `start` and `end` are ticks, of the accesses at which
    the SLI was first below the SLO and first back; `start_position` and `end_position` are their
    positions in the stream. The end is None while the incident is open, as is what fixed it. One
    that ended in silence has an end at which nothing stands in the stream, and nothing fixed it.
    `onset` is the tick of the first failure that was in the window as it opened, and `before`
    are the endpoint's requests and failures until then.
    """

    key: int
    endpoint: Endpoint
    start: int
    start_position: int
    onset: int
    before: tuple[int, int]
    breaking: Suspicion
    course: Course
    end: int | None = None
    end_position: int | None = None
    fixing: Suspicion | None = None

    @property
    def broken_by(self) -> Change | None:
        """The last change of the service before it opened."""
        return self.breaking.newest

    @property
    def fixed_by(self) -> Change | None:
        """The last change of the service before it closed; None where it did not."""
        return self.fixing.newest if self.fixing else None

    @property
    def state(self) -> State:
        """Whether it is open, closed, or ended in silence: nobody is known to have repaired it."""
        if self.end is None:
            return State.OPEN
        return State.SILENT if self.fixing is None else State.CLOSED

    @property
    def duration(self) -> int | None:
        """Ticks from start to end, None while the incident is open."""
        return None if self.end is None else self.end - self.start

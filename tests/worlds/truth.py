"""
What is true of an incident: the commit that broke the endpoint, and the one that repaired it.

The truth is counterfactual. A source of failures (a fault, or the background) opened an incident if
the window would have met the SLO without its failures. It may not be decided, and such an incident
is not judged:

* several sources are in the window at the opening, and several or none of them are needed; but a
  fault that is needed beside a background that would have opened nothing alone is the source
* another source than the one that opened it made most of the requests fail that failed later
* for the repair: the fault ended so shortly before the incident that the incident would probably
  have ended without a repair (fewer than one failure was expected in between)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from tests.worlds.recording import BACKGROUND, STEPS, Recording, Traffic, to_step
from tests.worlds.world import EPOCH, Fault

NOTHING: Final = ""
"""The commit if no deploy broke or repaired the endpoint."""


@dataclass(frozen=True, slots=True)
class Truth:
    """
    The truth about an incident. `cause` and `fix` are commits or `NOTHING`, and None if undecided.
    An incident without a `fault` was opened by background failures. `fix` is None, too, while the
    incident is open. `number` is that of the fault in its world, or `BACKGROUND`.
    """

    cause: str | None
    fix: str | None
    fault: Fault | None = None
    number: int = BACKGROUND


UNDECIDED: Final = Truth(None, None)


def explain(recording: Recording, resource: str, start: float, end: float | None) -> Truth:
    """The truth about the incident of a resource from `start` to `end`, in Unix seconds."""
    traffic = recording.traffic[resource]
    opened = to_step(start - EPOCH)
    closed = None if end is None else to_step(end - EPOCH)
    source = _find_source(traffic, opened)
    if source is None:
        return UNDECIDED
    window = traffic.endpoint.window * STEPS
    until = opened + window if closed is None else closed
    failures = Counter(traffic.list_sources(opened - window, until))
    if failures[source] * 2 < failures.total():
        return UNDECIDED
    if source == BACKGROUND:
        return Truth(NOTHING, None if closed is None else NOTHING)
    fault = recording.world.faults[source]
    fix = None if closed is None else _find_fix(traffic, fault, closed)
    return Truth(fault.cause, fix, fault, source)


def _find_source(traffic: Traffic, opened: int) -> int | None:
    """The source that opened an incident."""
    after = opened - traffic.endpoint.window * STEPS
    requests = traffic.count_requests(after, opened)
    failures = Counter(traffic.list_sources(after, opened))
    if len(failures) == 1:
        return next(iter(failures))
    slo = traffic.endpoint.slo
    needed = [
        source
        for source, count in failures.items()
        if (requests - failures.total() + count) / requests >= slo
    ]
    if len(needed) == 1:
        return needed[0]
    # Each was needed, as when one failure of two opens it: the background alone opens nothing.
    faults = [source for source in failures if source != BACKGROUND]
    background_suffices = (requests - failures[BACKGROUND]) / requests < slo
    return faults[0] if len(faults) == 1 and not background_suffices else None


def _find_fix(traffic: Traffic, fault: Fault, closed: int) -> str | None:
    end = to_step(fault.end)
    if end > closed:
        return NOTHING
    if not fault.fix:
        return NOTHING
    expected = traffic.count_requests(end, closed) * fault.severity
    return fault.fix if expected >= 1 else None

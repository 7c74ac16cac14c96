"""
Attribution: which change broke an endpoint, which change fixed it, and how probable that is.

    change A          onset           change B      SLI crosses the SLO
       |                x                |             v
    ---+----------------+----------------+-------------+------>  position in the stream
       B came too late to be the cause; that it is the newest change says nothing

`break` and `fix` of the contract stay the last change before the crossing. The probabilities rest
on when the failures really began and ended: see `core.cases` and `core.causes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum
from operator import attrgetter
from typing import Final, NamedTuple

from slomon.core.cases import make_cases, study_changes
from slomon.core.causes import Finding, find_causes
from slomon.core.events import PositionedChange
from slomon.core.faults import Case
from slomon.core.incident import Candidates, Incident
from slomon.core.statistics import Comparison, compare
from slomon.core.ticks import to_seconds

CLEAR_FROM: Final = 0.9
LIKELY_FROM: Final = 0.5
_DIGITS: Final = 6  # of a probability


class Verdict(StrEnum):
    """
    How sure it is that the most probable candidate is the cause.

    * `clear`: its probability is at least 0.9
    * `likely`: its probability is at least 0.5
    * `ambiguous`: no probability is that high, but that of a candidate is above that of no known
      change
    * `unexplained`: no known change is the most probable
    * `none`: no change is known
    """

    CLEAR = "clear"
    LIKELY = "likely"
    AMBIGUOUS = "ambiguous"
    UNEXPLAINED = "unexplained"
    NONE = "none"


class Candidate(NamedTuple):  # there may be millions: a data class takes twice as long
    """
    A change that may have broken or fixed an endpoint.

    * `age`: seconds from the change to the crossing; 0 if the endpoint's clock is behind the
      change's
    * `delay`: seconds from the change to the onset, or to the last failure before the recovery;
      negative if the change came later
    * `probability`: that it is the cause
    """

    commit: str
    author: str
    date: str
    age: float
    delay: float = 0.0
    probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Attribution:
    """
    Which change broke an endpoint, or fixed it.

    * `candidates`: the changes around the onset (or the recovery) and until the crossing, in stream
      order. The last one is the contract's change
    * `unexplained`: the probability that no known change is the cause, or that the endpoint
      recovered by itself
    * `omitted`: how many further candidates are not listed
    * `evidence`: the endpoint's requests before and after the last candidate; None if it had none
      before or none after
    """

    verdict: Verdict
    candidates: tuple[Candidate, ...] = ()
    omitted: int = 0
    evidence: Comparison | None = None
    unexplained: float = 1.0

    @property
    def newest(self) -> Candidate | None:
        """The last candidate; None if there is none."""
        return self.candidates[-1] if self.candidates else None

    @property
    def commit(self) -> str:
        """The contract's commit: the last change before the crossing, "" if there was none."""
        return self.newest.commit if self.newest else ""

    @property
    def suspect(self) -> Candidate | None:
        """The most probable candidate, the later one of two; None if no candidate is possible."""
        most = max(reversed(self.candidates), key=_probability, default=None)
        return most if most and most.probability else None


_NO_CANDIDATE: Final = Attribution(Verdict.NONE)


class Attributed(NamedTuple):
    """
    An incident's cause and repair. `onset_error` and `recovery_error` are the mean seconds by which
    the failures began before the onset, and ended after the recovery.
    """

    broken_by: Attribution
    fixed_by: Attribution | None
    onset_error: float
    recovery_error: float | None


def attribute(
    incidents: Sequence[Incident],
    deploys: Iterable[PositionedChange],
    *,
    services: int,
    span: tuple[int, int],
    stale_after: int,
) -> list[Attributed]:
    """
    The attribution of each incident, in their order, which must be that of the stream.

    * `deploys`: the changes of the run
    * `services`: the number of services that have an endpoint
    * `span`: the ticks at which the run began and ended
    * `stale_after`: a change more than this number of ticks before an onset did not cause it
    """
    began, ended = span
    deployments = study_changes(incidents, deploys, began)
    cases = make_cases(incidents, deployments, began, stale_after)
    in_order = sorted(dict.fromkeys(cases), key=attrgetter("onset"))
    found = find_causes(in_order, deployments, services, to_seconds(max(ended - began, 0)))
    findings = dict(zip(in_order, found, strict=True))
    return [
        _attribute(incident, case, findings[case], began)
        for incident, case in zip(incidents, cases, strict=True)
    ]


def _attribute(incident: Incident, case: Case, finding: Finding, began: int) -> Attributed:
    causes, fixes = finding
    broken_by = _describe(incident.breaking, causes, incident.start, incident.onset, began)
    fixed_by = None
    if incident.fixing is not None and incident.end is not None:
        recovery = incident.onset if incident.recovery is None else incident.recovery
        fixed_by = _describe(incident.fixing, fixes, incident.end, recovery, began)
    onset_error = round(case.error, _DIGITS)
    recovery_error = None if incident.recovery is None else onset_error
    return Attributed(broken_by, fixed_by, onset_error, recovery_error)


def _describe(
    candidates: Candidates,
    probabilities: Mapping[int, float],
    crossed_at: int,
    moved_at: int,
    began: int,
) -> Attribution:
    if not candidates.changes:
        return _NO_CANDIDATE
    listed, shares = [], []
    for one in candidates.changes:
        position, tick, change = one.date(began)
        share = round(probabilities[position], _DIGITS) if position in probabilities else 0.0
        age, delay = to_seconds(max(crossed_at - tick, 0)), to_seconds(moved_at - tick)
        listed.append(Candidate(change.commit, change.author, change.date, age, delay, share))
        shares.append(share)
    unexplained = round(max(1 - fsum(shares), 0.0), _DIGITS)
    evidence = compare(candidates.before, candidates.after)
    verdict = _judge(shares, unexplained)
    return Attribution(verdict, tuple(listed), candidates.omitted, evidence, unexplained)


def _judge(probabilities: Sequence[float], unexplained: float) -> Verdict:
    most = max(probabilities)
    if most >= CLEAR_FROM:
        return Verdict.CLEAR
    if most >= LIKELY_FROM:
        return Verdict.LIKELY
    return Verdict.AMBIGUOUS if most > unexplained else Verdict.UNEXPLAINED


def _probability(candidate: Candidate) -> float:
    return candidate.probability

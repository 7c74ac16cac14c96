"""
Attribution: which change broke an endpoint (`blame`), which change fixed it (`credit`), and how
sure that is.

The commit is always the contract's: the last change of the service before the crossing. The verdict
says how far to trust it. It rests on the candidates, because the SLI of a window lags behind the
failures, and on a comparison of the failure rates before and after the newest candidate.

    change A        first failure    change B      SLI crosses the SLO
       |                  x             |             v
    ---+------------------+-------------+-------------+------>  position in the stream
       A and B are the candidates; B is the commit; requests before and after B are the evidence
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from slomon.core.events import PositionedChange
from slomon.core.incident import Candidates, Incident
from slomon.core.statistics import Comparison, compare
from slomon.core.ticks import to_seconds


class Verdict(StrEnum):
    """
    How sure it is that the newest candidate caused the crossing.

    * `clear`: it is the only candidate and no evidence speaks against it; or several are, but the
      endpoint met its SLO until the newest one came, and the failure rate rose with it
    * `ambiguous`: one of several candidates may be the cause, or the failure rates before and after
      the newest one can't be told apart
    * `stale`: it is older than a change that breaks something usually is
    * `none`: no known change can be the cause
    """

    CLEAR = "clear"
    AMBIGUOUS = "ambiguous"
    STALE = "stale"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    A change that may have caused a crossing. `age` is the time in seconds from the change to the
    crossing; 0 if the endpoint's clock is behind the change's.
    """

    commit: str
    author: str
    date: str
    age: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """
    Which change broke an endpoint, or fixed it.

    * `candidates`: the change that was the newest when the failures began (or ended), and all later
      ones until the crossing, in stream order. Stale changes are left out, but for the newest: the
      last candidate is the contract's change
    * `omitted`: how many further candidates are not listed
    * `evidence`: the endpoint's requests before and after the last candidate; None if it had none
      before or none after
    """

    verdict: Verdict
    candidates: tuple[Candidate, ...] = ()
    omitted: int = 0
    evidence: Comparison | None = None

    @property
    def newest(self) -> Candidate | None:
        """The last candidate; None if there is none."""
        return self.candidates[-1] if self.candidates else None

    @property
    def commit(self) -> str:
        """The contract's commit: the last change before the crossing, "" if there was none."""
        return self.newest.commit if self.newest else ""


def blame(incident: Incident, stale_after: int) -> Attribution:
    """
    Attribute the start of an incident: which change broke the endpoint.

    The verdict is `stale` if the newest candidate is older than `stale_after` ticks. It is `clear`
    if the failure rate rose with the newest candidate, and either there is no other candidate, or
    the endpoint met its SLO between the last two: a few failures are in most windows, and they did
    no harm until the newest change. Without evidence, a single candidate is `clear`.
    """
    candidates, crossed_at = incident.breaking, incident.start
    evidence = _compare(candidates)
    changes = _without_stale(candidates.changes, crossed_at, stale_after)
    if evidence is None:
        clear = len(changes) == 1
    else:
        met_slo_before = evidence.before.meets(incident.endpoint.slo)
        clear = evidence.rose and (met_slo_before or len(changes) == 1)
    verdict = _find_verdict(changes, crossed_at, stale_after, clear=clear)
    return _attribute(verdict, changes, _omitted(candidates, changes), evidence, crossed_at)


def credit(incident: Incident, stale_after: int) -> Attribution | None:
    """
    Attribute the end of an incident: which change fixed the endpoint. None if it is not closed.

    A change before the incident opened did not fix it, with one exception: the newest candidate
    did, if it came after the first failure and the failure rate fell with it. The SLI lags, so a
    fix that is deployed at once may come before the incident opens. If no candidate remains, the
    verdict is `none`, and the contract's change alone is listed.
    """
    candidates, crossed_at = incident.fixing, incident.end
    if candidates is None or crossed_at is None:
        return None
    evidence = _compare(candidates)
    changes = [one for one in candidates.changes if one.position > incident.start_position]
    if not changes and evidence is not None and evidence.fell:
        changes = [one for one in candidates.changes[-1:] if one.tick >= incident.onset]
    if not changes:
        return _attribute(Verdict.NONE, candidates.changes[-1:], 0, evidence, crossed_at)
    changes = _without_stale(changes, crossed_at, stale_after)
    clear = len(changes) == 1 and (evidence is None or evidence.fell)
    verdict = _find_verdict(changes, crossed_at, stale_after, clear=clear)
    return _attribute(verdict, changes, _omitted(candidates, changes), evidence, crossed_at)


def _without_stale(
    changes: Sequence[PositionedChange], crossed_at: int, stale_after: int
) -> list[PositionedChange]:
    """The changes that are not stale, and the newest one in any case: it is the contract's."""
    recent = [one for one in changes[:-1] if crossed_at - one.tick <= stale_after]
    return [*recent, *changes[-1:]]


def _omitted(candidates: Candidates, changes: Sequence[PositionedChange]) -> int:
    """
    How many unlisted candidates come before these changes. If any candidate was left out, the
    unlisted ones, which are older, are left out for the same reason.
    """
    return candidates.omitted if len(changes) == len(candidates.changes) else 0


def _find_verdict(
    changes: Sequence[PositionedChange], crossed_at: int, stale_after: int, *, clear: bool
) -> Verdict:
    if not changes:
        return Verdict.NONE
    if crossed_at - changes[-1].tick > stale_after:
        return Verdict.STALE
    return Verdict.CLEAR if clear else Verdict.AMBIGUOUS


def _compare(candidates: Candidates) -> Comparison | None:
    return compare(candidates.before, candidates.after) if candidates.changes else None


def _attribute(
    verdict: Verdict,
    changes: Sequence[PositionedChange],
    omitted: int,
    evidence: Comparison | None,
    crossed_at: int,
) -> Attribution:
    candidates = tuple(
        Candidate(
            *(one.change.commit, one.change.author, one.change.date),
            age=to_seconds(max(0, crossed_at - one.tick)),
        )
        for one in changes
    )
    return Attribution(verdict, candidates, omitted, evidence)

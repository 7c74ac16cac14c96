"""Who broke an endpoint, and who fixed it: the contract's newest change, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from slomon.core.events import PositionedChange
from slomon.core.incident import Candidates, Incident
from slomon.core.statistics import Comparison, compare
from slomon.core.ticks import to_seconds


def blame(incident: Incident, stale_after: int) -> Attribution:
    """
    Which change broke the endpoint. It is stale if it is older than so many ticks, and ambiguous
    if the failure rate did not rise with it, or if another one came between the first failure and
    the opening and the endpoint did not meet its SLO between the two: failures are in most windows,
    and until the newest change they did no harm then.
    """
    candidates, opened = incident.breaking, incident.start
    evidence = _compare(candidates)
    changes = _leave_out_stale(candidates.changes, opened, stale_after)
    if evidence is None:
        clear = len(changes) == 1
    else:
        met = evidence.before.meets(incident.endpoint.slo)
        clear = evidence.rose and (met or len(changes) == 1)
    verdict = _judge(changes, opened, stale_after, clear=clear)
    return _attribute(verdict, changes, _omitted(candidates, changes), evidence, opened)


def credit(incident: Incident, stale_after: int) -> Attribution | None:
    """
    Which change fixed it; None while it is open. What was there as it broke fixed nothing, unless
    it came after the first failure and the failure rate fell with it: a window lags, and a fix that
    is deployed at once stands before the opening. Where there is no such change, the verdict is
    none, and the contract's commit alone is shown.
    """
    candidates, end = incident.fixing, incident.end
    if candidates is None or end is None:
        return None
    evidence = _compare(candidates)
    since = [one for one in candidates.changes if one.position > incident.start_position]
    if not since and evidence is not None and evidence.fell:
        since = [one for one in candidates.changes[-1:] if one.tick >= incident.onset]
    if not since:
        return _attribute(Verdict.NONE, candidates.changes[-1:], 0, evidence, end)
    since = _leave_out_stale(since, end, stale_after)
    clear = len(since) == 1 and (evidence is None or evidence.fell)
    verdict = _judge(since, end, stale_after, clear=clear)
    return _attribute(verdict, since, _omitted(candidates, since), evidence, end)


def _leave_out_stale(
    changes: Sequence[PositionedChange], crossed: int, stale_after: int
) -> list[PositionedChange]:
    """Without those that are too old to have done it, but for the newest, the contract's."""
    young = [one for one in changes[:-1] if crossed - one.tick <= stale_after]
    return [*young, *changes[-1:]]


def _omitted(candidates: Candidates, changes: Sequence[PositionedChange]) -> int:
    """How many are left out before these: those before any that is left out are so as well."""
    return candidates.omitted if len(changes) == len(candidates.changes) else 0


def _judge(
    changes: Sequence[PositionedChange], crossed: int, stale_after: int, *, clear: bool
) -> Verdict:
    if not changes:
        return Verdict.NONE
    if crossed - changes[-1].tick > stale_after:
        return Verdict.STALE
    return Verdict.CLEAR if clear else Verdict.AMBIGUOUS


def _compare(candidates: Candidates) -> Comparison | None:
    return compare(candidates.before, candidates.after) if candidates.changes else None


def _attribute(
    verdict: Verdict,
    changes: Sequence[PositionedChange],
    omitted: int,
    evidence: Comparison | None,
    crossed: int,
) -> Attribution:
    candidates = tuple(
        Candidate(
            *(one.change.commit, one.change.author, one.change.date),
            age=to_seconds(max(0, crossed - one.tick)),
        )
        for one in changes
    )
    return Attribution(verdict, candidates, omitted, evidence)


class Verdict(StrEnum):
    """
    How sure it is that the newest change did it.

    * `clear`: it is the only candidate and nothing speaks against it, or the endpoint met its SLO
      until it came, and broke with it
    * `ambiguous`: several candidates may have done it, or the endpoint's failure rate before and
      after it can't be told apart
    * `stale`: it is older than a deploy that breaks something usually is
    * `none`: no change is known that could have done it
    """

    CLEAR = "clear"
    AMBIGUOUS = "ambiguous"
    STALE = "stale"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    A change that may have done it; `age` is the time from it until the SLI crossed the SLO, and 0
    where the endpoint's clock is behind the change's.
    """

    commit: str
    author: str
    date: str
    age: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """
    Which change broke an endpoint, or fixed it. A window lags behind what happens: so candidates
    are the change that was the newest when the failures began, or ended, and all that came until
    the SLI crossed the SLO, without stale ones but for the newest. They stand in the order of the
    stream, the contract's is the last one; `omitted` counts those that are not shown. `evidence`
    compares the endpoint's requests before the last one and after it, where there are any of both.
    """

    verdict: Verdict
    candidates: tuple[Candidate, ...] = ()
    omitted: int = 0
    evidence: Comparison | None = None

    @property
    def newest(self) -> Candidate | None:
        """The last candidate, None where there is none."""
        return self.candidates[-1] if self.candidates else None

    @property
    def commit(self) -> str:
        """The contract's: the last change before the crossing, "" where there was none."""
        return self.newest.commit if self.newest else ""

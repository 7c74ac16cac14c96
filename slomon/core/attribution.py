"""
Who broke an endpoint, and who fixed it: the contract's newest change, and how sure that is.
"""

from __future__ import annotations

from collections.abc import Sequence

from slomon.core.comparison import Comparison, compare
from slomon.core.event import Placed
from slomon.core.incident import Incident
from slomon.core.record import Attribution, Candidate, Verdict
from slomon.core.suspicion import Suspicion
from slomon.core.tick import to_seconds


def blame(incident: Incident, stale_after: int) -> Attribution:
    """
    Which change broke the endpoint. It is stale if it is older than so many ticks, and ambiguous
    if another one came between the first failure and the opening, or if the failure rate did not
    rise with it.
    """
    suspicion = incident.breaking
    evidence = _compare(suspicion)
    supported = evidence is None or evidence.rose
    verdict = _judge(suspicion.suspects, incident.start, stale_after, supported=supported)
    return _attribute(verdict, suspicion.suspects, suspicion.earlier, evidence, incident.start)


def credit(incident: Incident, stale_after: int) -> Attribution | None:
    """
    Which change fixed it, by the same rules; None while it is open. What was there as it broke
    fixed nothing: where no change came since, the verdict is none, and the contract's commit alone
    is shown.
    """
    suspicion, end = incident.fixing, incident.end
    if suspicion is None or end is None:
        return None
    evidence = _compare(suspicion)
    since = [one for one in suspicion.suspects if one.position > incident.start_position]
    if not since:
        return _attribute(Verdict.NONE, suspicion.suspects[-1:], 0, evidence, end)
    supported = evidence is None or evidence.fell
    verdict = _judge(since, end, stale_after, supported=supported)
    earlier = suspicion.earlier if len(since) == len(suspicion.suspects) else 0
    return _attribute(verdict, since, earlier, evidence, end)


def _judge(
    suspects: Sequence[Placed], crossed: int, stale_after: int, *, supported: bool
) -> Verdict:
    if not suspects:
        return Verdict.NONE
    if crossed - suspects[-1].tick > stale_after:
        return Verdict.STALE
    return Verdict.CLEAR if len(suspects) == 1 and supported else Verdict.AMBIGUOUS


def _compare(suspicion: Suspicion) -> Comparison | None:
    return compare(suspicion.before, suspicion.after) if suspicion.suspects else None


def _attribute(
    verdict: Verdict,
    suspects: Sequence[Placed],
    earlier: int,
    evidence: Comparison | None,
    crossed: int,
) -> Attribution:
    candidates = tuple(
        Candidate(
            *(one.change.commit, one.change.author, one.change.date),
            age=to_seconds(max(0, crossed - one.tick)),
        )
        for one in suspects
    )
    return Attribution(verdict, candidates, earlier, evidence)

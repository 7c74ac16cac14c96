"""
Outages and causes in words, the same in the terminal report, the page and the JSON answer.

The costliest outage comes first: the one with the most failed requests, then the longest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from slomon.core.attribution import Attribution, Verdict
from slomon.core.endpoints import EndpointName
from slomon.core.outages import Outage
from slomon.dates import show_seconds

if TYPE_CHECKING:
    from slomon.core.summary import Summary

NO_CHANGE: Final = "no known change"
BY_ITSELF: Final = "recovered by itself"
BUDGET: Final = "the run's error budget"
"""The failures that the SLOs allow among all requests of the outage's services in the run."""

_EXPLAINED: Final = (Verdict.CLEAR, Verdict.LIKELY, Verdict.AMBIGUOUS)
_HASH: Final = re.compile("[0-9a-f]{40,}")
_SHORT_HASH: Final = 8  # characters


@dataclass(frozen=True, slots=True)
class Cost:
    """What an outage cost until now. `seconds` are those until the end of the run if it is open."""

    outage: Outage
    cause: Attribution
    seconds: float

    @property
    def commit(self) -> str:
        """The most probable cause; "" if that is no known change."""
        return name_suspect(self.cause)


def rank_outages(summary: Summary) -> list[Cost]:
    """The outages of a run, the costliest first."""
    return _rank(summary.outages, summary.ended)


def describe_cost(cost: Cost) -> str:
    """The cost of an outage in one sentence, without a full stop."""
    outage, cause = cost.outage, cost.cause
    subject = f"Commit {name_commit(cost.commit)}"
    if not cost.commit:
        subject = f"An outage of {_join(outage.services)}, by {NO_CHANGE},"
    elif cause.verdict is not Verdict.CLEAR:
        by = f"{_doubt(cause)} by commit {name_commit(cost.commit)}"
        subject = f"An outage of {_join(outage.services)}, {by},"
    verb = "cost" if outage.end is not None else "has cost so far"
    noun = "request" if outage.failures == 1 else "requests"
    parts = [show_seconds(cost.seconds), f"{outage.failures:,} failed {noun}"]
    if outage.error_budget_consumed is not None:
        of = "of " if outage.error_budget_consumed <= 1 else ""
        parts.append(f"{show_budget(outage)} {of}{BUDGET}")
    return f"{subject} {verb} {', '.join(parts[:-1])} and {parts[-1]}"


def show_budget(outage: Outage) -> str:
    """
    The share of the error budget that an outage consumed, "1.4 times" if it is more than all of it;
    "-" if the SLOs allow no failures.
    """
    share = outage.error_budget_consumed
    if share is None:
        return "-"
    if share > 1:
        return f"{share:,.0f} times" if share >= 10 else f"{share:.2g} times"
    return f"{100 * share:,.0f} %" if share >= 0.1 or not share else f"{100 * share:.2g} %"


def name_suspect(attribution: Attribution) -> str:
    """The most probable change; "" if no known change is more probable."""
    suspect = attribution.suspect
    return suspect.commit if suspect and attribution.verdict in _EXPLAINED else ""


def show_probability(attribution: Attribution) -> str:
    """The probability of what is shown as the cause: the suspect, or no known change."""
    suspect = attribution.suspect
    explained = bool(name_suspect(attribution))
    # Rounded down, so that a verdict below `clear` never reads as 0.90.
    probability = suspect.probability if suspect and explained else attribution.unexplained
    return f"{int(100 * round(probability, 6) + 1e-6) / 100:.2f}"


def name_endpoint(service: str, verb: str, resource: str) -> str:
    """The endpoint's request, after the service's name if that is another text."""
    request = f"{verb} {resource}"
    return request if service == request else f"{service}: {request}"


def name_commit(commit: str) -> str:
    """The first characters of a hash; a tag or a version is shown as it is."""
    return commit[:_SHORT_HASH] if _HASH.fullmatch(commit) else commit


def outage_documents(outages: Iterable[Outage], ended: float) -> Iterator[dict[str, object]]:
    """
    The outages of a run as JSON, the costliest first. Times are seconds since the epoch, as that of
    the run's end, `ended`; what is not known is None. `error_budget_consumed` is the share of the
    failures that the SLOs allow among all requests of these services in the run.
    """
    for cost in _rank(outages, ended):
        outage, cause = cost.outage, cost.cause
        suspect = cause.suspect if cost.commit else None
        yield {
            "summary": describe_cost(cost),
            "commit": cost.commit,
            "author": suspect.author if suspect else "",
            "verdict": str(cause.verdict),
            "probability": suspect.probability if suspect else None,
            "unexplained": cause.unexplained,
            "services": list(outage.services),
            "endpoints": [_document(one) for one in outage.endpoints],
            "start": outage.start,
            "end": outage.end,
            "duration": outage.duration,
            "failures": outage.failures,
            "error_budget_consumed": outage.error_budget_consumed,
            "incidents": [one.id for one in outage.incidents],
        }


def _rank(outages: Iterable[Outage], ended: float) -> list[Cost]:
    found = [_add_up(outage, ended) for outage in outages]
    return sorted(found, key=lambda one: (-one.outage.failures, -one.seconds, one.outage.start))


def _add_up(outage: Outage, ended: float) -> Cost:
    seconds = max(0.0, ended - outage.start) if outage.duration is None else outage.duration
    return Cost(outage, _find_cause(outage), seconds)


def _find_cause(outage: Outage) -> Attribution:
    """The attribution with the most probable suspect among the incidents of an outage."""

    def weigh(attribution: Attribution) -> float:
        return attribution.suspect.probability if attribution.suspect else 0.0

    return max((one.broken_by for one in outage.incidents), key=weigh)


def _doubt(cause: Attribution) -> str:
    word = "probably" if cause.verdict is Verdict.LIKELY else "possibly"
    return f"{word} ({show_probability(cause)})"


def _document(endpoint: EndpointName) -> dict[str, str]:
    return dict(zip(("service", "verb", "resource"), endpoint, strict=True))


def _join(names: Iterable[str]) -> str:
    first, *others = names
    return f"{first} and {len(others)} more" if others else first

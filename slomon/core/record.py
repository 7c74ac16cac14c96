"""
What is known of one incident, as plain values: the form in which incidents leave slomon.

Times are seconds since the epoch, durations and ages seconds, rates and shares numbers from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from slomon.core.comparison import Comparison
from slomon.core.endpoint import EndpointName

SCHEMA: Final = 1
"""The version of this form, as it is written to files: it rises when the form changes."""


class State(StrEnum):
    """Of an incident: `silent` is one that ended as its endpoint had no more traffic."""

    OPEN = "open"
    CLOSED = "closed"
    SILENT = "silent"


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
    stream, the contract's is the last one; `earlier` counts those that are not shown. `evidence`
    compares the endpoint's requests before the last one and after it, where there are any of both.
    """

    verdict: Verdict
    candidates: tuple[Candidate, ...] = ()
    earlier: int = 0
    evidence: Comparison | None = None

    @property
    def newest(self) -> Candidate | None:
        """The last candidate, None where there is none."""
        return self.candidates[-1] if self.candidates else None

    @property
    def commit(self) -> str:
        """The contract's: the last change before the crossing, "" where there was none."""
        return self.newest.commit if self.newest else ""


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """
    One incident.

    * `id`: the same in each run over the same events: made of the endpoint, and of the position and
      the time at which it opened
    * `end`, `duration` and `fixed_by` are None while it is open, and of a silent one `fixed_by` is
    * `onset`: the first failure that was in the window as it opened; `last_failure`: the last one
      until it ended
    * `requests` and `failures` while it lasted: from the access that opened it to the one that
      closed it, both included, or to the last one before the silence
    * `lowest_sli` of the window while it lasted, and when that was first reached
    * `burn_rate`: failures per request while it lasted, over the share that the SLO allows (Google
      SRE Workbook, chapter 5); `error_budget_burnt`: those failures as a share of all that the SLO
      allows of the endpoint's requests in the whole run. Both are None for an SLO of 1, which
      allows none
    * `together`: other services of which an endpoint broke within a minute of this one, ten at
      most: one cause upstream is likelier than many
    """

    id: str
    service: str
    verb: str
    resource: str
    slo: float
    window: float
    state: State
    start: float
    end: float | None
    duration: float | None
    onset: float
    last_failure: float
    requests: int
    failures: int
    lowest_sli: float
    lowest_sli_at: float
    burn_rate: float | None
    error_budget_burnt: float | None
    broken_by: Attribution
    fixed_by: Attribution | None
    together: tuple[str, ...] = ()

    @property
    def endpoint(self) -> EndpointName:
        """The endpoint that broke."""
        return self.service, self.verb, self.resource

    @property
    def successes(self) -> int:
        """The requests while it lasted that did not fail."""
        return self.requests - self.failures

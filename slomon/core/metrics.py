"""Figures of a run, of one service or of one endpoint: repair, detection, budget and deploys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slomon.core.endpoints import EndpointName


@dataclass(frozen=True, slots=True)
class EndpointTotal:
    """An endpoint, and all its requests in the run. `window` in seconds."""

    service: str
    verb: str
    resource: str
    slo: float
    window: float
    requests: int
    failures: int

    @property
    def endpoint(self) -> EndpointName:
        """The endpoint itself."""
        return self.service, self.verb, self.resource


@dataclass(frozen=True, slots=True)
class Deploy:
    """A change, and when it stands in the stream, in seconds since the epoch."""

    service: str
    commit: str
    author: str
    date: str
    at: float


@dataclass(frozen=True, slots=True)
class Repair:
    """
    Seconds to repair over the closed incidents; None where none closed. `closed` and `open` count
    incidents: open ones are in none of the times, and expired ones neither (nobody repaired them).

    Here and in all figures a median or p90 that falls between two values lies on the line between
    them: the median of an even number is the mean of the middle two, as everybody expects, and
    pandas, NumPy and spreadsheets (PERCENTILE.INC) give the same of the same incidents.
    """

    closed: int
    open: int
    expired: int
    mean: float | None
    median: float | None
    p90: float | None
    longest: float | None


@dataclass(frozen=True, slots=True)
class DoraMetrics:
    """
    The DORA measures that this data carries, as https://dora.dev/guides/dora-metrics/ defines them
    and chapter 2 of "Accelerate" (Forsgren, Humble and Kim, 2018) does under their older names.

    * `deployments`: changes from the run's first access to its last, those of every service among
      them; `frequency`: those a
      day (DORA: "the number of deployments over a given period"), None of a run of less than an
      hour, which says nothing of a day
    * `failed`: deployments to which an incident is attributed, clearly or ambiguously, as the
      newest candidate, or as the one before it where the failure rate fell with the newest;
      `change_failure_rate`: their share, None where there were none at all (DORA: "the ratio of
      deployments that require immediate intervention"). A deployment that broke several endpoints
      failed once; one of every service failed for those that it broke
    * `recovery_time`: the median of seconds from a failed deployment's incident's start to its end
      (DORA: "the time it takes to recover from a deployment that fails"; mean time to restore in
      "Accelerate"). Each of its incidents is in it if closed: endpoints recover one by one

    DORA asks people what their deployments needed. Here a deployment is any change that the stream
    has, and it failed if an SLO was missed and the change is what probably did it: a rollback
    before that is not seen. Incidents that no change did are left out, as DORA does since 2023
    (https://dora.dev/guides/dora-metrics/history/); of a commit that was deployed several times,
    only that deployment failed which is a candidate. The change lead time and the rework rate are
    not here: neither when a change was committed nor why it was deployed is known.
    """

    deployments: int
    frequency: float | None
    failed: int
    change_failure_rate: float | None
    recovery_time: float | None


@dataclass(frozen=True, slots=True)
class Budget:
    """
    The error budget over the run: how many failures the SLOs allow of the requests that there were,
    how many there were, and the share that is left (negative where it is overspent; None where
    none are allowed). An SLO is taken as it is written: 0.999 allows exactly 1 of 1000.
    """

    requests: int
    failures: int
    allowed: float
    left: float | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """
    Of a run (`service` is None) or of one service. `detection` is the median of seconds from the
    change that broke an endpoint, where that is not stale, to the opening of the first incident
    that it made there; None where no change broke any.
    """

    service: str | None
    incidents: int
    repair: Repair
    detection: float | None
    budget: Budget
    delivery: DoraMetrics


@dataclass(frozen=True, slots=True)
class RankingEntry:
    """How many incidents an endpoint, an author or a commit has, and how long these lasted."""

    name: str
    incidents: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """
    Each in falling order of incidents, then of seconds, then by name. An endpoint's name is
    "GET /cart", and "GET /cart (shop)" where another service has one too. Authors and commits are
    those that `blame` names: incidents without one are in neither list.
    """

    by_endpoint: Sequence[RankingEntry]
    by_author: Sequence[RankingEntry]
    by_commit: Sequence[RankingEntry]

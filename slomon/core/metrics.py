"""
The metrics of a run or of one service: repair, detection, error budget, DORA metrics and rankings.
These are the types; `core.aggregation` computes their values. The contract's `mttr()`, which is
rounded, is `core.service_monitor`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deploy:
    """A change; `at` is its time in the stream, in seconds since the epoch."""

    service: str
    commit: str
    author: str
    date: str
    at: float


@dataclass(frozen=True, slots=True)
class Repair:
    """
    Time to repair, in seconds, over the closed incidents; None if none closed. `closed`, `open` and
    `expired` count incidents. Open incidents are in none of the times, and neither are expired
    ones, because nobody repaired them.

    Here and in all metrics, a median or p90 that falls between two values is interpolated linearly,
    as in pandas, NumPy and spreadsheets (PERCENTILE.INC). So the median of an even number of values
    is the mean of the middle two.
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
    The DORA metrics that follow from accesses and changes, as defined by
    https://dora.dev/guides/dora-metrics/, and under older names by chapter 2 of "Accelerate"
    (Forsgren, Humble and Kim, 2018).

    * `deployments`: changes from the run's first access to its last, including changes of every
      service
    * `frequency`: deployments per day (DORA: "the number of deployments over a given period"); None
      if the run is shorter than an hour, which says nothing about a day
    * `failed`: deployments that are the clear or likely cause of an incident. A deployment that
      broke several endpoints failed once. A change of every service failed for the services whose
      endpoints it broke
    * `change_failure_rate`: failed / deployments (DORA: "the ratio of deployments that require
      immediate intervention"); None if there were no deployments
    * `recovery_time`: the median duration, in seconds, of the closed incidents of failed
      deployments (DORA: "the time it takes to recover from a deployment that fails"; mean time to
      restore in "Accelerate"). Each incident counts, because endpoints recover one by one

    DORA asks people what their deployments needed. Here every change in the stream is a deployment,
    and a deployment failed if an SLO was missed and the change is the probable cause. A rollback
    before an SLO is missed goes unseen. Incidents that no change caused are left out, as in DORA
    since 2023 (https://dora.dev/guides/dora-metrics/history/). If a commit was deployed several
    times, only the deployment that is a candidate failed. The change lead time and the rework rate
    are missing: the stream says neither when a change was committed nor why it was deployed.
    """

    deployments: int
    frequency: float | None
    failed: int
    change_failure_rate: float | None
    recovery_time: float | None


@dataclass(frozen=True, slots=True)
class Budget:
    """
    The error budget over the run.

    * `allowed`: how many of the requests the SLOs allow to fail. An SLO counts as it is written:
      0.999 allows exactly 1 of 1000
    * `left`: the share of the allowed failures that is left; negative if there were more failures,
      None if none are allowed
    """

    requests: int
    failures: int
    allowed: float
    left: float | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """
    The metrics of a run (`service` is None) or of one service. `detection` is the median time, in
    seconds, from a change that is the clear or likely cause to the start of the first
    incident that it caused there; None if no change broke an endpoint.
    """

    service: str | None
    incidents: int
    repair: Repair
    detection: float | None
    budget: Budget
    delivery: DoraMetrics


@dataclass(frozen=True, slots=True)
class RankingEntry:
    """The number of incidents of an endpoint, an author or a commit, and how long they lasted."""

    name: str
    incidents: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """
    Incidents by endpoint, author and commit, each in descending order of incidents, then of
    seconds, then by name. An endpoint's name is "GET /cart", or "GET /cart (shop)" if another
    service has the same verb and resource. Authors and commits are those of the change to which an
    incident is attributed; other incidents are in neither list.
    """

    by_endpoint: Sequence[RankingEntry]
    by_author: Sequence[RankingEntry]
    by_commit: Sequence[RankingEntry]

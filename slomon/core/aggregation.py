"""The metrics of a run, computed from its incidents, its endpoints' requests and its deploys."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import fsum, lcm
from typing import Final, NamedTuple, TypeVar

from slomon.core.attribution import Candidate, Verdict
from slomon.core.events import EVERY_SERVICE
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.metrics import (
    Budget,
    Deploy,
    DoraMetrics,
    Metrics,
    Ranking,
    RankingEntry,
    Repair,
)
from slomon.core.totals import EndpointTotal

T = TypeVar("T")
K = TypeVar("K")

_DAY: Final = 86_400  # seconds
_HOUR: Final = 3600
_ATTRIBUTED: Final = (Verdict.CLEAR, Verdict.LIKELY)
_NO_REPAIR: Final = Repair(0, 0, 0, None, None, None, None)


class AssignedDeploy(NamedTuple):
    """
    An incident, the change to which it is attributed (None if there is none), and the deployment of
    that change (None if it was before or after the run).
    """

    incident: IncidentRecord
    change: Candidate | None
    deploy: Deploy | None


def aggregate(
    incidents: Sequence[IncidentRecord],
    endpoints: Sequence[EndpointTotal],
    deploys: Sequence[Deploy],
    run: tuple[float, float],
) -> tuple[Metrics, list[Metrics]]:
    """
    The metrics of the whole run, and of each service: first the services with incidents, in order
    of their incidents, then the others in order of their endpoints. `run` is the time of the first
    and of the last access, in seconds since the epoch. An incident may be attributed to a change
    before or after the run, but such a change is no deployment of the run.
    """
    seconds = run[1] - run[0]
    assigned = assign_deploys(incidents, deploys, run)
    assigned_of = _group(assigned, lambda one: one.incident.service)
    endpoints_of = _group(endpoints, lambda endpoint: endpoint.service)
    deployments = Counter(deploy.service for deploy in deploys if _is_within(run, deploy))
    services = [
        _make_metrics(
            service,
            assigned_of.get(service, []),
            endpoints_of.get(service, []),
            deployments[service] + deployments[EVERY_SERVICE],
            seconds,
        )
        for service in dict.fromkeys([*assigned_of, *endpoints_of])
    ]
    return _make_metrics(None, assigned, endpoints, deployments.total(), seconds), services


def rank_by_owner(incidents: Sequence[IncidentRecord], ended: float) -> Ranking:
    """
    Rank endpoints, authors and commits by their incidents. Open incidents last until the end of the
    run, `ended`, in seconds since the epoch.
    """
    owners = defaultdict(set)
    for incident in incidents:
        owners[incident.verb, incident.resource].add(incident.service)

    def name(incident: IncidentRecord) -> str:
        endpoint = f"{incident.verb} {incident.resource}"
        alone = len(owners[incident.verb, incident.resource]) == 1
        return endpoint if alone else f"{endpoint} ({incident.service})"

    attributed = [
        (change, incident) for incident in incidents if (change := find_attributed(incident))
    ]
    return Ranking(
        _rank(((name(incident), incident) for incident in incidents), ended),
        _rank(((change.author, incident) for change, incident in attributed), ended),
        _rank(((change.commit, incident) for change, incident in attributed), ended),
    )


def find_attributed(incident: IncidentRecord) -> Candidate | None:
    """
    The change to which an incident is attributed: the most probable one if the verdict is clear or
    likely, else None.
    """
    broken_by = incident.broken_by
    return broken_by.suspect if broken_by.verdict in _ATTRIBUTED else None


def assign_deploys(
    incidents: Iterable[IncidentRecord], deploys: Iterable[Deploy], run: tuple[float, float]
) -> list[AssignedDeploy]:
    """
    Each incident with the change and the deployment to which it is attributed. If the commit was
    deployed several times, the deployment nearest to the candidate's time counts.
    """
    history = _group(sorted(deploys, key=_at), lambda deploy: (deploy.service, deploy.commit))

    def find(incident: IncidentRecord, change: Candidate) -> Deploy | None:
        at = incident.start - change.age
        near: list[Deploy] = []
        for service in (incident.service, EVERY_SERVICE):
            deployed = history.get((service, change.commit), [])
            after = bisect_left(deployed, at, key=_at)
            near += deployed[max(after - 1, 0) : after + 1]
        nearest = min(near, key=lambda deploy: abs(deploy.at - at), default=None)
        return nearest if nearest and _is_within(run, nearest) else None

    attributed = ((incident, find_attributed(incident)) for incident in incidents)
    return [
        AssignedDeploy(one, change, find(one, change) if change else None)
        for one, change in attributed
    ]


def _make_metrics(
    service: str | None,
    assigned: Sequence[AssignedDeploy],
    endpoints: Iterable[EndpointTotal],
    deployments: int,
    seconds: float,
) -> Metrics:
    budget = _budget(endpoints)
    if not assigned:  # Most of a million services never break; they share equal objects.
        delivery = _delivery(deployments, seconds, 0, None)
        return Metrics(service, 0, _NO_REPAIR, None, budget, delivery)
    incidents = [one.incident for one in assigned]
    failed = len({one.deploy for one in assigned if one.deploy})
    times = _times_to_repair(one.incident for one in assigned if one.deploy)
    return Metrics(
        service,
        len(incidents),
        _repair(incidents),
        _percentile(_times_to_detect(assigned), 50),
        budget,
        _delivery(deployments, seconds, failed, _percentile(times, 50)),
    )


def _repair(incidents: Sequence[IncidentRecord]) -> Repair:
    states = Counter(incident.state for incident in incidents)
    times = _times_to_repair(incidents)
    return Repair(
        closed=states[State.CLOSED],
        open=states[State.OPEN],
        expired=states[State.EXPIRED],
        mean=fsum(times) / len(times) if times else None,
        median=_percentile(times, 50),
        p90=_percentile(times, 90),
        longest=max(times, default=None),
    )


@lru_cache
def _delivery(
    deployments: int, seconds: float, failed: int, recovery_time: float | None
) -> DoraMetrics:
    return DoraMetrics(
        deployments,
        frequency=deployments * _DAY / seconds if seconds >= _HOUR else None,
        failed=failed,
        change_failure_rate=failed / deployments if deployments else None,
        recovery_time=recovery_time,
    )


def _budget(endpoints: Iterable[EndpointTotal]) -> Budget:
    counts: dict[float, int] = {}  # requests by SLO; there are few different SLOs
    failures = 0
    for endpoint in endpoints:
        failures += endpoint.failures
        counts[endpoint.slo] = counts.get(endpoint.slo, 0) + endpoint.requests
    allowed, scale = 0, 1  # the allowed failures, as an exact ratio
    for slo, requests in counts.items():
        share, parts = _allowed_share(slo)
        common = lcm(scale, parts)
        allowed = allowed * (common // scale) + share * (common // parts) * requests
        scale = common
    left = (allowed - failures * scale) / allowed if allowed else None
    return Budget(sum(counts.values()), failures, allowed / scale, left)


@lru_cache
def _allowed_share(slo: float) -> tuple[int, int]:
    """1 - slo as an exact ratio: as a float, 1 - 0.999 is 0.0010000000000000009."""
    return (1 - Fraction(repr(slo))).as_integer_ratio()


def _times_to_repair(incidents: Iterable[IncidentRecord]) -> list[float]:
    return [
        incident.duration
        for incident in incidents
        if incident.state == State.CLOSED and incident.duration is not None
    ]


def _times_to_detect(assigned: Iterable[AssignedDeploy]) -> list[float]:
    """
    The time from each deployment to the first incident of each endpoint that it broke. Later
    incidents don't count, because an endpoint may flap.
    """
    ages: dict[Hashable, float] = {}
    for incident, change, deploy in assigned:
        if change:
            ages.setdefault((incident.endpoint, deploy or change.commit), change.age)
    return list(ages.values())


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """A percentile as in `statistics.quantiles` with `method="inclusive"`; None without values."""
    if not values:
        return None
    ranked = sorted(values)
    rank, remainder = divmod((len(ranked) - 1) * percent, 100)
    step = ranked[rank + 1] - ranked[rank] if remainder else 0
    return ranked[rank] + step * remainder / 100


def _rank(named: Iterable[tuple[str, IncidentRecord]], ended: float) -> list[RankingEntry]:
    durations = defaultdict(list)
    for name, incident in named:
        open_for = max(ended - incident.start, 0.0)
        durations[name].append(open_for if incident.duration is None else incident.duration)
    entries = [RankingEntry(name, len(times), fsum(times)) for name, times in durations.items()]
    return sorted(entries, key=lambda entry: (-entry.incidents, -entry.seconds, entry.name))


def _group(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: defaultdict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def _at(deploy: Deploy) -> float:
    return deploy.at


def _is_within(run: tuple[float, float], deploy: Deploy) -> bool:
    return run[0] <= deploy.at <= run[1]

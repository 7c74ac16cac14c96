"""The figures of a run, out of its incidents, its endpoints' requests and its deploys."""

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
from slomon.core.metrics import (
    Budget,
    Deploy,
    DoraMetrics,
    EndpointTotal,
    Metrics,
    Ranking,
    RankingEntry,
    Repair,
)
from slomon.core.records import IncidentRecord

T = TypeVar("T")
K = TypeVar("K")

_DAY: Final = 86_400  # seconds
_HOUR: Final = 3600
_BLAMING: Final = (Verdict.CLEAR, Verdict.AMBIGUOUS)
_UNBROKEN: Final = Repair(0, 0, 0, None, None, None, None)


class AssignedDeploys(NamedTuple):
    """
    An incident, the change that is to blame for it, None where none is, and the deployment of the
    run that this was, None where it was before or after the run.
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
    The figures of the whole run, and of each service: those that broke, in the order of their
    incidents, and then the others in that of their endpoints. `run` is when its first access was
    and when its last, in seconds since the epoch: what was deployed before or after that may be to
    blame, and is no deployment of the run.
    """
    seconds = run[1] - run[0]
    charges = assign_deploys(incidents, deploys, run)
    charges_of = _group(charges, lambda one: one.incident.service)
    endpoints_of = _group(endpoints, lambda endpoint: endpoint.service)
    deployments = Counter(deploy.service for deploy in deploys if _is_within(run, deploy))
    services = [
        _figures(
            service,
            charges_of.get(service, []),
            endpoints_of.get(service, []),
            deployments[service] + deployments[EVERY_SERVICE],
            seconds,
        )
        for service in dict.fromkeys([*charges_of, *endpoints_of])
    ]
    return _figures(None, charges, endpoints, deployments.total(), seconds), services


def rank_by_owner(incidents: Sequence[IncidentRecord], ended: float) -> Ranking:
    """
    Who has how many of the incidents, and for how long: open ones last until the run's end, in
    seconds since the epoch.
    """
    owners = defaultdict(set)
    for incident in incidents:
        owners[incident.verb, incident.resource].add(incident.service)

    def name(incident: IncidentRecord) -> str:
        endpoint = f"{incident.verb} {incident.resource}"
        alone = len(owners[incident.verb, incident.resource]) == 1
        return endpoint if alone else f"{endpoint} ({incident.service})"

    blamed = [(change, incident) for incident in incidents if (change := find_charged(incident))]
    return Ranking(
        _rank(((name(incident), incident) for incident in incidents), ended),
        _rank(((change.author, incident) for change, incident in blamed), ended),
        _rank(((change.commit, incident) for change, incident in blamed), ended),
    )


def find_charged(incident: IncidentRecord) -> Candidate | None:
    """
    The change that an incident counts against: the newest candidate, where the verdict is clear or
    ambiguous. A stale one is against nobody, as it was only the last to come before something
    else went wrong: to count it would blame whoever deploys seldom for every outage. And one with
    which the failure rate fell broke nothing: then it is the one before it, if that is a candidate.
    """
    broken_by = incident.broken_by
    if broken_by.verdict not in _BLAMING:
        return None
    candidates = broken_by.candidates
    if broken_by.evidence is not None and broken_by.evidence.fell:
        candidates = candidates[:-1]
    return candidates[-1] if candidates else None


def assign_deploys(
    incidents: Iterable[IncidentRecord], deploys: Iterable[Deploy], run: tuple[float, float]
) -> list[AssignedDeploys]:
    """
    Each incident with what is to blame for it. Of a commit that was deployed several times it is
    the deployment at the candidate's time, or else the nearest one.
    """
    history = _group(sorted(deploys, key=_at), lambda deploy: (deploy.service, deploy.commit))

    def find(incident: IncidentRecord, change: Candidate) -> Deploy | None:
        at = incident.start - change.age
        near: list[Deploy] = []
        for service in (incident.service, EVERY_SERVICE):
            deployed = history.get((service, change.commit), [])
            place = bisect_left(deployed, at, key=_at)
            near += deployed[max(place - 1, 0) : place + 1]
        found = min(near, key=lambda deploy: abs(deploy.at - at), default=None)
        return found if found and _is_within(run, found) else None

    blamed = ((incident, find_charged(incident)) for incident in incidents)
    return [
        AssignedDeploys(one, change, find(one, change) if change else None)
        for one, change in blamed
    ]


def _figures(
    service: str | None,
    charges: Sequence[AssignedDeploys],
    endpoints: Iterable[EndpointTotal],
    deployments: int,
    seconds: float,
) -> Metrics:
    budget = _budget(endpoints)
    if not charges:  # of a million services most never broke: these share what they can
        calm = _delivery(deployments, seconds, 0, None)
        return Metrics(service, 0, _UNBROKEN, None, budget, calm)
    incidents = [one.incident for one in charges]
    failed = len({one.deploy for one in charges if one.deploy})
    times = _times_to_repair(one.incident for one in charges if one.deploy)
    return Metrics(
        service,
        len(incidents),
        _repair(incidents),
        _percentile(_times_to_detect(charges), 50),
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
    counts: dict[float, int] = {}  # of requests, by SLOs, which are few
    failures = 0
    for endpoint in endpoints:
        failures += endpoint.failures
        counts[endpoint.slo] = counts.get(endpoint.slo, 0) + endpoint.requests
    allowed, scale = 0, 1  # a ratio of whole numbers
    for slo, requests in counts.items():
        share, parts = _allowed_share(slo)
        common = lcm(scale, parts)
        allowed = allowed * (common // scale) + share * (common // parts) * requests
        scale = common
    left = (allowed - failures * scale) / allowed if allowed else None
    return Budget(sum(counts.values()), failures, allowed / scale, left)


@lru_cache
def _allowed_share(slo: float) -> tuple[int, int]:
    """A ratio, which is exact, since 1 - 0.999 is 0.0010000000000000009 as a float."""
    return (1 - Fraction(repr(slo))).as_integer_ratio()


def _times_to_repair(incidents: Iterable[IncidentRecord]) -> list[float]:
    return [
        incident.duration
        for incident in incidents
        if incident.state == State.CLOSED and incident.duration is not None
    ]


def _times_to_detect(charges: Iterable[AssignedDeploys]) -> list[float]:
    """Of each deployment and endpoint once: an endpoint may flap under what broke it."""
    ages: dict[Hashable, float] = {}
    for incident, change, deploy in charges:
        if change:
            ages.setdefault((incident.endpoint, deploy or change.commit), change.age)
    return list(ages.values())


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """As `statistics.quantiles` has it with `method="inclusive"`; None of no values."""
    if not values:
        return None
    ranked = sorted(values)
    rank, beyond = divmod((len(ranked) - 1) * percent, 100)
    step = ranked[rank + 1] - ranked[rank] if beyond else 0
    return ranked[rank] + step * beyond / 100


def _rank(named: Iterable[tuple[str, IncidentRecord]], ended: float) -> list[RankingEntry]:
    lasted = defaultdict(list)
    for name, incident in named:
        open_for = max(ended - incident.start, 0.0)
        lasted[name].append(open_for if incident.duration is None else incident.duration)
    shares = [RankingEntry(name, len(times), fsum(times)) for name, times in lasted.items()]
    return sorted(shares, key=lambda share: (-share.incidents, -share.seconds, share.name))


def _group(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: defaultdict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def _at(deploy: Deploy) -> float:
    return deploy.at


def _is_within(run: tuple[float, float], deploy: Deploy) -> bool:
    return run[0] <= deploy.at <= run[1]

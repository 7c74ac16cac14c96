"""
What the stream shows about each incident, in the numbers that `core.causes` judges: when the
failures really began and ended, how sure that is, and the changes around these times.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, expm1, lgamma, log, log1p
from typing import Final, NamedTuple

from slomon.core.causes import DURATION, Case, Repair, Suspect
from slomon.core.events import PositionedChange
from slomon.core.incident import Incident
from slomon.core.ticks import TICKS_PER_SECOND

_TOGETHER: Final = 60 * TICKS_PER_SECOND
_STRAYS: Final = 0.3, 300.0
"""Stray failures, and the requests among which they are, before an endpoint has had any."""
_MOST_STRAYS: Final = 0.2
_FEW: Final = 20  # requests: too few to tell how many there are a second




@dataclass(frozen=True, slots=True)
class Deployments:
    """
    All known changes of a run.

    * `counts`: how many changes each service had
    * `rollbacks`: by the position of a change that deployed an earlier commit again: the positions
      of the changes that it took back
    * `scopes`: by the position of a change: the services that had a change within a minute of it
    """

    counts: Mapping[str, int]
    rollbacks: Mapping[int, frozenset[int]]
    scopes: Mapping[int, frozenset[str]]


def study_changes(
    incidents: Iterable[Incident], deploys: Iterable[PositionedChange], began: int
) -> Deployments:
    """The changes of a run that began at a tick, and those that incidents remember."""
    known = {one.position: one.date(began) for one in deploys}
    for incident in incidents:
        for candidates in (incident.breaking, incident.fixing):
            for one in candidates.changes if candidates else ():
                known.setdefault(one.position, one.date(began))
    histories: dict[str, list[PositionedChange]] = defaultdict(list)
    for position in sorted(known):
        histories[known[position].change.service].append(known[position])
    in_time = sorted(known.values(), key=_tick)
    ticks = [one.tick for one in in_time]
    scopes = {}
    for one in in_time:
        first = bisect_left(ticks, one.tick - _TOGETHER)
        end = bisect_right(ticks, one.tick + _TOGETHER)
        scopes[one.position] = frozenset(near.change.service for near in in_time[first:end])
    rollbacks: dict[int, frozenset[int]] = {}
    for history in histories.values():
        rollbacks.update(_find_rollbacks(history))
    counts = {service: len(history) for service, history in histories.items()}
    return Deployments(counts, rollbacks, scopes)


def make_cases(
    incidents: Sequence[Incident], deployments: Deployments, began: int, reach: int
) -> list[Case]:
    """
    The case of each incident. `incidents` must be in stream order; a change more than `reach` ticks
    before an onset is no suspect.
    """
    past: dict[int, tuple[int, int]] = {}  # requests and failures in earlier incidents, by endpoint
    cases = []
    for incident in incidents:
        requests, failures = past.get(incident.key, (0, 0))
        cases.append(_make_case(incident, deployments, began, reach, (requests, failures)))
        since = incident.burst[0] - 1 + incident.stats.requests
        failed = incident.burst[1] - 1 + incident.stats.failures
        past[incident.key] = requests + since, failures + failed
    return cases


def list_preceding(incident: Incident) -> list[PositionedChange]:
    """
    The candidates that came before the onset in the stream. Between the newest two changes and the
    opening the requests are counted, so their order is exact. For older ones time decides.
    """
    changes = incident.breaking.changes
    after, before = incident.breaking.after.requests, incident.breaking.before.requests
    since = incident.burst[0]
    if since <= after:
        return list(changes)
    counted = since <= after + before
    return [
        one
        for one in changes[:-1]
        if one.tick < incident.onset or (one.tick == incident.onset and counted)
    ]


def _make_case(
    incident: Incident, deployments: Deployments, began: int, reach: int, past: tuple[int, int]
) -> Case:
    stats, onset = incident.stats, incident.onset
    peak = max(stats.last_failure if incident.recovery is None else incident.recovery, onset)
    failed = max(incident.burst[1] - 1 + stats.failures, 1)
    interval = _find_interval(incident, began)
    error = max(((peak - onset) / TICKS_PER_SECOND + 2 * interval) / failed, interval)
    lasted = (peak - onset) / TICKS_PER_SECOND + 3 * error
    preceding = list_preceding(incident)
    suspects = [
        Suspect(one.position, max(onset - one.date(began).tick, 0) / TICKS_PER_SECOND)
        for one in preceding
        if onset - one.date(began).tick <= reach
    ]
    case = Case(
        service=incident.endpoint.name,
        key=incident.key,
        onset=(onset - began) / TICKS_PER_SECOND,
        onset_error=error,
        chance=_find_chance(incident, interval, past),
        brief=1.0 if incident.recovery is None else -expm1(-lasted / DURATION),
        suspects=suspects,
    )
    if incident.fixing is not None:
        newest = max((one.position for one in preceding), default=-1)
        case.recovery = (peak - began) / TICKS_PER_SECOND
        case.recovery_error = error
        case.repairs = [
            Repair(
                one.position,
                (peak - one.tick) / TICKS_PER_SECOND,
                deployments.rollbacks.get(one.position),
            )
            for one in incident.fixing.changes
            if one.position > newest and one.tick >= onset
        ]
    return case


def _find_interval(incident: Incident, began: int) -> float:
    """Mean seconds between two requests of the endpoint."""
    requests = incident.before[0]
    interval = max((incident.start - began) / TICKS_PER_SECOND, 1.0) / max(requests, 1)
    if requests < _FEW:
        width = incident.endpoint.window / TICKS_PER_SECOND
        interval = max(interval, width / incident.stats.min_sli_requests)
    return max(interval, 1e-3)


def _find_chance(incident: Incident, interval: float, past: tuple[int, int]) -> float:
    """
    How often, per second, stray failures alone make a window as bad as the worst one of the
    incident. Failures in earlier incidents are no strays.
    """
    stats = incident.stats
    strays, among = _STRAYS
    requests = max(incident.before[0] - (incident.burst[0] - 1) - past[0], 0)
    failures = max(incident.before[1] - (incident.burst[1] - 1) - past[1], 0)
    rate = min((failures + strays) / (requests + among), _MOST_STRAYS)
    more = _binomial_tail(stats.min_sli_failures - 1, stats.min_sli_requests - 1, rate)
    return rate / interval * more


def _binomial_tail(least: int, count: int, probability: float) -> float:
    """The probability that at least `least` of `count` requests fail."""
    if least <= 0:
        return 1.0
    if least > count:
        return 0.0
    choices = lgamma(count + 1) - lgamma(least + 1) - lgamma(count - least + 1)
    term = exp(choices + least * log(probability) + (count - least) * log1p(-probability))
    odds, total, failed = probability / (1 - probability), 0.0, least
    while failed <= count and term > 1e-12 * total:
        total += term
        term *= (count - failed) / (failed + 1) * odds
        failed += 1
    return min(total, 1.0)


def _find_rollbacks(history: Sequence[PositionedChange]) -> dict[int, frozenset[int]]:
    newest: dict[str, int] = {}
    rollbacks = {}
    for number, one in enumerate(history):
        earlier = newest.get(one.change.commit, number)
        if taken_back := history[earlier + 1 : number]:
            rollbacks[one.position] = frozenset(other.position for other in taken_back)
        newest[one.change.commit] = number
    return rollbacks


def _tick(positioned: PositionedChange) -> int:
    return positioned.tick

"""
What the stream shows about each incident, in the numbers that `core.causes` judges: when the
failures really began and ended, how sure that is, and the changes around these times.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import exp, lgamma, log, log1p
from typing import Final, NamedTuple

from slomon.core.causes import TOGETHER, Deployments
from slomon.core.events import PositionedChange
from slomon.core.faults import Case
from slomon.core.incident import Incident
from slomon.core.repairs import Repair
from slomon.core.sightings import Sighting
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.kernels.windows import excess_reference, surge_reference

_TOGETHER: Final = int(TOGETHER) * TICKS_PER_SECOND
_STRAYS: Final = 0.3, 300.0
"""Stray failures, and the requests among which they are, before an endpoint has had any."""
_LEAST_STRAYS: Final = 1e-4
_MOST_STRAYS: Final = 0.2
_LEAST_WEIGHT: Final = 0.01
_WORSENED: Final = 3000.0
"""Mean seconds in which a fault grows worse."""
_EARLIER: Final = 0.01
"""The share of early onsets that are of an earlier fault, and not of one that grew worse."""
_TAKEN_BACK: Final = 100  # changes, by a rollback at most
_FEW: Final = 20  # requests: too few to tell how many there are a second


class Onset(NamedTuple):
    """A failure at which an outage may have begun; requests and failures since, to the opening."""

    tick: int
    requests: int
    failures: int


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
    newest: dict[int, Case] = {}
    cases = []
    for incident in incidents:
        requests, failures = past.get(incident.key, (0, 0))
        case = _make_case(incident, deployments, began, reach, (requests, failures))
        since = incident.burst[0] - 1 + incident.stats.requests
        failed = incident.burst[1] - 1 + incident.stats.failures
        past[incident.key] = requests + since, failures + failed
        before = newest.get(incident.key)
        if before is not None and case.onset <= before.last_failure:
            before.extend(case)
            case = before
        newest[incident.key] = case
        cases.append(case)
    return cases


def list_preceding(incident: Incident, onset: Onset) -> list[PositionedChange]:
    """
    The candidates that came before an onset in the stream. Between the newest two changes and the
    opening the requests are counted, so their order is exact. For older ones time decides.
    """
    changes = incident.breaking.changes
    after, before = incident.breaking.after.requests, incident.breaking.before.requests
    if onset.requests <= after:
        return list(changes)
    counted = onset.requests <= after + before
    return [
        one for one in changes[:-1] if one.tick < onset.tick or (one.tick == onset.tick and counted)
    ]


def _make_case(
    incident: Incident, deployments: Deployments, began: int, reach: int, past: tuple[int, int]
) -> Case:
    stats = incident.stats
    early = Onset(incident.onset, *incident.burst)
    late = Onset._make(incident.surge)
    peak = max(stats.last_failure if incident.recovery is None else incident.recovery, early.tick)
    interval = _find_interval(incident, began)
    stray = _find_stray_rate(incident, past)
    share = _weigh_surge(early, late, stray)
    failures = max(stats.failures - 1, 0)
    slo = incident.endpoint.slo
    onsets: list[Sighting] = []
    suspects: dict[int, float] = {}
    for onset, weight in ((early, 1 - share), (late, share)):
        if weight < _LEAST_WEIGHT:
            continue
        time = (onset.tick - began) / TICKS_PER_SECOND
        seconds = max(peak - onset.tick, 0) / TICKS_PER_SECOND
        unseen = (excess_reference(slo) if onset is early else surge_reference(slo)) / interval
        later = onset.failures - 1 + failures
        onsets.append(Sighting(time, weight, later, seconds, (), unseen))
        for one in list_preceding(incident, onset):
            delay = onset.tick - one.date(began).tick
            if delay <= reach:
                # Many logs have whole seconds: a failure in the second of a change came after it.
                least = min(interval, 1.0)
                suspects.setdefault(one.position, time - max(delay / TICKS_PER_SECOND, least))
    if len(onsets) > 1:
        onsets.sort(key=_weight, reverse=True)
    case = Case(
        service=incident.endpoint.name,
        key=incident.key,
        interval=interval,
        onsets=onsets,
        last_failure=(stats.last_failure - began) / TICKS_PER_SECOND,
        suspects=suspects,
        strays=stray
        / interval
        * binomial_tail(stats.min_sli_failures - 1, stats.min_sli_requests - 1, stray),
        steps=(
            ((late.tick - began) / TICKS_PER_SECOND, early.failures - late.failures),
            ((incident.start - began) / TICKS_PER_SECOND, min(late.failures, early.failures) - 1),
            ((peak - began) / TICKS_PER_SECOND, failures),
        ),
    )
    if incident.end is not None:
        case.over = case.last_failure
    if incident.fixing is not None:
        newest = max((one.position for one in list_preceding(incident, early)), default=-1)
        case.over = case.recovery = (peak - began) / TICKS_PER_SECOND
        case.repairs = [
            Repair(
                one.position,
                (one.tick - began) / TICKS_PER_SECOND,
                deployments.rollbacks.get(one.position),
            )
            for one in incident.fixing.changes
            if one.position > newest and one.tick >= early.tick
        ]
    return case


def _weigh_surge(early: Onset, late: Onset, stray: float) -> float:
    """
    The probability that the failures between the onset and the surge are not of this fault. Then
    they came at the rate of stray failures, or long before at a rate of their own. Else they came
    at the rate of the later ones, or the fault has grown worse.
    """
    requests, failures = early.requests - late.requests, early.failures - late.failures
    if requests <= 0 or failures < 0:
        return 0.0
    strays = failures * log(stray) + (requests - failures) * log1p(-stray)
    own = _log_marginal(failures, requests)
    same = _log_marginal(early.failures, early.requests)
    same -= _log_marginal(late.failures, late.requests)
    most = max(strays, own, same)
    worsened = exp((early.tick - late.tick) / TICKS_PER_SECOND / _WORSENED)
    differs = _EARLIER * exp(own - most)
    apart = exp(strays - most) + (1 - worsened) * differs
    return apart / (apart + exp(same - most) + worsened * differs)


def _log_marginal(failures: int, requests: int) -> float:
    """The log-likelihood of a sequence of outcomes if every failure rate is as probable."""
    return lgamma(failures + 1) + lgamma(requests - failures + 1) - lgamma(requests + 2)


def _find_interval(incident: Incident, began: int) -> float:
    """Mean seconds between two requests of the endpoint."""
    requests = incident.before[0]
    interval = max((incident.start - began) / TICKS_PER_SECOND, 1.0) / max(requests, 1)
    if requests < _FEW:
        width = incident.endpoint.window / TICKS_PER_SECOND
        interval = max(interval, width / incident.stats.min_sli_requests)
    return max(interval, 1e-3)


def _find_stray_rate(incident: Incident, past: tuple[int, int]) -> float:
    """
    The failure rate of the endpoint outside of incidents. `past` are the requests and the failures
    in earlier incidents.
    """
    strays, among = _STRAYS
    requests = max(incident.before[0] - (incident.burst[0] - 1) - past[0], 0)
    failures = max(incident.before[1] - (incident.burst[1] - 1) - past[1], 0)
    most = min(max(1 - incident.endpoint.slo, _LEAST_STRAYS), _MOST_STRAYS)
    return min((failures + strays) / (requests + among), most)


def binomial_tail(least: int, count: int, probability: float) -> float:
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
        if taken_back := history[max(earlier + 1, number - _TAKEN_BACK) : number]:
            rollbacks[one.position] = frozenset(other.position for other in taken_back)
        newest[one.change.commit] = number
    return rollbacks


def _weight(onset: Sighting) -> float:
    return onset.weight


def _tick(positioned: PositionedChange) -> int:
    return positioned.tick

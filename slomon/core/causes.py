"""
What caused each incident, and what ended it, as probabilities.

Faults of a service come at random: by themselves, by stray failures, after a change, or because an
earlier fault goes on. The rate at which they begin is a sum, with a term for each of these:

    by itself + strays + bad * delay(time since a change) + ... + again(time since a fault)

The share of each term at a beginning is the probability that this term caused it. What happened
around and later (other services, the repair, the next fault) changes the shares by the rule of
Bayes. A fault that goes on has the cause of the earlier one. So the faults of a service form
chains, and evidence is passed along these chains in both directions: the sum-product algorithm.

Which share of the changes is bad, and how often faults begin by themselves, starts from stated
values and is learnt from the run: expectation maximization, a fixed number of rounds. All formulas
and values are explained in `docs/attribution.md`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from math import expm1, fsum, inf
from typing import Final, NamedTuple

from slomon.core.events import EVERY_SERVICE
from slomon.core.fault_chains import BY_ITSELF, MOST, STRAYS, Node, Rates, Weights, infer
from slomon.core.fault_times import TimeDensity
from slomon.core.faults import Case, Fault, find_faults
from slomon.core.repairs import Ending, Repair, weigh_repairs

DELAYS: Final = (5.0, 120.0, 1200.0)
"""Mean seconds from a bad change to the beginning of the failures: at once, in minutes, later."""
SHARES: Final = (0.5, 0.13, 0.17, 0.2)
"""Of the bad changes, those with each of these delays; then those that begin at once and grow."""
SHARES_WORTH: Final = 10.0
"""How many bad changes the stated shares are worth."""
BAD: Final = (0.2, 8.0)
"""The share of changes that are bad, and how many changes the stated share is worth."""
RATE: Final = (1 / 43_200, 2.0)
"""Faults by themselves, of a service and second, and how many faults the rate is worth."""
DURATION: Final = 1200.0
"""Mean seconds that a fault lasts."""
TOGETHER: Final = 60.0
"""Faults of several services are together if they begin at most this many seconds apart."""
OTHERS: Final = 0.35
"""The share of the faults by themselves that come in several services together."""
LEAST_COINCIDENCE: Final = 0.01
"""The least probability that another service breaks by coincidence."""
DEPLOY_PRIOR: Final = 7200.0
"""Seconds in which a service has one change, before any is seen."""
DOUBT: Final = 0.03
"""The share of the faults and repairs at which a change is a bystander, whatever the times say."""
ROUNDS: Final = 4
LEARNT_FROM: Final = 1000
"""The number of newest faults from which the rates are learnt."""
LEAST_RATE: Final = 1e-6
"""Per second; a density that is less is left out."""
FORGOTTEN: Final = 9000.0
"""Seconds after a change. Later, the densities of all delays are less than LEAST_RATE."""

_LEAST_STRAYS: Final = 1e-4  # per second; a fault with more is no sign of an outage of services
_NEAREST: Final = 25  # faults before a beginning, and as many after it
_COUNTED: Final = 3  # other services, for a coincidence


class Finding(NamedTuple):
    """
    Probabilities by the positions of changes. What is left to 1 is no known change, or recovered by
    itself.
    """

    causes: Weights
    fixes: Weights


class Deployments(NamedTuple):
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


def find_causes(
    cases: Sequence[Case], deployments: Deployments, services: int, seconds: float
) -> list[Finding]:
    """
    The causes of the cases of a run, which must be in order of their onsets. `services` is their
    number, and `seconds` is how long the run lasted.
    """
    if not any(case.suspects or case.repairs for case in cases):
        return [Finding({}, {}) for _ in cases]
    seconds = max(seconds, 1.0)
    deploys = {
        service: (1 + deployments.counts.get(service, 0)) / (seconds + DEPLOY_PRIOR)
        for service in {case.service for case in cases}
    }
    faults = find_faults(cases, deploys)
    nodes = _make_nodes(faults, deployments, deploys, services, seconds)
    rates = Rates(BAD[0], RATE[0], {}, SHARES)
    first = max(len(nodes) - LEARNT_FROM, 0)
    for _ in range(ROUNDS):
        infer(nodes, first, rates)
        rates = _learn(nodes[first:], rates, deployments, services, seconds)
    infer(nodes, 0, rates)
    findings = {}
    for node in nodes:
        for case, finding in zip(node.fault.cases, _conclude(node, nodes), strict=True):
            findings[id(case)] = finding
    return [findings[id(case)] for case in cases]


def _make_nodes(
    faults: Sequence[Fault],
    deployments: Deployments,
    deploys: Mapping[str, float],
    services: int,
    seconds: float,
) -> list[Node]:
    beginnings = [fault.find_beginning(DELAYS) for fault in faults]
    strays = [_find_strays(fault) for fault in faults]
    near = _Neighbours(faults, beginnings, strays, seconds)
    nodes: list[Node] = []
    for index, (fault, beginning) in enumerate(zip(faults, beginnings, strict=True)):
        others, coincidence = near.find(index) if services > 1 else (frozenset(), 0.0)
        together = max(OTHERS, coincidence) if services > 1 else 0.0
        brief = 1.0
        if fault.until < inf:
            lasted = max(fault.until - beginning.time, 0.0) + 3 * beginning.error
            brief = -expm1(-lasted / DURATION)
        node = Node(fault, [], together if others else 1 - together, strays[index], brief)
        earliest = beginning.first - FORGOTTEN
        for change, time in fault.list_suspects():
            if time < earliest or fsum(densities := beginning.after(time)) < LEAST_RATE:
                continue
            weight = 1 - coincidence
            if others:
                scope = deployments.scopes.get(change, frozenset())
                deployed = EVERY_SERVICE in scope or others <= scope
                weight = together if deployed else coincidence
            node.suspects.append((change, weight, densities))
        inherited: Mapping[int, Ending] = {}
        if fault.parent >= 0:
            nodes[fault.parent].child = index
            inherited = nodes[fault.parent].endings
        if fault.has_recovered:
            causes = dict.fromkeys([BY_ITSELF, *(one[0] for one in node.suspects), *inherited])
            repairs = _find_repairs(fault, deploys[fault.service])
            node.endings = weigh_repairs(repairs, list(causes)[:MOST], BY_ITSELF)
        nodes.append(node)
    return nodes


def _find_repairs(fault: Fault, rate: float) -> list[tuple[Repair, float]]:
    """The repairs of a fault, with their densities at its end over the rate of changes."""
    repairs = fault.list_repairs()
    if not repairs:
        return []
    end = fault.find_end()
    return [(one, end.after(one.time)[0] / rate) for one in repairs]


def _find_strays(fault: Fault) -> float:
    """The rate at which stray failures alone make all incidents of a fault."""
    rate = fault.cases[0].strays
    for one in fault.strays[1:]:
        rate *= one
    return rate


class _Neighbours:
    """The faults of other services that began at about the same time."""

    def __init__(
        self,
        faults: Sequence[Fault],
        beginnings: Sequence[TimeDensity],
        strays: Sequence[float],
        seconds: float,
    ) -> None:
        self._beginnings = beginnings
        self._services = [fault.service for fault in faults]
        self._counts = Counter(
            fault.service
            for fault, rate in zip(faults, strays, strict=True)
            if rate < _LEAST_STRAYS and fault.parent < 0
        )
        self._total = self._counts.total()
        self._seconds = seconds
        real = [index for index, rate in enumerate(strays) if rate < _LEAST_STRAYS]
        self._order = sorted(real, key=lambda index: beginnings[index].time)
        self._times = [beginnings[index].time for index in self._order]

    def find(self, index: int) -> tuple[frozenset[str], float]:
        """
        The services of the neighbours of a fault, and the probability that at least their number
        are neighbours by coincidence; at least one if there are none.
        """
        beginning, service = self._beginnings[index], self._services[index]
        near = TOGETHER + 2 * beginning.error
        middle = bisect_left(self._times, beginning.time)
        first = max(bisect_left(self._times, beginning.time - near), middle - _NEAREST)
        end = min(bisect_right(self._times, beginning.time + near), middle + _NEAREST)
        others = {self._services[one] for one in self._order[first:end]} - {service}
        one = 2 * near * (self._total - self._counts[service]) / self._seconds
        one = min(max(one, LEAST_COINCIDENCE), 0.5)
        return frozenset(others), one ** min(max(len(others), 1), _COUNTED)


def _learn(
    nodes: Sequence[Node],
    rates: Rates,
    deployments: Deployments,
    services: int,
    seconds: float,
) -> Rates:
    """The rates that fit to the beliefs."""
    bad: Weights = {}
    kinds = [SHARES_WORTH * share for share in SHARES]
    own: dict[str, float] = {}
    for node in nodes:
        service = node.fault.service
        own[service] = own.get(service, 0.0) + node.fresh[BY_ITSELF]
        for change, _, densities in node.suspects:
            belief = node.fresh[change]
            bad[change] = min(1.0, bad.get(change, 0.0) + belief)
            parts = [share * one for share, one in zip(rates.shares, densities, strict=True)]
            whole = fsum(parts)
            for kind, part in enumerate(parts):
                kinds[kind] += belief * part / whole
    (share, worth), changes = BAD, sum(deployments.counts.values())
    share = (share * worth + fsum(bad.values())) / (worth + changes)
    rate, worth = RATE
    by_itself = (worth + fsum(own.values())) / (worth / rate + services * seconds)
    of_service = {
        service: (1 + count) / (1 / by_itself + seconds) for service, count in own.items()
    }
    total = fsum(kinds)
    return Rates(share, by_itself, of_service, [kind / total for kind in kinds])


def _conclude(node: Node, nodes: Sequence[Node]) -> list[Finding]:
    """The findings for the incidents of a fault."""
    fault = node.fault
    belief = node.belief
    fixes = _find_fixes(node, nodes) if node.endings else {}
    findings = []
    for number, case in enumerate(fault.cases):
        # The belief about the first incident has the share of stray failures already.
        share = (1 - DOUBT) * (1 - fault.strays[number] if number else 1)
        causes = {change: belief[change] * share for change in case.suspects if change in belief}
        repaired = {}
        if fault.newest[case.key] == number:
            repaired = {one.change: fixes.get(one.change, 0.0) * share for one in case.repairs}
        findings.append(Finding(causes, repaired))
    return findings


def _find_fixes(node: Node, nodes: Sequence[Node]) -> Weights:
    """
    The probability of each repair. If the fault goes on in a later one, it was not repaired.
    """
    fixes: Weights = {}
    for cause, belief in node.belief.items():
        if cause == STRAYS:
            continue
        ended = belief
        if node.child >= 0:
            child = nodes[node.child]
            ended *= child.started / child.messages[cause]
        ending = node.find_ending(cause)
        for change, weight in ending.repairs.items():
            fixes[change] = fixes.get(change, 0.0) + ended * weight / ending.whole
    return fixes

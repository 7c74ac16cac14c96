"""
What caused each incident, and what ended it, as probabilities.

Onsets come at random: some by themselves, some after a change, some because an earlier incident
goes on. The rate of onsets of an endpoint at a time is a sum, with a term for each possible cause:

    by itself + by stray failures + bad * delay(time since a change) + again(time since an incident)

The share of each term at the time of an onset is the probability that this term caused it. What
happens later (who repaired it, does it come back) changes these shares by the rule of Bayes. An
incident that goes on has the cause of the earlier one, so incidents form trees, and probabilities
are passed up and down the trees: the sum-product algorithm.

How often onsets come by themselves, and which share of the changes is bad, starts from stated
values and is learnt from the run: expectation maximization, a fixed number of rounds. The formulas
are in `docs/attribution.md`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, fsum
from typing import Final, TypeAlias

DELAYS: Final = (8.0, 90.0, 600.0, 2400.0)
"""Mean seconds from a bad change to the onset: at once, in minutes, later, much later."""
SHARES: Final = (0.6, 0.12, 0.14, 0.14)
"""Of the bad changes, those with each of these delays."""
KINDS_WORTH = 4.0
BAD = (0.15, 4.0)
"""The share of changes that are bad, and the number of changes that this is worth."""
RATE = (1 / 43_200, 1.0)
"""Onsets by themselves, of a service and second, and the number of onsets that this is worth."""
DURATION: Final = 1200.0
"""Mean seconds that a fault lasts."""
ROUNDS = 4
LEARNT_FROM: Final = 1000

SIBLING = ((0.5, 15.0), (0.15, 600.0))
AGAIN = ((0.4, 60.0), (0.4, 600.0))
PAUSE = 0.3
_TOGETHER: Final = 60.0
OTHERS_IF_BY_ITSELF = 0.35
OTHERS_IF_CHANGE = 0.02
REPAIR = 8.0
FIXED = (0.45, 0.22)
ROLLED_BACK = (0.30, 0.05)
NOT_TAKEN_BACK = 0.03
RECOVERED = (0.15, 0.70)
DEPLOY_PRIOR = 3600.0

_BY_ITSELF: Final = -1
_CHANCE: Final = -2
_LEAST: Final = 1e-8
_NEAR: Final = 25  # incidents before and after an onset

Weights: TypeAlias = dict[int, float]
"""By the number of a change, or _BY_ITSELF, or _CHANCE."""


@dataclass(slots=True)
class Suspect:
    """A change before an onset: its number in the run, and the seconds from it to the onset."""

    change: int
    delay: float


@dataclass(slots=True)
class Repair:
    """
    A change during an incident: its number, the seconds from it to the last failure (negative if it
    came after it), and the changes that it took back if it is a rollback.
    """

    change: int
    delay: float
    takes_back: frozenset[int] | None = None


@dataclass(slots=True)
class Case:
    """What is known of an incident. Times are seconds since the beginning of the run."""

    service: str
    key: int
    onset: float
    onset_error: float
    chance: float  # of onsets as this one by stray failures, per second
    brief: float  # the probability that a fault ends so soon
    suspects: list[Suspect]
    recovery: float | None = None
    recovery_error: float = 0.0
    repairs: list[Repair] = field(default_factory=list)


@dataclass(slots=True)
class Finding:
    """Probabilities by the numbers of changes; what is left to 1 is no known change."""

    causes: dict[int, float]
    fixes: dict[int, float]
    chance: float = 0.0


def first_failure(delay: float, mean: float, error: float) -> float:
    """
    The density of the first failure `delay` seconds after a change: an exponential time until the
    onset, and another one from the onset to the first failure.
    """
    if abs(mean - error) < 1e-3 * mean:
        return delay / mean**2 * exp(-delay / mean)
    return (exp(-delay / mean) - exp(-delay / error)) / (mean - error)


def last_failure(delay: float, error: float) -> float:
    """The density of the last failure `delay` seconds after a fix, which may be negative."""
    return exp(-delay / REPAIR if delay >= 0 else delay / error) / (REPAIR + error)


@dataclass(slots=True)
class _Node:
    """A case in its tree."""

    case: Case
    delays: list[tuple[int, float, list[float]]]  # of suspects: change, others, density by kind
    others: float
    parent: int = -1
    again: float = 0.0  # the rate at which the parent's incident goes on
    same: bool = False  # the parent is an incident of the same endpoint
    evidence: Weights = field(default_factory=dict)  # of the recovery, by cause
    default: float = 1.0
    repairs: dict[int, Weights] = field(default_factory=dict)  # by cause
    next_same: int = -1
    # of one round
    fresh: Weights = field(default_factory=dict)
    inner: Weights = field(default_factory=dict)
    known: list[int] = field(default_factory=list)
    started: float = 0.0
    messages: Weights = field(default_factory=dict)
    belief: Weights = field(default_factory=dict)
    new: Weights = field(default_factory=dict)


def find_causes(
    cases: Sequence[Case],
    changes: Mapping[str, int],
    scopes: Mapping[int, frozenset[str]],
    services: int,
    seconds: float,
) -> list[Finding]:
    """
    The causes of the cases, which are in order of their onsets.

    * `changes`: how many changes each service had
    * `scopes`: the services that were deployed together with each change
    """
    model = _Model(cases, changes, scopes, services, seconds)
    for _ in range(ROUNDS):
        model.infer()
        model.learn()
    model.infer()
    return model.findings()


class _Model:
    def __init__(self, cases, changes, scopes, services, seconds) -> None:
        self.changes = changes
        self.total_changes = sum(changes.values())
        self.services = max(services, 1)
        self.seconds = max(seconds, 1.0)
        self.bad = BAD[0]
        self.rate = RATE[0]
        self.rates: dict[str, float] = {}
        self.shares: Sequence[float] = SHARES
        self.nodes = self._make_nodes(cases, scopes)

    def _make_nodes(self, cases, scopes):
        nodes = []
        onsets = [case.onset for case in cases]
        newest: dict[int, int] = {}
        newest_of_service: dict[str, int] = {}
        for index, case in enumerate(cases):
            others = self._find_others(cases, onsets, index)
            delays = []
            by_itself = 1.0
            if self.services > 1:
                by_itself = OTHERS_IF_BY_ITSELF if others else 1 - OTHERS_IF_BY_ITSELF
            for one in case.suspects:
                densities = [first_failure(one.delay, mean, case.onset_error) for mean in DELAYS]
                if sum(densities) < _LEAST:
                    continue
                weight = 1.0
                if self.services > 1:
                    weight = 1 - OTHERS_IF_CHANGE
                    if others:
                        together = others <= scopes.get(one.change, frozenset())
                        weight = 1.0 if together else OTHERS_IF_CHANGE
                delays.append((one.change, weight, densities))
            node = _Node(case, delays, by_itself)
            self._link(node, nodes, newest.get(case.key, -1), newest_of_service.get(case.service, -1))
            if node.same:
                nodes[node.parent].next_same = index
            self._weigh_repairs(node, nodes)
            newest[case.key] = newest_of_service[case.service] = index
            nodes.append(node)
        return nodes

    def _find_others(self, cases, onsets, index):
        case = cases[index]
        if self.services == 1:
            return frozenset()
        reach = _TOGETHER + 2 * case.onset_error
        first = max(bisect_left(onsets, case.onset - reach), index - _NEAR)
        end = min(bisect_right(onsets, case.onset + reach), index + _NEAR)
        return frozenset(
            one.service
            for one in cases[first:end]
            if one.service != case.service and one.chance < 1e-4
        )

    def _link(self, node, nodes, previous, sibling):
        case = node.case
        best = 0.0
        for parent, terms, same in ((previous, AGAIN, True), (sibling, SIBLING, False)):
            if parent < 0:
                continue
            before = nodes[parent].case
            if same and before.key != case.key:
                continue
            if not same and before.key == case.key:
                continue
            at = before.onset
            if same and before.recovery is not None:
                at = before.recovery
            delay = max(case.onset - at, 0.0)
            error = case.onset_error + before.onset_error
            strength = sum(s * exp(-delay / (m + error)) / (m + error) for s, m in terms)
            if strength > best:
                best = strength
                node.parent, node.again, node.same = parent, strength, same

    def _weigh_repairs(self, node, nodes):
        case = node.case
        if case.recovery is None:
            return
        rate = (1 + self.changes.get(case.service, 0)) / (self.seconds + DEPLOY_PRIOR)
        densities = [last_failure(one.delay, case.recovery_error) / rate for one in case.repairs]
        causes = [change for change, _, _ in node.delays]
        if node.parent >= 0:
            causes += [c for c in nodes[node.parent].repairs if c >= 0 and c not in causes]
        for cause in [*causes, _BY_ITSELF]:
            own = cause < 0
            weights = {}
            for one, density in zip(case.repairs, densities):
                if one.change == cause:
                    continue
                if one.takes_back is None:
                    share = FIXED[own]
                elif cause >= 0 and cause not in one.takes_back:
                    share = NOT_TAKEN_BACK
                else:
                    share = ROLLED_BACK[own]
                weights[one.change] = share * density
            node.repairs[cause] = weights
            node.evidence[cause] = sum(weights.values()) + RECOVERED[own]
        node.evidence[_CHANCE] = 1.0
        node.default = node.evidence[_BY_ITSELF]

    def infer(self):
        nodes = self.nodes
        for node in nodes:
            case = node.case
            fresh = {}
            for change, other, densities in node.delays:
                density = sum(s * d for s, d in zip(self.shares, densities))
                fresh[change] = self.bad * density * other * case.brief
            fresh[_BY_ITSELF] = self.rates.get(case.service, self.rate) * node.others * case.brief
            fresh[_CHANCE] = case.chance
            node.fresh = fresh
            node.known = [*fresh]
            if node.parent >= 0:
                node.known += [c for c in nodes[node.parent].known if c not in fresh]
            node.inner = dict.fromkeys(node.known, 1.0)
        for index in range(len(nodes) - 1, -1, -1):
            node = nodes[index]
            inner = node.inner
            if node.next_same < 0 and node.evidence:
                for cause in node.known:
                    inner[cause] *= node.evidence.get(cause, node.default)
            # from here on `inner` is B
            most = max(inner.values())
            for cause in inner:
                inner[cause] /= most
            node.started = sum(w * inner[c] for c, w in node.fresh.items())
            if node.parent < 0:
                continue
            parent = nodes[node.parent]
            pause = 1.0
            messages = {}
            for cause in parent.known:
                ended = 1.0
                if node.same and parent.evidence:
                    ended = parent.evidence.get(cause, parent.default)
                m = node.started * ended
                if cause != _CHANCE:
                    m += node.again * (PAUSE if node.same else 1.0) * self._inherit(node, cause, most)
                messages[cause] = m
                parent.inner[cause] *= m
            node.messages = messages
        for node in nodes:
            inner = node.inner
            belief = {}
            if node.parent < 0:
                for cause in node.known:
                    belief[cause] = node.fresh.get(cause, 0.0) * inner[cause]
                node.new = dict(belief)
                total = sum(belief.values())
            else:
                parent = nodes[node.parent]
                cavity = {c: b / node.messages[c] for c, b in parent.belief.items()}
                if node.same and parent.evidence:
                    ended = sum(w * parent.evidence.get(c, parent.default) for c, w in cavity.items())
                else:
                    ended = sum(cavity.values())
                strength = node.again * (PAUSE if node.same else 1.0)
                new = {c: w * inner[c] * ended for c, w in node.fresh.items()}
                belief = dict(new)
                for cause, weight in cavity.items():
                    if cause != _CHANCE:
                        belief[cause] = belief.get(cause, 0.0) + strength * weight * self._inherit(node, cause, None)
                node.new = new
                total = sum(belief.values())
            node.belief = {c: b / total for c, b in belief.items()}
            node.new = {c: b / total for c, b in node.new.items()}

    def _inherit(self, node, cause, most):
        b = node.inner[cause]
        if not node.same and node.next_same < 0 and node.evidence:
            b = b / node.evidence.get(cause, node.default) * node.default
        return b

    def learn(self):
        bad = {}
        kinds = [0.0] * len(DELAYS)
        own = {}
        for node in self.nodes:
            service = node.case.service
            own[service] = own.get(service, 0.0) + node.new[_BY_ITSELF]
            for change, _, densities in node.delays:
                p = node.new[change]
                bad[change] = min(1.0, bad.get(change, 0.0) + p)
                parts = [s * d for s, d in zip(self.shares, densities)]
                whole = sum(parts)
                if whole > 0:
                    for k, part in enumerate(parts):
                        kinds[k] += p * part / whole
        share, worth = BAD
        self.bad = (share * worth + sum(bad.values())) / (worth + self.total_changes)
        rate, worth = RATE
        self.rate = (worth + sum(own.values())) / (worth / rate + self.services * self.seconds)
        self.rates = {
            service: (1 + count) / (1 / self.rate + self.seconds) for service, count in own.items()
        }
        total = KINDS_WORTH + sum(kinds)
        self.shares = tuple((KINDS_WORTH * s + k) / total for s, k in zip(SHARES, kinds))

    def findings(self):
        found = []
        for index, node in enumerate(self.nodes):
            causes = {c: b for c, b in node.belief.items() if c >= 0}
            fixes: dict[int, float] = {}
            if node.case.recovery is not None and node.case.repairs:
                real = node.belief
                if node.next_same >= 0:
                    child = self.nodes[node.next_same]
                    real = {}
                    for c, b in node.belief.items():
                        m = child.messages[c]
                        real[c] = b * child.started * node.evidence.get(c, node.default) / m
                for cause, b in real.items():
                    if cause == _CHANCE:
                        continue
                    weights = node.repairs.get(cause, node.repairs[_BY_ITSELF])
                    e = node.evidence.get(cause, node.default)
                    for change, w in weights.items():
                        fixes[change] = fixes.get(change, 0.0) + b * w / e
            found.append(Finding(causes, fixes, node.belief.get(_CHANCE, 0.0)))
        return found

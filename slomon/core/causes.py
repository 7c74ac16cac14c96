"""
What caused each incident, and what ended it, as probabilities.

Onsets come at random: by themselves, by stray failures, after a change, or because an earlier
incident goes on. The rate of the onsets of an endpoint is a sum, with a term for each of these:

    by itself + strays + bad * delay(time since a change) + ... + again(time since an incident)

The share of each term at an onset is the probability that this term caused it. What happened around
and later (other services, the repair, the next incident) changes the shares by the rule of Bayes.
An incident that goes on has the cause of the earlier one. So incidents form trees, and evidence is
passed up and down these trees: the sum-product algorithm.

Which share of the changes is bad, and how often onsets come by themselves, starts from stated
values and is learnt from the run: expectation maximization, a fixed number of rounds. All formulas
and values are explained in `docs/attribution.md`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, fsum
from typing import Final, NamedTuple, TypeAlias

from slomon.core.events import EVERY_SERVICE

DELAYS: Final = (8.0, 120.0, 600.0, 2400.0)
"""Mean seconds from a bad change to the onset: at once, in minutes, later, much later."""
SHARES: Final = (0.6, 0.12, 0.15, 0.13)
"""Of the bad changes, those with each of these delays."""
SHARES_WORTH: Final = 10.0
"""How many bad changes the stated shares are worth."""
BAD: Final = (0.2, 8.0)
"""The share of changes that are bad, and how many changes the stated share is worth."""
RATE: Final = (1 / 43_200, 2.0)
"""Onsets by themselves, of a service and second, and how many onsets the rate is worth."""
DURATION: Final = 1200.0
"""Mean seconds that a fault lasts."""
AGAIN: Final = ((0.8, 30.0), (0.5, 300.0))
"""An incident goes on in a new one of its endpoint: how often, and after how many seconds."""
SIBLING: Final = ((0.7, 15.0), (0.05, 300.0))
"""An incident goes on in one of another endpoint of the service: how often, and when."""
LEAST_AGAIN: Final = 1e-4
"""An incident does not go on in one with a lower rate."""
TOGETHER: Final = 60.0
"""Onsets in several services are together if they are at most this many seconds apart."""
OTHERS: Final = 0.35
"""The share of the onsets by themselves that come in several services together."""
LEAST_COINCIDENCE: Final = 0.01
"""The least probability that another service breaks by coincidence."""
REPAIR: Final = 5.0
"""Mean seconds from a fix to the last failure."""
FIXED: Final = (0.45, 0.25)
"""The share of incidents that a new commit ends: of those by a change, of those by themselves."""
ROLLED_BACK: Final = (0.30, 0.05)
"""The share that a rollback ends."""
NOT_TAKEN_BACK: Final = 0.03
"""The share of incidents by a change that is ended by a rollback that did not take it back."""
RECOVERED: Final = (0.2, 0.7)
"""The share that ends by itself."""
SHARED: Final = 6.0
"""How much likelier a repair is if it repaired another endpoint, too."""
DEPLOY_PRIOR: Final = 3600.0
"""Seconds in which a service has one change, before any is seen."""
DOUBT: Final = 0.02
"""The share of the onsets and repairs at which a change is a bystander, whatever the times say."""
ROUNDS: Final = 4
LEARNT_FROM: Final = 1000
"""The number of newest incidents from which the rates are learnt."""

_BY_ITSELF: Final = -1
_STRAYS: Final = -2
_LEAST_RATE: Final = 1e-8  # per second; what is rarer is left out
_NEAREST: Final = 25  # incidents before an onset, and as many after it

Weights: TypeAlias = dict[int, float]
"""By the position of a change, or _BY_ITSELF, or _STRAYS."""


class Suspect(NamedTuple):
    """
    A change before an onset: its position, and for each possible onset its probability, the seconds
    from the change to it, and the mean seconds by which the failures began before it.
    """

    change: int
    delays: list[tuple[float, float, float]]


class Repair(NamedTuple):
    """
    A change during an incident: its position, the seconds from it to the last failure (negative if
    it came after it), and the positions of the changes that it took back if it is a rollback.
    """

    change: int
    delay: float
    taken_back: frozenset[int] | None = None


@dataclass(slots=True)
class Case:
    """
    What is known of an incident. Times are seconds since the beginning of the run.

    * `key`: the endpoint
    * `onset`, `onset_error`: the failures began about `onset_error` seconds before the onset
    * `strays`: the rate at which stray failures alone make such an incident, per second
    * `brief`: the probability that a fault is over as soon as this one
    * `recovery`: the last failure; it recovered about `onset_error` seconds after. None if the
      incident was not closed
    """

    service: str
    key: int
    onset: float = 0.0
    onset_error: float = 0.0
    strays: float = 0.0
    brief: float = 1.0
    suspects: list[Suspect] = field(default_factory=list)
    end: float | None = None
    recovery: float | None = None
    repairs: list[Repair] = field(default_factory=list)


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
    The causes of the cases of a run, which must be in order of their onsets. The run has so many
    services, and lasted so many seconds.
    """
    if not any(case.suspects or case.repairs for case in cases):
        return [Finding({}, {}) for _ in cases]
    seconds = max(seconds, 1.0)
    nodes = _make_nodes(cases, deployments, services, seconds)
    rates = _Rates(BAD[0], RATE[0], {}, SHARES)
    first = max(len(nodes) - LEARNT_FROM, 0)
    for _ in range(ROUNDS):
        _infer(nodes, first, rates)
        rates = _learn(nodes[first:], rates, deployments, services, seconds)
    _infer(nodes, 0, rates)
    return _conclude(nodes)


def first_failure(delay: float, mean: float, error: float) -> float:
    """
    The density of the first failure `delay` seconds after a bad change: an exponential time to the
    onset, with this mean, and another one from there to the first failure.
    """
    if abs(mean - error) < 1e-3 * mean:
        return delay / mean**2 * exp(-delay / mean)
    return (exp(-delay / mean) - exp(-delay / error)) / (mean - error)


def last_failure(delay: float, error: float) -> float:
    """
    The density of the last failure `delay` seconds after a fix: an exponential time until it works,
    less another one from the last failure to that moment.
    """
    return exp(-delay / REPAIR if delay >= 0 else delay / error) / (REPAIR + error)


class _Rates(NamedTuple):
    """What is learnt: see BAD, RATE and SHARES; `of_service` are rates of single services."""

    bad: float
    by_itself: float
    of_service: Mapping[str, float]
    shares: Sequence[float]


@dataclass(slots=True)
class _Node:
    """
    A case in its tree.

    * `suspects`: position, weight of the other services, and density for each delay
    * `others`: the weight of the other services if it came by itself
    * `parent`: the number of the case that may go on in this one, or -1; `again` is the rate of
      that. `same`: it is of the same endpoint, so its recovery was none
    * `ended`, `ended_by`: how well the recovery fits to each cause, and the part of each repair
    * `judged_by_end`: its recovery is evidence. Of a tree this holds for the incident whose
      recovery is known best: the incidents of a tree have one repair, not many
    * `started`, `inner`, `messages`, `belief`, `fresh`: of one round of `_infer`
    """

    case: Case
    suspects: list[tuple[int, float, list[float]]]
    others: float
    parent: int = -1
    again: float = 0.0
    same: bool = False
    next_same: int = -1
    judged_by_end: bool = False
    ended: Weights = field(default_factory=dict)
    ended_by: dict[int, Weights] = field(default_factory=dict)
    started: float = 0.0
    inner: Weights = field(default_factory=dict)
    messages: Weights = field(default_factory=dict)
    belief: Weights = field(default_factory=dict)
    fresh: Weights = field(default_factory=dict)

    def end_weight(self, cause: int) -> float:
        """How well the recovery fits to a cause; a cause of the parent alone is as by itself."""
        return self.ended.get(cause) or self.ended[_BY_ITSELF]


def _make_nodes(
    cases: Sequence[Case], deployments: Deployments, services: int, seconds: float
) -> list[_Node]:
    onsets = [case.onset for case in cases]
    counts = _count_roots(cases)
    total = counts.total()
    nodes: list[_Node] = []
    newest: dict[int, int] = {}
    newest_of_service: dict[str, int] = {}
    for index, case in enumerate(cases):
        near = TOGETHER + 2 * case.onset_error
        coincidence = 2 * near * (total - counts[case.service]) / seconds
        coincidence = min(max(coincidence, LEAST_COINCIDENCE), 0.5)
        others = _find_others(cases, onsets, index, near) if services > 1 else frozenset()
        node = _Node(case, [], 1.0)
        together = max(OTHERS, coincidence)
        if services > 1:
            node.others = together if others else 1 - together
        for change, delays in case.suspects:
            densities = [
                fsum(weight * first_failure(delay, mean, error) for weight, delay, error in delays)
                for mean in DELAYS
            ]
            if fsum(densities) < _LEAST_RATE:
                continue
            weight = 1.0
            if others:
                scope = deployments.scopes.get(change, frozenset())
                deployed = EVERY_SERVICE in scope or others <= scope
                weight = together if deployed else coincidence
            elif services > 1:
                weight = 1 - coincidence
            node.suspects.append((change, weight, densities))
        _link(node, nodes, newest.get(case.key, -1), newest_of_service.get(case.service, -1))
        if node.same:
            nodes[node.parent].next_same = index
        if case.recovery is not None:
            inherited = nodes[node.parent].ended if node.parent >= 0 else {}
            rate = (1 + deployments.counts.get(case.service, 0)) / (seconds + DEPLOY_PRIOR)
            _weigh_end(node, inherited, rate)
        newest[case.key] = newest_of_service[case.service] = index
        nodes.append(node)
    _choose_ends(nodes)
    return nodes


def _choose_ends(nodes: Sequence[_Node]) -> None:
    """Choose the incident of each tree whose recovery is evidence."""
    roots: list[int] = []
    best: dict[int, _Node] = {}
    for index, node in enumerate(nodes):
        root = index if node.parent < 0 else roots[node.parent]
        roots.append(root)
        if node.ended and node.next_same < 0:
            known = best.setdefault(root, node)
            if node.case.onset_error < known.case.onset_error:
                best[root] = node
    for node in best.values():
        node.judged_by_end = True


def _count_roots(cases: Sequence[Case]) -> Counter[str]:
    """How many incidents each service had, but those by strays and those that go on."""
    counts: Counter[str] = Counter()
    until: dict[int, float] = {}
    for case in cases:
        if case.strays < 1e-4 and case.onset > until.get(case.key, 0.0):
            counts[case.service] += 1
        until[case.key] = (case.recovery or case.onset) + 1800
    return counts


def _find_others(
    cases: Sequence[Case], onsets: Sequence[float], index: int, near: float
) -> frozenset[str]:
    """The other services that broke within `near` seconds of a case."""
    case = cases[index]
    first = max(bisect_left(onsets, case.onset - near), index - _NEAREST)
    end = min(bisect_right(onsets, case.onset + near), index + _NEAREST)
    return frozenset(
        one.service for one in cases[first:end] if one.service != case.service and one.strays < 1e-4
    )


def _link(node: _Node, nodes: Sequence[_Node], previous: int, sibling: int) -> None:
    """Find the incident that may go on in this one."""
    case = node.case
    node.again = LEAST_AGAIN
    for parent, terms in ((previous, AGAIN), (sibling, SIBLING)):
        if parent < 0:
            continue
        before = nodes[parent].case
        same = before.key == case.key
        if same == (terms is SIBLING):
            continue
        since = before.onset
        if same and before.recovery is not None:
            since = before.recovery
        elif not same and before.end is not None and before.end < case.onset:
            continue
        delay = max(case.onset - since, 0.0)
        error = case.onset_error + before.onset_error
        again = fsum(share * exp(-delay / (m + error)) / (m + error) for share, m in terms)
        if again > node.again:
            node.parent, node.again, node.same = parent, again, same
            return


def _weigh_end(node: _Node, inherited: Weights, rate: float) -> None:
    """
    Weigh the recovery under each cause: by each repair, or by itself. `rate`: of the changes of the
    service per second. A repair is as probable as its density is above that rate.
    """
    case = node.case
    densities = [last_failure(one.delay, case.onset_error) / rate for one in case.repairs]
    causes = {_BY_ITSELF: None, **dict.fromkeys(one[0] for one in node.suspects)}
    causes |= dict.fromkeys(cause for cause in inherited if cause >= 0)
    for cause in causes:
        own = cause == _BY_ITSELF
        weights = {}
        for one, density in zip(case.repairs, densities, strict=True):
            if one.change == cause:
                continue
            share = FIXED[own]
            if one.taken_back is not None:
                taken_back = own or cause in one.taken_back
                share = ROLLED_BACK[own] if taken_back else NOT_TAKEN_BACK
            weights[one.change] = share * density
        node.ended_by[cause] = weights
        node.ended[cause] = fsum(weights.values()) + RECOVERED[own]
    node.ended[_STRAYS] = 1.0


def _infer(nodes: Sequence[_Node], first: int, rates: _Rates) -> None:
    """The beliefs of the nodes from the number `first` on, as if there were no others."""
    for node in nodes[first:]:
        _start(node, nodes[node.parent].inner if node.parent >= first else {}, rates)
    for node in reversed(nodes[first:]):
        _pass_up(node, nodes[node.parent] if node.parent >= first else None)
    for node in nodes[first:]:
        _pass_down(node, nodes[node.parent] if node.parent >= first else None)


def _start(node: _Node, inherited: Weights, rates: _Rates) -> None:
    """The weights of the causes of an incident that does not go on from another."""
    case, fresh = node.case, node.fresh = node.case, {}
    scale = rates.bad * case.brief
    for change, weight, densities in node.suspects:
        density = fsum(share * one for share, one in zip(rates.shares, densities, strict=True))
        fresh[change] = scale * weight * density
    by_itself = rates.of_service.get(case.service, rates.by_itself)
    fresh[_BY_ITSELF] = by_itself * node.others * case.brief
    fresh[_STRAYS] = case.strays
    node.inner = dict.fromkeys(fresh, 1.0)
    for cause in inherited:
        node.inner.setdefault(cause, 1.0)


def _pass_up(node: _Node, parent: _Node | None) -> None:
    """What the incident and those after it say about each cause: to the parent."""
    inner = node.inner
    if node.judged_by_end:
        for cause in inner:
            inner[cause] *= node.end_weight(cause)
    most = max(inner.values())
    for cause in inner:
        inner[cause] /= most
    node.started = fsum(weight * inner[cause] for cause, weight in node.fresh.items())
    if parent is None:
        return
    messages = node.messages = {}
    for cause in parent.inner:
        message = node.started
        if cause != _STRAYS:
            message += _go_on(node, cause)
        messages[cause] = message
        parent.inner[cause] *= message


def _go_on(node: _Node, cause: int) -> float:
    """The weight of an incident that goes on from its parent, which has that cause."""
    return node.again * node.inner[cause]


def _pass_down(node: _Node, parent: _Node | None) -> None:
    """The belief of a node, from that of its parent and from what was passed up."""
    inner = node.inner
    if parent is None:
        fresh = {cause: weight * inner[cause] for cause, weight in node.fresh.items()}
        belief = dict(fresh)
    else:
        cavity = {cause: one / node.messages[cause] for cause, one in parent.belief.items()}
        whole = fsum(cavity.values())
        fresh = {cause: weight * inner[cause] * whole for cause, weight in node.fresh.items()}
        belief = dict(fresh)
        for cause, weight in cavity.items():
            if cause != _STRAYS:
                belief[cause] = belief.get(cause, 0.0) + weight * _go_on(node, cause)
    total = fsum(belief.values())
    node.belief = {cause: weight / total for cause, weight in belief.items()}
    node.fresh = {cause: weight / total for cause, weight in fresh.items()}


def _learn(
    nodes: Sequence[_Node],
    rates: _Rates,
    deployments: Deployments,
    services: int,
    seconds: float,
) -> _Rates:
    """The rates that fit to the beliefs."""
    bad: Weights = {}
    kinds = [SHARES_WORTH * share for share in SHARES]
    own: dict[str, float] = {}
    for node in nodes:
        service = node.case.service
        own[service] = own.get(service, 0.0) + node.fresh[_BY_ITSELF]
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
    return _Rates(share, by_itself, of_service, [kind / total for kind in kinds])


def _conclude(nodes: Sequence[_Node]) -> list[Finding]:
    """The findings. What repaired an incident probably repaired the others of its tree, too."""
    alone = [_find_fixes(node, nodes, {}) for node in nodes]
    roots: list[int] = []
    best: dict[tuple[int, int], list[tuple[float, int]]] = {}  # by root and change: the best two
    for index, (node, fixes) in enumerate(zip(nodes, alone, strict=True)):
        roots.append(index if node.parent < 0 else roots[node.parent])
        for change, probability in fixes.items():
            shown = best.setdefault((roots[index], change), [])
            shown.append((probability, node.case.key))
            shown.sort(reverse=True)
            del shown[2:]
    findings = []
    for index, (node, fixes) in enumerate(zip(nodes, alone, strict=True)):
        shared = {}
        for change in fixes:
            others = (one for one, key in best[roots[index], change] if key != node.case.key)
            shared[change] = next(others, 0.0)
        if any(shared.values()):
            fixes = _find_fixes(node, nodes, shared)  # noqa: PLW2901
        causes = {cause: belief for cause, belief in node.belief.items() if cause >= 0}
        findings.append(Finding(_doubt(causes), _doubt(fixes)))
    return findings


def _doubt(weights: Weights) -> Weights:
    """Leave room for what the formulas do not know."""
    return {change: weight * (1 - DOUBT) for change, weight in weights.items()}


def _find_fixes(node: _Node, nodes: Sequence[_Node], shared: Weights) -> Weights:
    """
    The probability of each repair. `shared`: that it repaired another endpoint of the same tree.
    """
    fixes: Weights = {}
    for cause, belief in _real_ends(node, nodes):
        weights = node.ended_by.get(cause, node.ended_by[_BY_ITSELF])
        total = node.end_weight(cause)
        if shared:
            weights = {
                change: weight * (1 + SHARED * shared[change]) for change, weight in weights.items()
            }
            total = fsum(weights.values()) + RECOVERED[cause < 0]
        for change, weight in weights.items():
            fixes[change] = fixes.get(change, 0.0) + belief * weight / total
    return fixes


def _real_ends(node: _Node, nodes: Sequence[_Node]) -> Iterator[tuple[int, float]]:
    """
    Each cause by which failures ended for good: its probability. If the incident went on in a later
    one, they did not.
    """
    if not node.case.repairs:
        return
    for cause, belief in node.belief.items():
        if cause == _STRAYS:
            continue
        if node.next_same >= 0:
            child = nodes[node.next_same]
            yield cause, belief * child.started / child.messages[cause]
        else:
            yield cause, belief

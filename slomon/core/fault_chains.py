"""
Chains of faults: what the evidence about each fault says about the others of its service.

    fault 1 ----again---- fault 2 ----again---- fault 3
       |                     |                     |
    begins                begins                begins, ends

A fault begins by itself, by stray failures, by a change, or because the fault before it goes on:
then it has the same cause. The evidence is passed along the chain in both directions, so that each
fault is judged by all of it: the sum-product algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import fsum
from typing import Final, NamedTuple, TypeAlias

from slomon.core.faults import Fault
from slomon.core.repairs import Ending

MOST: Final = 64
"""Causes of a fault: its own ones, and the nearest of those before it. What is further is lost."""
BY_ITSELF: Final = -1
STRAYS: Final = -2

Weights: TypeAlias = dict[int, float]
"""By the position of a change, or BY_ITSELF, or STRAYS."""


class Rates(NamedTuple):
    """
    What is learnt.

    * `bad`: the share of changes that are bad; `shares`: of these, those with each delay
    * `by_itself`: faults by themselves of a service and second; `of_service`: of single services
    """

    bad: float
    by_itself: float
    of_service: Mapping[str, float]
    shares: Sequence[float]


@dataclass(slots=True)
class Node:
    """
    A fault in its chain.

    * `suspects`: position, weight of the other services, and density for each delay
    * `others`: the weight of the other services if it came by itself
    * `strays`: the rate at which stray failures alone make such a fault
    * `brief`: the probability that a fault is over as soon as this one
    * `child`: the number of the fault in which it may go on, or -1
    * `endings`: how well its end fits to each cause; empty if it has not ended
    * `started`, `inner`, `messages`, `belief`, `fresh`: of one round of `infer`
    """

    fault: Fault
    suspects: list[tuple[int, float, list[float]]]
    others: float
    strays: float
    brief: float
    child: int = -1
    endings: dict[int, Ending] = field(default_factory=dict)
    started: float = 0.0
    inner: Weights = field(default_factory=dict)
    messages: Weights = field(default_factory=dict)
    belief: Weights = field(default_factory=dict)
    fresh: Weights = field(default_factory=dict)

    def find_ending(self, cause: int) -> Ending:
        """How well the end fits to a cause; a cause of the parent alone is as by itself."""
        return self.endings.get(cause) or self.endings[BY_ITSELF]


def infer(nodes: Sequence[Node], first: int, rates: Rates) -> None:
    """The beliefs of the nodes from the number `first` on, as if there were no others."""
    for node in nodes[first:]:
        _start(node, nodes[node.fault.parent].inner if node.fault.parent >= first else {}, rates)
    for node in reversed(nodes[first:]):
        _pass_up(node, nodes[node.fault.parent] if node.fault.parent >= first else None)
    for node in nodes[first:]:
        _pass_down(node, nodes[node.fault.parent] if node.fault.parent >= first else None)


def _start(node: Node, inherited: Weights, rates: Rates) -> None:
    """The weights of the causes of an incident that does not go on from another."""
    fresh = node.fresh = {}
    scale = rates.bad * node.brief
    for change, weight, densities in node.suspects:
        density = fsum(share * one for share, one in zip(rates.shares, densities, strict=True))
        fresh[change] = scale * weight * density
    by_itself = rates.of_service.get(node.fault.service, rates.by_itself)
    fresh[BY_ITSELF] = by_itself * node.others * node.brief
    fresh[STRAYS] = node.strays
    node.inner = dict.fromkeys(islice(dict.fromkeys([*fresh, *inherited]), MOST), 1.0)


def _pass_up(node: Node, parent: Node | None) -> None:
    """What the incident and those after it say about each cause: to the parent."""
    inner = node.inner
    if node.endings and node.child < 0:
        for cause in inner:
            inner[cause] *= 1.0 if cause == STRAYS else node.find_ending(cause).whole
    most = max(inner.values())
    for cause in inner:
        inner[cause] /= most
    node.started = fsum(weight * inner[cause] for cause, weight in node.fresh.items())
    if parent is None:
        return
    messages = node.messages = {}
    for cause in parent.inner:
        message = messages[cause] = node.started + _go_on(node, cause)
        parent.inner[cause] *= message


def _go_on(node: Node, cause: int) -> float:
    """The weight of an incident that goes on from its parent, which has that cause."""
    return 0.0 if cause == STRAYS else node.fault.again * node.inner.get(cause, 0.0)


def _pass_down(node: Node, parent: Node | None) -> None:
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
            if again := _go_on(node, cause):
                belief[cause] = belief.get(cause, 0.0) + weight * again
    total = fsum(belief.values())
    node.belief = {cause: weight / total for cause, weight in belief.items()}
    node.fresh = {cause: weight / total for cause, weight in fresh.items()}

"""
What caused each incident, and what ended it, as probabilities.

Onsets come at random: some by themselves, some after a change, some after an onset before.

    rate of onsets of a service   by itself  +  each change          +  each incident before
    at time t                     rate          bad * delay(t - its time)   again * delay(...)

The share of each term in the sum, at the time of an onset, is the probability that this term caused
it. How often onsets come by themselves, and which share of the changes is bad, starts from stated
values and is learnt from the run (expectation maximization, a fixed number of rounds). The formulas
are in `docs/attribution.md`, in the order in which they are used here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import comb, exp, expm1, fsum, lgamma, log, log1p
from typing import Final

DELAYS: Final = (8.0, 90.0, 600.0, 2400.0)
"""Mean seconds from a bad change to the onset: at once, in minutes, later, much later."""
SHARES: Final = (0.6, 0.12, 0.14, 0.14)
"""Of the bad changes, those with each of these delays."""
BAD: Final = 0.15, 4.0
"""The share of changes that are bad, and the number of changes that this is worth."""
BY_ITSELF: Final = 1 / 43_200, 1.0
"""Onsets by themselves, of a service and second, and the number of onsets that this is worth."""
DURATION: Final = 1200.0
"""Mean seconds that a fault lasts."""
ROUNDS: Final = 6

_SIBLING: Final = ((0.5, 15.0), (0.15, 600.0))
_AGAIN: Final = ((0.6, 600.0),)
_TOGETHER: Final = 60.0
_OTHERS_IF_BY_ITSELF: Final = 0.35
_OTHERS_IF_CHANGE: Final = 0.02
_REPAIR: Final = 8.0
_FIXED: Final = {True: 0.45, False: 0.22}
_ROLLED_BACK: Final = {True: 0.30, False: 0.05}
_NOT_TAKEN_BACK: Final = 0.03
_BY_ITSELF: Final = {True: 0.15, False: 0.70}


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
    if delay < 0:
        return 0.0
    if abs(mean - error) < 1e-3 * mean:
        return delay / mean**2 * exp(-delay / mean)
    return (exp(-delay / mean) - exp(-delay / error)) / (mean - error)


def last_failure(delay: float, error: float) -> float:
    """The density of the last failure `delay` seconds after a fix, which may be negative."""
    return exp(-delay / _REPAIR if delay >= 0 else delay / error) / (_REPAIR + error)


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
        model.learn(model.infer())
    return model.infer()


class _Model:
    def __init__(
        self,
        cases: Sequence[Case],
        changes: Mapping[str, int],
        scopes: Mapping[int, frozenset[str]],
        services: int,
        seconds: float,
    ) -> None:
        self.cases = cases
        self.changes = changes
        self.total_changes = sum(changes.values())
        self.services = max(services, 1)
        self.seconds = max(seconds, 1.0)
        self.bad = BAD[0]
        self.rate = BY_ITSELF[0]
        self.rates: dict[str, float] = {}
        self.shares = SHARES
        self.delays = [
            [
                [first_failure(one.delay, mean, case.onset_error) for mean in DELAYS]
                for one in case.suspects
            ]
            for case in cases
        ]
        self.others = [self._weigh_others(case, scopes) for case in self._with_others()]
        self.repairs = [self._weigh_repairs(case) for case in cases]

    def _with_others(self):
        near = []
        first = 0
        for index, case in enumerate(self.cases):
            others = set()
            reach = _TOGETHER + 2 * case.onset_error
            for step in (-1, 1):
                at = index + step
                while 0 <= at < len(self.cases) and abs(self.cases[at].onset - case.onset) < reach:
                    if self.cases[at].service != case.service and self.cases[at].chance < 1e-3:
                        others.add(self.cases[at].service)
                    at += step
            near.append((case, others))
        return near

    def _weigh_others(self, pair, scopes):
        case, others = pair
        if self.services == 1:
            return 1.0, [1.0] * len(case.suspects)
        if not others:
            return 1 - _OTHERS_IF_BY_ITSELF, [1 - _OTHERS_IF_CHANGE] * len(case.suspects)
        weights = []
        for one in case.suspects:
            scope = scopes.get(one.change, frozenset())
            weights.append(1.0 if others <= scope else _OTHERS_IF_CHANGE)
        return _OTHERS_IF_BY_ITSELF, weights

    def _weigh_repairs(self, case):
        """For each cause (suspects, then by itself): the weights of each repair and of none."""
        causes = [*(one.change for one in case.suspects), None]
        if case.recovery is None:
            return [([], 1.0) for _ in causes]
        rate = (1 + self.changes.get(case.service, 0)) / (self.seconds + 3600)
        table = []
        for cause in causes:
            bad = cause is not None
            weights = []
            for one in case.repairs:
                if one.takes_back is None:
                    share = _FIXED[bad]
                elif bad and cause not in one.takes_back:
                    share = _NOT_TAKEN_BACK
                else:
                    share = _ROLLED_BACK[bad]
                weights.append(share * last_failure(one.delay, case.recovery_error) / rate)
            table.append((weights, _BY_ITSELF[bad]))
        return table

    def infer(self):
        findings = []
        self.fresh = []
        newest: dict[int, int] = {}
        newest_of_service: dict[str, int] = {}
        for index, case in enumerate(self.cases):
            by_itself, others = self.others[index]
            weights = [
                self.bad * sum(s * d for s, d in zip(self.shares, delays)) * other * case.brief
                for delays, other in zip(self.delays[index], others)
            ]
            rate = self.rates.get(case.service, self.rate) * by_itself * case.brief
            chance = case.chance
            # inherited
            inherited: dict[int, float] = {}
            again = 0.0
            for parent, terms, since in (
                (newest.get(case.key), _AGAIN, "recovery"),
                (newest_of_service.get(case.service), _SIBLING, "onset"),
            ):
                if parent is None:
                    continue
                before = self.cases[parent]
                at = before.onset if since == "onset" or before.recovery is None else before.recovery
                delay = max(case.onset - at, 0.0)
                error = case.onset_error + before.onset_error
                strength = case.brief * fsum(s * exp(-delay / (m + error)) / (m + error) for s, m in terms)
                found = findings[parent]
                for change, probability in found.causes.items():
                    inherited[change] = inherited.get(change, 0.0) + strength * probability
                again += strength * max(0.0, 1 - fsum(found.causes.values()) - found.chance)
            table = self.repairs[index]
            evidence = [fsum(ws) + none for ws, none in table]
            known = {one.change: n for n, one in enumerate(case.suspects)}
            totals = {one.change: weights[n] * evidence[n] for n, one in enumerate(case.suspects)}
            fresh = dict(totals)
            for change, weight in inherited.items():
                e = evidence[known[change]] if change in known else evidence[-1]
                totals[change] = totals.get(change, 0.0) + weight * e
            none_rate = rate * evidence[-1]
            none_again = again * evidence[-1]
            none_chance = chance * table[-1][1]
            total = fsum([*totals.values(), none_rate, none_again, none_chance])
            if total <= 0:
                total = none_rate = 1.0
            causes = {change: weight / total for change, weight in totals.items()}
            # fixes
            fixes: dict[int, float] = {}
            if case.recovery is not None:
                for change, probability in causes.items():
                    n = known.get(change, -1)
                    ws, none = table[n]
                    for one, w in zip(case.repairs, ws):
                        fixes[one.change] = fixes.get(one.change, 0.0) + probability * w / evidence[n]
                ws, none = table[-1]
                left = (none_rate + none_again) / total
                for one, w in zip(case.repairs, ws):
                    fixes[one.change] = fixes.get(one.change, 0.0) + left * w / evidence[-1]
            findings.append(Finding(causes, fixes, none_chance / total))
            self.fresh.append(({c: w / total for c, w in fresh.items()}, none_rate / total))
            newest[case.key] = index
            newest_of_service[case.service] = index
        return findings

    def learn(self, findings):
        bad: dict[int, float] = {}
        kinds = [0.0] * len(DELAYS)
        own: dict[str, float] = {}
        for index, (causes, by_itself) in enumerate(self.fresh):
            case = self.cases[index]
            own[case.service] = own.get(case.service, 0.0) + by_itself
            for n, one in enumerate(case.suspects):
                p = causes[one.change]
                bad[one.change] = min(1.0, bad.get(one.change, 0.0) + p)
                parts = [s * d for s, d in zip(self.shares, self.delays[index][n])]
                whole = sum(parts)
                if whole > 0:
                    for k, part in enumerate(parts):
                        kinds[k] += p * part / whole
        share, worth = BAD
        self.bad = (share * worth + fsum(bad.values())) / (worth + self.total_changes)
        rate, worth = BY_ITSELF
        self.rate = (worth + fsum(own.values())) / (worth / rate + self.services * self.seconds)
        self.rates = {
            service: (1 + count) / (1 / self.rate + self.seconds) for service, count in own.items()
        }
        worth = 4.0
        total = worth + sum(kinds)
        self.shares = tuple((worth * s + k) / total for s, k in zip(SHARES, kinds))

"""How good statements are, measured against the truth: a `Score`, and its calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.worlds.statements import Statement
from tests.worlds.truth import NOTHING

BINS = 10


@dataclass(slots=True)
class Share:
    """`part` of `whole`."""

    part: float = 0
    whole: float = 0

    def add(self, weight: float, *, holds: bool) -> None:
        self.whole += weight
        self.part += weight * holds

    def __str__(self) -> str:
        if not self.whole:
            return "-"
        return f"{self.part / self.whole:.1%} of {self.whole:,.0f}"


@dataclass(slots=True)
class Bin:
    """Statements with similar probabilities: their number, their sum, and how many are true."""

    count: int = 0
    stated: float = 0
    true: int = 0

    def add(self, probability: float, *, holds: bool) -> None:
        self.count += 1
        self.stated += probability
        self.true += holds


@dataclass(slots=True)
class Score:
    """
    * `right`: of the named commits, those that are true
    * `named`: of the incidents that a deploy caused (or repaired), those whose true commit is named
    * `at_once`: the same among those that broke at once
    * `others`: of the incidents that no deploy caused (or repaired), those with a commit named
    * `every`: the bins of all probabilities; `highest`: those of each statement's highest one
    * `brier`: the sum over incidents of the squared errors of all probabilities
    """

    right: Share = field(default_factory=Share)
    named: Share = field(default_factory=Share)
    at_once: Share = field(default_factory=Share)
    others: Share = field(default_factory=Share)
    every: list[Bin] = field(default_factory=lambda: [Bin() for _ in range(BINS)])
    highest: list[Bin] = field(default_factory=lambda: [Bin() for _ in range(BINS)])
    brier: float = 0
    rated: int = 0

    def add(
        self, statement: Statement, true: str, *, at_once: bool = False, weight: float = 1
    ) -> None:
        """Judge a statement about an incident with that true commit, or `NOTHING`."""
        named = statement.named
        if named is not None:
            self.right.add(weight, holds=named == true)
        if true == NOTHING:
            self.others.add(weight, holds=named is not None)
        else:
            self.named.add(weight, holds=named == true)
            if at_once:
                self.at_once.add(weight, holds=named == true)
        if statement.probabilities:
            self._rate(statement, true)

    def _rate(self, statement: Statement, true: str) -> None:
        probabilities = statement.probabilities
        self.rated += 1
        for commit in {true, *probabilities}:
            self.brier += (probabilities.get(commit, 0.0) - (commit == true)) ** 2
        for commit, probability in probabilities.items():
            _choose(self.every, probability).add(probability, holds=commit == true)
        commit, probability = max(probabilities.items(), key=lambda item: item[1])
        _choose(self.highest, probability).add(probability, holds=commit == true)

    @property
    def mean_brier(self) -> float | None:
        return self.brier / self.rated if self.rated else None


def measure_calibration_error(bins: Sequence[Bin]) -> float:
    """
    The expected calibration error: how far the stated probability is from the share of true
    statements, on average over the statements. 0 without statements.
    """
    count = sum(one.count for one in bins)
    return sum(abs(one.stated - one.true) for one in bins) / count if count else 0.0


def _choose(bins: list[Bin], probability: float) -> Bin:
    return bins[min(int(probability * BINS), BINS - 1)]

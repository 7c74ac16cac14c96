"""
Whole numbers as short text, as source maps write them: a page has half a million of them.

Each number is written in digits of five bits, the lowest first; a sixth bit says that another digit
follows. Where numbers may be negative their lowest bit is the sign. `browser/data.js` reads them.

A summary as values for JSON, small enough to travel inside a page: columns in place of records,
each text once, and whole numbers packed. `browser/data.js` makes records of them again.

Moments are milliseconds since `origin`, spans are milliseconds: what a browser's clock can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain, pairwise
from math import ceil, floor
from typing import Final, Generic, TypeAlias, TypeVar

from slomon.core.attribution import Attribution, Candidate, Verdict
from slomon.core.events import EVERY_SERVICE
from slomon.core.incident import State
from slomon.core.metrics import Deploy, Metrics, RankingEntry
from slomon.core.records import SCHEMA, IncidentRecord
from slomon.core.statistics import Comparison
from slomon.core.summary import Summary
from slomon.report.selection import LeftOut, select

DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def pack(numbers: Iterable[int]) -> str:
    """Numbers from 0, in their order. No digit means anything in HTML or JSON."""
    known = _KNOWN
    return "".join(known[number] if number < len(known) else _digits(number) for number in numbers)


def pack_signed(numbers: Iterable[int]) -> str:
    """Numbers that may be negative."""
    return pack(number << 1 if number >= 0 else -number << 1 | 1 for number in numbers)


def pack_rising(numbers: Iterable[int]) -> str:
    """Numbers that mostly rise a little: each by how much it is more than the one before."""
    steps, last = [], 0
    for number in numbers:
        steps.append(number - last)
        last = number
    return pack_signed(steps)


def _digits(number: int) -> str:
    text = ""
    while number >= 32:
        text += DIGITS[number & 31 | 32]
        number >>= 5
    return text + DIGITS[number]


_KNOWN: Final = [_digits(number) for number in range(1 << 14)]  # most numbers are among these


Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
T = TypeVar("T")

BOUND_STEPS: Final = 100_000
"""Of a bound of an interval, from 0 to 1: a thousandth of a point each."""
SLI_STEPS: Final = 1000
"""An SLI is told by how many of these steps it is below 1: so many lead from there to the SLO."""
SHOWN_SHARES: Final = 10
CHARACTERS: Final = 3_000_000
LONGEST: Final = 16_384
STATES: Final = list(State)
VERDICTS: Final = list(Verdict)


def make_payload(summary: Summary, commit_url: str | None = None, share: float = 1.0) -> Json:
    """
    All that a page shows, or a share of it: so of incidents and the like as of characters. Of texts
    that are too long for that the rest is cut off, and `longest` is how many characters were left.
    """
    shown, left_out = select(summary, share)
    return _Payload(shown).make(commit_url, left_out, int(CHARACTERS * share))


class _Numbered(Generic[T]):
    """Things, each with the number under which it is listed once."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}

    def __call__(self, thing: T) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def __iter__(self) -> Iterator[T]:
        return iter(self._numbers)


class _Payload:
    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._text = _Numbered[str]()
        self._change = _Numbered[tuple[str, str, str]]()
        self._service = _Numbered[str]()
        for metrics in summary.services:
            self._service(metrics.service or "")
        self._endpoint = {total.endpoint: number for number, total in enumerate(summary.endpoints)}
        self._origin = floor(min(_moments(summary), default=0.0))

    def make(self, commit_url: str | None, left_out: LeftOut, characters: int) -> Json:
        summary = self._summary
        shown: dict[str, Json] = {
            "schema": SCHEMA,
            "commitUrl": commit_url,
            "origin": self._origin,
            "began": self._at(summary.began),
            "ended": self._at(summary.ended),
            "accounting": dict[str, Json](asdict(summary.accounting)),
            "overall": _metric_columns([summary.overall]),
            "metrics": _metric_columns(summary.services),
            "endpoints": self._endpoints(),
            "deploys": self._deploys(),
            "incidents": self._incidents(),
            "byEndpoint": self._shares(summary.ranking.by_endpoint),
            "byAuthor": self._shares(summary.ranking.by_author),
            "byCommit": self._shares(summary.ranking.by_commit),
            "seriesStep": summary.series_step,
            "series": self._series(),
            "states": list[Json](STATES),
            "verdicts": list[Json](VERDICTS),
            "sliSteps": SLI_STEPS,
            "boundSteps": BOUND_STEPS,
            "leftOut": dict[str, Json](asdict(left_out)),
            "changes": self._changes(),
        }
        # What the columns above refer to.
        services, texts = list(self._service), list(self._text)
        longest = _measure(chain(services, texts), characters)
        return {
            **shown,
            "services": [_cut(text, longest) for text in services],
            "texts": [_cut(text, longest) for text in texts],
            "longest": longest,
            "cut": any(len(text) > longest for text in chain(services, texts)),
        }

    def _at(self, moment: float) -> int:
        return _millis(moment - self._origin)

    def _endpoints(self) -> Json:
        endpoints = self._summary.endpoints
        return {
            "service": pack(self._service(one.service) for one in endpoints),
            "verb": pack(self._text(one.verb) for one in endpoints),
            "resource": pack(self._text(one.resource) for one in endpoints),
            "slo": [one.slo for one in endpoints],
            "window": [one.window for one in endpoints],
            "requests": pack(one.requests for one in endpoints),
            "failures": pack(one.failures for one in endpoints),
        }

    def _deploys(self) -> Json:
        deploys = self._summary.deploys
        return {
            "service": pack(self._owner(one) for one in deploys),
            "change": pack(self._change((one.commit, one.author, one.date)) for one in deploys),
            "at": pack_rising(self._at(one.at) for one in deploys),
        }

    def _owner(self, deploy: Deploy) -> int:
        """The number of a service plus 1, or 0 for every service."""
        return 0 if deploy.service == EVERY_SERVICE else 1 + self._service(deploy.service)

    def _changes(self) -> Json:
        columns = zip(*self._change, strict=True) if list(self._change) else ((), (), ())
        names = ("commit", "author", "date")
        return {
            name: pack(map(self._text, column)) for name, column in zip(names, columns, strict=True)
        }

    def _incidents(self) -> Json:
        incidents = self._summary.incidents

        def counts(value: Callable[[IncidentRecord], int]) -> Json:
            return pack(map(value, incidents))

        def spans(value: Callable[[IncidentRecord], float]) -> Json:
            return pack_signed(_millis(value(one)) for one in incidents)

        return {
            "id": [one.id for one in incidents],
            "endpoint": counts(lambda one: self._endpoint[one.endpoint]),
            "state": counts(lambda one: STATES.index(one.state)),
            "start": pack_rising(self._at(one.start) for one in incidents),
            "lasted": spans(lambda one: one.duration or 0.0),  # an open one's is its state
            "onset": spans(lambda one: one.start - one.onset),
            "lastFailure": spans(lambda one: one.last_failure - one.start),
            "requests": counts(lambda one: one.requests),
            "failures": counts(lambda one: one.failures),
            "lowest": counts(lambda one: _below_one(one.min_sli, one.slo)),
            "lowestAt": spans(lambda one: one.min_sli_at - one.start),
            "burnRate": [_short(one.burn_rate, 3) for one in incidents],
            "budgetBurnt": [_short(one.error_budget_consumed, 3) for one in incidents],
            "coOccurring": self._co_occurring(incidents),
            "brokenBy": self._attributions([one.broken_by for one in incidents]),
            "fixedBy": self._attributions([one.fixed_by for one in incidents]),
        }

    def _co_occurring(self, incidents: Sequence[IncidentRecord]) -> Json:
        return {
            "count": pack(len(one.co_occurring) for one in incidents),
            "service": pack(self._service(name) for one in incidents for name in one.co_occurring),
        }

    def _attributions(self, attributions: Sequence[Attribution | None]) -> Json:
        candidates: list[Candidate] = []
        evidence: list[Comparison] = []
        heads: list[int] = []
        for one in attributions:
            if one is None:
                heads.append(0)
                continue
            shown = (VERDICTS.index(one.verdict) + 1) << 1 | (one.evidence is not None)
            heads += shown, len(one.candidates), one.omitted
            candidates += one.candidates
            evidence += [] if one.evidence is None else [one.evidence]
        return {
            "heads": pack(heads),
            "change": pack(self._change((one.commit, one.author, one.date)) for one in candidates),
            "age": pack_signed(_millis(one.age) for one in candidates),
            "evidence": pack_signed(chain.from_iterable(map(_compared, evidence))),
        }

    def _shares(self, shares: Sequence[RankingEntry]) -> Json:
        shown = shares[:SHOWN_SHARES]
        return {
            "name": [self._text(share.name) for share in shown],
            "incidents": [share.incidents for share in shown],
            "seconds": [_short(share.seconds) for share in shown],
            "more": len(shares) - len(shown),
        }

    def _series(self) -> Json:
        series, step = self._summary.sli_series, self._summary.series_step or 1.0
        firsts = [one.at[0] if one.at else 0.0 for one in series]
        slos = [self._summary.endpoints[one.endpoint].slo for one in series]
        return {
            "endpoint": [one.endpoint for one in series],
            "first": [self._at(first) for first in firsts],
            "places": [
                pack(_runs([round((moment - first) / step) for moment in one.at]))
                for one, first in zip(series, firsts, strict=True)
            ],
            "requests": [pack(one.requests) for one in series],
            "failures": [pack(one.failures) for one in series],
            "lowest": [
                pack(_below_one(sli, slo) for sli in one.min_sli)
                for one, slo in zip(series, slos, strict=True)
            ],
        }


def _moments(summary: Summary) -> Iterable[float]:
    yield from (summary.began, summary.ended)
    yield from (one.at for one in summary.deploys)
    yield from (one.start for one in summary.incidents)


def _runs(places: Sequence[int]) -> Iterable[int]:
    """Rising whole numbers as lengths by turns: of a gap, then of what stands without one."""
    if not places:
        return
    yield places[0]
    length = 1
    for last, place in pairwise(places):
        if place == last + 1:
            length += 1
        else:
            yield from (length, place - last - 1)
            length = 1
    yield length


def _compared(evidence: Comparison) -> Iterable[int]:
    yield from (evidence.before.requests, evidence.before.failures)
    yield from (evidence.after.requests, evidence.after.failures)
    yield from (round(BOUND_STEPS * bound) for bound in (evidence.low, evidence.high))


def _metric_columns(metrics: Sequence[Metrics]) -> Json:
    """Each figure as a column; those of a part are named as `repair.mean`."""
    columns: dict[str, list[Json]] = {}
    for one in metrics:
        for name, value in asdict(one).items():
            parts = value if isinstance(value, dict) else {"": value}
            for part, number in parts.items():
                column = columns.setdefault(f"{name}.{part}".rstrip("."), [])
                column.append(_short(number) if isinstance(number, float) else number)
    return {name: column for name, column in columns.items() if name != "service"}


def _measure(texts: Iterable[str], characters: int) -> int:
    """To how many characters texts are to be cut, so that no more of them are left in all."""
    lengths = Counter(map(len, texts))
    longest = LONGEST
    while longest > 8 and sum(min(n, longest) * of for n, of in lengths.items()) > characters:
        longest //= 2
    return longest


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}\u2026"


def _millis(seconds: float) -> int:
    return round(seconds * 1000)


def _below_one(sli: float, slo: float) -> int:
    """How far an SLI is below 1, rounded up: so one below the SLO is never told as one on it."""
    steps = (1 - sli) / (1 - slo or 0.001) * SLI_STEPS
    return ceil(round(steps, 6))  # as a float it is hardly ever whole


def _short(number: float | None, digits: int = 6) -> float | None:
    """What can be read of a number."""
    return None if number is None else float(f"{number:.{digits}g}")

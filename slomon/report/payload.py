"""
The data of a page: a summary as values for JSON, small enough to be part of the page.

Records become columns, each text is listed once, and whole numbers are packed, because a page has
half a million of them. `browser/data.js` turns the values into records again. Times are
milliseconds since `origin` and durations are milliseconds, the precision of a browser's clock.

Packed numbers are written as in source maps: digits of five bits, the lowest first, in the alphabet
of base64url. The sixth bit of a digit says that another digit follows. If numbers may be negative,
the lowest bit is the sign.
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
from slomon.core.incident_records import SCHEMA, IncidentRecord
from slomon.core.metrics import Deploy, Metrics, RankingEntry
from slomon.core.statistics import Comparison
from slomon.core.summary import Summary
from slomon.report.selection import Omitted, select

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
T = TypeVar("T")

DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
STATES: Final = list(State)
VERDICTS: Final = list(Verdict)
SLI_STEPS: Final = 1000
"""An SLI is stored as its distance below 1, in steps of (1 - SLO) / SLI_STEPS."""
BOUND_STEPS: Final = 100_000
"""Steps from 0 to 1 of a bound of a confidence interval: a step is 0.001 percentage points."""
PROBABILITY_STEPS: Final = 10_000
"""Steps from 0 to 1 of a probability, rounded down: one below a verdict's limit stays below it."""
RANKING_ENTRIES: Final = 10
"""Entries of each ranking that a page shows."""
MAX_CHARACTERS: Final = 3_000_000
"""Characters of all texts of a page. Longer texts are cut to keep to it."""
MAX_LENGTH: Final = 16_384
"""Characters of a text."""


def make_payload(summary: Summary, commit_url: str | None = None, share: float = 1.0) -> Json:
    """
    The values that a page shows. `share` scales the limits on incidents, endpoints, ... and on the
    characters of all texts. Texts are cut to `maxLength` characters to keep to the latter.
    """
    shown, omitted = select(summary, share)
    return _Payload(shown).make(commit_url, omitted, int(MAX_CHARACTERS * share))


def pack(numbers: Iterable[int]) -> str:
    """Pack numbers that are at least 0. No digit has a meaning in HTML or JSON."""
    packed = _PACKED
    return "".join(
        packed[number] if number < len(packed) else _digits(number) for number in numbers
    )


def pack_signed(numbers: Iterable[int]) -> str:
    """Pack numbers that may be negative."""
    return pack(number << 1 if number >= 0 else -number << 1 | 1 for number in numbers)


def pack_rising(numbers: Iterable[int]) -> str:
    """Pack numbers that mostly rise a little, as differences to the number before."""
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


_PACKED: Final = [_digits(number) for number in range(1 << 14)]  # covers most numbers


class _Interner(Generic[T]):
    """Numbers distinct items in the order in which they first come."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}

    def __call__(self, item: T) -> int:
        return self._numbers.setdefault(item, len(self._numbers))

    def __iter__(self) -> Iterator[T]:
        return iter(self._numbers)


class _Payload:
    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._text = _Interner[str]()
        self._change = _Interner[tuple[str, str, str]]()
        self._service = _Interner[str]()
        for metrics in summary.services:
            self._service(metrics.service or "")
        self._endpoint = {total.endpoint: number for number, total in enumerate(summary.endpoints)}
        self._origin = floor(min(_moments(summary), default=0.0))

    def make(self, commit_url: str | None, omitted: Omitted, characters: int) -> Json:
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
            "ranking": {
                "byEndpoint": self._ranking(summary.ranking.by_endpoint),
                "byAuthor": self._ranking(summary.ranking.by_author),
                "byCommit": self._ranking(summary.ranking.by_commit),
            },
            "seriesStep": summary.series_step,
            "series": self._series(),
            "states": list[Json](STATES),
            "verdicts": list[Json](VERDICTS),
            "sliSteps": SLI_STEPS,
            "boundSteps": BOUND_STEPS,
            "probabilitySteps": PROBABILITY_STEPS,
            "omitted": dict[str, Json](asdict(omitted)),
            "changes": self._changes(),
        }
        # After the columns, which number the services and texts.
        services, texts = list(self._service), list(self._text)
        length = _max_length(chain(services, texts), characters)
        return {
            **shown,
            "services": [_cut(text, length) for text in services],
            "texts": [_cut(text, length) for text in texts],
            "maxLength": length,
            "cut": any(len(text) > length for text in chain(services, texts)),
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
            "service": pack(self._service_of(one) for one in deploys),
            "change": pack(self._change((one.commit, one.author, one.date)) for one in deploys),
            "at": pack_rising(self._at(one.at) for one in deploys),
        }

    def _service_of(self, deploy: Deploy) -> int:
        """The number of the deploy's service plus 1, or 0 for every service."""
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

        def durations(value: Callable[[IncidentRecord], float]) -> Json:
            return pack_signed(_millis(value(one)) for one in incidents)

        return {
            "id": [one.id for one in incidents],
            "endpoint": counts(lambda one: self._endpoint[one.endpoint]),
            "state": counts(lambda one: STATES.index(one.state)),
            "start": pack_rising(self._at(one.start) for one in incidents),
            "duration": durations(lambda one: one.duration or 0.0),  # open incidents: see `state`
            "onset": durations(lambda one: one.start - one.onset),
            "lastFailure": durations(lambda one: one.last_failure - one.start),
            "requests": counts(lambda one: one.requests),
            "failures": counts(lambda one: one.failures),
            "minSli": counts(lambda one: _below_one(one.min_sli, one.slo)),
            "minSliAt": durations(lambda one: one.min_sli_at - one.start),
            "burnRate": [_round(one.burn_rate, 3) for one in incidents],
            "budgetConsumed": [_round(one.error_budget_consumed, 3) for one in incidents],
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
        unexplained: list[float] = []
        headers: list[int] = []
        for one in attributions:
            if one is None:
                headers.append(0)
                continue
            shown = (VERDICTS.index(one.verdict) + 1) << 1 | (one.evidence is not None)
            headers += shown, len(one.candidates), one.omitted
            candidates += one.candidates
            unexplained.append(one.unexplained)
            evidence += [] if one.evidence is None else [one.evidence]
        return {
            "headers": pack(headers),
            "change": pack(self._change((one.commit, one.author, one.date)) for one in candidates),
            "age": pack_signed(_millis(one.age) for one in candidates),
            "delay": pack_signed(_millis(one.delay) for one in candidates),
            "probability": pack(_parts(one.probability) for one in candidates),
            "unexplained": pack(map(_parts, unexplained)),
            "evidence": pack_signed(chain.from_iterable(map(_evidence, evidence))),
        }

    def _ranking(self, entries: Sequence[RankingEntry]) -> Json:
        shown = entries[:RANKING_ENTRIES]
        return {
            "name": [self._text(one.name) for one in shown],
            "incidents": [one.incidents for one in shown],
            "seconds": [_round(one.seconds) for one in shown],
            "more": len(entries) - len(shown),
        }

    def _series(self) -> Json:
        series, step = self._summary.sli_series, self._summary.series_step or 1.0
        firsts = [one.at[0] if one.at else 0.0 for one in series]
        slos = [self._summary.endpoints[one.endpoint].slo for one in series]
        return {
            "endpoint": [one.endpoint for one in series],
            "first": [self._at(first) for first in firsts],
            "runs": [
                pack(_runs([round((moment - first) / step) for moment in one.at]))
                for one, first in zip(series, firsts, strict=True)
            ],
            "requests": [pack(one.requests) for one in series],
            "failures": [pack(one.failures) for one in series],
            "minSli": [
                pack(_below_one(sli, slo) for sli in one.min_sli)
                for one, slo in zip(series, slos, strict=True)
            ],
        }


def _moments(summary: Summary) -> Iterable[float]:
    yield from (summary.began, summary.ended)
    yield from (one.at for one in summary.deploys)
    yield from (one.start for one in summary.incidents)


def _runs(buckets: Sequence[int]) -> Iterable[int]:
    """Rising bucket numbers as lengths: of a gap, of the buckets up to the next gap, and so on."""
    if not buckets:
        return
    yield buckets[0]
    length = 1
    for last, bucket in pairwise(buckets):
        if bucket == last + 1:
            length += 1
        else:
            yield from (length, bucket - last - 1)
            length = 1
    yield length


def _evidence(comparison: Comparison) -> Iterable[int]:
    yield from (comparison.before.requests, comparison.before.failures)
    yield from (comparison.after.requests, comparison.after.failures)
    yield from (round(BOUND_STEPS * bound) for bound in (comparison.low, comparison.high))


def _metric_columns(metrics: Sequence[Metrics]) -> Json:
    """Each metric as a column. The metrics of a nested part have names like `repair.mean`."""
    columns: dict[str, list[Json]] = {}
    for one in metrics:
        for name, value in asdict(one).items():
            parts = value if isinstance(value, dict) else {"": value}
            for part, number in parts.items():
                column = columns.setdefault(f"{name}.{part}".rstrip("."), [])
                column.append(_round(number) if isinstance(number, float) else number)
    return {name: column for name, column in columns.items() if name != "service"}


def _max_length(texts: Iterable[str], characters: int) -> int:
    """The length to which texts are cut, so that they have at most this many characters in all."""
    lengths = Counter(map(len, texts))
    longest = MAX_LENGTH
    while longest > 8 and sum(min(n, longest) * many for n, many in lengths.items()) > characters:
        longest //= 2
    return longest


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}\u2026"


def _parts(probability: float) -> int:
    return floor(round(probability * PROBABILITY_STEPS, 2))


def _millis(seconds: float) -> int:
    return round(seconds * 1000)


def _below_one(sli: float, slo: float) -> int:
    """The steps by which an SLI is below 1, rounded up: an SLI below the SLO stays below it."""
    steps = (1 - sli) / (1 - slo or 0.001) * SLI_STEPS
    return ceil(round(steps, 6))  # the inner rounding removes float noise


def _round(number: float | None, digits: int = 6) -> float | None:
    """A number with as many significant digits as a page shows."""
    return None if number is None else float(f"{number:.{digits}g}")

"""
Incidents as flat columns: those of CSV and Parquet files and of data frames.

Names and units are those of `slomon.core.record`; times are seconds since the epoch. Nothing is
-1 here: an open incident has no `end`, so that nobody's mean is wrong. What an attribution says
stands in columns that begin with `break` or `fix`:

* `break`, `break_author`, `break_date`, `break_age`: of the newest candidate, the contract's
* `break_verdict`; `break_candidates`, all of them, and how many came `break_earlier`
* `break_before_requests`, `break_before_failures`, `break_after_requests`,
  `break_after_failures`, `break_difference`, `break_low`, `break_high`: the evidence
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from operator import attrgetter
from typing import Final, TypeAlias

from slomon.core.attribution import Attribution, Candidate
from slomon.core.records import IncidentRecord
from slomon.core.statistics import Comparison

Look: TypeAlias = Callable[[IncidentRecord], object]


class Kind(Enum):
    """What a column holds; any of them may also hold None, but for the two of tuples."""

    TEXT = auto()
    TIME = auto()
    NUMBER = auto()
    COUNT = auto()
    NAMES = auto()
    CANDIDATES = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A name, what kind of value it has, and how that is had from an incident."""

    name: str
    kind: Kind
    look: Look


def _own(kind: Kind, *names: str) -> Iterator[Column]:
    return (Column(name, kind, attrgetter(name)) for name in names)


def _attributed(
    name: str, attribution: Callable[[IncidentRecord], Attribution | None]
) -> list[Column]:
    def of_newest(field: str) -> Look:
        return lambda record: _look(_newest(attribution(record)), field)

    def of_evidence(field: str) -> Look:
        return lambda record: _look(_evidence(attribution(record)), field)

    def of_whole(field: str) -> Look:
        return lambda record: _look(attribution(record), field)

    def candidates(record: IncidentRecord) -> tuple[Candidate, ...]:
        found = attribution(record)
        return found.candidates if found else ()

    return [
        Column(name, Kind.TEXT, of_newest("commit")),
        Column(f"{name}_author", Kind.TEXT, of_newest("author")),
        Column(f"{name}_date", Kind.TEXT, of_newest("date")),
        Column(f"{name}_age", Kind.NUMBER, of_newest("age")),
        Column(f"{name}_verdict", Kind.TEXT, of_whole("verdict")),
        Column(f"{name}_candidates", Kind.CANDIDATES, candidates),
        Column(f"{name}_earlier", Kind.COUNT, of_whole("earlier")),
        *(
            Column(f"{name}_{side}_{field}", Kind.COUNT, of_evidence(f"{side}.{field}"))
            for side in ("before", "after")
            for field in ("requests", "failures")
        ),
        *(
            Column(f"{name}_{field}", Kind.NUMBER, of_evidence(field))
            for field in ("difference", "low", "high")
        ),
    ]


def _newest(attribution: Attribution | None) -> Candidate | None:
    return attribution.newest if attribution else None


def _evidence(attribution: Attribution | None) -> Comparison | None:
    return attribution.evidence if attribution else None


def _look(value: object, field: str) -> object:
    return None if value is None else attrgetter(field)(value)


COLUMNS: Final = (
    *_own(Kind.TEXT, "id", "service", "verb", "resource"),
    *_own(Kind.NUMBER, "slo", "window"),
    *_own(Kind.TEXT, "state"),
    *_own(Kind.TIME, "start", "end"),
    *_own(Kind.NUMBER, "duration"),
    *_own(Kind.TIME, "onset", "last_failure"),
    *_own(Kind.COUNT, "requests", "failures"),
    *_own(Kind.NUMBER, "lowest_sli"),
    *_own(Kind.TIME, "lowest_sli_at"),
    *_own(Kind.NUMBER, "burn_rate", "error_budget_burnt"),
    *_attributed("break", lambda record: record.broken_by),
    *_attributed("fix", lambda record: record.fixed_by),
    *_own(Kind.NAMES, "together"),
)
"""In their order; a new one is put at the end."""

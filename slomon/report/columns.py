"""
Incidents as flat columns: those of CSV and Parquet files and of data frames.

Names and units are those of `slomon.core.record`; times are seconds since the epoch. Nothing is
-1 here: an open incident has no `end`, so that nobody's mean is wrong. What an attribution says
stands in columns that begin with `break` or `fix`:

* `break`, `break_author`, `break_date`, `break_age`: of the newest candidate, the contract's
* `break_verdict`; `break_candidates`, all of them, and how many came `break_omitted`
* `break_before_requests`, `break_before_failures`, `break_after_requests`,
  `break_after_failures`, `break_difference`, `break_low`, `break_high`: the evidence

An incident as JSON: an object that needs nothing but its `schema` to be understood.

That number is `slomon.core.record.SCHEMA`. Names are those of `slomon.core.record`, which says what
each field means and in which unit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from enum import Enum, auto
from functools import cache
from importlib.resources import files
from operator import attrgetter
from typing import Any, Final, TypeAlias, cast

from slomon.core.attribution import Attribution, Candidate
from slomon.core.records import SCHEMA, IncidentRecord
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
        Column(f"{name}_omitted", Kind.COUNT, of_whole("omitted")),
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
    *_own(Kind.NUMBER, "min_sli"),
    *_own(Kind.TIME, "min_sli_at"),
    *_own(Kind.NUMBER, "burn_rate", "error_budget_consumed"),
    *_attributed("break", lambda record: record.broken_by),
    *_attributed("fix", lambda record: record.fixed_by),
    *_own(Kind.NAMES, "co_occurring"),
)
"""In their order; a new one is put at the end."""


def incident_document(record: IncidentRecord) -> dict[str, object]:
    """
    An incident, as `incident_schema` describes it. `start`, `end`, `fix` and `break` are the
    contract's: -1 and "" while it is open. Whatever else isn't known is None.
    """
    return {
        "schema": SCHEMA,
        "id": record.id,
        "start": record.start,
        "end": -1 if record.end is None else record.end,
        "fix": record.fixed_by.commit if record.fixed_by else "",
        "break": record.broken_by.commit,
        **{name: value for name, value in _fields(record).items() if name not in _FIRST},
    }


def incident_lines(records: Iterable[IncidentRecord]) -> Iterator[str]:
    """The document of each incident as a line of JSON, which is ASCII and lacks its line end."""
    return (_write(incident_document(record)) for record in records)


def incident_schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of an incident's document."""
    text = files("slomon.report").joinpath("incident.schema.json").read_text(encoding="utf-8")
    return cast(dict[str, object], json.loads(text))


_FIRST: Final = {"id", "start", "end"}
_write: Final = json.JSONEncoder(allow_nan=False).encode


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _fields(value: Any) -> dict[str, object]:
    return {name: _plain(getattr(value, name)) for name in _names(value.__class__)}


def _plain(value: object) -> object:
    """Made of nothing but what JSON has, so that it equals what is read back."""
    if value is None or isinstance(value, float | int):
        return value
    if isinstance(value, str):
        return str(value)  # of a state or a verdict, too
    return list(map(_plain, value)) if isinstance(value, tuple) else _fields(value)

"""
The two forms of an incident that the exports share: flat columns and a JSON document.

`COLUMNS` are the columns of CSV and Parquet files and of data frames. Field names and units
are those of `slomon.core.incident_records`; times are seconds since the epoch. An unknown value is
None: an open incident has no `end`, so means over a column stay right. The columns of an
attribution begin with `break` or `fix`:

* `break`, `break_author`, `break_date`, `break_age`: of the newest candidate, which the contract
  names
* `break_verdict`; `break_candidates`: all candidates; `break_omitted`: the number of candidates
  that are not listed
* `break_before_requests`, `break_before_failures`, `break_after_requests`,
  `break_after_failures`, `break_difference`, `break_low`, `break_high`: the evidence
* `break_suspect`, `break_probability`: the most probable candidate
* `break_unexplained`: the probability that no known change is the cause

`incident_document` is the JSON document of an incident, described by `incident_schema`. Its
`schema` field is the version of the form, `slomon.core.incident_records.SCHEMA`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from enum import Enum, auto
from functools import cache
from importlib.resources import files
from operator import attrgetter
from typing import Any, Final, TypeAlias, cast

from slomon.core.attribution import Attribution, Candidate
from slomon.core.incident_records import SCHEMA, IncidentRecord
from slomon.core.statistics import Comparison

Getter: TypeAlias = Callable[[IncidentRecord], object]


class Kind(Enum):
    """
    The type of a column's values. All but NAMES and CANDIDATES, which hold tuples, may also hold
    None.
    """

    TEXT = auto()
    TIME = auto()
    NUMBER = auto()
    COUNT = auto()
    NAMES = auto()
    CANDIDATES = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, the type of its values, and how to get a value from an incident."""

    name: str
    kind: Kind
    get: Getter


def _own(kind: Kind, *names: str) -> Iterator[Column]:
    return (Column(name, kind, attrgetter(name)) for name in names)


def _attributed(
    name: str, attribution: Callable[[IncidentRecord], Attribution | None]
) -> list[Column]:
    def of_newest(field: str) -> Getter:
        get = attrgetter(field)
        return lambda record: _get(_newest(attribution(record)), get)

    def of_evidence(field: str) -> Getter:
        get = attrgetter(field)
        return lambda record: _get(_evidence(attribution(record)), get)

    def of_attribution(field: str) -> Getter:
        get = attrgetter(field)
        return lambda record: _get(attribution(record), get)

    def candidates(record: IncidentRecord) -> tuple[Candidate, ...]:
        found = attribution(record)
        return found.candidates if found else ()

    return [
        Column(name, Kind.TEXT, of_newest("commit")),
        Column(f"{name}_author", Kind.TEXT, of_newest("author")),
        Column(f"{name}_date", Kind.TEXT, of_newest("date")),
        Column(f"{name}_age", Kind.NUMBER, of_newest("age")),
        Column(f"{name}_verdict", Kind.TEXT, of_attribution("verdict")),
        Column(f"{name}_candidates", Kind.CANDIDATES, candidates),
        Column(f"{name}_omitted", Kind.COUNT, of_attribution("omitted")),
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


def _suspected(
    name: str, attribution: Callable[[IncidentRecord], Attribution | None]
) -> Iterator[Column]:
    def of_suspect(field: str) -> Getter:
        get = attrgetter(field)
        return lambda record: _get(_suspect(attribution(record)), get)

    unexplained = attrgetter("unexplained")
    yield Column(f"{name}_suspect", Kind.TEXT, of_suspect("commit"))
    yield Column(f"{name}_probability", Kind.NUMBER, of_suspect("probability"))
    yield Column(
        f"{name}_unexplained",
        Kind.NUMBER,
        lambda record: _get(attribution(record), unexplained),
    )


def _newest(attribution: Attribution | None) -> Candidate | None:
    return attribution.newest if attribution else None


def _evidence(attribution: Attribution | None) -> Comparison | None:
    return attribution.evidence if attribution else None


def _suspect(attribution: Attribution | None) -> Candidate | None:
    return attribution.suspect if attribution else None


def _get(value: object, get: Callable[[Any], object]) -> object:
    return None if value is None else get(value)


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
    *_own(Kind.NUMBER, "onset_error"),
    *_own(Kind.TIME, "recovery"),
    *_own(Kind.NUMBER, "recovery_error"),
    *_suspected("break", lambda record: record.broken_by),
    *_suspected("fix", lambda record: record.fixed_by),
)
"""All columns in their order. A new column is appended, so that positions stay stable."""

_LEADING: Final = {"id", "start", "end"}


_FOLLOWING: Final = [one.name for one in fields(IncidentRecord) if one.name not in _LEADING]
_get_following: Final = attrgetter(*_FOLLOWING)


def incident_document(record: IncidentRecord) -> dict[str, object]:
    """
    The JSON document of an incident, as `incident_schema` describes it. `start`, `end`, `fix` and
    `break` are those of the contract: while the incident is open, `end` is -1 and `fix` is "". Any
    other value that is not known is None.
    """
    return cast(dict[str, object], json.loads(_encode(_list_members(record))))


def incident_lines(records: Iterable[IncidentRecord]) -> Iterator[str]:
    """The document of each incident as a line of JSON: ASCII, without the line end."""
    return map(_encode, map(_list_members, records))


def incident_schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of an incident's document."""
    text = files("slomon.report").joinpath("incident.schema.json").read_text(encoding="utf-8")
    return cast(dict[str, object], json.loads(text))


def _list_members(record: IncidentRecord) -> dict[str, object]:
    """The members of the document, with values as the record has them."""
    return {
        "schema": SCHEMA,
        "id": record.id,
        "start": record.start,
        "end": -1 if record.end is None else record.end,
        "fix": record.fixed_by.commit if record.fixed_by else "",
        "break": record.broken_by.commit,
        **dict(zip(_FOLLOWING, _get_following(record), strict=True)),
    }


def _list_fields(value: Any) -> dict[str, object]:
    """The members of a value that is no type of JSON: a data class with fields of any type."""
    names, get = _make_getter(value.__class__)
    members = dict(zip(names, get(value), strict=True))
    if isinstance(value, Attribution):
        members["candidates"] = [one._asdict() for one in value.candidates]
    return members


@cache
def _make_getter(kind: type[Any]) -> tuple[Sequence[str], Callable[[object], tuple[object, ...]]]:
    """The names of the fields of a data class, and a function that returns their values."""
    names = [field.name for field in fields(kind)]
    return names, attrgetter(*names)


_encode: Final = json.JSONEncoder(allow_nan=False, default=_list_fields).encode

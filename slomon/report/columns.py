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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from enum import Enum, auto
from functools import lru_cache
from importlib.resources import files
from json.encoder import encode_basestring_ascii as _text
from operator import attrgetter
from typing import Any, Final, TypeAlias, cast

from slomon.core.attribution import NO_CANDIDATE, Attribution, Candidate
from slomon.core.incident_records import SCHEMA, IncidentRecord
from slomon.core.statistics import Comparison, Counts

Getter: TypeAlias = Callable[[IncidentRecord], object]

_CACHED: Final = 4096  # texts of endpoints and changes, which are in many lines


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
    return {name: _plain(value) for name, value in _list_members(record).items()}


def incident_lines(records: Iterable[IncidentRecord]) -> Iterator[str]:
    """The document of each incident as a line of JSON: ASCII, without the line end."""
    return map(_write_line, records)


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


_PLAIN: Final = frozenset((float, int, bool, str, type(None)))


def _plain(value: object) -> object:
    """A value of JSON types only, so that it equals what is read back from JSON."""
    if value.__class__ in _PLAIN:
        return value
    if isinstance(value, str):
        return str(value)  # a State or a Verdict becomes plain text
    if isinstance(value, Candidate):
        return value._asdict()
    if isinstance(value, tuple):
        return list(map(_plain, value))
    names = [field.name for field in fields(cast(Any, value))]
    return {name: _plain(getattr(value, name)) for name in names}


# A line is written member by member: an encoder takes three times as long to visit all keys.


def _write_line(record: IncidentRecord) -> str:
    fixed_by = record.fixed_by
    return (
        f'{{"schema": {SCHEMA}, "id": {_text(record.id)}, "start": {record.start!r}, '
        f'"end": {-1 if record.end is None else repr(record.end)}, '
        f'"fix": {_text(fixed_by.commit if fixed_by else "")}, '
        f'"break": {_text(record.broken_by.commit)}, '
        f"{_write_endpoint(*record.endpoint, record.slo, record.window)}, "
        f'"state": "{record.state}", "duration": {_number(record.duration)}, '
        f'"onset": {record.onset!r}, "last_failure": {record.last_failure!r}, '
        f'"requests": {record.requests}, "failures": {record.failures}, '
        f'"min_sli": {record.min_sli!r}, "min_sli_at": {record.min_sli_at!r}, '
        f'"burn_rate": {_number(record.burn_rate)}, '
        f'"error_budget_consumed": {_number(record.error_budget_consumed)}, '
        f'"broken_by": {_write_attribution(record.broken_by)}, '
        f'"fixed_by": {_write_attribution(fixed_by)}, '
        f'"co_occurring": [{", ".join(map(_text, record.co_occurring))}], '
        f'"onset_error": {record.onset_error!r}, "recovery": {_number(record.recovery)}, '
        f'"recovery_error": {_number(record.recovery_error)}}}'
    )


@lru_cache(_CACHED)
def _write_endpoint(service: str, verb: str, resource: str, slo: float, window: float) -> str:
    return (
        f'"service": {_text(service)}, "verb": {_text(verb)}, "resource": {_text(resource)}, '
        f'"slo": {slo!r}, "window": {window!r}'
    )


def _write_attribution(attribution: Attribution | None) -> str:
    if attribution is None:
        return "null"
    if attribution is NO_CANDIDATE:
        return _NO_CANDIDATE
    return _write_members(attribution)


def _write_members(attribution: Attribution) -> str:
    evidence = attribution.evidence
    return (
        f'{{"verdict": "{attribution.verdict}", '
        f'"candidates": [{", ".join(map(_write_candidate, attribution.candidates))}], '
        f'"omitted": {attribution.omitted}, '
        f'"evidence": {_write_evidence(evidence) if evidence else "null"}, '
        f'"unexplained": {attribution.unexplained!r}}}'
    )


def _write_candidate(candidate: Candidate) -> str:
    return (
        f"{{{_write_change(candidate.commit, candidate.author, candidate.date)}, "
        f'"age": {candidate.age!r}, "delay": {candidate.delay!r}, '
        f'"probability": {candidate.probability!r}}}'
    )


@lru_cache(_CACHED)
def _write_change(commit: str, author: str, date: str) -> str:
    return f'"commit": {_text(commit)}, "author": {_text(author)}, "date": {_text(date)}'


def _write_evidence(evidence: Comparison) -> str:
    return (
        f'{{"before": {_write_counts(evidence.before)}, "after": {_write_counts(evidence.after)}, '
        f'"difference": {evidence.difference!r}, "low": {evidence.low!r}, '
        f'"high": {evidence.high!r}}}'
    )


def _write_counts(counts: Counts) -> str:
    return f'{{"requests": {counts.requests}, "failures": {counts.failures}}}'


def _number(number: float | None) -> str:
    return "null" if number is None else repr(number)


_NO_CANDIDATE: Final = _write_members(NO_CANDIDATE)  # of most incidents, if there are few changes

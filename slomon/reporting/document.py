"""
An incident as JSON: an object that needs nothing but its `schema` to be understood.

That number is `slomon.core.record.SCHEMA`. Names are those of `slomon.core.record`, which says what
each field means and in which unit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

from slomon.core.records import SCHEMA, IncidentRecord


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
    text = files("slomon.reporting").joinpath("incident.schema.json").read_text(encoding="utf-8")
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

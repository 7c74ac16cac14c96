"""
The columns cover every field of an incident, and its JSON document is as the schema says.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from jsonschema import Draft202012Validator, ValidationError

from slomon.core.attribution import Attribution, Candidate, Verdict
from slomon.core.incident import State
from slomon.core.incident_records import SCHEMA, IncidentRecord
from slomon.core.statistics import Comparison
from slomon.report.columns import COLUMNS, incident_document, incident_lines, incident_schema
from tests.report.records import BEGAN, attribution, record, records


def row(one: IncidentRecord) -> dict[str, object]:
    return {column.name: column.get(one) for column in COLUMNS}


def test_every_field_of_an_incident_is_a_column_or_several() -> None:
    names = [column.name for column in COLUMNS]
    own = {field.name for field in fields(IncidentRecord)} - {"broken_by", "fixed_by"}
    breaks = [name.removeprefix("break") for name in names if name.startswith("break")]

    assert own <= set(names)
    assert len(names) == len(set(names))
    assert breaks == [name.removeprefix("fix") for name in names if name.startswith("fix")]
    assert breaks == [
        *("", "_author", "_date", "_age", "_verdict", "_candidates", "_omitted"),
        *("_before_requests", "_before_failures", "_after_requests", "_after_failures"),
        *("_difference", "_low", "_high", "_suspect", "_probability", "_unexplained"),
    ]


def test_the_newest_candidate_the_verdict_and_the_evidence_have_columns() -> None:
    found = row(record(broken_by=attribution("c1", "c2", age=7.0, omitted=3)))

    assert found["break"] == "c2"
    assert (found["break_author"], found["break_age"], found["break_omitted"]) == ("ana", 7.0, 3)
    assert (found["break_verdict"], found["break_before_requests"]) == ("clear", 100)
    assert (found["break_after_failures"], found["break_low"]) == (20, 0.25)


def test_the_suspect_its_probability_and_that_of_no_known_change_have_columns() -> None:
    doubtful = attribution("c1", "c2", verdict=Verdict.LIKELY)
    found = row(record(broken_by=doubtful, fixed_by=attribution("c3")))

    assert (found["break_suspect"], found["break_probability"]) == ("c2", 0.6)
    assert found["break_unexplained"] == pytest.approx(0.4)
    assert (found["fix_suspect"], found["fix_probability"]) == ("c3", 0.97)
    assert found["fix_unexplained"] == pytest.approx(0.03)


def test_an_open_incident_has_no_end_and_nothing_of_a_fix() -> None:
    found = row(record(lasted=None, broken_by=attribution()))

    assert (found["end"], found["duration"], found["break"]) == (None, None, None)
    fix = {name: value for name, value in found.items() if name.startswith("fix")}
    assert fix.pop("fix_candidates") == ()
    assert set(fix.values()) == {None}


VALIDATOR = Draft202012Validator(incident_schema())


def test_an_incident_begins_with_its_id_and_the_contracts_four() -> None:
    document = incident_document(record(fixed_by=attribution("c2", "c3")))

    assert list(document)[:6] == ["schema", "id", "start", "end", "fix", "break"]
    assert [document[name] for name in ("start", "end", "fix", "break")] == [
        BEGAN,
        BEGAN + 60,
        "c3",
        "c1",
    ]
    assert document["schema"] == SCHEMA


def test_an_open_incident_ends_at_minus_1_and_has_no_fix() -> None:
    document = incident_document(record(lasted=None, broken_by=attribution()))

    assert (document["end"], document["fix"], document["break"]) == (-1, "", "")
    assert (document["duration"], document["fixed_by"]) == (None, None)


def test_an_expired_incident_has_an_end_and_no_fix() -> None:
    document = incident_document(record(state=State.EXPIRED))

    assert (document["end"], document["fix"], document["fixed_by"]) == (BEGAN + 60, "", None)


def test_candidates_and_evidence_are_nested() -> None:
    assert incident_document(record())["broken_by"] == {
        "verdict": "clear",
        "candidates": [
            {
                "commit": "c1",
                "author": "ana",
                "date": "2018-11-28 14:11:31",
                "age": 12.5,
                "delay": 11.0,
                "probability": 0.97,
            }
        ],
        "omitted": 0,
        "evidence": {
            "before": {"requests": 100, "failures": 1},
            "after": {"requests": 50, "failures": 20},
            "difference": 0.39,
            "low": 0.25,
            "high": 0.53,
        },
        "unexplained": pytest.approx(0.03),
    }


@settings(deadline=None)
@given(records)
@example(record(broken_by=Attribution(Verdict.NONE), fixed_by=Attribution(Verdict.NONE)))
@example(replace(record(), fixed_by=None, burn_rate=None, error_budget_consumed=None))
def test_a_line_is_ascii_and_that_of_the_documents_encoder(one: IncidentRecord) -> None:
    (line,) = incident_lines([one])

    assert line.isascii()
    assert line.isprintable()
    assert line == json.dumps(incident_document(one))


@settings(deadline=None)
@given(records)
def test_every_document_is_as_the_schema_says(one: IncidentRecord) -> None:
    VALIDATOR.validate(incident_document(one))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("end", None),
        ("end", -2),
        ("fix", None),
        ("state", "shut"),
        ("schema", SCHEMA + 1),
        ("broken_by", None),
        ("requests", 1.5),
        ("new", 1),
    ],
)
def test_the_schema_rejects_what_no_document_is(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        VALIDATOR.validate({**incident_document(record()), name: value})


def test_the_schema_has_every_field_requires_it_and_is_a_schema() -> None:
    schema = incident_schema()
    Draft202012Validator.check_schema(schema)
    parts, properties = schema["$defs"], schema["properties"]
    assert isinstance(parts, dict)
    assert isinstance(properties, dict)

    assert schema["required"] == list(properties) == list(incident_document(record()))
    assert {field.name for field in fields(IncidentRecord)} <= set(incident_document(record()))
    assert list(parts["candidate"]["properties"]) == list(Candidate._fields)
    assert parts["candidate"]["required"] == list(Candidate._fields)
    for part, kind in (
        (parts["attribution"], Attribution),
        (parts["comparison"], Comparison),
    ):
        assert list(part["properties"]) == part["required"]
        assert part["required"] == [field.name for field in fields(kind)]
    assert parts["attribution"]["properties"]["verdict"]["enum"] == list(Verdict)


def test_the_schema_says_of_every_field_what_it_means_and_in_which_unit() -> None:
    schema: dict[str, Any] = incident_schema()
    for part in (schema, *schema["$defs"].values()):
        for name, field in part.get("properties", {}).items():
            assert field.get("description"), name
            if field.get("$ref") == "#/$defs/time":
                assert "in seconds since the epoch" in field["description"], name

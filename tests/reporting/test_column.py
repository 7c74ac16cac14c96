"""The flat columns: which there are, and that they leave nothing out."""

from __future__ import annotations

from dataclasses import fields

from slomon.core.records import IncidentRecord
from slomon.report.columns import COLUMNS
from tests.reporting.records import attribution, record


def row(one: IncidentRecord) -> dict[str, object]:
    return {column.name: column.look(one) for column in COLUMNS}


def test_every_field_of_an_incident_is_a_column_or_several() -> None:
    names = [column.name for column in COLUMNS]
    own = {field.name for field in fields(IncidentRecord)} - {"broken_by", "fixed_by"}
    breaks = [name.removeprefix("break") for name in names if name.startswith("break")]

    assert own <= set(names)
    assert len(names) == len(set(names))
    assert breaks == [name.removeprefix("fix") for name in names if name.startswith("fix")]
    assert breaks == [
        *("", "_author", "_date", "_age", "_verdict", "_candidates", "_earlier"),
        *("_before_requests", "_before_failures", "_after_requests", "_after_failures"),
        *("_difference", "_low", "_high"),
    ]


def test_the_newest_candidate_the_verdict_and_the_evidence_have_columns() -> None:
    found = row(record(broken_by=attribution("c1", "c2", age=7.0, earlier=3)))

    assert found["break"] == "c2"
    assert (found["break_author"], found["break_age"], found["break_earlier"]) == ("ana", 7.0, 3)
    assert (found["break_verdict"], found["break_before_requests"]) == ("clear", 100)
    assert (found["break_after_failures"], found["break_low"]) == (20, 0.25)


def test_an_open_incident_has_no_end_and_nothing_of_a_fix() -> None:
    found = row(record(lasted=None, broken_by=attribution()))

    assert (found["end"], found["duration"], found["break"]) == (None, None, None)
    fix = {name: value for name, value in found.items() if name.startswith("fix")}
    assert fix.pop("fix_candidates") == ()
    assert set(fix.values()) == {None}

"""CSV: what is read back is what was written, and no cell of text is a formula."""

from __future__ import annotations

import csv
import re
from io import StringIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slomon.core.attribution import Candidate
from slomon.core.incident_records import IncidentRecord
from slomon.report.columns import COLUMNS, Kind
from slomon.report.exports import FORMULA, csv_lines
from tests.report.records import attribution, record, records


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def write(*rows: IncidentRecord) -> str:
    return "".join(f"{line}\r\n" for line in csv_lines(rows))


def parse(cell: str, kind: Kind) -> object:
    """A cell as its column's kind has it, by what the module says of its form."""
    text = cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
    match kind:
        case Kind.TEXT:
            return text
        case Kind.COUNT:
            return int(cell) if cell else None
        case Kind.NAMES | Kind.CANDIDATES:
            items = re.findall(r"((?:[^;\\]|\\.)*)(?:;|\Z)", text, re.DOTALL)
            return [re.sub(r"\\(.)", r"\1", item, flags=re.DOTALL) for item in items[:-1]]
    return float(cell) if cell else None


def written(one: IncidentRecord) -> dict[str, object]:
    row = {column.name: column.get(one) for column in COLUMNS}
    for column in COLUMNS:
        value = row[column.name]
        if isinstance(value, tuple):
            row[column.name] = [x.commit if isinstance(x, Candidate) else x for x in value]
        elif column.kind is Kind.TEXT:
            row[column.name] = value or ""
    return row


@settings(deadline=None)
@given(st.lists(records, max_size=3))
@example([record(co_occurring=("a;b\\", "\\;", "=c"), broken_by=attribution("=1", "'=2"))])
def test_what_is_read_back_is_what_was_written(found: list[IncidentRecord]) -> None:
    rows = read(write(*found))
    kinds = {column.name: column.kind for column in COLUMNS}

    assert [{name: parse(row[name], kinds[name]) for name in kinds} for row in rows] == [
        written(one) for one in found
    ]


@settings(deadline=None)
@given(records)
def test_no_cell_of_text_begins_as_a_formula_does(one: IncidentRecord) -> None:
    (row,) = read(write(one))
    for column in COLUMNS:
        if column.kind in {Kind.TEXT, Kind.NAMES, Kind.CANDIDATES}:
            cell = row[column.name]
            assert cell[:1] not in set("\t\r\n\0")
            assert cell.strip("\0 \t\r\n\v\f")[:1] not in set("=+-@\uff1d\uff0b\uff0d\uff20")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1", " =1"])
def test_text_that_a_spreadsheet_would_run_has_an_apostrophe_before_it(text: str) -> None:
    (row,) = read(write(record(service=text, broken_by=attribution(text))))

    assert row["service"] == row["break"] == f"'{text}"


def test_numbers_below_zero_are_no_formulas_and_stay_as_they_are() -> None:
    (row,) = read(write(record(broken_by=attribution("c1", age=-1.5))))

    assert row["break_age"] == "-1.5"


def test_a_line_end_inside_a_cell_begins_no_row() -> None:
    assert len(read(write(record("a\rb"), record("a\nb"), record('a"\r\nb')))) == 3


def test_an_open_incident_has_empty_cells_and_no_incidents_are_a_head_alone() -> None:
    (row,) = read(write(record(lasted=None, broken_by=attribution())))

    assert {row[name] for name in ("end", "duration", "break", "fix", "co_occurring")} == {""}
    assert list(csv_lines([])) == [",".join(column.name for column in COLUMNS)]

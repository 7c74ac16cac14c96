"""CSV: what is read back is what was written, and no part of a line is a formula in any locale."""

from __future__ import annotations

import csv
import re
from io import StringIO
from itertools import chain

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
    text = FORMULA.sub(lambda place: place[0].removesuffix("'"), cell)
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


# Text of the characters that matter to a spreadsheet, which plain random text seldom has together.
spreadsheet_text = st.text(
    st.sampled_from("a1'\"=-+@;,\t\r\n\0 \\\x0b\uff1d"), min_size=1, max_size=12
)
spreadsheet_records = st.builds(
    lambda names, commit, age: record(
        *names[:2],
        co_occurring=tuple(names),
        broken_by=attribution(commit, age=age),
    ),
    st.lists(spreadsheet_text, min_size=2, max_size=4),
    spreadsheet_text,
    st.sampled_from([-1.5, 3.0, -1e-07]),
)


@settings(deadline=None)
@given(st.lists(records | spreadsheet_records, max_size=3))
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


def parts(line: str) -> list[str]:
    """A line, cut at everything that ends a cell in some locale, whether or not it is quoted."""
    return re.split(r"[,;\t\r\n]", line)


def is_number(part: str) -> bool:
    return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", part) is not None


@settings(deadline=None)
@given(records | spreadsheet_records)
@example(record('";"=1', "/a;=cmd|' /C calc'!A0", broken_by=attribution("x\n=1", age=-1.5)))
def test_no_part_of_a_line_begins_as_a_formula_does_even_after_quotes_and_spaces(
    one: IncidentRecord,
) -> None:
    for part in chain.from_iterable(map(parts, csv_lines([one]))):
        begins = part.lstrip('" \v\f\0')[:1]
        assert begins not in set("=+-@\uff1d\uff0b\uff0d\uff20") or is_number(part), part


@settings(deadline=None)
@given(records | spreadsheet_records)
def test_text_that_some_locale_would_split_is_quoted(one: IncidentRecord) -> None:
    (_, line) = csv_lines([one])
    unquoted = re.sub(r'"(?:[^"]|"")*"', "", line)

    assert not set('";\t\r\n') & set(unquoted)
    assert unquoted.count(",") == len(COLUMNS) - 1


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d1", "'\uff1d1"),
        (" =1", "' =1"),
        ("'=1", "''=1"),
        ("\t1", "'\t1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        (" \t=1", " \t'=1"),
        ("/a;=cmd", "/a;'=cmd"),
        ("/a, -1", "/a,' -1"),
        ('/a"@b', "/a\"'@b"),
        (";;=1;a=1", ";;'=1;a=1"),
    ],
)
def test_text_that_a_spreadsheet_would_run_has_an_apostrophe_before_it(
    text: str, cell: str
) -> None:
    (row,) = read(write(record(service=text)))

    assert row["service"] == cell
    assert parse(cell, Kind.TEXT) == text


def test_a_name_in_a_list_is_no_formula_either() -> None:
    (row,) = read(write(record(co_occurring=("a", "=1", ";=2"))))

    assert row["co_occurring"] == "a;'=1;\\;'=2"


def test_numbers_below_zero_are_no_formulas_and_stay_as_they_are() -> None:
    (row,) = read(write(record(broken_by=attribution("c1", age=-1.5))))

    assert row["break_age"] == "-1.5"


def test_a_line_end_inside_a_cell_begins_no_row() -> None:
    assert len(read(write(record("a\rb"), record("a\nb"), record('a"\r\nb')))) == 3


def test_an_open_incident_has_empty_cells_and_no_incidents_are_a_head_alone() -> None:
    (row,) = read(write(record(lasted=None, broken_by=attribution())))

    assert {row[name] for name in ("end", "duration", "break", "fix", "co_occurring")} == {""}
    assert list(csv_lines([])) == [",".join(column.name for column in COLUMNS)]

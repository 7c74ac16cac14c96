"""Files of incidents: their name says the form, and what is read back is what was written."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from io import BytesIO, StringIO

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from slomon.core.attribution import Candidate
from slomon.core.records import IncidentRecord
from slomon.core.ticks import LAST_TICK, to_seconds
from slomon.errors import ConfigurationError
from slomon.report.columns import COLUMNS, Kind, incident_document
from slomon.report.exports import choose_form
from tests.reporting.records import attribution, build, record, records


def write(name: str, found: Sequence[IncidentRecord]) -> bytes:
    file = BytesIO()
    choose_form(name)(found, file)
    return file.getvalue()


def read_parquet(content: bytes) -> pa.Table:
    return parquet.read_table(BytesIO(content))


def expect(kind: Kind, value: object) -> object:
    """The value that Parquet's reader gives for one of an incident."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case tuple():
            return [expect(kind, item) for item in value]
        case Candidate(commit, author, date, age):
            texts = {"commit": commit, "author": author, "date": date}
            return {**{name: expect(kind, text) for name, text in texts.items()}, "age": age}
    return value


@pytest.mark.parametrize("name", ["a.jsonl", "a.NDJSON", "/dev/fd/63"])
def test_lines_of_json_are_the_documents(name: str) -> None:
    found = build(3, hostile=True)
    lines = write(name, found).decode("ascii").splitlines()

    assert list(map(json.loads, lines)) == list(map(incident_document, found))


def test_rows_of_csv_end_as_its_standard_has_it() -> None:
    content = write("a.csv", [record(), record()])

    assert content.count(b"\r\n") == content.count(b"\n") == 3
    assert content.endswith(b"\r\n")
    assert b"\r\n\r\n" not in content


def test_csv_is_utf_8_even_of_half_a_surrogate_pair() -> None:
    text = write("a.csv", [record("\u652f\u6255\u3044 \ud800")]).decode("utf-8")
    (row,) = csv.DictReader(StringIO(text, newline=""))

    assert row["service"] == "\u652f\u6255\u3044 \\ud800"


@settings(deadline=None)
@given(st.lists(records, max_size=3))
@example([])
@example([record(lasted=None, broken_by=attribution())])
def test_parquet_reads_back_as_it_was_written(found: list[IncidentRecord]) -> None:
    table = read_parquet(write("a.parquet", found))

    assert table.column_names == [column.name for column in COLUMNS]
    for column in COLUMNS:
        cells = table[column.name]
        values = [expect(column.kind, column.look(one)) for one in found]
        if column.kind is Kind.TIME:
            stamps = cells.cast(pa.int64()).to_pylist()
            assert [None if tick is None else to_seconds(tick) for tick in stamps] == values
        else:
            assert cells.to_pylist() == values


def test_the_columns_of_parquet_are_typed() -> None:
    schema = read_parquet(write("a.parquet", [])).schema
    text, number = pa.string(), pa.float64()
    parts = [("commit", text), ("author", text), ("date", text), ("age", number)]

    assert schema.field("start").type == schema.field("end").type == pa.timestamp("ns", "UTC")
    assert schema.field("duration").type == number
    assert schema.field("break_before_requests").type == pa.int64()
    assert schema.field("break_candidates").type.value_type == pa.struct(parts)
    assert schema.field("together").type.value_type == text
    assert schema.metadata[b"schema"] == b"1"


def test_a_time_in_parquet_is_the_one_that_was_read() -> None:
    table = read_parquet(write("a.parquet", [record(start=1543443091.2745)]))

    assert table["start"].cast(pa.int64()).to_pylist() == [1543443091274500000]


@settings(deadline=None)
@given(st.integers(0, LAST_TICK))
@example(LAST_TICK)
def test_a_time_is_one_whose_seconds_are_those_of_the_record(tick: int) -> None:
    table = read_parquet(write("a.parquet", [record(start=to_seconds(tick), lasted=None)]))

    assert to_seconds(table["start"].cast(pa.int64())[0].as_py()) == to_seconds(tick)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_the_same_incidents_give_the_same_bytes(name: str) -> None:
    assert write(name, build(4)) == write(name, build(4))


def test_another_ending_is_refused_with_those_that_are_allowed() -> None:
    with pytest.raises(
        ConfigurationError, match=r"ends with '\.xlsx'; allowed: \.jsonl, \.ndjson,"
    ):
        choose_form("incidents.XLSX")


def test_parquet_without_its_extra_is_refused_before_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ConfigurationError, match=r"needed: pip install 'slomon\[report\]'"):
        choose_form("incidents.parquet")
    choose_form("incidents.csv")

"""
Data frames and files of incidents: typed columns, and what is read back is what was written.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from array import array
from collections.abc import Sequence
from io import BytesIO, StringIO

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import slomon
from slomon.core.attribution import Candidate
from slomon.core.endpoints import Endpoint
from slomon.core.events import Accounting
from slomon.core.incident_records import IncidentRecord
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.ticks import LAST_TICK, to_seconds
from slomon.core.totals import Totals
from slomon.errors import ConfigurationError
from slomon.report.columns import COLUMNS, Kind, incident_document
from slomon.report.exports import choose_form, to_frame
from tests.incidents import make_incident
from tests.report.records import BEGAN, attribution, build, record, records

NAMES = [column.name for column in COLUMNS]
ENDPOINT = Endpoint("shop", "-", "GET", "/", 0.9, 30)
INCIDENT = make_incident(ENDPOINT, 5, 0, end=9, end_position=1)
TOTALS = Totals([ENDPOINT], array("q", [2]), array("q", [1]))
FOUND = [record(co_occurring=("cart",)), record(lasted=None, broken_by=attribution())]


def test_a_frame_of_polars_has_typed_columns() -> None:
    frame = to_frame(FOUND, "polars")

    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == NAMES
    assert frame.schema["start"] == pl.Datetime("ns", "UTC")
    assert frame["start"].dt.timestamp("ms").to_list() == [BEGAN * 1000] * 2
    assert frame["break_before_requests"].to_list() == [100, None]
    assert frame["break_candidates"].to_list()[1] == []
    assert frame["co_occurring"].to_list() == [["cart"], []]


def test_a_frame_of_pandas_has_typed_columns_and_counts_stay_whole() -> None:
    frame = to_frame(FOUND, "pandas")

    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == NAMES
    assert str(frame.dtypes["start"]) == "timestamp[ns, tz=UTC][pyarrow]"
    assert frame["start"][0] == pd.Timestamp(BEGAN, unit="s", tz="UTC")
    assert frame["break_before_requests"][0] == 100
    assert frame["break_before_requests"].isna().tolist() == [False, True]


def test_both_have_the_same_content() -> None:
    found = build(5, hostile=True)

    assert to_frame(found, "polars").equals(pl.from_pandas(to_frame(found, "pandas")))


def test_no_incidents_are_a_frame_without_rows() -> None:
    assert to_frame([], "polars").shape == to_frame([], "pandas").shape == (0, len(NAMES))


def test_the_first_library_that_is_installed_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(to_frame(FOUND), pd.DataFrame)
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert isinstance(to_frame(FOUND), pl.DataFrame)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ConfigurationError, match="by pandas or polars, which is not installed"):
        to_frame(FOUND)
    with pytest.raises(ConfigurationError, match="needed: pip install polars"):
        to_frame(FOUND, "polars")


def test_the_incidents_of_a_monitor_are_its_records() -> None:
    monitor = ServiceMonitor([INCIDENT], Accounting(), totals=TOTALS)

    assert slomon.to_frame(monitor, "polars").equals(to_frame(monitor.records(), "polars"))
    assert slomon.to_frame(monitor, "polars")["service"].to_list() == ["shop"]


@pytest.mark.parametrize("wrong", [None, "incidents.jsonl", [{"id": "x"}], iter(FOUND)])
def test_what_has_no_incidents_is_rejected(wrong: list[IncidentRecord]) -> None:
    with pytest.raises(ConfigurationError, match=r"^the incidents are .*; allowed: a monitor, or"):
        to_frame(wrong, "polars")


def test_another_library_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match=r"is 'dask'; allowed: 'pandas', 'polars'"):
        to_frame(FOUND, "dask")  # type: ignore[call-overload]


@pytest.mark.slow
def test_importing_the_reports_loads_none_of_the_extras() -> None:
    script = (
        "import sys, pkgutil, importlib, slomon.report as r; "
        "[importlib.import_module(f'slomon.report.{m.name}') "
        "for m in pkgutil.iter_modules(r.__path__)]; "
        "print([n for n in ('pyarrow', 'pandas', 'polars', 'numpy') if n in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert run.stdout == "[]\n"


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
        case Candidate(commit, author, date, age, delay, probability):
            texts = {"commit": commit, "author": author, "date": date}
            numbers = {"age": age, "delay": delay, "probability": probability}
            return {**{name: expect(kind, text) for name, text in texts.items()}, **numbers}
        case tuple():
            return [expect(kind, item) for item in value]
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
        values = [expect(column.kind, column.get(one)) for one in found]
        if column.kind is Kind.TIME:
            stamps = cells.cast(pa.int64()).to_pylist()
            assert [None if tick is None else to_seconds(tick) for tick in stamps] == values
        else:
            assert cells.to_pylist() == values


def test_the_columns_of_parquet_are_typed() -> None:
    schema = read_parquet(write("a.parquet", [])).schema
    text, number = pa.string(), pa.float64()
    parts = [("commit", text), ("author", text), ("date", text)]
    parts += [("age", number), ("delay", number), ("probability", number)]

    assert schema.field("start").type == schema.field("end").type == pa.timestamp("ns", "UTC")
    assert schema.field("duration").type == number
    assert schema.field("break_before_requests").type == pa.int64()
    assert schema.field("break_candidates").type.value_type == pa.struct(parts)
    assert schema.field("co_occurring").type.value_type == text
    assert schema.metadata[b"schema"] == b"3"


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


def test_another_ending_is_rejected_with_those_that_are_allowed() -> None:
    with pytest.raises(
        ConfigurationError, match=r"ends with '\.xlsx'; allowed: \.jsonl, \.ndjson,"
    ):
        choose_form("incidents.XLSX")


def test_parquet_without_its_extra_is_rejected_before_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ConfigurationError, match=r"needed: pip install 'slomon\[report\]'"):
        choose_form("incidents.parquet")
    choose_form("incidents.csv")

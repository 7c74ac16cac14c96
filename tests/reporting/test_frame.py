"""Data frames, of the library that is asked for, with the columns of a Parquet file."""

from __future__ import annotations

import subprocess
import sys
from array import array

import pandas as pd
import polars as pl
import pytest

import slomon
from slomon.core.endpoints import Endpoint
from slomon.core.events import Accounting
from slomon.core.records import IncidentRecord
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.summary import Totals
from slomon.errors import ConfigurationError
from slomon.report.columns import COLUMNS
from slomon.report.exports import to_frame
from tests.incidents import make_incident
from tests.reporting.records import BEGAN, attribution, build, record

NAMES = [column.name for column in COLUMNS]
ENDPOINT = Endpoint("shop", "-", "GET", "/", 0.9, 30)
INCIDENT = make_incident(ENDPOINT, 5, 0, end=9, end_position=1)
TOTALS = Totals([ENDPOINT], array("q", [2]), array("q", [1]))
FOUND = [record(together=("cart",)), record(lasted=None, broken_by=attribution())]


def test_a_frame_of_polars_has_typed_columns() -> None:
    frame = to_frame(FOUND, "polars")

    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == NAMES
    assert frame.schema["start"] == pl.Datetime("ns", "UTC")
    assert frame["start"].dt.timestamp("ms").to_list() == [BEGAN * 1000] * 2
    assert frame["break_before_requests"].to_list() == [100, None]
    assert frame["break_candidates"].to_list()[1] == []
    assert frame["together"].to_list() == [["cart"], []]


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
def test_what_has_no_incidents_is_refused(wrong: list[IncidentRecord]) -> None:
    with pytest.raises(ConfigurationError, match=r"^the incidents are .*; allowed: a monitor, or"):
        to_frame(wrong, "polars")


def test_another_library_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"is 'dask'; allowed: 'pandas', 'polars'"):
        to_frame(FOUND, "dask")  # type: ignore[call-overload]


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

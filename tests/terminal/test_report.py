"""What a person reads, whole: it fits, does no harm, and is the same each time."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.core.records import IncidentRecord
from slomon.report.overview import show_report
from slomon.report.screen import Screen, measure
from tests.reporting.records import records
from tests.terminal.summaries import build, summary


@pytest.mark.parametrize("width", [1, 20, 40, 41, 80, 133, 400])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp437"])
def test_a_run_with_hostile_names_fits_any_width_and_encoding(width: int, encoding: str) -> None:
    lines = list(show_report(build(7, services=30, hostile=True), Screen(width, encoding)))

    assert all(measure(line) <= width and line.isprintable() for line in lines)
    "\n".join(lines).encode(encoding)


@settings(deadline=None)
@given(st.lists(records, max_size=4), st.integers(1, 120))
def test_no_line_is_wider_than_asked_and_none_holds_a_control_character(
    found: list[IncidentRecord], width: int
) -> None:
    run = summary(*found, began=0.0, ended=2.0**32)
    for line in show_report(run, Screen(width)):
        assert measure(line) <= width
        assert line.isprintable()


def test_colours_change_nothing_but_the_colour() -> None:
    run = build(8, hostile=True)
    plain = list(show_report(run, Screen(100)))
    coloured = list(show_report(run, Screen(100, colour=True)))

    assert coloured != plain
    assert [re.sub(r"\x1b\[[0-9]+m", "", line) for line in coloured] == plain


def test_its_parts_stand_apart_and_those_with_nothing_to_show_are_left_out() -> None:
    lines = list(show_report(build(9), Screen()))
    starts = [after.split(" ")[0] for line, after in itertools.pairwise(lines) if not line]

    assert starts[:2] == ["endpoint", "service"]
    assert lines.count("") == 3
    assert "" not in show_report(summary(), Screen())


def test_the_same_run_gives_the_same_lines() -> None:
    assert list(show_report(build(1), Screen())) == list(show_report(build(1), Screen()))


def test_a_run_without_incidents_is_its_figures() -> None:
    assert list(show_report(summary(began=0.0, ended=0.0), Screen(120))) == [
        "Incidents    none",
        "Error budget 0 of 1,000 requests failed, 10.0 may: 100.0% left",
        "Accounting   lines 1,000 = accesses 1,000 + changes 0 + unmatched 0 + rejected 0 + "
        "blank 0; late 0, out of order 0,",
        "             capped 0",
    ]

"""Columns: which are shown, and how wide."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.report.screen import Screen, measure
from slomon.report.tables import TableColumn, format_table
from tests.report.records import texts

HEADINGS = (
    TableColumn("name", flexible=True),
    TableColumn("count", right=True, rank=1),
    TableColumn("more", rank=2),
    TableColumn("last"),
)
ROW = (("a name that is as long as this", None), ("5", None), ("something", None), ("end", None))


def table(width: int) -> list[str]:
    return list(format_table(HEADINGS, [ROW], Screen(width)))


def test_all_columns_are_shown_where_they_fit_and_numbers_stand_at_the_right() -> None:
    assert table(80) == [
        "name                            count  more       last",
        "a name that is as long as this      5  something  end",
    ]


def test_the_flexible_column_gives_way_first_then_the_columns_of_the_greatest_rank() -> None:
    assert table(44)[1] == "a name that is as l…      5  something  end"
    assert table(43)[1] == "a name that is as long as this      5  end"
    assert table(33)[1] == "a name that is as l…      5  end"
    assert table(32)[1] == "a name that is as long as…  end"


def test_what_must_be_shown_is_cut_where_even_that_is_too_wide() -> None:
    assert table(23) == ["name                  …", "a name that is as l…  …"]
    assert table(10)[1] == "a name th…"


@settings(deadline=None)
@given(
    st.lists(st.lists(texts.map(lambda text: (text, None)), min_size=4, max_size=4), max_size=4),
    st.integers(1, 120),
    st.sampled_from(["utf-8", "ascii"]),
)
def test_no_line_is_wider_than_its_screen_whatever_stands_in_it(
    rows: list[list[tuple[str, None]]], width: int, encoding: str
) -> None:
    lines = list(format_table(HEADINGS, rows, Screen(width, encoding)))

    assert len(lines) == len(rows) + 1
    assert all(measure(line) <= width and line.isprintable() for line in lines)

"""The table: which endpoints come first, and what fits."""

from __future__ import annotations

import pytest

from slomon.command.span import show_span
from slomon.command.table import show_table
from slomon.core.endpoint import Endpoint
from slomon.core.event import Change
from slomon.core.incident import Incident
from tests.incidents import make_incident

SECOND = 1_000_000_000


def incident(
    resource: str, start: int, end: int | None = None, commit: str = "", service: str = ""
) -> Incident:
    endpoint = Endpoint(service or f"GET {resource}", "-", "GET", resource, 0.9, 30 * SECOND)
    change = Change(commit, "", "", "") if commit else None
    ticks = None if end is None else end * SECOND
    return make_incident(endpoint, start * SECOND, start, change, ticks, end, change)


def table(*incidents: Incident, width: int = 80) -> list[str]:
    return list(show_table(incidents, width))


def first_words(lines: list[str]) -> list[str]:
    return [line.split()[1] for line in lines[1:]]


def test_those_broken_longest_come_first_then_those_still_open_then_those_with_the_most() -> None:
    lines = table(
        incident("/once", 1, 2),
        incident("/open", 1),
        incident("/often", 1),
        incident("/often", 2),
        incident("/long", 1, 9),
    )

    assert first_words(lines) == ["/long", "/once", "/often", "/open"]


def test_a_row_has_the_last_commits_and_the_means_of_what_closed() -> None:
    lines = table(
        incident("/", 0, 60, "c1"),
        incident("/", 100, 3700, "0123456789abcdef0123456789abcdef"),
    )

    assert lines[1] == "GET /             2     0   1h 1m  30m 30s  0123456789ab  0123456789ab"


def test_a_service_stands_before_its_endpoint() -> None:
    assert table(incident("/", 0, service="shop"))[1].startswith("shop: GET / ")


def test_what_is_still_open_has_no_length() -> None:
    assert table(incident("/", 0))[1].split() == ["GET", "/", "1", "1", "-", "-", "-", "-"]


def test_fifty_rows_are_shown_and_the_others_counted() -> None:
    lines = table(*(incident(f"/{number}", number) for number in range(1053)), width=30)

    assert len(lines) == 52
    assert lines[-1] == "... and 1,003 more; --incident"


def test_a_long_name_is_cut_to_what_the_other_columns_leave() -> None:
    lines = table(incident("/" + "x" * 300, 0, 1))

    assert lines[1].startswith("GET /xxxxx")
    assert "xxx...  " in lines[1]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("ticks", "shown"),
    [
        (0, "0s"),
        (999, "999ns"),
        (1_000_001, "1ms"),
        (2_982_000_000, "2s 982ms"),
        (60 * SECOND, "1m"),
        (3_659 * SECOND, "1h"),
        (90_061 * SECOND, "1d 1h"),
    ],
)
def test_a_span_is_its_two_largest_units(ticks: int, shown: str) -> None:
    assert show_span(ticks) == shown

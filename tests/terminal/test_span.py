"""A length of time, and a moment, at a glance."""

from __future__ import annotations

import pytest

from slomon.dates import show_seconds, show_span, show_stamp

SECOND = 1_000_000_000


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
        (-61 * SECOND, "-1m 1s"),
    ],
)
def test_a_span_is_its_two_largest_units(ticks: int, shown: str) -> None:
    assert show_span(ticks) == shown


def test_a_span_of_seconds_is_the_same() -> None:
    assert show_seconds(90_061.0) == show_span(90_061 * SECOND)
    assert show_seconds(0.1) == "100ms"


def test_a_moment_is_in_utc_up_to_the_last_one_there_is() -> None:
    assert show_stamp(1_543_443_091.99) == "2018-11-28 22:11:31"
    assert show_stamp(2**63 / SECOND, "%Y-%m-%d") == "2262-04-11"

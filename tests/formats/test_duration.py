"""A length of time is read as people write it, and shown as short as it can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.dates import parse_duration, show_duration
from slomon.errors import ConfigurationError

SECOND = 1_000_000_000
ALLOWED = (
    "seconds, or numbers with the units w, d, h, m (minutes), s, ms, us and ns in this order, "
    "such as '1h30m', in whole nanoseconds, fewer than 2**63 of these"
)


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("30", 30 * SECOND),
        ("0.5", SECOND // 2),
        ("30s", 30 * SECOND),
        ("5m", 300 * SECOND),
        ("1h30m", 5400 * SECOND),
        ("1.5h", 5400 * SECOND),
        ("28d", 28 * 86_400 * SECOND),
        ("2w", 14 * 86_400 * SECOND),
        ("500ms", SECOND // 2),
        ("1m500ms", 60 * SECOND + SECOND // 2),
        ("1w1d1h1m1s1ms1us1ns", 694_861_001_001_001),
        ("0.1us", 100),
        ("0s", 0),
        ("9223372036854775807ns", 2**63 - 1),
    ],
)
def test_a_duration_is_read_exactly(text: str, ticks: int) -> None:
    assert parse_duration(text) == ticks


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m",
        "5M",
        "5y",
        "5 m",
        " 5m",
        "5m ",
        "5min",
        "-5m",
        "+5m",
        "5m1h",
        "5m5m",
        "1e3",
        ".5h",
        "5.m",
        "0.1ns",
        "9223372036854775808ns",
        "15251w",
        "\uff15m",
        "\u0661m",
        "5m\n",
        "1" * 5000,
    ],
)
def test_what_is_no_duration_says_what_is(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_duration(text)
    assert str(caught.value).startswith("the duration is '")
    assert str(caught.value).endswith(f"'; allowed: {ALLOWED}")


@pytest.mark.parametrize(
    ("ticks", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (SECOND // 2, "500ms"),
        (30 * SECOND, "30s"),
        (60 * SECOND, "1m"),
        (90 * SECOND, "90s"),
        (5400 * SECOND, "90m"),
        (3600 * SECOND + SECOND // 2, "1h500ms"),
        (36 * 3600 * SECOND, "36h"),
        (28 * 86_400 * SECOND, "4w"),
        (30 * 86_400 * SECOND, "30d"),
        (86_401 * SECOND, "1d1s"),
    ],
)
def test_a_duration_is_shown_short(ticks: int, text: str) -> None:
    assert show_duration(ticks) == text


@given(st.integers(0, 2**63 - 1))
def test_what_is_shown_is_read_back(ticks: int) -> None:
    assert parse_duration(show_duration(ticks)) == ticks

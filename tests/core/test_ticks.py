"""Decimal text becomes nanoseconds exactly, one by one and by the column."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slomon.core.ticks import (
    LAST_TICK,
    TICKS_PER_SECOND,
    parse_column,
    parse_seconds,
    show_tick,
    to_seconds,
)


@pytest.mark.parametrize(
    ("text", "tick"),
    [
        ("1543443091.2745", 1_543_443_091_274_500_000),
        ("1543443091", 1_543_443_091_000_000_000),
        ("0", 0),
        ("0.000000001", 1),
        ("00012.50", 12_500_000_000),
        ("5.123456789", 5_123_456_789),
        ("5.123456789" + "0" * 400, 5_123_456_789),
        ("0" * 400 + "5", 5_000_000_000),
        ("8999999999.999999999", 8_999_999_999_999_999_999),
        ("9223372036.854775807", LAST_TICK),
    ],
)
def test_plain_decimal_seconds_are_read_exactly(text: str, tick: int) -> None:
    assert parse_seconds(text) == tick


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "-1",
        "-0",
        "+1",
        "1e9",
        "0x1",
        " 1",
        "1 ",
        "1\n",
        "1_0",
        "1,0",
        ".",
        "1.",
        ".5",
        "1.-5",
        "1.2.3",
        "\uff11",  # a full-width 1
        "\u0661",  # an Arabic 1
        "1.\u0661",
        "\u00b2",  # a superscript, a digit to str.isdigit()
        "9" * 400,
        "1." + "1" * 400,
        "1.0123456789",  # ten decimals
        "9223372036.854775808",  # one past the last tick
        "9223372037",
        "18446744073.709551616",
    ],
)
def test_any_other_notation_and_any_other_time_is_not_read(text: str) -> None:
    assert parse_seconds(text) is None


@given(st.integers(0, LAST_TICK))
def test_every_tick_can_be_written_and_read_back(tick: int) -> None:
    whole, nanoseconds = divmod(tick, TICKS_PER_SECOND)
    assert parse_seconds(f"{whole}.{nanoseconds:09d}") == tick


@given(st.integers(0, LAST_TICK // TICKS_PER_SECOND - 1), st.from_regex(r"\A[0-9]{4,6}\Z"))
def test_seconds_come_out_as_the_float_literal_that_was_read(whole: int, decimals: str) -> None:
    text = f"{whole}.{decimals}"
    tick = parse_seconds(text)
    assert tick is not None
    assert to_seconds(tick) == float(text)


def one_by_one(stamps: list[str]) -> list[int] | None:
    ticks = [tick for stamp in stamps if (tick := parse_seconds(stamp)) is not None]
    return ticks if len(ticks) == len(stamps) else None


HOSTILE = "0129.,-\u0661\u00e9\ud800"
ANY_STAMPS = st.lists(st.text(HOSTILE, max_size=5))
STAMPS_OF_ONE_WIDTH = st.integers(1, 13).flatmap(
    lambda width: st.lists(st.text(HOSTILE, min_size=width, max_size=width), max_size=5)
)
# Pieces that meet at commas, points and edges of fields, in any order.
STAMPS_OF_PIECES = st.lists(
    st.lists(
        st.sampled_from(["1", "0", "9", "1543443091", "9" * 10, "274500", ".", ","]), max_size=3
    ).map("".join),
    max_size=5,
)


@given(ANY_STAMPS | STAMPS_OF_ONE_WIDTH | STAMPS_OF_PIECES)
@example(["1", "2,3"])
@example(["12", "", "3456"])
@example(["1.5", "25."])
@example(["1.5", "2,5"])
@example(["8999999999", "9223372037"])
@example(["15", "05"])
def test_a_column_is_read_as_its_stamps_are_one_by_one_or_not_at_all(stamps: list[str]) -> None:
    column = parse_column(stamps)
    assert column is None or column == one_by_one(stamps)


def test_no_short_stamps_deceive_the_column_reader() -> None:
    short = ["".join(text) for width in range(4) for text in product("1.,", repeat=width)]
    for stamps in product(short, repeat=3):
        column = parse_column(list(stamps))
        assert column is None or column == one_by_one(list(stamps)), stamps


@st.composite
def plain_columns(draw: st.DrawFn) -> list[str]:
    """Stamps as a stream writes them, all of one width: the case of the fast parser."""
    width, decimals = draw(st.integers(1, 10)), draw(st.integers(0, 9))
    first = "[1-8]" if width == 10 else "[1-9]"
    point = rf"\.[0-9]{{{decimals}}}" if decimals else ""
    stamp = st.from_regex(rf"\A{first}[0-9]{{{width - 1}}}{point}\Z")
    return draw(st.lists(stamp, max_size=20))


@given(plain_columns())
def test_a_plain_column_is_read_at_once(stamps: list[str]) -> None:
    assert parse_column(stamps) == one_by_one(stamps) is not None


@given(plain_columns(), st.integers(0, 20), st.text(HOSTILE, max_size=20))
def test_one_wrong_stamp_anywhere_is_not_overlooked(
    stamps: list[str], place: int, wrong: str
) -> None:
    stamps.insert(place, wrong)
    column = parse_column(stamps)
    assert column is None or column == one_by_one(stamps)


def test_a_tick_is_shown_as_seconds_with_all_its_places() -> None:
    assert [show_tick(tick) for tick in (0, 1, 1_500_000_000)] == [
        *("0.000000000", "0.000000001", "1.500000000"),
    ]

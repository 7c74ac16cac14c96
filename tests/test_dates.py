"""
Durations, dates and zones are read exactly, or an error says what is allowed; durations and times
are shown briefly.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.ticks import LAST_TICK, TICKS_PER_SECOND
from slomon.dates import (
    Undated,
    parse_duration,
    parse_instant,
    parse_zone,
    read_date,
    read_rough_date,
    show_duration,
    show_instant,
    show_seconds,
    show_span,
    show_stamp,
)
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
def test_a_malformed_duration_is_an_error_that_says_what_is_allowed(text: str) -> None:
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
def test_a_duration_that_was_shown_is_read_back(ticks: int) -> None:
    assert parse_duration(show_duration(ticks)) == ticks


INSTANT = 1543443091 * SECOND  # of the contract's example
LOS_ANGELES = ZoneInfo("America/Los_Angeles")

STAMPS = "seconds since the epoch, a plain decimal of at most 9 places, before 2262"
DATES = "seconds since the epoch, or a date and time as in ISO 8601, RFC 2822, git log or date"
ZONED = "a date with an offset, such as '+02:00', or in UTC; or one zone for all dates"
TIMES = "a time of the calendar from 1970 to 2262, of at most 9 places of a second"
ZONES = (
    "an IANA name that this machine knows, such as 'Europe/Berlin', 'UTC', or an offset such as "
    "'+02:00'"
)


@pytest.mark.parametrize(
    "text",
    [
        "1543443091",
        "1543443091.000",
        "1543443091 -0800",
        "2018-11-28T22:11:31Z",
        "2018-11-28t22:11:31z",
        "2018-11-28T14:11:31-08:00",
        "2018-11-28T14:11:31-0800",
        "2018-11-28T14:11:31-08",
        "2018-11-28 14:11:31 -0800",
        "2018-11-29 00:11:31+02:00",
        "2018-11-28 22:11:31 UTC",
        "Wed Nov 28 14:11:31 2018 -0800",
        "Wed, 28 Nov 2018 14:11:31 -0800",
        "28 Nov 2018 14:11:31 -0800",
        "Wed, 28 Nov 2018 22:11:31 GMT",
        "Wed Nov 28 14:11:31 PST 2018",
        "Wed Nov 28 02:11:31 PM PST 2018",
        "Wed 28 Nov 2018 02:11:31 PM PST",
        "wed nov 28 22:11:31 utc 2018",
        "  Wed  Nov 28\t14:11:31 PST 2018\n",
        "20181128T221131Z",
        "20181128T141131-0800",
        "2018/11/28 14:11:31 -0800",
        "2018-11-28 14:11:31 -0800 PST",
        "2018-11-28 22:11:31 +0000 UTC",
        "2018-11-28 22:11:31 +0000 UTC m=+0.012",
        "2018-11-28T14:11:31-08:00[America/Los_Angeles]",
    ],
)
def test_one_instant_has_many_formats(text: str) -> None:
    assert read_date(text) == INSTANT


@pytest.mark.parametrize(
    ("text", "tick"),
    [
        ("2018-11-28T22:11:31.071432Z", INSTANT + 71_432_000),
        ("2018-11-28T22:11:31,071Z", INSTANT + 71_000_000),
        ("2018-11-28T22:11:31.000000001Z", INSTANT + 1),
        ("2018-11-28T22:11:31.000000001000Z", INSTANT + 1),
        ("1543443091.071432", INSTANT + 71_432_000),
        ("2018-11-28T22:11Z", INSTANT - 31 * SECOND),
        ("Wed Nov  7 14:11:31 2018 -0800", INSTANT - 21 * 86_400 * SECOND),
        ("1970-01-01T00:00:00Z", 0),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
        ("2016-12-31T23:59:60Z", 1483228800 * SECOND),
        ("2018-11-28 12:00:00 AM Z", 1543363200 * SECOND),
        ("2018-11-28 12:00:00 PM Z", 1543406400 * SECOND),
    ],
)
def test_a_date_is_exact_to_the_nanosecond(text: str, tick: int) -> None:
    assert read_date(text) == tick


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        *(("UT", 0), ("GMT", 0), ("UTC", 0), ("Z", 0), ("EST", -5), ("EDT", -4)),
        *(("CST", -6), ("CDT", -5), ("MST", -7), ("MDT", -6), ("PST", -8), ("PDT", -7)),
    ],
)
def test_the_zones_that_rfc_2822_names_are_known(name: str, hours: int) -> None:
    assert read_date(f"Wed, 28 Nov 2018 22:11:31 {name}") == INSTANT - hours * 3600 * SECOND


@pytest.mark.parametrize(
    ("text", "tick"),
    [
        ("1543443091", INSTANT),
        ("1543443091.5", INSTANT + SECOND // 2),
        ("1543443091500", INSTANT + SECOND // 2),
        (" 1543443091500.25\n", INSTANT + SECOND // 2 + 250_000),
        ("1543443091500000", INSTANT + SECOND // 2),
        ("1543443091500000001", INSTANT + SECOND // 2 + 1),
        ("9223372036854775807", 2**63 - 1),
        ("2018-11-28", 1543363200 * SECOND),
        ("2018/11/28", 1543363200 * SECOND),
        ("2018-11-28T14:11:31-08:00", INSTANT),
    ],
)
def test_the_size_of_a_number_tells_its_unit_and_a_day_its_beginning(text: str, tick: int) -> None:
    assert read_rough_date(text, UTC) == tick


@pytest.mark.parametrize(
    "text", ["99999999999999999999", "1543443091500000001.5", "1543443091500.x", "2018-11-31", "-1"]
)
def test_a_rough_date_that_is_none_is_undated(text: str) -> None:
    assert isinstance(read_rough_date(text, UTC), Undated)


def test_a_day_needs_a_zone() -> None:
    assert isinstance(read_rough_date("2018-11-28"), Undated)
    assert read_rough_date("2018-11-28", LOS_ANGELES) == (1543363200 + 8 * 3600) * SECOND


LOCAL = ["2018-11-28 14:11:31", "Wed Nov 28 14:11:31 2018", "28 Nov 2018 14:11:31"]


@pytest.mark.parametrize("text", LOCAL)
def test_a_date_without_a_zone_is_in_the_zone_given(text: str) -> None:
    assert read_date(text, LOS_ANGELES) == INSTANT


@pytest.mark.parametrize("text", LOCAL)
def test_a_date_without_a_zone_is_undated_if_no_zone_is_given(text: str) -> None:
    assert read_date(text) == Undated(f"the date '{text}' has no zone; allowed: {ZONED}")


def test_an_ambiguous_abbreviation_of_a_zone_is_replaced_by_the_zone_given() -> None:
    text = "Thu Nov 29 03:41:31 IST 2018"

    assert read_date(text, ZoneInfo("Asia/Kolkata")) == INSTANT
    assert read_date(text) == Undated(
        f"the date '{text}' has a zone 'IST' of no fixed offset; allowed: {ZONED}"
    )


@pytest.mark.parametrize(
    "text", ["1543443091", "2018-11-28T22:11:31Z", "Wed Nov 28 14:11 PST 2018"]
)
def test_the_zone_of_a_date_comes_before_the_zone_given(text: str) -> None:
    assert read_date(text, LOS_ANGELES) == read_date(text)


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2018-11-04 01:30:00", "2018-11-04 01:30:00 -0700"),  # twice: -0700, then -0800
        ("2018-03-11 02:30:00", "2018-03-11 02:30:00 -0800"),  # never: from -0800 to -0700
    ],
)
def test_an_ambiguous_or_skipped_local_time_has_the_offset_from_before_the_change(
    local: str, instant: str
) -> None:
    assert read_date(local, LOS_ANGELES) == read_date(instant)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2018-11-28",
        "14:11:31Z",
        "2 hours ago",
        "-5",
        "2018-11-28T22:11:31+24:00",
        "2018-11-28T22:11:61Z",
        "2018-11-28T22:11:31.Z",
        "Wed Nov 28 22:11:31 Z Z 2018",
        "Mit Nov 28 14:11:31 2018 -0800",
        "\uff12018-11-28T22:11:31Z",
    ],
)
def test_a_malformed_date_is_undated_with_what_is_allowed(text: str) -> None:
    assert read_date(text, UTC) == Undated(f"the date is '{text}'; allowed: {DATES}")


@pytest.mark.parametrize("text", ["1.", "1.2.3", "1543443091274", "9223372036.854775808"])
def test_malformed_seconds_are_undated_with_what_is_allowed(text: str) -> None:
    assert read_date(text) == Undated(f"the date is '{text}'; allowed: {STAMPS}")


@pytest.mark.parametrize(
    "text",
    [
        "2018-13-28T22:11:31Z",
        "2018-02-29T22:11:31Z",
        "2018-11-28T24:00:00Z",
        "2018-11-28 13:11:31 PM Z",
        "2018-11-28 00:11:31 AM Z",
        "1969-12-31T23:59:59.999999999Z",
        "2262-04-11T23:47:16.854775808Z",
        "2018-11-28T22:11:31.0000000001Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:60-23:59",
        "0000-01-01T00:00:00Z",
    ],
)
def test_a_time_outside_the_calendar_or_finer_than_a_tick_is_undated(text: str) -> None:
    assert read_date(text) == Undated(f"the date is '{text}'; allowed: {TIMES}")


@pytest.mark.parametrize("zone", [None, UTC, LOS_ANGELES])
@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2J\u202e" * 500_000,
        "1" * 1_000_000,
        "2018-11-28T22:11:31." + "1" * 1_000_000 + "Z",
        "2018-11-28T22:11:31 \x07Z",
        "Wed Nov 28 " * 100_000,
    ],
    ids=["controls", "digits", "places", "bell", "words"],
)
def test_a_hostile_date_is_undated_with_a_printable_reason(text: str, zone: tzinfo | None) -> None:
    undated = read_date(text, zone)
    assert isinstance(undated, Undated)
    assert undated.reason.isprintable()
    assert len(undated.reason) < 500


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2262, 4, 10)),
    st.integers(-23 * 60, 23 * 60),
    st.sampled_from(["%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S.%f %z"]),
)
def test_a_date_that_was_written_is_read_back(moment: datetime, minutes: int, form: str) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)

    assert read_date(aware.strftime(form)) == since // timedelta(microseconds=1) * 1000


@pytest.mark.parametrize(
    ("text", "hours"), [("UTC", 0), ("+02:00", 2), ("-0800", -8), ("-08", -8), ("Asia/Tokyo", 9)]
)
def test_a_zone_is_a_name_or_an_offset(text: str, hours: int) -> None:
    assert parse_zone(text).utcoffset(datetime(2018, 11, 28)) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "PST", "America", "../UTC", "+24:00", "Z", "2"])
def test_an_unknown_zone_is_an_error_that_says_what_is_allowed(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_zone(text)
    assert str(caught.value) == f"the zone is '{text}'; allowed: {ZONES}"


@pytest.mark.parametrize("text", ["\0", "\ud800", "x" * 10_000], ids=["null", "half", "long"])
def test_a_hostile_zone_is_rejected(text: str) -> None:
    with pytest.raises(ConfigurationError, match="the zone is "):
        parse_zone(text)


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
def test_a_duration_is_shown_in_its_two_largest_units(ticks: int, shown: str) -> None:
    assert show_span(ticks) == shown


def test_a_duration_in_seconds_is_shown_as_one_in_ticks() -> None:
    assert show_seconds(90_061.0) == show_span(90_061 * SECOND)
    assert show_seconds(0.1) == "100ms"


def test_a_time_is_shown_in_utc_up_to_the_last_tick() -> None:
    assert show_stamp(1_543_443_091.99) == "2018-11-28 22:11:31"
    assert show_stamp(2**63 / SECOND, "%Y-%m-%d") == "2262-04-11"


@pytest.mark.parametrize(
    ("text", "tick"),
    [
        ("1970-01-02", 86_400 - 3_600),
        (" 1970-01-02 ", 86_400 - 3_600),
        ("1970-01-02T00:00:00Z", 86_400),
        ("1970-01-02 00:00", 86_400 - 3_600),
        ("86400", 86_400),
    ],
)
def test_an_instant_is_a_day_a_date_with_a_time_or_seconds(text: str, tick: int) -> None:
    assert parse_instant(text, parse_zone("+01:00")) == tick * TICKS_PER_SECOND


@pytest.mark.parametrize(
    "text", ["", "now", "1970-01", "1970-02-30", "70-01-02", "2262-12-31", "-5"]
)
def test_any_other_text_is_no_instant(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"the time is '.*'; allowed: a day, such as"):
        parse_instant(text, UTC)


@pytest.mark.parametrize(
    ("tick", "shown"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_500_000_000, "1970-01-01T00:00:01.5Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (LAST_TICK, "2262-04-11T23:47:16.854775807Z"),
    ],
)
def test_an_instant_is_shown_as_it_can_be_read_again(tick: int, shown: str) -> None:
    assert show_instant(tick) == shown
    assert parse_instant(shown, UTC) == tick

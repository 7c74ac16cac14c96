"""The fields of an access are checked by name, whoever found them."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import NO_STATUS, Access, Malformed
from slomon.core.statuses import server_errors_fail
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.dates import Undated, read_date
from slomon.errors import ConfigurationError
from slomon.formats.pattern import check_names, read_fields

GOOD = {"time": "5", "method": "GET", "path": "/a", "status": "200"}
EAST = timezone(timedelta(hours=2))


def read(zone: tzinfo | None = None, **changed: str) -> object:
    return read_fields("line", {**GOOD, **changed}, server_errors_fail, zone)


def test_an_access_is_read_from_its_four_fields() -> None:
    assert read() == Access(5 * TICKS_PER_SECOND, "GET", "/a", failed=False)


def test_a_request_stands_for_method_and_path() -> None:
    fields = {"time": "5", "request": "GET /a b HTTP/1.1", "status": "500"}
    access = read_fields("line", fields, server_errors_fail, None)
    assert access == Access(5 * TICKS_PER_SECOND, "GET", "/a b", failed=True)


@pytest.mark.parametrize(
    ("text", "tick"),
    [
        ("1443542400", 1443542400_000_000_000),
        ("1443542400000", 1443542400_000_000_000),
        ("1443542400000001", 1443542400_000_001_000),
        ("1443542400000000001", 1443542400_000_000_001),
        ("1443542400.000000001", 1443542400_000_000_001),
        ("1443542400.0000000010", 1443542400_000_000_001),
        ("29/Sep/2015:18:00:00 +0200", 1443542400_000_000_000),
        ("2015-09-29T16:00:00Z", 1443542400_000_000_000),
        ("2015-09-29T16:00:00.000000001Z", 1443542400_000_000_001),
        ("2015-09-29T18:00:00.5+02:00", 1443542400_500_000_000),
        ("2015-09-29T18:00:00.5", 1443542400_500_000_000),
        ("2015-09-29 18:00:00,5", 1443542400_500_000_000),
        ("2015-09-29T16:00:00.5000000000Z", 1443542400_500_000_000),
        ("2262-04-11T23:47:16.854775807Z", 2**63 - 1),
        ("1970-01-01T00:00:00.0Z", 0),
    ],
)
def test_a_time_is_seconds_or_a_date(text: str, tick: int) -> None:
    assert read(EAST, time=text) == Access(tick, "GET", "/a", failed=False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the date is ''"),
        ("NaN", "the date is 'NaN'"),
        ("-5", "the date is '-5'"),
        ("1.4e9", "the date is '1.4e9'"),
        ("1443542400.0000000001", "the date is '1443542400.0000000001'"),
        ("31/Feb/2015:18:00:00 +0200", "the time is '31/Feb/2015:18:00:00 +0200'"),
        ("2015-09-31T16:00:00.5Z", "the time is '2015-09-31T16:00:00.5Z'"),
        ("2015-09-29T16:00:00.0000000001Z", "the date is '2015-09-29T16:00:00.0000000001Z'"),
        ("2262-04-11T23:47:16.854775808Z", "the time is '2262-04-11T23:47:16.854775808Z'"),
        ("2015-09-29T16:00:00.5", "the time '2015-09-29T16:00:00.5' has no zone"),
    ],
)
def test_another_time_is_malformed(text: str, reason: str) -> None:
    malformed = read(time=text)
    assert isinstance(malformed, Malformed)
    assert malformed.reason.startswith(reason)


@given(
    date=st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds")),
    fraction=st.from_regex(r"\.[0-9]{1,12}", fullmatch=True) | st.just(""),
    offset=st.sampled_from(["", "Z", "+02:00", "-23:59", "+0530", " UTC"]),
    zone=st.sampled_from([None, UTC, EAST]),
)
def test_a_date_means_what_it_means_everywhere(
    date: str, fraction: str, offset: str, zone: tzinfo | None
) -> None:
    text = f"{date}{fraction}{offset}"
    expected = read_date(text, zone)
    found = read(zone, time=text)
    if isinstance(expected, Undated):
        assert isinstance(found, Malformed)
    else:
        assert found == Access(expected, "GET", "/a", failed=False)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("method", "", "the method is ''; allowed: letters, as in GET or M-SEARCH"),
        ("method", "-", "the method is '-'; allowed: letters, as in GET or M-SEARCH"),
        ("method", "5", "the method is '5'; allowed: letters, as in GET or M-SEARCH"),
        ("method", "A B", "the method is 'A B'; allowed: letters, as in GET or M-SEARCH"),
        ("path", "", "the path is ''; allowed: any text but '-'"),
        ("path", "-", "the path is '-'; allowed: any text but '-'"),
        (
            "request",
            "-",
            "the request is '-'; allowed: '<method> <target> HTTP/<version>', "
            "or for HTTP/0.9 '<method> /<target>'",
        ),
        (
            "status",
            "600",
            "the status is '600'; allowed: one that the rule knows, by default 100 to 599",
        ),
    ],
)
def test_a_wrong_field_is_named(field: str, value: str, reason: str) -> None:
    fields = {**GOOD, field: value}
    assert read_fields("line", fields, server_errors_fail, None) == Malformed("line", reason)


@pytest.mark.parametrize("status", ["-", "0", "000"])
def test_a_request_without_a_response_is_excluded(status: str) -> None:
    fields = {**GOOD, "status": status}
    assert read_fields("line", fields, server_errors_fail, None) == NO_STATUS


@pytest.mark.parametrize(
    "names", [["time", "status", "method", "path"], ["status", "request", "time"]]
)
def test_the_fields_are_given_in_one_of_two_ways(names: list[str]) -> None:
    check_names(names, "names")


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], "none"),
        (["time", "status"], "'time', 'status'"),
        (["time", "status", "method"], "'time', 'status', 'method'"),
        (
            ["time", "status", "method", "path", "port"],
            "'time', 'status', 'method', 'path', 'port'",
        ),
        (["time", "status", "path", "request"], "'time', 'status', 'path', 'request'"),
    ],
)
def test_other_names_are_refused(names: list[str], shown: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_names(names, "names")

    assert str(caught.value) == (
        f"the names are {shown}; allowed: time, status, either method and path, "
        "or request (the whole request line), and perhaps host"
    )

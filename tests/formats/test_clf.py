"""
Lines of the common log format, of the formats that extend it, and lines that were damaged.

A request line is distinguished from other text.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import NO_STATUS, Access, Malformed
from slomon.core.statuses import server_errors_fail
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.formats.registry import known_formats
from slomon.formats.requests import split_request
from slomon.formats.times import FORMS, find_time_form, read_time

DATE = "17/May/2015:10:05:03 +0000"
TICK = 1431857103 * TICKS_PER_SECOND
HEAD = f"192.0.2.1 - - [{DATE}]"
SHOWN = (
    """allowed: '$remote_addr $ident $remote_user [$time_local] "$request" $status', whatever """
    "stands after"
)
REQUESTS = "'<method> <target> HTTP/<version>', or for HTTP/0.9 '<method> /<target>'"


COMBINED = {form.name: form for form in known_formats(server_errors_fail)}["combined"]


def parse(line: str) -> Access | Malformed:
    read = COMBINED.parse(line)
    assert isinstance(read, Access | Malformed)
    return read


@pytest.mark.parametrize(
    ("line", "target"),
    [
        (f'{HEAD} "GET /a HTTP/1.1" 500', "/a"),
        (f'{HEAD} "GET /a HTTP/1.1" 500 -', "/a"),
        (f'{HEAD} "GET /a HTTP/1.1" 500 12 "-" "curl/8.5.0"', "/a"),
        (f'shop.example.com:443 {HEAD} "GET /a?b HTTP/2.0" 500 12', "/a?b"),
        (f'192.0.2.1 - ana maria [{DATE}] "GET /a HTTP/1.1" 500 12', "/a"),
        (f'[2001:db8::1] - - [{DATE}] "GET /a HTTP/1.1" 500 12', "/a"),
        (f'192.0.2.1 - [192.0.2.1] - - [{DATE}] "GET /a HTTP/1.1" 500 12', "/a"),
        (f'web-1  | {HEAD} "GET /a HTTP/1.1" 500 12', "/a"),
        (f' 192.0.2.1  -  - [{DATE}] "GET /a HTTP/1.1" 500 12', "/a"),
        (f'[{DATE[:-6]}] - - [{DATE}] "GET /a HTTP/1.1" 500 12', "/a"),
        (f'{HEAD} "GET /a [{DATE}] HTTP/1.1" 500 12', f"/a [{DATE}]"),
        (f'{HEAD} "GET /a b HTTP/1.1" 500 12', "/a b"),
        (rf'{HEAD} "GET /\"a\" HTTP/1.1" 500 12', r"/\"a\""),
        (rf'{HEAD} "GET /\" 200 1 HTTP/1.1" 500 12', r"/\" 200 1"),
        (f'{HEAD} "GET /a HTTP/1.1 200 1 HTTP/1.1" 500 12', "/a HTTP/1.1 200 1"),
        (rf'{HEAD} "GET /a\\ HTTP/1.1" 500 12', r"/a\\"),
        (rf'{HEAD} "GET /a\\" 500 12', r"/a\\"),
        (f'{HEAD} "GET /a" 500 12', "/a"),
        (f'{HEAD} "GET /a HTTP/1.1 500 12 "-" "curl" 77', "/a"),
        (f'{HEAD} "GET /a HTTP/1.1 500', "/a"),
        (f'{HEAD} "GET /"a" HTTP/1.1" 500 12', '/"a"'),
        (f'"{HEAD} "GET /a HTTP/1.1" 500 12 "-" "curl""', "/a"),
        (f'"{HEAD} "GET /a HTTP/1.1" 500"', "/a"),
    ],
)
def test_an_access_is_read_from_whatever_form(line: str, target: str) -> None:
    assert parse(line) == Access(TICK, "GET", target, failed=True)


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        ("-", "-"),
        ("", ""),
        ("GET", "GET"),
        ("GET  HTTP/1.1", "GET  HTTP/1.1"),
        (r"\x16\x03\x01", r"\x16\x03\x01"),
        ("\x16\x03\x01", r"\x16\x03\x01"),
        (r"YOYO\x22 DA", r"YOYO\x22 DA"),
        (r"\n", r"\n"),
    ],
)
def test_a_request_that_is_none_is_named(request_: str, shown: str) -> None:
    line = f'{HEAD} "{request_}" 400 0 "-" "-"'
    assert parse(line) == Malformed(line, f"the request is '{shown}'; allowed: {REQUESTS}")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", "after $remote_addr stands '', not ' $ident'"),
        ('"', "after $remote_addr stands '', not ' $ident'"),
        (f"192.0.2.1 - - {DATE}", f"there is no ' [$time_local' in '- {DATE}'"),
        (
            f'[{DATE}] "GET / HTTP/1.1" 200',
            "there is no ' [$time_local' in '\"GET / HTTP/1.1\" 200'",
        ),
        (f"a b [{DATE}] GET", f"there is no ' [$time_local' in '[{DATE}] GET'"),
        (f"a b c[{DATE}]", f"there is no ' [$time_local' in 'c[{DATE}]'"),
        (f"{HEAD}", "after $time_local stands ']', not '] \"$request'"),
        (f"{HEAD} GET / 200", "after $time_local stands '] GET / 200', not '] \"$request'"),
        (f'{HEAD} "GET / HTTP/1.1" 2000', "after $request stands '\" 2000', not '\" $status'"),
        (f'{HEAD} "GET / HTTP/1.1" 200x', "after $request stands '\" 200x', not '\" $status'"),
        (f'{HEAD} "GET / 200 5', "after $time_local stands '] \"GET / 200 5', not '] \"$request'"),
        (f'{HEAD} "GET /\\', "after $time_local stands '] \"GET /\\', not '] \"$request'"),
    ],
)
def test_a_line_of_another_form_says_where_it_differs(line: str, found: str) -> None:
    assert parse(line) == Malformed(line, f"{found}; {SHOWN}")


@pytest.mark.parametrize(
    "line",
    [
        f'{HEAD}  "GET / HTTP/1.1" 500',
        f'{HEAD} "GET / HTTP/1.1"  500',
        f'  a   b   [{DATE}] "GET / HTTP/1.1" 500',
    ],
)
def test_several_spaces_stand_for_one(line: str) -> None:
    assert parse(line) == Access(TICK, "GET", "/", failed=True)


@pytest.mark.parametrize("status", ["-", "000", "0"])
def test_a_request_without_a_response_has_no_status(status: str) -> None:
    assert COMBINED.parse(f'{HEAD} "GET / HTTP/1.1" {status} 5') == NO_STATUS


@pytest.mark.parametrize("status", ["099", "600", "999"])
def test_a_status_that_no_request_has_is_malformed(status: str) -> None:
    line = f'{HEAD} "GET / HTTP/1.1" {status} 5'
    assert parse(line) == Malformed(
        line, f"the status is '{status}'; allowed: one that the rule knows, by default 100 to 599"
    )


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("01/Jan/1970:00:00:00 +0000", 0),
        ("01/Jan/1970:01:00:00 +0100", 0),
        ("31/Dec/1969:23:00:00 -0100", 0),
        ("17/May/2015:12:05:03 +0200", 1431857103),
        ("17/May/2015:15:35:03 +0530", 1431857103),
        ("17/May/2015:04:35:03 -0530", 1431857103),
        ("29/Feb/2016:23:59:59 +0000", 1456790399),
        ("11/Apr/2262:23:47:16 +0000", 9223372036),
    ],
)
def test_a_date_has_the_offset_that_it_says(text: str, second: int) -> None:
    assert read_time(text, FORMS["clf"], None) == second * TICKS_PER_SECOND


@pytest.mark.parametrize(
    "text",
    [
        "31/Feb/2015:10:05:03 +0000",
        "29/Feb/2015:10:05:03 +0000",
        "00/May/2015:10:05:03 +0000",
        "17/Mai/2015:10:05:03 +0000",
        "17/may/2015:10:05:03 +0000",
        "17/May/0000:10:05:03 +0000",
        "17/May/0001:10:05:03 +0000",
        "17/May/9999:23:59:59 -2359",
        "17/May/2015:24:05:03 +0000",
        "17/May/2015:10:60:03 +0000",
        "01/Jan/1970:00:00:00 +0001",
        "11/Apr/2262:23:47:17 +0000",
    ],
)
def test_a_time_of_no_calendar_is_malformed(text: str) -> None:
    line = f'192.0.2.1 - - [{text}] "GET / HTTP/1.1" 200 5'
    assert parse(line) == Malformed(
        line,
        f"the time is '{text}'; allowed: a time of the calendar from 1970 to 2262",
    )


@pytest.mark.parametrize("text", ["", "5", "17/May/2015", f" {DATE}"])
def test_text_of_another_form_is_no_such_date(text: str) -> None:
    assert find_time_form(text) is None


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters='" [\\\n\r'), min_size=1, max_size=9
)
MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 3), max_value=datetime(2262, 4, 8), timezones=st.just(UTC)
)
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TARGETS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=20).map(
    "/{}".format
)


def write_date(moment: datetime) -> str:
    return f"{moment:%d}/{MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S %z}"


def escape(target: str) -> str:
    """As Apache writes a target, which can't end the request's quotes then."""
    return target.replace("\\", "\\\\").replace('"', '\\"')


@given(
    before=st.tuples(WORDS, WORDS).map(" - ".join),
    date=st.tuples(MOMENTS, OFFSETS).map(lambda pair: pair[0].astimezone(pair[1])),
    target=TARGETS.map(escape),
    status=st.integers(100, 599),
    rest=st.sampled_from(["", " -", ' 5 "-" "a \\" 200 b"', ' 5 "-" "-" 77 0.005 [a] []']),
)
def test_a_line_that_is_well_formed_comes_back(
    before: str, date: datetime, target: str, status: int, rest: str
) -> None:
    line = f'{before} [{write_date(date)}] "GET {target} HTTP/1.1" {status}{rest}'
    tick = (date - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * TICKS_PER_SECOND
    access = Access(tick, "GET", target, failed=status >= 500)

    assert parse(line) == access
    assert parse(f'"{line}"') == access
    assert parse(f"[x] {line}") == access  # no plain line: the slow reading agrees with the fast


PIECES = st.lists(
    st.sampled_from(['"', "\\", " ", "/a", " HTTP/1.1", " 200", '" 200 ', "-", "[", f"[{DATE}]"]),
    max_size=5,
).map("".join)
REQUESTS_OF_ALL_KINDS = st.sampled_from(['GET /{} HTTP/1.1"', 'GET /{}"', "GET /{} HTTP/1.1", "{}"])


@given(form=REQUESTS_OF_ALL_KINDS, piece=PIECES, rest=st.just("") | PIECES.map(" 5{}".format))
def test_a_line_that_is_not_plain_is_read_as_a_plain_one_is(
    form: str, piece: str, rest: str
) -> None:
    line = f'{HEAD} "{form.format(piece)} 500{rest}'
    plain, unresolved = parse(line), parse(f"[x] {line}")
    if isinstance(plain, Malformed):
        assert isinstance(unresolved, Malformed)
        assert unresolved.reason == plain.reason
    else:
        assert unresolved == plain


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("GET / HTTP/1.1", ("GET", "/")),
        ("GET /a?b=c HTTP/2", ("GET", "/a?b=c")),
        ("get /a HTTP/1.0", ("get", "/a")),
        ("M-SEARCH * HTTP/1.1", ("M-SEARCH", "*")),
        ("CONNECT example.com:443 HTTP/1.1", ("CONNECT", "example.com:443")),
        ("GET http://example.com/a HTTP/1.1", ("GET", "http://example.com/a")),
        ("GET /a b HTTP/1.1", ("GET", "/a b")),
        ("GET /a HTTP/1.1 HTTP/1.1", ("GET", "/a HTTP/1.1")),
        ("GET /a  HTTP/1.1", ("GET", "/a ")),
        ("GET /a\nb HTTP/1.1", ("GET", "/a\nb")),
        ("GET /", ("GET", "/")),
        ("GET /a b", ("GET", "/a b")),
        ("GET /a HTTP/1.10", ("GET", "/a HTTP/1.10")),
    ],
)
def test_a_request_is_a_method_and_a_target(text: str, request_: tuple[str, str]) -> None:
    assert split_request(text) == request_


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "GET",
        "GET ",
        "GET  HTTP/1.1",
        "GET  / HTTP/1.1",
        " GET / HTTP/1.1",
        "- / HTTP/1.1",
        "- http://example.com:80- -",
        "GET example.com",
        "SSH-2.0-OpenSSH_7.9",
        "EHLO example.com",
        r"\x16\x03\x01\x00 / HTTP/1.1",
        "\x16\x03\x01",
        "\u00c9 / HTTP/1.1",
    ],
)
def test_what_is_no_request_is_none(text: str) -> None:
    assert split_request(text) is None

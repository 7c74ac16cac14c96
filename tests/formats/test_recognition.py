"""A log is recognised behind banners, errors and scans, and refused if it has no requests."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from slomon.core.events import Access
from slomon.formats.durations import describe_duration, read_duration
from slomon.formats.format import Ambiguity, AnyLayout
from slomon.formats.layout import parse_layout
from slomon.formats.recognition import (
    Recognition,
    looks_like_request,
    recognise,
    recognise_given,
)
from slomon.formats.registry import restore_format
from tests.formats.parsing import KNOWN, READING, recognised

COMBINED = '192.0.2.1 - - [07/Jul/2018:23:13:12 +0000] "GET /a HTTP/1.1" 500 5 "-" "curl/8.0"'
TIMEOUT = '192.0.2.1 - - [07/Jul/2018:23:13:12 +0000] "-" 408 0 "-" "-"'
SCAN = r'192.0.2.1 - - [07/Jul/2018:23:13:12 +0000] "\x16\x03\x01\x01 \x02" 400 226 "-" "-"'
NGINX_ERROR = (
    "2018/07/07 23:13:12 [error] 29#29: *0 connect() failed (111: Connection refused) while "
    'connecting to upstream, client: 192.0.2.1, request: "GET /cart HTTP/1.1", status 502'
)
APACHE_ERROR = (
    "[Sat Jul 07 23:13:12.123456 2018] [core:error] [pid 35708:tid 4328636416] [client 192.0.2.1] "
    'AH00126: Invalid URI in request "GET /../ HTTP/1.1" 400'
)
BANNER = "/docker-entrypoint.sh: Configuration complete; ready for start up"
MINE = '[$time_local] | $status | "$request"'
OWN = '[07/Jul/2018:23:13:12 +0000] | 500 | "GET /a HTTP/1.1"'


def infer_nothing(_: Sequence[str]) -> None:
    return None


@pytest.mark.parametrize(
    "noise", [BANNER, TIMEOUT, SCAN, NGINX_ERROR, APACHE_ERROR], ids=["b", "t", "s", "n", "a"]
)
def test_only_requests_are_judged(noise: str) -> None:
    assert recognised([*([noise] * 99), COMBINED]).format.name == "combined"
    assert not looks_like_request(noise)


@pytest.mark.parametrize(
    "line",
    [
        COMBINED,
        "1531005192 GET /a 500",
        '{"type": "end-of-stream"}',
        "2018-01-01 08:00:10 192.0.2.1 GET /shop q=0 80 - 192.0.2.69 - 200 0 0 123",
        "time:2018-07-07T23:13:12Z\tmethod:POST\turi:/foo\tstatus:200\tua:x",
        'method=GET path="/a" status=200',
        '{"method":"GET","uri":"/a","status":200}',
        '{"request": {"method": "GET"}, "status": "200"}',
        "2018-07-07T23:13:12Z,GET,/cart,200",
        '[GIN] 2018/07/07 - 23:13:12 | 200 | 1s | 192.0.2.1 | GET "/a"',
        "POST /a => generated 47 bytes in 129 msecs (HTTP/1.1 200) 9 headers",
    ],
)
def test_a_line_with_a_method_and_a_status_looks_like_a_request(line: str) -> None:
    assert looks_like_request(line)


@pytest.mark.parametrize("lines", [[TIMEOUT] * 3, [SCAN, TIMEOUT]])
def test_a_log_of_connections_without_requests_has_the_format_that_it_follows(
    lines: list[str],
) -> None:
    assert recognised(lines).format.name == "combined"


def test_a_column_of_bytes_is_not_taken_for_statuses() -> None:
    line = '192.0.2.1 - - [07/Jul/2018:23:13:12 +0000] "GET /a HTTP/1.1" {} 200'
    lines = [line.format(size) for size in (230, 512, 333, 587, 5120)]
    found = recognise(lines, KNOWN, READING, infer_nothing)
    assert isinstance(found, str)
    assert "no server writes the status '230'" in found


@pytest.mark.parametrize(
    "lines",
    [
        ["Traceback (most recent call last):", '  File "a.py", line 200, in <module>'],
        [NGINX_ERROR, NGINX_ERROR],
        ["Jul  7 23:13:12 mail postfix/smtpd[4711]: connect from unknown[192.0.2.1]"] * 5,
        ["2018-07-07 23:13:12.000 UTC [4711] LOG:  duration: 200 ms  statement: SELECT 500"] * 5,
        ["2018-07-07 23:13:12,000 INFO shop.cart GET took 200 ms and gave 500 items"] * 5,
    ],
)
def test_a_log_without_requests_is_refused(lines: list[str]) -> None:
    assert isinstance(recognise(lines, KNOWN, READING, infer_nothing), str)


def test_the_reason_shows_the_line_the_place_and_the_nearest_layout() -> None:
    lines = [BANNER, COMBINED.replace("] ", "] 0.067 ")]
    reason = recognise(lines, KNOWN, READING, infer_nothing)
    assert isinstance(reason, str)
    assert reason.startswith("no format reads line 2 of its first lines, '192.0.2.1 - - [07/Jul/")
    assert reason.endswith(
        """: after $time_local stands '] 0.067 "GET /a HTTP/1.1" 500 5 "-" "curl/8.0"', """
        """not '] "$request', in the nearest layout, combined: $remote_addr $ident $remote_user """
        """[$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent\""""
    )


def infer_mine(lines: Sequence[str]) -> AnyLayout:
    assert lines == [OWN.replace(" +0000", "")] or lines == [OWN]
    return parse_layout(MINE, "inferred")


@pytest.mark.parametrize("wrapper", ["", "web-1  | "])
@pytest.mark.parametrize("zone", ["", " +0000"])
def test_a_layout_that_is_inferred_is_read_in_its_wrapper_and_zone(wrapper: str, zone: str) -> None:
    line = wrapper + OWN.replace(" +0000", zone)
    found = recognise([BANNER, line] if not wrapper else [line], KNOWN, READING, infer_mine)
    assert isinstance(found, Recognition)
    assert (found.inferred, found.assumed_utc) == (True, not zone)
    access = Access(1531005192_000_000_000, "GET", "/a", failed=True)
    restored = restore_format(found.format.spec, READING)
    assert restored is not None
    assert found.format.parse(line) == restored.parse(line) == access


def test_two_layouts_that_are_as_likely_are_both_shown() -> None:
    layouts = parse_layout(MINE, "one"), parse_layout(f"{MINE} $bytes", "two")
    assert recognise([OWN], KNOWN, READING, lambda _: Ambiguity(layouts)) == (
        f"its lines can be read as '{MINE}' or '{MINE} $bytes': --log-format (log_format=) chooses "
        "one"
    )


def test_a_format_that_is_given_is_read_in_its_wrapper() -> None:
    combined = next(form for form in KNOWN if form.name == "combined")
    assert recognise_given(["noise"], combined, READING) == Recognition(combined)
    wrapped = f"2018-07-07T23:13:12.5Z stdout F {COMBINED}"
    found = recognise_given([wrapped], combined, READING)
    assert isinstance(found, Recognition)
    assert found.format.name == "cri/combined"


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [
        ("0.042", "s", 0.042),
        ("22ms", "", 0.022),
        ("132.7\u00b5s", "", 132.7e-6),
        ("129 msecs", "", 0.129),
        ("131417us", "s", 0.131417),
        ("+18", "ms", 0.018),
        ("-", "s", None),
        ("-1", "ms", None),
        ("5", "", None),
        ("5 parsecs", "s", None),
    ],
)
def test_a_duration_has_the_unit_in_its_text_or_that_of_its_field(
    text: str, unit: str, seconds: float | None
) -> None:
    found = read_duration(text, unit)
    assert (found and found[0]) == (seconds and pytest.approx(seconds))


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([COMBINED], ""),
        (
            [f'{COMBINED} 1 "web" "http://192.0.2.1" {duration}ms' for duration in (20, 22, 90)],
            "duration: milliseconds, median 0.022 s",
        ),
        (
            [f"{COMBINED} 120 {duration} [a] [] b 5 0.1 500 c" for duration in ("0.020", "0.064")],
            "request_time: seconds, median 0.042 s",
        ),
        (
            [
                "#Fields: date time cs-method cs-uri-stem sc-status time-taken",
                *(f"2025-03-10 12:00:00 GET / 200 {taken}" for taken in (30, 50, 90)),
            ],
            "time-taken: milliseconds, median 0.05 s",
        ),
        (
            ["time,method,path,status,duration_ms", *["2025-03-10T12:00:00Z,GET,/,200,7"] * 9],
            "duration_ms: milliseconds, median 0.007 s",
        ),
    ],
)
def test_the_durations_of_a_log_are_summed_up(lines: list[str], shown: str) -> None:
    assert describe_duration(recognised(lines).format, lines) == shown


@pytest.mark.parametrize(
    ("lines", "lack"),
    [
        (
            ["news:x:9:9:news:/var/spool/news:/bin/sh"],
            "it has no time, no HTTP method and no status",
        ),
        (["2025-03-10T12:00:00Z 0 [Note] the buffer pool was loaded"], "it has no HTTP method and"),
        (['Mar 10 12:00:00 web1 app: "GET /a HTTP/1.1" 200'], "it has no time, as each line"),
        (["2025-03-10T12:00:00Z,/cart,shop,500"], "it has no HTTP method, as each line"),
        (["2025-03-10T12:00:00Z;7;GET;200"], "a line before it must name the columns: 'time;"),
        ([NGINX_ERROR], "it is of an error log; the requests are in the access log"),
        ([f"<171>1 2025-03-10T12:00:00Z gw nginx - - - {NGINX_ERROR}"], "it is of an error log"),
        (["\x7fELF\x02\0\0\0 GET 200"], "it is not text"),
        (['{"level": 2, "time": "2025-03-10T12:00:00Z"}'], "no key is known to be the"),
        (["2025-03-10T12 GET /a 200"], "it has no time, as each line"),
        (["Mon Mar 10 12:00:00 2025 GET 200"], "it may be a request, but no known layout is near"),
    ],
)
def test_the_reason_says_what_a_line_is_instead_or_what_it_lacks(
    lines: list[str], lack: str
) -> None:
    reason = recognise(lines, KNOWN, READING, infer_nothing)
    assert isinstance(reason, str)
    assert f": {lack}" in reason.replace("if it is a row of a table, ", "")


def test_a_log_in_three_layouts_is_refused_as_one() -> None:
    lines = [COMBINED, "x=1 2025-03-10T12:00:00Z GET 200", "at GET /b with 200 on 2025-03-10"]
    reason = recognise(lines * 3, KNOWN, READING, infer_nothing)
    assert reason == (
        "no format reads half of the requests in its first lines: combined reads line 1; if they "
        "are in several layouts, split the log by these"
    )

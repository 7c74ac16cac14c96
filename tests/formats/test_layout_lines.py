"""
Lines in a layout: of the common log format and the formats that extend it, of load balancers and of
proxies, whole and damaged.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import NO_STATUS, Access, Malformed
from slomon.core.statuses import StatusRule, server_errors_fail
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.formats.registry import find_format, known_formats

DATE = "17/May/2015:10:05:03 +0000"
TICK = 1431857103 * TICKS_PER_SECOND
HEAD = f"192.0.2.1 - - [{DATE}]"
SHOWN = (
    """allowed: '$remote_addr $ident $remote_user [$time_local] "$request" $status', whatever """
    "stands after"
)
REQUESTS = "'<method> <target> HTTP/<version>', or for HTTP/0.9 '<method> /<target>'"


known = cache(known_formats)


def parse_by(
    name: str, line: str, rule: StatusRule = server_errors_fail, zone: tzinfo | None = None
) -> object:
    form = find_format(name, known(rule, zone))
    assert form is not None
    return form.parse(line)


def parse(line: str) -> object:
    return parse_by("combined", line)


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
    assert parse(f'{HEAD} "GET / HTTP/1.1" {status} 5') == NO_STATUS


@pytest.mark.parametrize("status", ["099", "600", "999"])
def test_a_status_that_no_request_has_is_malformed(status: str) -> None:
    line = f'{HEAD} "GET / HTTP/1.1" {status} 5'
    assert parse(line) == Malformed(
        line, f"the status is '{status}'; allowed: one that the rule knows, by default 100 to 599"
    )


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


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# A comma before a space does not end a field (rule 2).
WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters='" [\\\n\r,'), min_size=1, max_size=9
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


ELB_TIME = "2018-07-02T22:23:00.186641Z"
ELB_TICK = 1530570180_186_641_000
ELB_HEAD = f"{ELB_TIME} app/lb/50dc6c495c0c9188 192.0.2.39:2817 192.0.2.1:80 0.000 0.001 0.000"
ELB_REST = (
    '"curl/7.46.0" - - arn:aws:target "Root=1-58337262" "-" "-" 0 2018-07-02T22:22:48.364000Z'
)


def write_balancer(
    request: str, *, head: str = f"http {ELB_HEAD}", status: str = "502", rest: str = ELB_REST
) -> str:
    return f'{head} {status} - 34 366 "{request}" {rest}'


def parse_balancer(line: str) -> object:
    """Read a line of an Application or of a Classic Load Balancer of AWS."""
    return parse_by("clb" if line.startswith(ELB_TIME) else "alb", line)


@pytest.mark.parametrize("kind", ["http ", "https ", "h2 ", "ws ", "wss ", "grpcs ", ""])
def test_a_line_of_a_load_balancer_is_read_with_its_type_or_without(kind: str) -> None:
    line = write_balancer("GET http://www.example.com:80/a HTTP/1.1", head=kind + ELB_HEAD)
    assert parse_balancer(line) == Access(
        ELB_TICK, "GET", "/a", failed=True, host="www.example.com"
    )


@pytest.mark.parametrize("request_", ["- http://lb.example.com:80- -", "- - - ", ""])
def test_a_connection_to_a_load_balancer_that_is_no_request_is_named(request_: str) -> None:
    line = write_balancer(request_, status="400")
    assert parse_balancer(line) == Malformed(
        line,
        f"the request is '{request_}'; allowed: '<method> <target> HTTP/<version>', "
        "or for HTTP/0.9 '<method> /<target>'",
    )


@pytest.mark.parametrize("request_", ["GET http://a:80/ HTTP/1.1", "- http://a:80- -", "- - - "])
def test_a_connection_to_a_load_balancer_without_a_response_has_no_status(request_: str) -> None:
    assert parse_balancer(write_balancer(request_, status="-")) == NO_STATUS


def test_a_classic_load_balancer_may_stop_after_the_request() -> None:
    line = f'{ELB_HEAD} 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1"'
    assert parse_balancer(line) == Access(
        ELB_TICK, "GET", "/", failed=False, host="www.example.com"
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        f"http {ELB_HEAD}",
        f"http {ELB_HEAD} 200 200 34 366",
        f"http {ELB_HEAD} 200 200 34 366 {ELB_REST}",
        f'http {ELB_HEAD} 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1',
        "tls 2.0 2018-12-20T02:59:40 net/lb/c6e77e28c25b2234 g3d4b5e8bb8464cd 192.0.2.1:51341 5 2",
    ],
)
def test_a_line_that_no_load_balancer_writes_is_malformed(line: str) -> None:
    malformed = parse_balancer(line)
    assert isinstance(malformed, Malformed)
    assert "; allowed: '$type $time_iso8601 $elb $client " in malformed.reason


@given(
    path=st.text(st.characters(codec="utf-8", exclude_characters='"\n\r')).map("/{}".format),
    status=st.integers(100, 599),
)
def test_a_well_formed_line_of_a_load_balancer_comes_back(path: str, status: int) -> None:
    line = write_balancer(f"GET https://www.example.com:443{path} HTTP/2.0", status=str(status))
    assert parse_balancer(line) == Access(
        ELB_TICK, "GET", path, failed=status >= 500, host="www.example.com"
    )


ENVOY_TIME = "2016-04-15T20:17:00.310Z"
ENVOY_TICK = 1460751420_310_000_000
ENVOY_REST = '- 154 0 226 100 "192.0.2.28" "nsq2http" "cc21d9b0" "locations" "tcp://192.0.2.1:80"'
ENVOY_HOST = "locations"
ENVOY_SHOWN = """allowed: '[$time_iso8601] "$request" $status', whatever stands after"""


def parse_envoy(line: str) -> object:
    return parse_by("envoy-custom", line)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (f'[{ENVOY_TIME}] "POST /api HTTP/2" 503 {ENVOY_REST}', "/api"),
        (f'[{ENVOY_TIME}] "POST /api HTTP/1.1" 503', "/api"),
        (f'[{ENVOY_TIME}] "POST /api -" 503 {ENVOY_REST}', "/api"),
        (f'[{ENVOY_TIME}] "POST /a b HTTP/1.1" 503 {ENVOY_REST}', "/a b"),
        (f'[{ENVOY_TIME}] "POST /"a" HTTP/1.1" 503 {ENVOY_REST}', '/"a"'),
    ],
)
def test_a_line_of_envoy_is_read(line: str, path: str) -> None:
    assert parse_envoy(line) == Access(ENVOY_TICK, "POST", path, failed=True)
    if line.endswith(ENVOY_REST):
        assert parse_by("envoy", line) == Access(
            ENVOY_TICK, "POST", path, failed=True, host=ENVOY_HOST
        )


@pytest.mark.parametrize("request_", ["GET /slow HTTP/1.1", "- - HTTP/1.1", "- - -"])
def test_a_status_of_0_says_that_there_was_no_response(request_: str) -> None:
    assert parse_envoy(f'[{ENVOY_TIME}] "{request_}" 0 DC {ENVOY_REST}') == NO_STATUS


def test_a_rule_may_know_the_status_0() -> None:
    line = f'[{ENVOY_TIME}] "GET /slow HTTP/1.1" 0 {ENVOY_REST}'
    read = parse_by("envoy", line, lambda status: status == 0)
    assert read == Access(ENVOY_TICK, "GET", "/slow", failed=True, host=ENVOY_HOST)


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        ("- /a HTTP/1.1", "400", "the request is '- /a HTTP/1.1'"),
        ("GET - HTTP/1.1", "400", "the path is '-'"),
        ("GET /a HTTP/1.1", "999", "the status is '999'"),
    ],
)
def test_a_wrong_field_is_named(request_: str, status: str, reason: str) -> None:
    malformed = parse_envoy(f'[{ENVOY_TIME}] "{request_}" {status} {ENVOY_REST}')
    assert isinstance(malformed, Malformed)
    assert malformed.reason.startswith(reason)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[",
        f"[{ENVOY_TIME}]",
        "[2023-01-04 09:08:23.950][7][info][main] initializing epoch 0",
        f'[{ENVOY_TIME}] "GET /a HTTP/1.1"',
        f'[{ENVOY_TIME}] "GET /a HTTP/1.1" 2000',
        f'[17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 {ENVOY_REST}',
    ],
)
def test_a_line_that_envoy_does_not_write_is_malformed(line: str) -> None:
    malformed = parse_envoy(line)
    assert isinstance(malformed, Malformed)
    assert malformed.reason.endswith(ENVOY_SHOWN)


def test_a_time_without_a_zone_is_in_the_zone_that_was_given() -> None:
    line = f'[{ENVOY_TIME[:-1]}] "GET /a HTTP/1.1" 200 {ENVOY_REST}'
    assert isinstance(parse_envoy(line), Malformed)
    read = parse_by("envoy", line, zone=UTC)
    assert read == Access(ENVOY_TICK, "GET", "/a", failed=False, host=ENVOY_HOST)


@given(
    moment=st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2262, 4, 11)),
    path=st.text(st.characters(codec="utf-8", exclude_characters='"\n\r ')).map("/{}".format),
    status=st.integers(100, 599),
)
def test_a_well_formed_line_of_envoy_comes_back(moment: datetime, path: str, status: int) -> None:
    line = (
        f'[{moment.isoformat(timespec="milliseconds")}Z] "GET {path} HTTP/2" {status} {ENVOY_REST}'
    )
    milliseconds = (moment - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    assert parse_envoy(line) == Access(milliseconds * 1_000_000, "GET", path, failed=status >= 500)

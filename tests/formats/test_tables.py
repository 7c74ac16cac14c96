"""Tables name their columns in a line, and may name others later."""

from __future__ import annotations

import pytest

from slomon.core.events import NO_STATUS, Access, Malformed
from slomon.errors import ConfigurationError
from slomon.formats.format import Reading
from slomon.formats.registry import make_format, restore_format
from slomon.formats.tables import TableLayout, given_table
from tests.formats.parsing import KNOWN, READING, accesses, read_all, recognised

FIELDS = (
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip sc-status time-taken"
)
ROW = "2018-01-01 08:00:10 192.0.2.1 GET /shop q=0 80 192.0.2.69 503 123"
TICK = 1514793610_000_000_000
FORMATS = {form.name: form for form in KNOWN}

# As in https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/AccessLogs.html
CLOUDFRONT = [
    "#Version: 1.0",
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status "
    "cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id "
    "x-host-header cs-protocol cs-bytes time-taken",
    *(
        "\t".join(
            (
                *("2019-12-04", "21:02:31", "LAX1", "392", "192.0.2.100", "GET"),
                *("d111111abcdef8.cloudfront.net", "/index.html", status, "-", "Mozilla/5.0%20()"),
                *("-", "-", "Hit", "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ=="),
                *("www.example.com", "https", "23", "0.001"),
            )
        )
        for status in ("200", "000", "502")
    ),
]


def test_a_w3c_log_is_read_by_its_fields() -> None:
    assert accesses(["#Software: IIS", FIELDS, ROW]) == (
        "w3c",
        [Access(TICK, "GET", "/shop?q=0", failed=True)],
    )


@pytest.mark.parametrize(
    ("header", "value", "host"),
    [
        ("host", "i-0abc", ""),
        ("Host", "ip-10-0-0-1.ec2.internal", ""),
        ("host", "shop.example.com", "shop.example.com"),
        ("http_host", "shop", "shop"),
    ],
)
def test_a_machine_is_no_virtual_host(header: str, value: str, host: str) -> None:
    lines = [f"time,{header},method,path,status", f"2025-03-10T12:00:00Z,{value},GET,/a,200"]
    _, (access,) = accesses(lines)
    assert access.host == host


def test_a_log_of_cloudfront_has_tabs_and_the_host_of_the_viewer() -> None:
    form = recognised(CLOUDFRONT).format
    items, after = read_all(form, CLOUDFRONT)
    tick, host = 1575493351_000_000_000, "www.example.com"
    assert items == [
        *(None, None),
        Access(tick, "GET", "/index.html", failed=False, host=host),
        NO_STATUS,
        Access(tick, "GET", "/index.html", failed=True, host=host),
    ]
    assert after.name == "cloudfront"


QUOTED = (
    "#Fields: date time cs-method cs-uri-stem cs(Cookie) sc-status time-taken",
    '2018-01-01 08:00:10 GET /shop "id=1; basket=two words; 404 200" 503 12',
)
ALIGNED = (
    "#Fields:   date-local   time-local   c-ip   cs-method   cs-uri  cs(User-Agent)  sc-status",
    '2018-01-01    08:00:10   192.0.2.69  GET  /shop     "Mozilla/5.0 (X11; 200 )"    503',
)
ALL_QUOTED = (
    "#Fields: date time cs(User-Agent) cs-method cs-uri sc-status",
    '"2018-01-01" "08:00:10" "" "GET" "/shop" "503"',
)


@pytest.mark.parametrize("lines", [QUOTED, ALIGNED, ALL_QUOTED])
def test_a_cell_in_quotes_may_contain_the_spaces_between_the_columns_of_a_w3c_log(
    lines: tuple[str, str],
) -> None:
    form = recognised(list(lines)).format
    items, after = read_all(form, lines)
    assert items == [None, Access(TICK, "GET", "/shop", failed=True)]
    restored = restore_format(after.spec, READING)
    assert restored is not None
    assert restored.parse(lines[1]) == items[1]
    assert after.layout is not None
    shown = given_table(after.layout.show())
    assert shown is not None
    assert shown.show() == after.layout.show()


def test_a_quote_is_a_character_like_any_other_if_a_row_has_as_many_words_as_columns() -> None:
    row = '2018-01-01 08:00:10 GET /a"b "id=1 503 12'
    items, _ = read_all(FORMATS["w3c"], [QUOTED[0], row])
    assert items == [None, Access(TICK, "GET", '/a"b', failed=True)]


def test_local_times_of_a_w3c_log_are_in_the_zone() -> None:
    assert recognised(list(ALIGNED)).assumed_utc
    assert not recognised(list(QUOTED)).assumed_utc


def test_columns_may_change_inside_a_w3c_log() -> None:
    fewer = "#Fields: date time sc-status cs-method cs-uri-stem"
    items, _ = read_all(
        FORMATS["w3c"],
        [
            ROW,
            FIELDS,
            ROW,
            "#Date: 2018-01-01",
            fewer,
            "2018-01-01 08:00:10 200 GET /b",
            FIELDS,
            ROW,
        ],
    )
    first, _, read, _, _, other, _, again = items
    assert isinstance(first, Malformed)
    assert read == again == Access(TICK, "GET", "/shop?q=0", failed=True)
    assert other == Access(TICK, "GET", "/b", failed=False)


def test_the_same_fields_again_switch_nothing() -> None:
    _, form = read_all(FORMATS["w3c"], [FIELDS])
    assert form.parse(FIELDS) is None


def test_fields_without_a_status_are_malformed() -> None:
    read = FORMATS["w3c"].parse("#Fields: date time cs-method cs-uri-stem")
    assert isinstance(read, Malformed)
    assert "a time, a status, and either a request, or a method and a path" in read.reason


HEADER = '"@timestamp",method,path,status,"user agent"'
CELLS = '"2018-01-01T08:00:10Z",GET,"/a,""b""",503,"curl, or so"'


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ([HEADER, CELLS], '/a,"b"'),
        (["time;status;verb;url", "1514793610;503;GET;/a"], "/a"),
        (["msec\tstatus\trequest", "1514793610000\t503\tGET /a HTTP/1.1"], "/a"),
        (
            ["date,request_method,request_uri,status_code", "2018-01-01 08:00:10 UTC,GET,/a,503"],
            "/a",
        ),
        (["timestamp|method|target|code", "1514793610000000|GET|https://x.example/a|503"], "/a"),
    ],
)
def test_a_csv_file_is_read_by_its_header(lines: list[str], path: str) -> None:
    name, (access,) = accesses(lines)
    assert name == "csv"
    assert (access.tick, access.verb, access.resource, access.failed) == (TICK, "GET", path, True)


def test_a_header_may_come_again_or_change_inside_a_csv_file() -> None:
    other = "status,path,method,time"
    items, _ = read_all(
        FORMATS["csv"], [HEADER, CELLS, HEADER, CELLS, other, "200,/b,PUT,1514793610", "x,y"]
    )
    access = Access(TICK, "GET", '/a,"b"', failed=True)
    assert items[:4] == [None, access, None, access]
    assert items[4:6] == [None, Access(TICK, "PUT", "/b", failed=False)]
    assert isinstance(items[6], Malformed)


@pytest.mark.parametrize("lines", [[FIELDS, ROW], [HEADER, CELLS], CLOUDFRONT])
def test_a_table_is_restored_from_its_spec(lines: list[str]) -> None:
    form = recognised(lines).format
    _, after = read_all(form, lines)
    restored = restore_format(after.spec, READING)
    assert restored is not None
    assert (restored.layout, restored.spec) == (after.layout, after.spec)
    assert restored.parse(lines[-1]) == after.parse(lines[-1])


@pytest.mark.parametrize("header", [FIELDS, "time,method,path,status"])
def test_a_table_may_be_given_by_its_header(header: str) -> None:
    layout = given_table(header)
    assert layout is not None
    assert given_table(layout.show()) == layout


def test_times_of_a_w3c_log_are_in_utc_and_those_of_a_csv_file_in_the_zone() -> None:
    layout = given_table("time,method,path,status")
    assert layout is not None
    row = "2018-01-01 08:00:10,GET,/a,200"
    assert isinstance(make_format(layout, READING).parse(row), Malformed)
    found = recognised(["time,method,path,status", row])
    assert found.assumed_utc
    _, after = read_all(found.format, ["time,method,path,status", row])
    restored = restore_format(after.spec, Reading(READING.is_failure))
    assert restored is not None
    assert restored.parse(row) == after.parse(row) == Access(TICK, "GET", "/a", failed=False)


def test_a_text_without_the_names_of_an_access_is_no_table() -> None:
    assert given_table("$remote_addr $status") is None
    with pytest.raises(ConfigurationError, match="the columns are 'a', 'b', 'c'; allowed"):
        given_table("a,b,c")


def test_a_table_needs_the_columns_of_an_access() -> None:
    with pytest.raises(ConfigurationError, match="the columns are none"):
        TableLayout("csv", ",", ())

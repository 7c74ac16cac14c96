"""Keys with values are read in any order."""

from __future__ import annotations

import pytest

from slomon.core.events import Access, Malformed
from tests.formats.parsing import KNOWN, accesses

TICK = 1531005192_000_000_000
FORMATS = {form.name: form for form in KNOWN}


@pytest.mark.parametrize(
    ("line", "name", "host"),
    [
        # http://ltsv.org
        (
            "time:[08/Jul/2018:08:13:12 +0900]\thost:192.0.2.1\treq:GET /a HTTP/1.1\tstatus:500\t"
            "size:5316\tua:Mozilla/5.0\tvhost:shop.example.com\treqtime:0.046",
            "ltsv",
            "shop.example.com",
        ),
        ("status:500\turi:/a\tmethod:GET\ttime:2018-07-07T23:13:12+00:00\tapptime:1", "ltsv", ""),
        # https://devcenter.heroku.com/articles/http-routing#heroku-router-log-format
        (
            "2018-07-07T23:13:12.000000+00:00 heroku[router]: at=error code=H12 desc="
            '"Request timeout" method=GET path="/a" host=shop.example.com fwd="192.0.2.1" '
            "dyno=web.1 connect=6ms service=30001ms status=500 bytes=0 protocol=http",
            "logfmt",
            "shop.example.com",
        ),
        (
            'level=info msg="request done" ts=2018-07-07T23:13:12Z status=500 uri="/a" method=GET '
            'text="a \\"b\\" status=200"',
            "logfmt",
            "",
        ),
        (
            'time=[08/Jul/2018:08:13:12 +0900] request="GET /a HTTP/1.1" status=500 rt=0.1',
            "logfmt",
            "",
        ),
        ("method=GET path=/a status=500 ts=2018-07-08T08:13:12 +09:00", "logfmt", ""),
        ('[2018-07-07 23:13:12 +0000] request="GET /a HTTP/1.1" status="500"', "logfmt", ""),
    ],
)
def test_an_access_is_read_whatever_the_order(line: str, name: str, host: str) -> None:
    found, (access,) = accesses([line])
    assert found == name
    assert (access.tick, access.verb, access.resource, access.failed) == (TICK, "GET", "/a", True)
    assert not host or access.host == host


@pytest.mark.parametrize(("value", "host"), [("web-1", ""), ("shop.example.com",) * 2])
def test_a_machine_is_no_virtual_host(value: str, host: str) -> None:
    line = f"time=1531005192 host={value} method=GET path=/a status=500"
    assert FORMATS["logfmt"].parse(line) == Access(TICK, "GET", "/a", failed=True, host=host)


def test_the_first_of_equal_keys_counts() -> None:
    line = "time=1531005192 method=GET path=/a status=500 status=200"
    assert FORMATS["logfmt"].parse(line) == Access(TICK, "GET", "/a", failed=True)


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        (
            "ltsv",
            "time:1531005192\tstatus:200",
            "its keys are 'time', 'status'; allowed: keys of a",
        ),
        ("logfmt", "no pairs at all", "its keys are none; allowed: keys of a time, a status, and"),
        ("logfmt", "time=soon method=GET path=/a status=200", "the date is 'soon'"),
    ],
)
def test_a_line_that_lacks_a_field_is_malformed(name: str, line: str, reason: str) -> None:
    read = FORMATS[name].parse(line)
    assert isinstance(read, Malformed)
    assert read.reason.startswith(reason)

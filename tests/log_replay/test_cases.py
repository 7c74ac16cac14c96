"""
Logs as people have them are read without an option, from their first request to the last. The
values were counted by hand in the files.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import slomon
from slomon.core.events import Access
from slomon.formats.dialects import parse_dialect
from slomon.formats.registry import make_format
from slomon.sources.json_values import split_values
from slomon.sources.peekable import PeekableStream
from tests.formats.parsing import READING, read_all, recognised

CASES = Path(__file__).parent.parent / "cases"


class Case(NamedTuple):
    """What a log holds: format, accesses, failures, and the first access by time and request."""

    format: str
    accesses: int
    failures: int
    first: str
    request: str
    host: str = ""


GCP = (12, 4, "2025-03-10T12:00:00.123456+00:00", "GET /cart?x=1", "shop.example.com")
CASE = {
    "aws-apigw-epoch-ms": Case("json", 12, 4, "2025-03-10T12:00:00+00:00", "GET /prod/cart/7"),
    "cloudflare-unixnano-keys": Case(
        "json", 12, 1, "2024-04-10T23:00:00.1+00:00", "GET /", "www.example.com"
    ),
    "envoy-gateway-json-auto": Case(
        *("cri/json+envoy", 10, 0, "2025-12-31T16:37:40.479+00:00", "GET /assets/image.webp"),
        "www.example.com",
    ),
    "gcp-lb-array": Case("json", *GCP),
    "gcp-lb-array-newest-first": Case(
        *("json", 12, 4, "2025-03-10T12:11:00.123456+00:00", "GET /cart?x=1", "shop.example.com")
    ),
    "hosts-merged-caddy": Case(
        "caddy", 36, 3, "2025-03-10T12:00:00.5+00:00", "GET /", "blog.example.com"
    ),
    "json-alp": Case("json", 20, 4, "2015-09-05T20:00:05+00:00", "POST /foo/bar?token=xxx"),
    "json-array-one-line": Case("json", *GCP),
    "nginx-json-time_local-auto": Case(
        "json", 12, 4, "2025-03-10T12:00:00+00:00", "GET /cart?x=1", "shop.example.com"
    ),
    "apache-msec-frac": Case("combined", 20, 4, "2016-03-13T21:00:12.345+00:00", "GET /api/cart"),
    "caddy-startup-head": Case(
        "caddy", 4, 0, "2025-10-21T04:10:28.615395+00:00", "GET /", "localhost"
    ),
    "clf-no-zone": Case("combined", 20, 4, "2016-03-13T22:00:12+00:00", "GET /api/cart"),
    "csv-access-export": Case("csv", 12, 4, "2025-03-10T12:00:00+00:00", "GET /cart"),
    "docker-json-auto": Case("docker/ingress-nginx", 5, 1, "2021-08-24T09:52:13+00:00", "GET /"),
    "docker-logs-nginx-8-cores": Case("combined", 18, 8, "2023-11-29T13:20:00+00:00", "GET /cart"),
    "envoy-dc-head": Case(
        "envoy", 11, 5, "2024-10-10T03:56:00.537+00:00", "POST /v1/chat", "api.example.com"
    ),
    "flask-werkzeug": Case("combined", 20, 4, "2016-03-13T22:00:12+00:00", "GET /api/cart"),
    "gin-go": Case("gin", 20, 4, "2025-05-01T14:00:02+00:00", "GET /api/cart"),
    "haproxy-httplog": Case("syslog/haproxy", 7, 2, "2021-06-22T12:02:53.473+00:00", "GET /"),
    "head-408": Case("combined", 19, 5, "2015-02-17T19:00:00+00:00", "GET /api"),
    "head-elb-tcp": Case(
        *("clb", 10, 4, "2015-05-14T00:00:43.945958+00:00", "GET /path/index.html"),
        "www.example.com",
    ),
    "head-tls-scan": Case("combined", 10, 3, "2023-10-16T19:00:00+00:00", "GET /api"),
    "heroku-router": Case(
        *("logfmt", 20, 4, "2024-03-12T15:00:28.123456+00:00", "GET /api/cart?x=1"),
        "www.example.com",
    ),
    "hosts-merged-alb": Case(
        "alb", 36, 3, "2025-03-10T12:00:00.127531+00:00", "GET /", "blog.example.com"
    ),
    "iis-w3c": Case("w3c", 20, 4, "2018-01-01T08:00:10+00:00", "GET /shop?q=0"),
    "journald-json": Case("journald/combined", 12, 4, "2025-03-10T12:00:00+00:00", "GET /cart"),
    "litespeed-goaccess-2544": Case(
        "litespeed", 2, 1, "2023-08-13T14:34:11+00:00", "GET /a", "wordpress"
    ),
    "ltsv-alp": Case(
        "ltsv", 20, 4, "2015-09-05T20:00:05+00:00", "POST /foo/bar?token=xxx&uuid=1234"
    ),
    "nginxfmt-goaccess-1635-kv": Case(
        "logfmt", 2, 1, "2022-01-11T15:38:20+00:00", "GET /a", "www.example.com"
    ),
    "nginxfmt-goaccess-1691": Case("logfmt", 2, 1, "2020-03-15T10:00:00+00:00", "GET /a?x=1"),
    "outage-errors-beside": Case("combined", 13, 13, "2023-11-29T13:20:00+00:00", "GET /cart"),
    "uwsgi": Case("uwsgi", 20, 4, "2016-03-13T22:00:12+00:00", "POST /update_metrics"),
}
"""The cases that are read without an option."""

GOOGLE_KEYS = {
    "time": "timestamp",
    "method": "httpRequest.requestMethod",
    "path": "httpRequest.requestUrl",
    "status": "httpRequest.status",
}
JSON_KEYS = {
    "aws-apigw-epoch-ms": {
        "time": "requestTimeEpoch",
        "method": "httpMethod",
        "path": "path",
        "status": "status",
    },
    "cloudflare-unixnano-keys": {
        "time": "EdgeStartTimestamp",
        "method": "ClientRequestMethod",
        "path": "ClientRequestURI",
        "status": "EdgeResponseStatus",
    },
    "gcp-lb-array": GOOGLE_KEYS,
    "gcp-lb-array-newest-first": GOOGLE_KEYS,
    "json-array-one-line": GOOGLE_KEYS,
}
"""The keys of JSON logs, which need not be given."""

GIVEN = {
    "nginxfmt-goaccess-863": (
        '$remote_addr - $remote_user [$time_local] $request_time $upstream_response_time "$request"'
        ' $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"',
        Case("log_format", 2, 1, "2017-08-08T07:06:01+00:00", "GET /phpmyadmin/"),
    ),
    "nginxfmt-goaccess-1270": (
        "[$time_local] $msec $host $server_port $remote_addr, $upstream_addr $remote_user $status "
        '$pipe $request_time $bytes_sent $request_length $connection "$request" '
        '"$http_user_agent" "$http_referer" "$http_cookie"',
        Case(
            *("log_format", 2, 1, "2018-10-14T13:25:11+00:00"),
            "POST /foo/login/?next=/foo/member/000799/plans/",
            "bop.example.com",
        ),
    ),
    "nginxfmt-goaccess-1702": (
        '$remote_addr - $remote_user [$time_local] "$host" $request "$status" $body_bytes_sent '
        '"$http_referer" "$http_user_agent"',
        Case(
            *("log_format", 2, 1, "2020-03-14T13:52:43+00:00", "POST /dc659162/validate"),
            "rec.example.com",
        ),
    ),
    "nginxfmt-goaccess-2412": (
        "[$time_local] $remote_addr - $host $server_name to: $upstream_addr: $request $status "
        "upstream_response_time $upstream_response_time msec $msec request_time $request_time",
        Case("log_format", 2, 1, "2022-11-07T07:00:00+00:00", "GET /a", "www.example.com"),
    ),
}
"""The cases of formats of one's own, with the layouts that wrote them."""


def find_log(name: str) -> Path:
    (log,) = (CASES / name).iterdir()
    return log


def read_lines(name: str) -> list[str]:
    with find_log(name).open("rb") as file:
        text = bytes(split_values(PeekableStream(file)).peek(1 << 20)).decode(
            "utf-8", "backslashreplace"
        )
    return [line.removesuffix("\r") for line in text.split("\n") if line.strip()]


def read_given(name: str) -> list[object]:
    form = make_format(parse_dialect(GIVEN[name][0]), READING)
    return list(read_all(form, read_lines(name))[0])


def check(items: list[object], case: Case) -> None:
    accesses = [item for item in items if isinstance(item, Access)]
    first = accesses[0]
    assert len(accesses) == case.accesses
    assert sum(access.failed for access in accesses) == case.failures
    assert first.tick // 1000 == round(datetime.fromisoformat(case.first).timestamp() * 10**6)
    assert f"{first.verb} {first.resource}" == case.request
    assert first.host == case.host


@pytest.mark.parametrize("name", CASE)
def test_a_log_is_read_without_an_option(name: str) -> None:
    lines, case = read_lines(name), CASE[name]
    form = recognised(lines[:100]).format
    assert form.name == case.format
    check(list(read_all(form, lines)[0]), case)


@pytest.mark.parametrize("name", CASE)
def test_a_replay_counts_the_same_accesses(name: str) -> None:
    monitor = slomon.replay(str(find_log(name)), backend="python")
    accounting = monitor.accounting
    assert accounting.accesses == CASE[name].accesses
    assert accounting.unmatched == 0


@pytest.mark.parametrize("name", JSON_KEYS)
def test_a_log_is_read_by_the_keys_that_are_given(name: str) -> None:
    monitor = slomon.replay(str(find_log(name)), json_keys=JSON_KEYS[name], backend="python")
    assert monitor.accounting.accesses == CASE[name].accesses


@pytest.mark.parametrize("name", GIVEN)
def test_a_log_is_read_by_the_layout_of_its_server(name: str) -> None:
    layout, case = GIVEN[name]
    check(read_given(name), case)
    monitor = slomon.replay(str(find_log(name)), log_format=layout, backend="python")
    assert monitor.accounting.accesses == case.accesses


@pytest.mark.parametrize("name", [name for name in GIVEN if name != "nginxfmt-goaccess-1270"])
def test_a_log_of_a_format_of_ones_own_is_read_without_an_option(name: str) -> None:
    _, case = GIVEN[name]
    monitor = slomon.replay(str(find_log(name)), backend="python")
    first, second = (access for access in read_given(name) if isinstance(access, Access))
    assert monitor.accounting.accesses == case.accesses
    request = f"{second.verb} {second.resource}"
    assert monitor.incident_details() == {
        request if first.host == second.host else second.host: [
            {"start": second.tick / 10**9, "end": -1, "fix": "", "break": ""}
        ]
    }
    assert not first.failed


def test_a_column_of_bytes_before_the_status_is_no_status() -> None:
    log = str(find_log("bytes-before-status"))
    monitor = slomon.replay(log, slo=0.9, window="2m", backend="python")
    assert monitor.accounting.accesses == 16
    ((incident,),) = monitor.incident_details().values()
    start, end = (datetime.fromtimestamp(incident[key], UTC) for key in ("start", "end"))
    assert (f"{start:%d %H:%M}", f"{end:%d %H:%M}") == ("17 19:06", "17 19:12")


def test_a_route_that_is_gone_fails_if_its_status_is_named() -> None:
    log = str(find_log("gone-404"))
    options: dict[str, Any] = {"slo": 0.9, "window": "1m", "backend": "python"}
    assert not slomon.replay(log, **options).incident_details()
    ((incident,),) = (
        slomon.replay(log, fail_status="5xx,404", **options).incident_details().values()
    )
    start, end = (datetime.fromtimestamp(incident[key], UTC) for key in ("start", "end"))
    assert (f"{start:%H:%M:%S}", f"{end:%H:%M:%S}") == ("12:10:30", "12:20:30")


def test_every_case_that_is_tested_is_there() -> None:
    assert {*CASE, *GIVEN} <= {path.name for path in CASES.iterdir()}

"""The keys of JSON logs are found by the names that servers write."""

from __future__ import annotations

import json

import pytest

from slomon.core.events import Access
from slomon.core.statuses import server_errors_fail
from slomon.formats.json_keys import AmbiguousKeys, JsonKeys, choose_keys
from slomon.formats.json_lines import make_json_parser

# One line of each tool, as its documentation or its users show it, with the keys and the request.
LINES = {
    "nginx escape=json": (
        '{"time_local":"10/Mar/2025:12:00:00 +0000","request":"GET /cart?x=1 HTTP/1.1",'
        '"status":"200","body_bytes_sent":"512","request_time":"0.010","http_host":"a.example.com"}',
        "request=request,status=status,time=time_local,host=http_host",
        ("request_time", "s"),
        (1741608000.0, "GET", "/cart?x=1", "a.example.com"),
    ),
    "nginx with ISO time": (
        '{"@timestamp":"2025-03-10T12:00:00+00:00","method":"POST","uri":"/cart","status":502,'
        '"upstream_status":"502","upstream_response_time":"0.1","request_time":0.1}',
        "method=method,path=uri,status=status,time=@timestamp",
        ("request_time", "s"),
        (1741608000.0, "POST", "/cart", ""),
    ),
    "Caddy": (
        '{"level":"info","ts":1741608000.5,"logger":"http.log.access","msg":"handled request",'
        '"request":{"remote_ip":"192.0.2.1","method":"GET","host":"a.example.com","uri":"/"},'
        '"bytes_read":0,"duration":0.04,"size":2,"status":200}',
        "method=request.method,path=request.uri,status=status,time=ts,host=request.host",
        ("duration", "s"),
        (1741608000.5, "GET", "/", "a.example.com"),
    ),
    "Traefik": (
        '{"ClientAddr":"192.0.2.1:1","DownstreamStatus":502,"Duration":22000000,"OriginStatus":0,'
        '"RequestHost":"a.example.com","RequestMethod":"GET","RequestPath":"/cart",'
        '"RouterName":"shop@docker","StartUTC":"2025-03-10T12:00:00.25Z","level":"info",'
        '"time":"2025-03-10T12:00:01Z"}',
        "method=RequestMethod,path=RequestPath,status=DownstreamStatus,time=StartUTC,"
        "host=RequestHost",
        ("Duration", "ns"),
        (1741608000.25, "GET", "/cart", "a.example.com"),
    ),
    "Istio": (
        '{"start_time":"2025-03-10T12:00:00.000Z","method":"GET","path":"/cart","protocol":'
        '"HTTP/1.1","response_code":503,"response_flags":"UF","duration":12,'
        '"upstream_service_time":null,"authority":"a.example.com","upstream_cluster":"x"}',
        "method=method,path=path,status=response_code,time=start_time,host=authority",
        ("duration", "ms"),
        (1741608000.0, "GET", "/cart", "a.example.com"),
    ),
    "Google Cloud load balancer": (
        '{"httpRequest":{"latency":"0.034s","requestMethod":"GET","requestUrl":'
        '"https://a.example.com/cart","status":200},"timestamp":"2025-03-10T12:00:00.5Z",'
        '"receiveTimestamp":"2025-03-10T12:00:01Z"}',
        "method=httpRequest.requestMethod,path=httpRequest.requestUrl,"
        "status=httpRequest.status,time=timestamp",
        ("httpRequest.latency", ""),
        (1741608000.5, "GET", "/cart", "a.example.com"),
    ),
    "AWS API Gateway": (
        '{"requestId":"x","requestTime":"10/Mar/2025:12:00:00 +0000","requestTimeEpoch":'
        '1741608000000,"httpMethod":"GET","path":"/prod/cart","status":"200","responseLatency":"7"}',
        "method=httpMethod,path=path,status=status,time=requestTimeEpoch",
        ("responseLatency", "ms"),
        (1741608000.0, "GET", "/prod/cart", ""),
    ),
    "Cloudflare": (
        '{"ClientRequestHost":"a.example.com","ClientRequestMethod":"GET","ClientRequestURI":"/",'
        '"EdgeEndTimestamp":1741608001000000000,"EdgeResponseStatus":522,"OriginResponseStatus":0,'
        '"EdgeStartTimestamp":1741608000000000000,"CacheResponseStatus":200}',
        "method=ClientRequestMethod,path=ClientRequestURI,status=EdgeResponseStatus,"
        "time=EdgeStartTimestamp,host=ClientRequestHost",
        None,
        (1741608000.0, "GET", "/", "a.example.com"),
    ),
    "pino": (
        '{"level":30,"time":1741608000250,"pid":1,"hostname":"web","req":{"id":1,"method":"GET",'
        '"url":"/cart","headers":{"host":"a.example.com"}},"res":{"statusCode":200},'
        '"responseTime":5,"msg":"request completed"}',
        "method=req.method,path=req.url,status=res.statusCode,time=time,host=req.headers.host",
        ("responseTime", "ms"),
        (1741608000.25, "GET", "/cart", "a.example.com"),
    ),
    "Elastic Common Schema": (
        '{"@timestamp":"2025-03-10T12:00:00.000Z","log":{"file":{"path":"/var/log/a"}},'
        '"http":{"request":{"method":"GET"},"response":{"status_code":200}},'
        '"url":{"path":"/cart","original":"/cart?x"},"event":{"duration":5000000}}',
        "method=http.request.method,path=url.path,status=http.response.status_code,time=@timestamp",
        ("event.duration", "ns"),
        (1741608000.0, "GET", "/cart", ""),
    ),
    "flat keys with dots": (
        '{"@timestamp":"2025-03-10T12:00:00.000Z","http.request.method":"GET",'
        '"http.response.status_code":200,"url.path":"/cart"}',
        "method=http.request.method,path=url.path,status=http.response.status_code,time=@timestamp",
        None,
        (1741608000.0, "GET", "/cart", ""),
    ),
}


@pytest.mark.parametrize("tool", LINES)
def test_the_keys_of_a_tool_are_known(tool: str) -> None:
    line, keys, duration, request = LINES[tool]
    found = choose_keys([json.loads(line)])
    assert isinstance(found, JsonKeys)
    assert (found.show(), found.duration) == (keys, duration)
    access = make_json_parser(found, server_errors_fail, None)(line)
    assert isinstance(access, Access)
    assert (access.tick / 1_000_000_000, access.verb, access.resource, access.host) == request


def test_records_that_are_no_requests_have_no_keys() -> None:
    records = [
        {"level": "info", "ts": 1741608000.5, "msg": "started"},
        {"time": "2025-03-10T12:00:00Z", "status": "sent", "method": "smtp"},
        [],
        17,
    ]
    assert choose_keys(records) is None


def test_start_up_records_beside_the_requests_are_ignored() -> None:
    records = [{"ts": 1741608000.5, "msg": "started"}] * 50
    found = choose_keys([*records, json.loads(LINES["Caddy"][0])])
    assert isinstance(found, JsonKeys)


def test_a_duration_that_is_always_empty_is_none() -> None:
    record = {"time": 1741608000, "method": "GET", "path": "/", "status": 200}
    found = choose_keys([record | {"latency": ""}] * 3)
    assert isinstance(found, JsonKeys)
    assert found.duration is None


def test_two_statuses_that_differ_are_ambiguous() -> None:
    record = {"time": "2025-03-10T12:00:00Z", "a": {"status": 200}, "b": {"status": 502}}
    record |= {"request": {"method": "GET", "uri": "/"}}
    assert choose_keys([record]) == AmbiguousKeys("status", ("a.status", "b.status"))


def test_a_request_without_a_response_is_excluded() -> None:
    keys = JsonKeys({"time": "t", "method": "m", "path": "p", "status": "s"})
    parse = make_json_parser(keys, server_errors_fail, None)
    read = parse('{"t": 1741608000, "m": "GET", "p": "/", "s": 0}')
    assert type(read).__name__ == "Excluded"


@pytest.mark.parametrize("host", ["web1.eu.internal", "ip-10-0-0-1", "-"])
def test_the_name_of_a_machine_is_no_virtual_host(host: str) -> None:
    record = {"time": 1741608000, "method": "GET", "path": "/", "status": 200, "host": host}
    found = choose_keys([record])
    assert isinstance(found, JsonKeys)
    assert "host" not in found.fields


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        ({"time": "2025-03-10T14:00:00", "ts": "1741608000.5"}, {"time": "ts"}),
        ({"time": "2025-03-10T12:00:00Z", "ts": "1741608000.5"}, {"time": "time"}),
        ({"time": "2025-03-10T14:00:00"}, {"time": "time"}),
        ({"ts": "1741608000.5", "path": "/srv/app.py", "url": "/cart/{n}"}, {"path": "url"}),
        ({"ts": "1741608000.5", "path": "/cart/{n}", "url": "/cart/{n}?a=1"}, {"path": "path"}),
        ({"ts": "1741608000.5", "path": "/cart", "url": "/cart?a=1"}, {"path": "path"}),
    ],
)
def test_a_time_with_a_zone_and_a_path_that_varies_come_first(
    fields: dict[str, str], chosen: dict[str, str]
) -> None:
    base = {"method": "GET", "path": "/cart", "status": 200} | fields
    records: list[object] = [
        {key: value.format(n=n) if isinstance(value, str) else value for key, value in base.items()}
        for n in range(3)
    ]
    keys = choose_keys(records)
    assert isinstance(keys, JsonKeys)
    assert chosen.items() <= keys.fields.items()

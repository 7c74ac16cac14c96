"""
Logs as the documentation of each tool shows them, with addresses and names of nobody, are read
without an option. Each is read with a status of success and with one of failure.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import pytest

from slomon.core.events import Access
from slomon.formats.inference import infer
from slomon.formats.recognition import Recognition, recognise
from slomon.formats.registry import restore_format
from tests.formats.parsing import KNOWN, READING, read_all

TIME: Final = "2025-03-10T12:00:00.123Z"
WHOLE: Final = "2025-03-10T12:00:00Z"
CLF: Final = "10/Mar/2025:12:00:00 +0000"

# The name of the format, a line with its status left open, the time, the request and the host.
LINES: Final[dict[str, tuple[str, str, str, str, str]]] = {
    # JSON
    "ingress-nginx, log-format-escape-json": (
        "json",
        '{"time": "2025-03-10T12:00:00+00:00", "remote_addr": "192.0.2.1", "status": STATUS, '
        '"vhost": "shop.example.com", "path": "/cart", "request_query": "a=1", "method": "GET", '
        '"request_time": 0.02, "duration": 0.02}',
        *(WHOLE, "GET /cart", "shop.example.com"),
    ),
    "API Gateway, REST": (
        "json",
        '{"requestId": "c6af9ac6", "ip": "192.0.2.1", "caller": "-", "requestTime": "' + CLF + '", '
        '"httpMethod": "GET", "resourcePath": "/cart/{id}", "status": "STATUS", "protocol": '
        '"HTTP/1.1", "responseLength": "5"}',
        *(WHOLE, "GET /cart/{id}", ""),
    ),
    "API Gateway, HTTP": (
        "json",
        '{"requestId": "c6af9ac6", "ip": "192.0.2.1", "requestTime": "' + CLF + '", "httpMethod": '
        '"GET", "routeKey": "GET /cart", "status": "STATUS", "protocol": "HTTP/1.1"}',
        *(WHOLE, "GET /cart", ""),
    ),
    "Cloudflare Logpush, RFC 3339": (
        "json",
        '{"ClientRequestHost": "shop.example.com", "ClientRequestMethod": "GET", "ClientRequestURI"'
        f': "/cart?a=1", "EdgeEndTimestamp": "{TIME}", "EdgeResponseStatus": STATUS, '
        f'"EdgeStartTimestamp": "{TIME}", "OriginResponseStatus": 0, "RayID": "3a6050bcbe121a87"}}',
        *(TIME, "GET /cart?a=1", "shop.example.com"),
    ),
    "Cloud Run": (
        "json",
        '{"httpRequest": {"requestMethod": "GET", "requestUrl": "https://shop.example.com/cart", '
        '"status": STATUS, "latency": "0.02s"}, "logName": "p/logs/requests", "timestamp": '
        f'"{TIME}", "resource": {{"labels": {{"service_name": "shop"}}}}}}',
        *(TIME, "GET /cart", "shop.example.com"),
    ),
    "Azure Application Gateway": (
        "json",
        f'{{"timeStamp": "{TIME}", "operationName": "ApplicationGatewayAccess", "properties": '
        '{"httpMethod": "GET", "requestUri": "/cart", "httpStatus": STATUS, "httpVersion": '
        '"HTTP/1.1", "host": "shop.example.com", "serverStatus": "200"}}',
        *(TIME, "GET /cart", "shop.example.com"),
    ),
    "Kong, file-log": (
        "json",
        '{"started_at": 1741608000123, "client_ip": "192.0.2.1", "request": {"uri": "/cart", '
        '"method": "GET", "size": 100}, "response": {"status": STATUS}, "latencies": {}, '
        '"service": {"name": "shop"}}',
        *(TIME, "GET /cart", ""),
    ),
    "APISIX, file-logger": (
        "json",
        '{"start_time": 1741608000123, "client_ip": "192.0.2.1", "request": {"uri": "/cart", '
        '"method": "GET", "headers": {}}, "response": {"status": STATUS}, "latency": 3.1}',
        *(TIME, "GET /cart", ""),
    ),
    "Akamai DataStream": (
        "json",
        '{"version": 1, "reqId": "12", "reqTimeSec": "1741608000.123", "statusCode": "STATUS",'
        ' "proto": "HTTPS", "reqHost": "shop.example.com", "reqMethod": "GET", "reqPath": "/cart"}',
        *(TIME, "GET /cart", ""),
    ),
    "Fastly": (
        "json",
        f'{{"timestamp": "{TIME}", "host": "shop.example.com", "url": "/cart", "request_method": '
        '"GET", "request_protocol": "HTTP/2", "response_status": STATUS, "response_body_size": 5}',
        *(TIME, "GET /cart", "shop.example.com"),
    ),
    "Traefik": (
        "json",
        f'{{"DownstreamStatus": STATUS, "OriginStatus": 0, "Duration": 1234567, "RequestHost": '
        f'"shop.example.com", "RequestMethod": "GET", "RequestPath": "/a", "StartUTC": "{TIME}", '
        '"time": "2025-03-10T12:00:01Z", "level": "info"}',
        *(TIME, "GET /a", "shop.example.com"),
    ),
    "pino-http": (
        "json",
        '{"level": 30, "time": 1741608000123, "hostname": "a", "req": {"id": 1, "method": "GET", '
        '"url": "/cart"}, "res": {"statusCode": STATUS}, "responseTime": 3, "msg": "completed"}',
        *(TIME, "GET /cart", ""),
    ),
    "Serilog, compact": (
        "json",
        f'{{"@t": "{TIME}", "@mt": "HTTP {{RequestMethod}} ...", "RequestMethod": "GET", '
        '"RequestPath": "/cart", "StatusCode": STATUS, "Elapsed": 12.3}',
        *(TIME, "GET /cart", ""),
    ),
    "Rails, lograge with logstash": (
        "json",
        '{"method": "GET", "path": "/cart", "controller": "CartController", "status": STATUS, '
        f'"duration": 58.33, "@timestamp": "{TIME}", "message": "[STATUS] GET /cart"}}',
        *(TIME, "GET /cart", ""),
    ),
    "Echo": (
        "json",
        f'{{"time": "{TIME}", "remote_ip": "::1", "host": "shop.example.com", "method": "GET", '
        '"uri": "/cart", "status": STATUS, "latency": 30166, "latency_human": "30.166µs"}',
        *(TIME, "GET /cart", "shop.example.com"),
    ),
    "Vercel, log drain": (
        "json",
        '{"id": "1", "timestamp": 1741608000123, "source": "lambda", "path": "/cart", "proxy": '
        '{"method": "GET", "host": "shop.example.com", "path": "/cart", "statusCode": STATUS}, '
        '"statusCode": STATUS}',
        *(TIME, "GET /cart", "shop.example.com"),
    ),
    "Tomcat, JsonAccessLogValve": (
        "json",
        f'{{"host": "192.0.2.1", "logicalUserName": "-", "user": "-", "time": "[{CLF}]", '
        '"request": "GET /cart HTTP/1.1", "statusCode": "STATUS", "size": "5"}',
        *(WHOLE, "GET /cart", ""),
    ),
    "CloudFront, JSON": (
        "json",
        '{"date": "2025-03-10", "time": "12:00:00", "c-ip": "192.0.2.1", "cs-method": "GET", '
        '"cs-uri-stem": "/cart", "sc-status": "STATUS", "x-host-header": "shop.example.com"}',
        *(WHOLE, "GET /cart", "shop.example.com"),
    ),
    "VPC Lattice": (
        "json",
        f'{{"requestMethod": "GET", "startTime": "{TIME}", "requestPath": "/cart", "responseCode": '
        'STATUS, "duration": 5, "hostHeader": "shop.example.com", "serviceArn": "arn"}',
        *(TIME, "GET /cart", "shop.example.com"),
    ),
    "hapi": (
        "json",
        '{"level": 30, "time": 1741608000123, "req": {"id": "1", "method": "get", "url": "/cart"}, '
        '"res": {"statusCode": STATUS}, "responseTime": 5, "msg": "request completed"}',
        *(TIME, "get /cart", ""),
    ),
    # JSON behind its time
    "Caddy, console": (
        "json",
        "2025/03/10 12:00:00.123\tINFO\thttp.log.access.log0\thandled request\t"
        '{"request": {"method": "GET", "host": "shop.example.com", "uri": "/cart"}, '
        '"duration": 0.02, "status": STATUS}',
        *(TIME, "GET /cart", "shop.example.com"),
    ),
    "Fluentd, out_file": (
        "json",
        "2025-03-10T12:00:00+00:00\tnginx.access\t"
        '{"method": "GET", "path": "/cart", "code": "STATUS", "size": "5"}',
        *(WHOLE, "GET /cart", ""),
    ),
    "aws logs tail, JSON": (
        "json",
        '2025-03-10T12:00:00.123000+00:00 web/1 {"method": "GET", "path": "/cart", "status": '
        "STATUS}",
        *(TIME, "GET /cart", ""),
    ),
    # keys with values
    "Heroku, drain": (
        "logfmt",
        f'<158>1 {TIME} host heroku router - at=info method=GET path="/cart?x=1" '
        "host=shop.example.com dyno=web.1 connect=0ms service=18ms status=STATUS bytes=13",
        *(TIME, "GET /cart?x=1", "shop.example.com"),
    ),
    "Rails, lograge behind the logger": (
        "logfmt",
        "I, [2025-03-10T12:00:00.123 #1234]  INFO -- : method=GET path=/cart format=html "
        "controller=CartController action=show status=STATUS duration=58.33 view=40.43",
        *(TIME, "GET /cart", ""),
    ),
    "slog": (
        "logfmt",
        f"time={TIME} level=INFO msg=request method=GET path=/cart status=STATUS duration=1.2ms",
        *(TIME, "GET /cart", ""),
    ),
    # text
    "Kong": (
        "combined",
        f'192.0.2.1 - - [{CLF}] "GET /cart HTTP/1.1" STATUS 5 "-" "curl" kong_request_id: "ab"',
        *(WHOLE, "GET /cart", ""),
    ),
    "APISIX": (
        "apisix",
        f'192.0.2.1 - - [{CLF}] shop.example.com "GET /cart HTTP/1.1" STATUS 5 0.002 "-" "curl" '
        '192.0.2.9:80 200 0.001 "http://shop.example.com"',
        *(WHOLE, "GET /cart", "shop.example.com"),
    ),
    "Varnish": (
        "combined",
        f'192.0.2.1 - - [{CLF}] "GET http://shop.example.com/cart HTTP/1.1" STATUS 5 "-" "curl"',
        *(WHOLE, "GET /cart", "shop.example.com"),
    ),
    "Tomcat, %t %a %r %s (%D)": (
        "inferred",
        f"[{CLF}] 192.0.2.1 GET /cart HTTP/1.1 STATUS (12)",
        *(WHOLE, "GET /cart", ""),
    ),
    "chi": (
        "layout",
        '2025/03/10 12:00:00 [web-1/abc-000001] "GET http://shop.example.com/cart HTTP/1.1" from '
        "192.0.2.1:5000 - STATUS 4B in 12.5µs",
        *(WHOLE, "GET /cart", "shop.example.com"),
    ),
    "Serilog": (
        "inferred",
        "[2025-03-10 12:00:00.123 +00:00 INF] HTTP GET /cart responded STATUS in 12.3456 ms",
        *(TIME, "GET /cart", ""),
    ),
    "journalctl -o short-iso": (
        "rsyslog/combined",
        f'2025-03-10T12:00:00+0000 web1 nginx[812]: 192.0.2.1 - - [{CLF}] "GET /cart HTTP/1.1" '
        'STATUS 5 "-" "curl"',
        *(WHOLE, "GET /cart", ""),
    ),
    "Hypercorn": (
        "combined",
        f'[2025-03-10 12:00:00 +0000] [12] [INFO] 192.0.2.1:5000 - - [{CLF}] "GET /cart 1.1" '
        'STATUS 5 "-" "curl"',
        *(WHOLE, "GET /cart", ""),
    ),
    "Quarkus": (
        "inferred",
        "2025-03-10 14:00:00,123 INFO  [io.quarkus.http.access-log] (executor-1) 192.0.2.1 - - "
        '10/Mar/2025:14:00:00 +0200 "GET /cart HTTP/1.1" STATUS 5',
        *(WHOLE, "GET /cart", ""),
    ),
    "Kibana, CSV": (
        "csv",
        '"Mar 10, 2025 @ 12:00:00.123",GET,/cart,STATUS',
        *(TIME, "GET /cart", ""),
    ),
    # programs without a time, in what carries their logs
    "Docker, uvicorn": (
        "docker-time/inferred",
        '{"log": "INFO:     192.0.2.1:51234 - \\"GET /cart HTTP/1.1\\" STATUS OK\\n", "stream": '
        f'"stdout", "time": "{TIME}"}}',
        *(TIME, "GET /cart", ""),
    ),
    "Kubernetes, morgan dev": (
        "cri-time/inferred",
        f"{TIME} stdout F GET /cart STATUS 12.345 ms - 5",
        *(TIME, "GET /cart", ""),
    ),
    "kubectl logs --timestamps, morgan tiny": (
        "inferred",
        f"{TIME} GET /cart STATUS 5 - 12.345 ms",
        *(TIME, "GET /cart", ""),
    ),
    "journald, lograge": (
        "journald-time/logfmt",
        '{"__REALTIME_TIMESTAMP": "1741608000123000", "_SYSTEMD_UNIT": "web.service", "MESSAGE": '
        '"method=GET path=/cart format=html status=STATUS duration=58.33"}',
        *(TIME, "GET /cart", ""),
    ),
    "Docker, JSON": (
        "docker-time/json",
        '{"log": "{\\"method\\": \\"GET\\", \\"path\\": \\"/cart\\", \\"status\\": STATUS}\\n", '
        f'"stream": "stdout", "time": "{TIME}"}}',
        *(TIME, "GET /cart", ""),
    ),
    "Kubernetes, JSON": (
        "cri-time/json",
        f'{TIME} stdout F {{"method": "GET", "path": "/cart", "status": STATUS}}',
        *(TIME, "GET /cart", ""),
    ),
    "journald, JSON": (
        "journald-time/json",
        '{"__REALTIME_TIMESTAMP": "1741608000123000", "_SYSTEMD_UNIT": "web.service", "MESSAGE": '
        '"{\\"method\\": \\"GET\\", \\"path\\": \\"/cart\\", \\"status\\": STATUS}"}',
        *(TIME, "GET /cart", ""),
    ),
    "CloudWatch, morgan": (
        "message-time/inferred",
        '{"logStreamName": "web/1", "timestamp": 1741608000123, "message": "GET /cart STATUS 12.345'
        ' ms - 5", "ingestionTime": 1741608000999, "eventId": "3"}',
        *(TIME, "GET /cart", ""),
    ),
    "Fluent Bit, nginx": (
        "docker/combined",
        f'{{"date": 1741608000.123, "stream": "stdout", "_p": "F", "log": "192.0.2.1 - - [{CLF}] '
        '\\"GET /cart HTTP/1.1\\" STATUS 5 \\"-\\" \\"curl\\"", "kubernetes": {"pod_name": "a"}}',
        *(WHOLE, "GET /cart", ""),
    ),
    "Fluent Bit, morgan": (
        "docker-time/inferred",
        '{"date": 1741608000.123, "stream": "stdout", "_p": "F", "log": "GET /cart STATUS 5 ms"}',
        *(TIME, "GET /cart", ""),
    ),
    "Docker, Koa in colours": (
        "docker-time/colours/inferred",
        '{"log": "  \\u001b[90m-->\\u001b[39m \\u001b[1mGET\\u001b[0m \\u001b[90m/cart\\u001b[39m '
        '\\u001b[32mSTATUS\\u001b[39m 5ms\\n", "stream": "stdout", '
        f'"time": "{TIME}"}}',
        *(TIME, "GET /cart", ""),
    ),
    "Google Cloud, morgan": (
        "message-time/inferred",
        f'{{"insertId": "1", "textPayload": "GET /cart STATUS 5 ms", "timestamp": "{TIME}"}}',
        *(TIME, "GET /cart", ""),
    ),
    "winston": (
        "message-time/inferred",
        f'{{"level": "info", "message": "GET /cart STATUS 12.345 ms - 5", "timestamp": "{TIME}"}}',
        *(TIME, "GET /cart", ""),
    ),
    "Filebeat, uvicorn": (
        "message-time/inferred",
        f'{{"@timestamp": "{TIME}", "message": "INFO:     192.0.2.1:5123 - \\"GET /cart HTTP/1.1'
        '\\" STATUS OK"}',
        *(TIME, "GET /cart", ""),
    ),
}


HEADERS: Final = {
    "Kibana, CSV": '"@timestamp","http.request.method","url.path","http.response.status_code"'
}


@pytest.mark.parametrize("tool", LINES)
def test_a_documented_log_is_read_without_an_option(tool: str) -> None:
    name, line, time, request, host = LINES[tool]
    lines = [line.replace("STATUS", status) for status in ("200", "503")] * 6
    header = [HEADERS[tool]] if tool in HEADERS else []
    found = recognise([*header, *lines], KNOWN, READING, infer)
    assert isinstance(found, Recognition), found
    assert found.format.name == name
    restored = restore_format(found.format.spec, READING)
    assert restored is not None
    items, _ = read_all(found.format, [*header, *lines])
    assert read_all(restored, [*header, *lines])[0] == items
    for access, failed in zip(items[len(header) :], [False, True] * 6, strict=True):
        assert isinstance(access, Access)
        assert access.tick // 1000 == round(datetime.fromisoformat(time).timestamp() * 10**6)
        assert f"{access.verb} {access.resource}" == request
        assert (access.failed, access.host) == (failed, host)


@pytest.mark.parametrize(
    "line",
    [
        'INFO:     192.0.2.1:51234 - "GET /cart HTTP/1.1" 200 OK',
        "GET /cart 200 12.345 ms - 5",
        "method=GET path=/cart format=html status=200 duration=58.33",
    ],
)
def test_a_log_without_any_time_is_refused(line: str) -> None:
    found = recognise([line] * 12, KNOWN, READING, infer)
    assert isinstance(found, str)
    assert found.endswith("it has no time, as each line of an access log has")

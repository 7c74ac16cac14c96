"""
The known layouts read lines as the documentation of each tool shows them, with addresses and names
of nobody. The times and requests were read by hand.
"""

from __future__ import annotations

from datetime import datetime

import pytest

from slomon.core.events import NO_STATUS, Access
from slomon.formats.builtin import BUILT_IN
from slomon.formats.durations import describe_duration
from slomon.formats.inference import infer
from slomon.formats.recognition import Recognition, recognise
from tests.formats.parsing import KNOWN, READING, recognised

# The name of a layout, a line, its time and request, whether it failed, its host and duration.
LINES = [
    # https://httpd.apache.org/docs/2.4/logs.html
    (
        *(
            "common",
            '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326',
        ),
        *("2000-10-10T20:55:36+00:00", "GET /a.gif", False, "", ""),
    ),
    (
        *("common", '2001:db8::1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 304 -'),
        *("2000-10-10T20:55:36+00:00", "GET /", False, "", ""),
    ),
    (
        "combined",
        '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 '
        '"http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"',
        *("2000-10-10T20:55:36+00:00", "GET /a.gif", False, "", ""),
    ),
    (
        "combined",  # https://docs.gunicorn.org/en/stable/settings.html#access-log-format
        '127.0.0.1 - - [26/May/2024:12:06:12 +0000] "POST /v1/a?b HTTP/1.1" 502 0 "-" "curl/8.5.0"',
        *("2024-05-26T12:06:12+00:00", "POST /v1/a?b", True, "", ""),
    ),
    (
        "vhost",
        "www.example.com:443 192.0.2.7 - - [09/Dec/2019:09:54:32 +0100] "
        '"GET /a HTTP/1.1" 503 126 "-" "curl"',
        *("2019-12-09T08:54:32+00:00", "GET /a", True, "www.example.com", ""),
    ),
    (
        "vhost",
        'localhost 2001:db8::7 - eve [09/Dec/2019:09:54:32 +0100] "GET /a HTTP/2.0" 200 1 "-" "-"',
        *("2019-12-09T08:54:32+00:00", "GET /a", False, "localhost", ""),
    ),
    # https://github.com/NginxProxyManager/nginx-proxy-manager
    (
        "nginx-proxy-manager",
        '[09/Dec/2019:09:54:32 +0100] HIT 200 304 - GET http shop.example.com "/a?b=1" '
        '[Client 192.0.2.7] [Length 0] [Gzip 3.10] [Sent-to web] "curl/8.0" "-"',
        *("2019-12-09T08:54:32+00:00", "GET /a?b=1", False, "shop.example.com", ""),
    ),
    (
        "nginx-proxy-manager",
        '[09/Dec/2019:09:54:32 +0100] - 502 504 - POST https shop.example.com "/b" '
        '[Client 192.0.2.7] [Length 0] [Gzip -] [Sent-to web] "curl/8.0" "-"',
        *("2019-12-09T08:54:32+00:00", "POST /b", True, "shop.example.com", ""),
    ),
    (
        "nginx-proxy-manager-standard",
        '[09/Dec/2019:09:54:32 +0100] 444 - GET https 192.0.2.1 "/.env" [Client 192.0.2.7] '
        '[Length 0] [Gzip -] "curl/8.0" "-"',
        *("2019-12-09T08:54:32+00:00", "GET /.env", False, "192.0.2.1", ""),
    ),
    (
        "nginx-proxy-manager-standard",
        '[09/Dec/2019:09:54:32 +0100] 500 - GET https a.example.com "/" [Client 192.0.2.7] '
        '[Length 0] [Gzip -] "curl/8.0" "-"',
        *("2019-12-09T08:54:32+00:00", "GET /", True, "a.example.com", ""),
    ),
    # https://redmine.lighttpd.net/projects/lighttpd/wiki/Mod_accesslog
    (
        "lighttpd",
        '192.0.2.7 www.example.com - [17/Feb/2025:19:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "-"',
        *("2025-02-17T19:00:00+00:00", "GET /a", False, "www.example.com", ""),
    ),
    (
        "lighttpd",
        '192.0.2.7 shop.example.com:8080 eve [17/Feb/2025:19:00:00 +0000] "PUT /a HTTP/1.1" 500 0 '
        '"-" "-"',
        *("2025-02-17T19:00:00+00:00", "PUT /a", True, "shop.example.com", ""),
    ),
    # https://doc.traefik.io/traefik/observe/logs-and-access-logs/
    (
        "traefik",
        '192.0.2.7 - - [23/Nov/2024:13:22:08 +0000] "GET /api HTTP/1.1" 200 1024 "-" "curl" 42 '
        '"web@docker" "http://192.0.2.9:80" 5ms',
        *("2024-11-23T13:22:08+00:00", "GET /api", False, "", "milliseconds, median 0.005 s"),
    ),
    (
        "traefik",
        '192.0.2.7 - - [23/Nov/2024:13:22:08 +0000] "GET /api HTTP/2.0" 404 19 "-" "-" 43 "-" "-" '
        "0ms",
        *("2024-11-23T13:22:08+00:00", "GET /api", False, "", "milliseconds, median 0 s"),
    ),
    # https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/log-format/
    (
        "ingress-nginx",
        '192.0.2.7 - - [23/Nov/2024:13:22:08 +0000] "GET /a HTTP/1.1" 504 160 "-" "curl" 77 15.001 '
        "[shop-web-80] [] 192.0.2.9:80, 192.0.2.10:80 0, 160 5.000, 10.001 504, 504 e0a0",
        *("2024-11-23T13:22:08+00:00", "GET /a", True, "", "seconds, median 15 s"),
    ),
    (
        "ingress-nginx",
        '192.0.2.7 - - [23/Nov/2024:13:22:08 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl" 77 0.001 '
        "[upstream-default-backend] [] 192.0.2.9:8080 5 0.000 200 e0a0",
        *("2024-11-23T13:22:08+00:00", "GET /a", False, "", "seconds, median 0.001 s"),
    ),
    # https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log
    (
        "envoy",
        '[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "192.0.2.7"'
        ' "nsq2http" "cc21d9b0" "locations" "tcp://192.0.2.9:80"',
        "2016-04-15T20:17:00.310+00:00",
        *("POST /api/v1/locations", False, "locations", "milliseconds, median 0.226 s"),
    ),
    (
        "envoy",
        '[2016-04-15T20:17:00.310Z] "GET /a HTTP/1.1" 503 UH 0 19 0 - "-" "curl" "cc21d9b0" '
        '"www.example.com:8080" "-"',
        *("2016-04-15T20:17:00.310+00:00", "GET /a", True, "www.example.com"),
        "milliseconds, median 0 s",
    ),
    (
        *("envoy-custom", '[2016-04-15T20:17:00.310Z] "GET /a HTTP/1.1" 503 UH "192.0.2.7"'),
        *("2016-04-15T20:17:00.310+00:00", "GET /a", True, "", ""),
    ),
    (
        *("envoy-custom", '[2016-04-15T20:17:00Z] "GET /a -" 200'),
        *("2016-04-15T20:17:00+00:00", "GET /a", False, "", ""),
    ),
    # https://istio.io/latest/docs/tasks/observability/logs/access-log/
    (
        "istio",
        '[2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 3 1 '
        '"-" "curl/7.73.0-DEV" "84961386" "httpbin:8000" "127.0.0.1:80" '
        "inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 outbound_.8000_._ default",
        *("2020-11-25T21:26:18.409+00:00", "GET /status/418", False, "httpbin"),
        "milliseconds, median 0.003 s",
    ),
    (
        "istio",
        '[2020-11-25T21:26:18.409Z] "GET /a HTTP/1.1" 503 UF upstream_reset_before_response_started'
        '{connection_failure} - "TLS error" 0 91 3 - "-" "curl" "84961386" "shop" "192.0.2.9:80" '
        "outbound|80||shop - 10.44.1.27:80 10.44.1.23:37652 - default",
        *("2020-11-25T21:26:18.409+00:00", "GET /a", True, "shop", "milliseconds, median 0.003 s"),
    ),
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/
    # load-balancer-access-logs.html
    (
        "alb",
        "https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.0.2.7:2817 "
        '10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" '
        '"curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elb:a "Root=1-58337281"',
        *("2018-07-02T22:23:00.186641+00:00", "GET /", False, "www.example.com", ""),
    ),
    (
        "alb",
        "wss 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.0.2.7:2817 "
        '10.0.0.1:80 -1 -1 -1 502 - 0 57 "GET https://a.example.com:443/ws?x HTTP/1.1" "-" - - a',
        *("2018-07-02T22:23:00.186641+00:00", "GET /ws?x", True, "a.example.com", ""),
    ),
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
    (
        "clb",
        "2015-05-13T23:39:43.945958Z my-loadbalancer 192.0.2.7:2817 10.0.0.1:80 0.000073 0.001048 "
        '0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -',
        *("2015-05-13T23:39:43.945958+00:00", "GET /", False, "www.example.com", ""),
    ),
    (
        "clb",
        "2015-05-13T23:39:43.945958Z my-loadbalancer 192.0.2.7:2817 - -1 -1 -1 503 0 0 0 "
        '"GET https://www.example.com:443/a HTTP/1.1" "-" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2',
        *("2015-05-13T23:39:43.945958+00:00", "GET /a", True, "www.example.com", ""),
    ),
    # https://docs.haproxy.org/3.0/configuration.html#8.2.3
    (
        "haproxy",
        "10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - "
        '---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"',
        *("2009-02-06T12:14:14.655+00:00", "GET /index.html", False, ""),
        "milliseconds, median 0.109 s",
    ),
    (
        "haproxy",
        "10.0.1.2:33318 [06/Feb/2009:12:14:14.655] https-in~ static/<NOSRV> -1/-1/-1/-1/+5 503 212 "
        '- - SC-- 1/1/1/1/+3 0/0 "POST /cart HTTP/1.1"',
        *("2009-02-06T12:14:14.655+00:00", "POST /cart", True, "", "milliseconds, median 0.005 s"),
    ),
    # https://uwsgi-docs.readthedocs.io/en/latest/LogFormat.html
    (
        "uwsgi",
        "[pid: 596|app: 0|req: 24/72] 192.0.2.7 () {50 vars in 1043 bytes} [Wed Jan 14 11:44:29 "
        "2015] POST /countries/ => generated 2 bytes in 149 msecs (HTTP/1.1 200) 3 headers in 112 "
        "bytes (1 switches on core 0)",
        *("2015-01-14T11:44:29+00:00", "POST /countries/", False, ""),
        "milliseconds, median 0.149 s",
    ),
    (
        "uwsgi",
        "[pid: 596|app: -1|req: -1/3] 192.0.2.7 (eve) {30 vars in 400 bytes} [Sat Jan  3 11:44:29 "
        "2015] GET /a?b=c => generated 21 bytes in 15 micros (HTTP/1.0 500) 2 headers in 83 bytes",
        *("2015-01-03T11:44:29+00:00", "GET /a?b=c", True, "", "microseconds, median 1.5e-05 s"),
    ),
    (
        "litespeed",
        '["shop.example.com"] [13/Aug/2023:22:34:11 +0800] 192.0.2.7 GET /a HTTP/1.1 503 **HTTP2** '
        'TLS_AES_128_GCM_SHA256 "text/html" "-" 47546B 131417us "-" "Mozilla/5.0"',
        *("2023-08-13T14:34:11+00:00", "GET /a", True, "shop.example.com"),
        "microseconds, median 0.131 s",
    ),
    (
        "litespeed",
        '["-"] [13/Aug/2023:22:34:11 +0800] 192.0.2.7 GET /a HTTP/3 200 **QUIC** '
        'TLS_AES_128_GCM_SHA256 "text/html; charset=UTF-8" "hit" 1B 90us "-" "Mozilla/5.0"',
        *("2023-08-13T14:34:11+00:00", "GET /a", False, "", "microseconds, median 9e-05 s"),
    ),
    # https://apisix.apache.org/docs/apisix/customize-nginx-configuration/
    (
        "apisix",
        '192.0.2.1 - - [09/Dec/2019:09:54:32 +0100] shop.example.com "GET /a?b=1 HTTP/1.1" 200 5 '
        '0.002 "-" "curl/8.5.0" 192.0.2.9:80 200 0.001 "http://shop.example.com"',
        *("2019-12-09T08:54:32+00:00", "GET /a?b=1", False, "shop.example.com"),
        "seconds, median 0.002 s",
    ),
    (
        "apisix",
        '2001:db8::7 - ana [09/Dec/2019:09:54:32 +0100] localhost:9080 "POST /a HTTP/2.0" 504 580 '
        '60.001 "-" "-" 192.0.2.9:80, 192.0.2.8:80 504, 504 60.000, 0.001 "http://localhost:9080"',
        *("2019-12-09T08:54:32+00:00", "POST /a", True, "localhost"),
        "seconds, median 60 s",
    ),
    # https://wiki.squid-cache.org/Features/LogFormat
    (
        "squid",
        "1286536308.779    180 192.0.2.224 TCP_MISS/200 411 GET http://www.example.com/a?b=1 - "
        "HIER_DIRECT/192.0.2.1 text/html",
        *("2010-10-08T11:11:48.779+00:00", "GET /a?b=1", False, "www.example.com"),
        "milliseconds, median 0.18 s",
    ),
    (
        "squid",
        "1286536309.450     61 192.0.2.68 TCP_TUNNEL/503 0 CONNECT shop.example.com:443 ana "
        "HIER_NONE/- -",
        *("2010-10-08T11:11:49.450+00:00", "CONNECT shop.example.com:443", True, ""),
        "milliseconds, median 0.061 s",
    ),
    # https://github.com/gin-gonic/gin/blob/master/logger.go
    (
        "gin",
        '[GIN] 2025/05/01 - 14:00:02 | 200 |    1.5ms |       192.0.2.7 | GET      "/ping"',
        *("2025-05-01T14:00:02+00:00", "GET /ping", False, "", "milliseconds, median 0.0015 s"),
    ),
    (
        "gin",
        '[GIN] 2025/05/01 - 14:00:02 | 500 |  2.000s |             ::1 | POST     "/a?b=c"',
        *("2025-05-01T14:00:02+00:00", "POST /a?b=c", True, "", "seconds, median 2 s"),
    ),
    # https://github.com/django/django/blob/main/django/core/servers/basehttp.py
    (
        *("django", '[12/Mar/2024 15:00:28] "GET /admin/ HTTP/1.1" 302 0'),
        *("2024-03-12T15:00:28+00:00", "GET /admin/", False, "", ""),
    ),
    (
        *("django", '[12/Mar/2024 15:00:28] "POST /a?b HTTP/1.0" 500 145'),
        *("2024-03-12T15:00:28+00:00", "POST /a?b", True, "", ""),
    ),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
    (
        "s3",
        "79a59df900b949e5 amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 "
        '79a59df900b949e5 3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /bucket?versioning HTTP/1.1" '
        '200 - 113 - 7 - "-" "S3Console/0.4" - s9lz= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader',
        *("2019-02-06T00:00:38+00:00", "GET /bucket?versioning", False, ""),
        "milliseconds, median 0.007 s",
    ),
    (
        "s3",
        "79a59df900b949e5 amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - 3E57427F "
        'REST.PUT.OBJECT photos/a%2Bb.png "PUT /photos/a%2Bb.png HTTP/1.1" 503 SlowDown 234 - 12 '
        '- "-" "-" -',
        *("2019-02-06T00:00:38+00:00", "PUT /photos/a%2Bb.png", True, ""),
        "milliseconds, median 0.012 s",
    ),
]


@pytest.mark.parametrize("number", range(len(LINES)))
def test_a_line_is_recognised_and_read(number: int) -> None:
    name, line, time, request, failed, host, duration = LINES[number]
    found = recognised([str(line)])
    assert found.format.name == ("combined" if name == "common" else name)
    access = found.format.parse(str(line))
    assert isinstance(access, Access)
    assert access.tick // 1000 == round(datetime.fromisoformat(str(time)).timestamp() * 10**6)
    assert f"{access.verb} {access.resource}" == request
    assert (access.failed, access.host) == (failed, host)
    shown = describe_duration(found.format, [str(line)])
    assert shown.partition(": ")[2] == duration


@pytest.mark.parametrize(
    "word", ["HIT", "0.042", "4711", "INFO", "2f9c", "192.0.2.9:5123", "TLSv1.3"]
)
@pytest.mark.parametrize(
    "line",
    [
        "{word} 192.0.2.1 - - [{time}] {request}",
        "192.0.2.1 {word} - [{time}] {request}",
        "192.0.2.1 - - [{time}] {word} {request}",
    ],
)
def test_another_word_in_the_place_of_a_virtual_host_is_none(word: str, line: str) -> None:
    request = '"GET /a HTTP/1.1" 200 5 "-" "curl"'
    shown = line.format(word=word, time="10/Mar/2025:12:00:00 +0000", request=request)
    found = recognise([shown] * 20, KNOWN, READING, infer)
    assert isinstance(found, Recognition)
    access = found.format.parse(shown)
    assert isinstance(access, Access)
    assert not access.host


def test_each_layout_has_two_lines() -> None:
    assert {name: sum(line[0] == name for line in LINES) for name in {one[0] for one in LINES}} == {
        built_in.name: 2 for built_in in BUILT_IN
    }


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "haproxy",
            "10.0.1.2:33318 [06/Feb/2009:12:14:14.655 +0000] in in/<NOSRV> -1/-1/-1/-1/5 -1 0 - - "
            'CR-- 1/1/1/1/0 0/0 "<BADREQ>"',
        ),
        ("envoy", '[2016-04-15T20:17:00.310Z] "- - -" 0 - 1 2 3 - "-" "-" "-" "-" "-"'),
    ],
)
def test_a_connection_without_a_response_has_no_status(name: str, line: str) -> None:
    form = next(form for form in KNOWN if form.name == name)
    assert form.parse(line) == NO_STATUS

"""Layouts are read as servers' configurations write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from slomon.core.events import Access
from slomon.errors import ConfigurationError
from slomon.formats.dialects import parse_dialect, read_given
from slomon.formats.registry import make_format, restore_format
from tests.formats.parsing import READING

TICK = 1457902812_000_000_000
LINE = '192.0.2.1 - - [13/Mar/2016:22:00:12 +0100] "GET /cart?x=1 HTTP/1.1" 500 512'
MAIN = """\
log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                  '$status $body_bytes_sent "$http_referer" '
                  '"$http_user_agent" "$http_x_forwarded_for"';
"""
HOST = "shop.example.com"
FRACTION = TICK + 345_000_000


@pytest.mark.parametrize(
    ("layout", "line", "tick", "host"),
    [
        # nginx, bare and as it stands in nginx.conf
        ('$remote_addr - $remote_user [$time_local] "$request" $status', LINE, TICK, ""),
        (MAIN, f'{LINE} "-" "curl" "-"', TICK, ""),
        (MAIN.split("main  ")[1], f'{LINE} "-" "curl" "-"', TICK, ""),
        (
            "$http_host $msec ${request_method} $uri$is_args$args $status $pipe",
            f"{HOST} 1457902812.345 GET /cart?x=1 500 .",
            FRACTION,
            HOST,
        ),
        (
            "[$time_iso8601] $scheme://$host$request_uri $request_method $status",
            f"[2016-03-13T22:00:12+01:00] https://{HOST}/cart?x=1 GET 500",
            TICK,
            HOST,
        ),
        (
            '"$host" $request "$status" [$time_local]',
            f'"{HOST}" GET /cart?x=1 HTTP/1.1 "500" [13/Mar/2016:22:00:12 +0100]',
            TICK,
            HOST,
        ),
        # Apache: https://httpd.apache.org/docs/2.4/mod/mod_log_config.html
        (r"%h %l %u %t \"%r\" %>s %b", LINE, TICK, ""),
        ('%h %l %u %t "%r" %>s %b', LINE, TICK, ""),
        (
            r'LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\"" vhost_combined',
            f'{HOST}:443 {LINE} "-"',
            TICK,
            HOST,
        ),
        (
            '%h [%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t%{%z}t] "%m %U%q %H" %>s %D',
            '192.0.2.1 [2016-03-13T22:00:12.345+0100] "GET /cart?x=1 HTTP/1.1" 500 12',
            FRACTION,
            "",
        ),
        (
            '%h [%{%d/%b/%Y:%H:%M:%S}t.%{msec_frac}t %{%z}t] "%r" %>s',
            '192.0.2.1 [13/Mar/2016:22:00:12.345 +0100] "GET /cart?x=1 HTTP/1.1" 500',
            FRACTION,
            "",
        ),
        (
            "%{begin:msec}t %{Host}i %m %U%q %>s %{ms}T",
            f"1457902812345 {HOST} GET /cart?x=1 500 5",
            FRACTION,
            HOST,
        ),
        ("%{sec}t 100%% %V %m %U %s", f"1457902812 100% {HOST} GET /cart?x=1 500", TICK, HOST),
        # Envoy
        (
            '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" '
            '%RESPONSE_CODE% %RESPONSE_FLAGS% %DURATION% "%REQ(:AUTHORITY)%"\n',
            f'[2016-03-13T21:00:12.345Z] "GET /cart?x=1 HTTP/2" 500 - 12 "{HOST}"',
            FRACTION,
            HOST,
        ),
        (
            "%START_TIME(%s.%3f)% %REQ(:METHOD)% %REQ(:PATH):30% %RESPONSE_CODE%",
            "1457902812.345 GET /cart?x=1 500",
            FRACTION,
            "",
        ),
    ],
)
def test_a_line_is_read_by_the_layout_that_wrote_it(
    layout: str, line: str, tick: int, host: str
) -> None:
    form = make_format(parse_dialect(layout), READING)
    assert form.parse(line) == Access(tick, "GET", "/cart?x=1", failed=True, host=host)
    restored = restore_format(form.spec, READING)
    assert restored is not None
    assert restored.parse(line) == form.parse(line)


@pytest.mark.parametrize(
    ("layout", "reason"),
    [
        (
            '%h %l %u %t "%r" %b',
            r"the layout lacks the status \(\$status; %>s; %RESPONSE_CODE%\): ",
        ),
        ("$remote_addr $status", r"the layout lacks the time \(.*\) and the request \("),
        ("%REQ(:METHOD)% %RESPONSE_CODE%", r"the layout lacks the time \("),
        ("$time_local$status $request", "nothing stands between"),
        ("combined", "the layout is 'combined'; allowed: a log_format of nginx"),
        ("", "the layout is ''; allowed"),
    ],
)
def test_a_layout_that_lacks_a_field_is_refused_with_the_variables_for_it(
    layout: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        parse_dialect(layout)


NGINX = """\
events {}
http {
    # log_format old '$status';
    log_format stream '$protocol $status';
    include formats/*.conf;
    server { access_log /var/log/nginx/access.log main; }
}
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    (tmp_path / "formats").mkdir()
    (tmp_path / "formats" / "main.conf").write_text(MAIN)
    (tmp_path / "formats" / "timed.conf").write_text(
        "log_format timed escape=default '$msec $request_time'\n  ' $request_method $uri $status';"
    )
    path = tmp_path / "nginx.conf"
    path.write_text(NGINX)
    return path


def test_the_layouts_of_a_configuration_are_found_with_those_it_includes(
    configuration: Path,
) -> None:
    assert [layout.name for layout in read_given(f"@{configuration}")] == ["main", "timed"]
    (timed,) = read_given(f"@{configuration}:timed")
    assert timed.show() == "$msec $request_time $request_method $uri $status"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        (NGINX, ":other", "the log_format is 'other'; allowed: main, stream, timed"),
        (NGINX, ":stream", "the log_format 'stream' of .*: the layout lacks the time"),
        ("events {}", "", r"nginx\.conf has none; allowed: a configuration with a log_format"),
        ("log_format {", "", r"nginx\.conf is not read by nginx: "),
    ],
)
def test_a_configuration_without_the_layout_is_refused(
    configuration: Path, text: str, place: str, reason: str
) -> None:
    configuration.write_text(text)
    with pytest.raises(ConfigurationError, match=reason):
        read_given(f"@{configuration}{place}")


def test_a_configuration_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nginx\.conf"):
        read_given(f"@{tmp_path / 'nginx.conf'}")

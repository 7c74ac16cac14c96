"""The lines of AWS load balancers, old and new."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.events import NO_STATUS, Access, Malformed
from slomon.core.statuses import server_errors_fail
from slomon.formats.registry import find_format, known_formats

TIME = "2018-07-02T22:23:00.186641Z"
TICK = 1530570180_186_641_000
HEAD = f"{TIME} app/lb/50dc6c495c0c9188 192.0.2.39:2817 192.0.2.1:80 0.000 0.001 0.000"
REST = '"curl/7.46.0" - - arn:aws:target "Root=1-58337262" "-" "-" 0 2018-07-02T22:22:48.364000Z'


def write(
    request: str, *, head: str = f"http {HEAD}", status: str = "502", rest: str = REST
) -> str:
    return f'{head} {status} - 34 366 "{request}" {rest}'


HOST = "www.example.com"
FORMATS = known_formats(server_errors_fail)


def parse(line: str) -> object:
    """Read a line of an Application or of a Classic Load Balancer."""
    form = find_format("clb" if line.startswith(TIME) else "alb", FORMATS)
    assert form is not None
    return form.parse(line)


@pytest.mark.parametrize("kind", ["http ", "https ", "h2 ", "ws ", "wss ", "grpcs ", ""])
def test_a_line_is_read_with_its_type_or_without(kind: str) -> None:
    line = write("GET http://www.example.com:80/a HTTP/1.1", head=kind + HEAD)
    assert parse(line) == Access(TICK, "GET", "/a", failed=True, host=HOST)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("http://www.example.com:80/", "/"),
        ("https://192.0.2.1:443/a/b?c=http://d/e", "/a/b?c=http://d/e"),
        ("HTTPS://[2001:db8::1]:443/a", "/a"),
        ("https://www.example.com:443", "/"),
        ("https://www.example.com:443?a=b", "/?a=b"),
        (
            "https://www.example.com:443/'\"\\'\\\");|]*{<%00>/about/",
            "/'\"\\'\\\");|]*{<%00>/about/",
        ),
        ("/a", "/a"),
        ("www.example.com:443", "www.example.com:443"),
    ],
)
def test_the_resource_is_the_path_and_query_of_the_url(target: str, path: str) -> None:
    read = parse(write(f"GET {target} HTTP/1.1"))
    assert isinstance(read, Access)
    assert (read.tick, read.verb, read.resource, read.failed) == (TICK, "GET", path, True)


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://www.example.com:80/", HOST),
        ("HTTPS://[2001:DB8::1]:443/a", "[2001:db8::1]"),
        ("/a", ""),
    ],
)
def test_the_host_is_that_of_the_url(target: str, host: str) -> None:
    read = parse(write(f"GET {target} HTTP/1.1"))
    assert isinstance(read, Access)
    assert read.host == host


@pytest.mark.parametrize("request_", ["- http://lb.example.com:80- -", "- - - ", ""])
def test_a_request_that_is_none_is_named(request_: str) -> None:
    line = write(request_, status="400")
    assert parse(line) == Malformed(
        line,
        f"the request is '{request_}'; allowed: '<method> <target> HTTP/<version>', "
        "or for HTTP/0.9 '<method> /<target>'",
    )


@pytest.mark.parametrize("request_", ["GET http://a:80/ HTTP/1.1", "- http://a:80- -", "- - - "])
def test_a_connection_without_a_response_has_no_status(request_: str) -> None:
    assert parse(write(request_, status="-")) == NO_STATUS


def test_a_classic_load_balancer_may_stop_after_the_request() -> None:
    line = f'{HEAD} 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1"'
    assert parse(line) == Access(TICK, "GET", "/", failed=False, host=HOST)


@pytest.mark.parametrize(
    "line",
    [
        "",
        f"http {HEAD}",
        f"http {HEAD} 200 200 34 366",
        f"http {HEAD} 200 200 34 366 {REST}",
        f'http {HEAD} 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1',
        "tls 2.0 2018-12-20T02:59:40 net/lb/c6e77e28c25b2234 g3d4b5e8bb8464cd 192.0.2.1:51341 5 2",
    ],
)
def test_a_line_of_another_form_is_malformed(line: str) -> None:
    malformed = parse(line)
    assert isinstance(malformed, Malformed)
    assert "; allowed: '$type $time_iso8601 $elb $client " in malformed.reason


@given(
    path=st.text(st.characters(codec="utf-8", exclude_characters='"\n\r')).map("/{}".format),
    status=st.integers(100, 599),
)
def test_a_line_that_is_well_formed_comes_back(path: str, status: int) -> None:
    line = write(f"GET https://www.example.com:443{path} HTTP/2.0", status=str(status))
    assert parse(line) == Access(TICK, "GET", path, failed=status >= 500, host=HOST)

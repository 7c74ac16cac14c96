"""A request line is distinguished from other text, and its target from the host of its URL."""

from __future__ import annotations

import pytest

from slomon.core.events import Access
from slomon.core.statuses import server_errors_fail
from slomon.formats.requests import read_target, split_request


def read(target: str) -> object:
    return read_target("", 0, ("GET", target), "502", server_errors_fail)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("GET / HTTP/1.1", ("GET", "/")),
        ("GET /a?b=c HTTP/2", ("GET", "/a?b=c")),
        ("get /a HTTP/1.0", ("get", "/a")),
        ("M-SEARCH * HTTP/1.1", ("M-SEARCH", "*")),
        ("CONNECT example.com:443 HTTP/1.1", ("CONNECT", "example.com:443")),
        ("GET http://example.com/a HTTP/1.1", ("GET", "http://example.com/a")),
        ("GET /a b HTTP/1.1", ("GET", "/a b")),
        ("GET /a HTTP/1.1 HTTP/1.1", ("GET", "/a HTTP/1.1")),
        ("GET /a  HTTP/1.1", ("GET", "/a ")),
        ("GET /a\nb HTTP/1.1", ("GET", "/a\nb")),
        ("GET /", ("GET", "/")),
        ("GET /a b", ("GET", "/a b")),
        ("GET /a HTTP/1.10", ("GET", "/a HTTP/1.10")),
    ],
)
def test_a_request_is_a_method_and_a_target(text: str, request_: tuple[str, str]) -> None:
    assert split_request(text) == request_


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "GET",
        "GET ",
        "GET  HTTP/1.1",
        "GET  / HTTP/1.1",
        " GET / HTTP/1.1",
        "- / HTTP/1.1",
        "- http://example.com:80- -",
        "GET example.com",
        "SSH-2.0-OpenSSH_7.9",
        "EHLO example.com",
        r"\x16\x03\x01\x00 / HTTP/1.1",
        "\x16\x03\x01",
        "\u00c9 / HTTP/1.1",
    ],
)
def test_what_is_no_request_is_none(text: str) -> None:
    assert split_request(text) is None


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
    access = read(target)
    assert isinstance(access, Access)
    assert access.resource == path


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://www.example.com:80/", "www.example.com"),
        ("HTTPS://[2001:DB8::1]:443/a", "[2001:db8::1]"),
        ("/a", ""),
    ],
)
def test_the_host_is_that_of_the_url(target: str, host: str) -> None:
    access = read(target)
    assert isinstance(access, Access)
    assert access.host == host

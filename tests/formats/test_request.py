"""A request line is told from what is none."""

from __future__ import annotations

import pytest

from slomon.formats.clf import split_request


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

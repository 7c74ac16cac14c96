"""A request line is told from what is none, and a status is judged."""

from __future__ import annotations

import pytest

from slomon.core.event import Access, Malformed, server_errors_fail
from slomon.formats.access import judge, split_request


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


@pytest.mark.parametrize(("status", "failed"), [("200", False), ("499", False), ("500", True)])
def test_a_status_is_judged_by_the_rule(status: str, failed: bool) -> None:
    access = judge("line", 5, ("GET", "/"), status, server_errors_fail)
    assert access == Access(5, "GET", "/", failed=failed)


@pytest.mark.parametrize(
    "status", ["", "-", "0", "000", "600", "2000", "200.0", "\u0662\u0660\u0660"]
)
def test_a_status_that_no_request_has_is_malformed(status: str) -> None:
    assert judge("line", 5, ("GET", "/"), status, server_errors_fail) == Malformed(
        "line", f"the status is '{status}'; allowed: one that the rule knows, by default 100 to 599"
    )

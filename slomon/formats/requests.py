"""
The request of a line: from the texts of its fields to an access. Every format ends here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from slomon.core.events import (
    NO_RESPONSE,
    NO_STATUS,
    Access,
    Excluded,
    Malformed,
    read_response,
)
from slomon.core.statuses import StatusRule
from slomon.text import quote

# Letters, as in PROPFIND or M-SEARCH. This is narrower than HTTP's token (RFC 9110, 5.6.2), so that
# text that is no HTTP, such as "-" or the bytes of a TLS handshake, is never taken for a method.
METHOD: Final = "[A-Za-z][A-Za-z_-]*"
PROTOCOL: Final = r"HTTP/[0-9](?:\.[0-9])?"
REQUESTS: Final = "'<method> <target> HTTP/<version>', or for HTTP/0.9 '<method> /<target>'"

_METHOD: Final = re.compile(METHOD)
_VERSION: Final = r"[1-3](?:\.[01])?"
_REQUEST_LINE: Final = re.compile(
    rf"({METHOD}) (?:([^ ].*) (?:{PROTOCOL}|-|{_VERSION})|(/.*))", re.DOTALL
)
_ORIGIN: Final = re.compile("[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)")


def split_request(text: str) -> tuple[str, str] | None:
    """
    Return the method and the target of a request line, as written; None if it is malformed.

    The target may contain spaces. If no protocol follows it (HTTP/0.9), it begins with `/`. Envoy
    writes `-` for a protocol that it does not know, and Hypercorn the mere version of HTTP.
    """
    found = _REQUEST_LINE.fullmatch(text)
    return (found[1], found[2] or found[3]) if found else None


def read_request(
    line: str, tick: int, fields: Mapping[str, str], is_failure: StatusRule
) -> Access | Excluded | Malformed:
    """
    Return the access of a line, given the texts of `status`, of either `request` (or `unclosed`, a
    request without its closing quote) or `method` and `path`, and of `query` and `host` if the
    line has them.
    """
    text = fields.get("request") or fields.get("unclosed")
    status, host = fields["status"], fields.get("host", "")
    if text is None and "method" in fields:
        request: tuple[str, str] | None = fields["method"], _join_query(fields)
    else:
        request = split_request(text or "")
    if request is not None:
        return read_target(line, tick, request, status, is_failure, host)
    if status in NO_RESPONSE:
        return NO_STATUS
    return Malformed(line, f"the request is {quote(text or '')}; allowed: {REQUESTS}")


def read_target(  # noqa: PLR0917 (called once a line)
    line: str,
    tick: int,
    request: tuple[str, str],
    status: str,
    is_failure: StatusRule,
    host: str = "",
) -> Access | Excluded | Malformed:
    """
    Return the access of a line, given its method, its target and the text of its status.

    If the target is a whole URL (RFC 9112, 3.2.2), the resource is its path and query, and its host
    is the host of the request if the line names no other.
    """
    verb, target = request
    if target[:1] != "/" or not (verb.isalpha() and verb.isascii()):
        if reason := _check_request(verb, target):
            return NO_STATUS if status in NO_RESPONSE else Malformed(line, reason)
        if origin := _ORIGIN.match(target):
            host = host if host.strip("-") else origin[1]
            target = target[origin.end() :]
            target = target if target.startswith("/") else f"/{target}"
        request = verb, target
    return read_response(
        line, tick, request, status, is_failure, host=read_host(host) if host else ""
    )


def _join_query(fields: Mapping[str, str]) -> str:
    path, query = fields["path"], fields.get("query", "").removeprefix("?")
    return path if query in ("", "-") else f"{path}?{query}"


def _check_request(verb: str, target: str) -> str:
    """Why a method or a path is malformed; "" if both are well formed."""
    if not _METHOD.fullmatch(verb):
        return f"the method is {quote(verb)}; allowed: letters, as in GET or M-SEARCH"
    if target in ("", "-"):
        return f"the path is {quote(target)}; allowed: any text but '-'"
    return ""


@lru_cache(maxsize=256)
def read_host(text: str) -> str:
    """The name of a virtual host: lower case, without its port; "" if the text is `-`."""
    if text in ("", "-", "_"):
        return ""
    name, colon, port = text.rpartition(":")
    return (name if colon and port.isdigit() and name else text).lower()

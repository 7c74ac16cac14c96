"""
The request of a line: from the texts of its fields to an access. Every format ends here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from slomon.core.events import Access, Malformed, read_outcome
from slomon.core.statuses import StatusRule
from slomon.text import quote

# Letters, as in PROPFIND or M-SEARCH. This is narrower than HTTP's token (RFC 9110, 5.6.2), so that
# text that is no HTTP, such as "-" or the bytes of a TLS handshake, is never taken for a method.
METHOD: Final = "[A-Za-z][A-Za-z_-]*"
PROTOCOL: Final = r"HTTP/[0-9](?:\.[0-9])?"
REQUESTS: Final = "'<method> <target> HTTP/<version>', or for HTTP/0.9 '<method> /<target>'"

_METHOD: Final = re.compile(METHOD)
_REQUEST_LINE: Final = re.compile(rf"({METHOD}) (?:([^ ].*) {PROTOCOL}|(/.*))", re.DOTALL)
_ORIGIN: Final = re.compile("[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]*)")


def split_request(text: str) -> tuple[str, str] | None:
    """
    Return the method and the target of a request line, as written; None if it is malformed.

    The target may contain spaces. If no protocol follows it (HTTP/0.9), it begins with `/`.
    """
    found = _REQUEST_LINE.fullmatch(text)
    return (found[1], found[2] or found[3]) if found else None


def read_request(
    line: str, tick: int, fields: Mapping[str, str], is_failure: StatusRule
) -> Access | Malformed:
    """
    Return the access of a line, given the texts of `status`, of either `request` (or `unclosed`, a
    request without its closing quote) or `method` and `path`, and of `host` if the line has one.

    If the target is a whole URL (RFC 9112, 3.2.2), the resource is its path and query, and its host
    is the host of the request if the line names no other.
    """
    text = fields.get("request") or fields.get("unclosed")
    if text is None:
        verb, target = fields["method"], fields["path"]
        if not _METHOD.fullmatch(verb):
            reason = f"the method is {quote(verb)}; allowed: letters, as in GET or M-SEARCH"
            return Malformed(line, reason)
        if target in ("", "-"):
            return Malformed(line, f"the path is {quote(target)}; allowed: any text but '-'")
    else:
        request = split_request(text)
        if request is None:
            return Malformed(line, f"the request is {quote(text)}; allowed: {REQUESTS}")
        verb, target = request
    host = fields.get("host", "")
    if not target.startswith("/") and (origin := _ORIGIN.match(target)):
        host = host if host.strip("-") else origin[1]
        target = target[origin.end() :]
        target = target if target.startswith("/") else f"/{target}"
    return read_outcome(
        line, tick, (verb, target), fields["status"], is_failure, host=read_host(host)
    )


def read_host(text: str) -> str:
    """The name of a virtual host: lower case, without its port; "" if the text is `-`."""
    if text in ("", "-", "_"):
        return ""
    name, colon, port = text.rpartition(":")
    return (name if colon and port.isdigit() and name else text).lower()

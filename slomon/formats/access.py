"""An access from the texts of a line's fields: what is a request, and did it fail."""

from __future__ import annotations

import re
from typing import Final

from slomon.core.event import Access, Malformed, StatusRule
from slomon.core.excerpt import quote

# A method is letters, as in PROPFIND or M-SEARCH: narrower than HTTP's token (RFC 9110, 5.6.2), so
# that what was no HTTP at all, such as "-" or the bytes of a TLS handshake, is never taken for one.
METHOD: Final = "[A-Za-z][A-Za-z_-]*"
PROTOCOL: Final = r"HTTP/[0-9](?:\.[0-9])?"
REQUESTS: Final = "'<method> <target> HTTP/<version>', or for HTTP/0.9 '<method> /<target>'"


def split_request(text: str) -> tuple[str, str] | None:
    """
    The method and the target of a request line, as they stand there; None where it is none. The
    target may hold spaces, and begins with `/` where no protocol follows it (HTTP/0.9).
    """
    found = _REQUEST_LINE.fullmatch(text)
    return (found[1], found[2] or found[3]) if found else None


def judge(
    line: str, tick: int, request: tuple[str, str], status: str, is_failure: StatusRule
) -> Access | Malformed:
    """The access of `line`, or Malformed where no request has such a status."""
    failed = is_failure(int(status)) if _STATUS.fullmatch(status) else None
    if failed is None:
        return Malformed(line, f"the status is {quote(status)}; allowed: {_STATUSES}")
    return Access(tick, *request, bool(failed))


_REQUEST_LINE = re.compile(rf"({METHOD}) (?:([^ ].*) {PROTOCOL}|(/.*))", re.DOTALL)
_STATUS = re.compile("[0-9]{1,3}")
_STATUSES: Final = "one that the rule knows, by default 100 to 599"

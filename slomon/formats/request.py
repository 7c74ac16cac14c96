"""What is a request, and what is none, in the lines of a log."""

from __future__ import annotations

import re
from typing import Final

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


_REQUEST_LINE = re.compile(rf"({METHOD}) (?:([^ ].*) {PROTOCOL}|(/.*))", re.DOTALL)

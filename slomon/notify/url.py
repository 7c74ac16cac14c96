"""
Where notifications go, checked. An address may hold secrets: in its user and password, its query,
its path. So errors don't show it, and logs show where it leads only: scheme, host and port.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Final

import httpx

from slomon.errors import OptionError
from slomon.options import read_texts

_SCHEMES: Final = ("http", "https")
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_OURS: Final = (
    *("connection", "content-length", "content-type", "host", "transfer-encoding"),
    *("webhook-id", "webhook-signature", "webhook-timestamp"),
)
"""Set for each request: one more of that name would contradict."""
_FIELD: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class Url:
    """
    An address to which is sent, with `path` at the end of its own. Raises ConfigurationError,
    which names the option, where `value` is none.
    """

    def __init__(self, name: str, value: object, path: str = "") -> None:
        url = _parse(name, value)
        port = 1 if url.port is None else url.port
        if url.scheme not in _SCHEMES or not url.host or not 0 < port < 65_536:
            raise OptionError([name], f" is no address; allowed: {_ALLOWED}")
        self.authorization = _authorize(url)
        """What its user and password are as a header, None where it has none."""
        self.shown = f"{url.scheme}://{url.netloc.decode()}"
        """As much of it as may be shown."""
        self.target = _extend(url, path.encode()).copy_with(userinfo=b"", fragment=None)


def read_headers(name: str, value: Mapping[str, str] | None) -> dict[str, str]:
    """
    Headers for every request, by names in lower case. Raises ConfigurationError, which shows no
    value, where they can't be sent.
    """
    headers = read_texts(name, {} if value is None else value)
    for header, text in headers.items():
        if not _TOKEN.fullmatch(header) or not _FIELD.fullmatch(text):
            raise OptionError([name], f" has a header that can't be sent; allowed: {_HEADERS}")
        if header.lower() in _OURS:
            fault = f" has '{header}', which is set by itself; allowed: any but {_LISTED}"
            raise OptionError([name], fault)
    return {header.lower(): text for header, text in headers.items()}


def _parse(name: str, value: object) -> httpx.URL:
    try:
        return httpx.URL(value if isinstance(value, str) else "")
    except (httpx.InvalidURL, ValueError):
        raise OptionError([name], f" can't be read; allowed: {_ALLOWED}") from None


def _extend(url: httpx.URL, path: bytes) -> httpx.URL:
    if not path:
        return url
    own, mark, query = url.raw_path.partition(b"?")
    return url.copy_with(raw_path=own.rstrip(b"/") + path + mark + query)


def _authorize(url: httpx.URL) -> str | None:
    if not url.userinfo:
        return None
    pair = f"{url.username}:{url.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


_ALLOWED: Final = "text such as 'https://host:port/path'"
_HEADERS: Final = (
    "names of RFC 9110's tokens, values of printable ASCII that begin and end with no space"
)
_LISTED: Final = ", ".join(_OURS)

"""
Where notifications go, checked. An address may hold secrets: in its user and password, its query,
its path. So errors don't show it, and logs show where it leads only: scheme, host and port.

When to try again, after a receiver has failed.

Delivery by HTTP: one receiver's address, to which letters are POSTed until it takes them.

It doesn't follow redirects (who knows where to, with what is signed), verifies certificates, waits
for nothing without a limit, and raises nothing.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx
from anyio import Event

from slomon.concurrency import first_completed
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.errors import ConfigurationError, OptionError
from slomon.live_monitor.clock import Clock
from slomon.logging import RateLimitedLog
from slomon.options import read_texts
from slomon.text import excerpt

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


_FIRST: Final = TICKS_PER_SECOND
_LONGEST: Final = 60 * TICKS_PER_SECOND
_LONGEST_ASKED: Final = 3600 * TICKS_PER_SECOND  # a receiver may err, too
_DIGITS: Final = 9


class Backoff:
    """
    How long to wait: a second, then twice as long each time, up to a minute. Some of it, at most
    half, is left out by chance, so that many senders don't come back at once.
    """

    def __init__(self) -> None:
        self._ticks = _FIRST

    def lengthen(self) -> int:
        """The ticks to wait now."""
        ticks, self._ticks = self._ticks, min(2 * self._ticks, _LONGEST)
        return round(ticks * random.uniform(0.5, 1))  # noqa: S311 (chance, not a secret)


def read_retry_after(text: str | None, now: int) -> int:
    """
    The ticks that a `Retry-After` asks to wait, in seconds or until a date (RFC 9110, 10.2.3): an
    hour at most, 0 where it isn't there or can't be read.
    """
    text = (text or "").strip()
    if text.isascii() and text.isdecimal():
        ticks = int(text[:_DIGITS]) * TICKS_PER_SECOND  # so many seconds are too long already
    else:
        ticks = _read_date(text) - now
    return max(0, min(ticks, _LONGEST_ASKED))


def _read_date(text: str) -> int:
    try:
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return int(date.timestamp()) * TICKS_PER_SECOND
    except (ValueError, OverflowError):
        return 0


_TIMEOUT: Final = httpx.Timeout(10, connect=5)  # seconds of silence
_WHOLE: Final = 20 * TICKS_PER_SECOND
_ANSWER: Final = 65_536  # bytes of an answer that are read, so that its connection serves again
_PASSING: Final = (408, 425, 429)  # Request Timeout, Too Early, Too Many Requests


@dataclass(slots=True)
class Counts:
    """Requests that receivers took and that failed, and notifications that nobody will get."""

    delivered: int = 0
    failed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is POSTed: a JSON text, and headers of its own."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a letter wasn't taken, whether it never will be, and the ticks until the next try."""

    reason: str
    final: bool = False
    wait: int = 0


class Sender:
    """Sends to one address. The clock says when to try again, and when to give a try up."""

    def __init__(
        self,
        url: Url,
        headers: Mapping[str, str],
        clock: Clock,
        counts: Counts,
        log: RateLimitedLog,
    ) -> None:
        self._url = url
        self._headers = {"content-type": "application/json", "user-agent": "slomon", **headers}
        if url.authorization:
            self._headers["authorization"] = url.authorization
        self._clock = clock
        self._counts = counts
        self._log = log
        # Not a client: that logs the whole address of each request, which may hold a secret.
        self._transport = _connect(url.target)

    def open(self) -> None:
        """Before anything is delivered."""
        self._hurry = Event()

    async def deliver(self, write: Callable[[], HttpRequest | None]) -> bool:
        """
        POST a letter until the receiver has taken it. `write` writes it anew for each try, and has
        none where it needn't be sent any more. False where it was not, or was refused for good.
        """
        backoff = Backoff()
        while (letter := write()) is not None:
            failure = await self._try(letter)
            if failure is None:
                self._counts.delivered += 1
                return True
            self._counts.failed += 1
            event = "notification.refused" if failure.final else "notification.failed"
            self._log.warn(event, reason=failure.reason)
            if failure.final:
                return False
            await self._pause(backoff.lengthen(), failure.wait)
        return False

    def hurry(self) -> None:
        """There is little time left: try again now, unless the receiver asked to wait."""
        self._hurry.set()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _pause(self, ticks: int, asked: int) -> None:
        sleep = partial(self._clock.sleep_until, self._clock.now() + max(ticks, asked))
        if asked or self._hurry.is_set():
            await sleep()
        else:
            await first_completed(sleep, self._hurry.wait)

    async def _try(self, letter: HttpRequest) -> Failure | None:
        outcome: Failure | None = Failure(f"no answer within {_WHOLE // TICKS_PER_SECOND} s")

        async def exchange() -> None:
            nonlocal outcome
            try:
                response = await self._transport.handle_async_request(self._address(letter))
            except (httpx.HTTPError, OSError, ValueError) as error:
                outcome = Failure(f"{type(error).__name__}: {excerpt(str(error), 200)}")
                return
            outcome = _judge(response, self._clock.now())
            await _finish(response)

        await first_completed(
            exchange, partial(self._clock.sleep_until, self._clock.now() + _WHOLE)
        )
        return outcome

    def _address(self, letter: HttpRequest) -> httpx.Request:
        return httpx.Request(
            "POST",
            self._url.target,
            headers={**self._headers, **letter.headers},
            content=letter.body,
            extensions={"timeout": _TIMEOUT.as_dict()},
        )


def _connect(url: httpx.URL) -> httpx.AsyncHTTPTransport:
    """Raises ConfigurationError, which shows no address: a proxy's may hold a password."""
    proxy = _find_proxy(url)
    try:
        return httpx.AsyncHTTPTransport(proxy=proxy)
    except ImportError:
        fault, allowed = "of SOCKS, which needs a package", "to install it by 'httpx[socks]', or "
    except (ValueError, httpx.InvalidURL):
        fault, allowed = "no address of a proxy", ""
    raise ConfigurationError(
        f"the environment's {url.scheme.upper()}_PROXY is {fault}; allowed: {allowed}text such as "
        "'http://host:port'"
    )


def _find_proxy(url: httpx.URL) -> str | None:
    """The environment's, as clients of HTTP take it: HTTP_PROXY, HTTPS_PROXY, NO_PROXY."""
    return None if proxy_bypass(url.host) else getproxies().get(url.scheme)


def _judge(response: httpx.Response, now: int) -> Failure | None:
    status = response.status_code
    if 200 <= status < 300:
        return None
    wait = read_retry_after(response.headers.get("Retry-After"), now)
    return Failure(f"status {status}", status < 500 and status not in _PASSING, wait)


async def _finish(response: httpx.Response) -> None:
    with suppress(httpx.HTTPError, OSError):
        left = _ANSWER
        async for part in response.aiter_raw():
            left -= len(part)
            if left < 0:
                break
    with suppress(httpx.HTTPError, OSError):
        await response.aclose()

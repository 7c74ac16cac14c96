"""
Delivery by HTTP: a `Sender` POSTs requests to the URL of one receiver until they are accepted.

It doesn't follow redirects, which could lead signed data anywhere. It verifies certificates, every
wait has a limit, and it raises nothing.

A URL may contain secrets: in its user and password, its path and its query. So errors don't show
it, and logs show only scheme, host and port.
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
from slomon.live_monitor.clock import Clock, wall_now
from slomon.logging import RateLimitedLog
from slomon.options import read_texts
from slomon.text import excerpt

_SCHEMES: Final = ("http", "https")
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_OURS: Final = (
    *("connection", "content-length", "content-type", "host", "transfer-encoding"),
    *("webhook-id", "webhook-signature", "webhook-timestamp"),
)
"""Headers that are set for each request: a user's header of that name would contradict."""
_FIELD: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class Url:
    """
    The URL of a receiver, with `path` appended to its own path. Raises ConfigurationError, which
    names the option, if `value` is not a URL.
    """

    def __init__(self, name: str, value: object, path: str = "") -> None:
        url = _parse(name, value)
        port = 1 if url.port is None else url.port
        if url.scheme not in _SCHEMES or not url.host or not 0 < port < 65_536:
            raise OptionError([name], f" is no address; allowed: {_ALLOWED}")
        self.authorization = _authorize(url)
        """The header for its user and password; None if it has none."""
        self.shown = f"{url.scheme}://{url.netloc.decode()}"
        """The part that may be shown."""
        self.target = _extend(url, path.encode()).copy_with(userinfo=b"", fragment=None)


def read_headers(name: str, value: Mapping[str, str] | None) -> dict[str, str]:
    """
    Headers for every request, by name in lower case. Raises ConfigurationError, which shows no
    value, if one can't be sent.
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
_LONGEST_ASKED: Final = 3600 * TICKS_PER_SECOND  # a receiver may ask for too much
_DIGITS: Final = 9


class Backoff:
    """
    How long to wait between tries: a second, then twice as long each time, up to a minute. Each
    wait is shortened at random by up to a half, so that many senders don't retry at the same time.
    """

    def __init__(self) -> None:
        self._ticks = _FIRST

    def lengthen(self) -> int:
        """The ticks to wait now; the next wait is longer."""
        ticks, self._ticks = self._ticks, min(2 * self._ticks, _LONGEST)
        return round(ticks * random.uniform(0.5, 1))  # noqa: S311 (chance, not a secret)


def read_retry_after(text: str | None, now: int) -> int:
    """
    The ticks to wait by a `Retry-After` header, which has seconds or a date (RFC 9110, 10.2.3): an
    hour at most, 0 if there is no header or it is invalid.
    """
    text = (text or "").strip()
    if text.isascii() and text.isdecimal():
        ticks = int(text[:_DIGITS]) * TICKS_PER_SECOND  # more digits would exceed the limit anyway
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


_TIMEOUT: Final = httpx.Timeout(10, connect=5)  # seconds without any data
_TRY_TICKS: Final = 20 * TICKS_PER_SECOND
_MOST_READ: Final = 65_536  # bytes of a response, read so that the connection can be reused
_TEMPORARY: Final = (408, 425, 429)  # Request Timeout, Too Early, Too Many Requests


@dataclass(slots=True)
class Counts:
    """Requests that were accepted and that failed, and notifications that were given up."""

    delivered: int = 0
    failed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to POST: a JSON body, and headers of this request alone."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Failure:
    """
    Why a request was not accepted, whether the receiver rejected it for good, and the ticks that it
    asked to wait.
    """

    reason: str
    final: bool = False
    wait: int = 0


class Sender:
    """Sends to one URL. Retries and time limits follow the clock."""

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
        # Not a client: that logs the whole URL of each request, which may contain a secret.
        self._transport = _connect(url.target)

    def open(self) -> None:
        """Called before anything is delivered."""
        self._hurry = Event()

    async def deliver(self, build: Callable[[], HttpRequest | None]) -> bool:
        """
        POST a request until the receiver has accepted it. `build` builds it anew for each try, and
        returns None if it needn't be sent any more. Returns False then, and if the receiver
        rejected it.
        """
        backoff = Backoff()
        while (request := build()) is not None:
            failure = await self._try(request)
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
        """Retry without a pause from now on, unless the receiver asks to wait."""
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

    async def _try(self, request: HttpRequest) -> Failure | None:
        outcome: Failure | None = Failure(f"no answer within {_TRY_TICKS // TICKS_PER_SECOND} s")

        async def exchange() -> None:
            nonlocal outcome
            try:
                response = await self._transport.handle_async_request(self._complete(request))
            except (httpx.HTTPError, OSError, ValueError) as error:
                outcome = Failure(f"{type(error).__name__}: {excerpt(str(error), 200)}")
                return
            outcome = _find_failure(response, wall_now(self._clock))
            await _finish(response)

        await first_completed(
            exchange, partial(self._clock.sleep_until, self._clock.now() + _TRY_TICKS)
        )
        return outcome

    def _complete(self, request: HttpRequest) -> httpx.Request:
        return httpx.Request(
            "POST",
            self._url.target,
            headers={**self._headers, **request.headers},
            content=request.body,
            extensions={"timeout": _TIMEOUT.as_dict()},
        )


def _connect(url: httpx.URL) -> httpx.AsyncHTTPTransport:
    """Raises ConfigurationError, which shows no URL: that of a proxy may contain a password."""
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
    """The proxy of the environment: HTTP_PROXY, HTTPS_PROXY, NO_PROXY."""
    return None if proxy_bypass(url.host) else getproxies().get(url.scheme)


def _find_failure(response: httpx.Response, now: int) -> Failure | None:
    status = response.status_code
    if 200 <= status < 300:
        return None
    wait = read_retry_after(response.headers.get("Retry-After"), now)
    return Failure(f"status {status}", status < 500 and status not in _TEMPORARY, wait)


async def _finish(response: httpx.Response) -> None:
    with suppress(httpx.HTTPError, OSError):
        left = _MOST_READ
        async for part in response.aiter_raw():
            left -= len(part)
            if left < 0:
                break
    with suppress(httpx.HTTPError, OSError):
        await response.aclose()

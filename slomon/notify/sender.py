"""
Delivery by HTTP: one receiver's address, to which letters are POSTed until it takes them.

It doesn't follow redirects (who knows where to, with what is signed), verifies certificates, waits
for nothing without a limit, and raises nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx
from anyio import Event

from slomon.concurrency import first_of
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.embedding.clock import Clock
from slomon.errors import ConfigurationError
from slomon.logging import ThrottledLog
from slomon.notify.retry import Backoff, read_retry_after
from slomon.notify.url import Url
from slomon.text import excerpt

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
class Letter:
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
        log: ThrottledLog,
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

    async def deliver(self, write: Callable[[], Letter | None]) -> bool:
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
            await first_of(sleep, self._hurry.wait)

    async def _try(self, letter: Letter) -> Failure | None:
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

        await first_of(exchange, partial(self._clock.sleep_until, self._clock.now() + _WHOLE))
        return outcome

    def _address(self, letter: Letter) -> httpx.Request:
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

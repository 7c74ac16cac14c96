"""
A day of a shop as its servers and GitHub log it: access logs of two hosts behind a load balancer,
and deployments. What broke, and when, is known, so answers can be compared with the truth.

    09:05  a deploy that harms nothing
    14:12  a deploy breaks POST /checkout; a deploy to staging follows, and one that fails
    14:46  the fix is deployed
    19:20  GET /search fails for 26 minutes, and nobody deployed anything
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import cos, tau
from random import Random
from typing import Final
from uuid import UUID

_DAY: Final = datetime(2025, 10, 14, tzinfo=UTC)
_SECONDS: Final = 86_400
_REQUESTS: Final = 40_000  # about, without health checks
_HEALTH_CHECK_EVERY: Final = 30  # seconds, on each host
_RESTART_EVERY: Final = 1_800  # seconds; a worker restarts and drops the next request
_NOT_FOUND: Final = 0.02  # the share of 404 among requests with an identifier
_UNCHANGED: Final = 0.07  # the share of 304 among pages


def _at(hour: int, minute: int, second: int = 0) -> int:
    """A time of the day in seconds."""
    return (hour * 60 + minute) * 60 + second


@dataclass(frozen=True, slots=True)
class Fault:
    """
    Requests that fail: a share of those to one endpoint.

    * `start`, `end`: in seconds since the epoch; `end` does not belong to the fault
    * `broken_by`, `fixed_by`: commits; "" if no deploy did it
    """

    endpoint: str
    start: int
    end: int
    status: int
    share: float
    broken_by: str = ""
    fixed_by: str = ""


@dataclass(frozen=True, slots=True)
class ExampleDay:
    """
    * `files`: the content of each file, by its path with `/`
    * `faults`: what was broken, in order of time
    """

    files: dict[str, bytes]
    faults: tuple[Fault, ...]


def make_day(seed: int) -> ExampleDay:
    """Make the logs, in folders of the two hosts, and `deploys.json`. A seed makes one day."""
    random = Random(seed)
    commits = (f"{random.getrandbits(160):040x}" for _ in range(5))
    harmless, bad, staged, unfinished, fix = commits
    zero = int(_DAY.timestamp())
    faults = (
        Fault(
            *("POST /checkout", zero + _at(14, 12, 20), zero + _at(14, 46, 40), 500, 0.7),
            broken_by=bad,
            fixed_by=fix,
        ),
        Fault("GET /search", zero + _at(19, 20), zero + _at(19, 46), 503, 0.75),
    )
    history = (  # commit, author, environment, start, how it ended, seconds that it took
        (harmless, "ana", "production", _at(9, 4, 31), "success", 52),
        (bad, "ben", "production", _at(14, 11, 16), "success", 49),
        (staged, "cleo", "staging", _at(14, 12, 40), "success", 31),
        (unfinished, "ben", "production", _at(14, 29, 2), "failure", 44),
        (fix, "ana", "staging", _at(14, 40, 10), "success", 33),
        (fix, "ana", "production", _at(14, 45, 30), "success", 51),
    )
    deploys = [
        {
            "id": number,
            "sha": commit,
            "ref": "main",
            "task": "deploy",
            "environment": environment,
            "production_environment": environment == "production",
            "creator": {"login": author, "type": "User"},
            "created_at": _show_iso(start),
            "statuses": [
                {"state": end, "created_at": _show_iso(start + seconds)},
                {"state": "in_progress", "created_at": _show_iso(start + 3)},
            ],
        }
        for number, (commit, author, environment, start, end, seconds) in enumerate(history, 3101)
    ]
    newest_first = json.dumps(deploys[::-1], indent=2)  # as GitHub lists them
    logs = _make_logs(random, faults)
    return ExampleDay({**logs, "deploys.json": f"{newest_first}\n".encode()}, faults)


def _show_iso(second: int) -> str:
    return f"{_DAY + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}"


def _draw_number(random: Random) -> int:
    return random.randint(1, 4_000)


def _draw_page(random: Random) -> int:
    return random.randint(1, 40)


def _draw_word(random: Random) -> str:
    return random.choice(_WORDS)


def _draw_uuid(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)


_ERROR_SIZES: Final = {304: 0, 404: 153, 500: 170, 502: 150, 503: 190}
"""The sizes of answers that are no page, by their status."""

_WORDS: Final = ("boots", "rain+jacket", "tent", "caf%C3%A9+cup", "lamp", "wool+socks", "map")


@dataclass(frozen=True, slots=True)
class _Page:
    """
    What is requested.

    * `target`: `{}` stands for what `drawn` returns
    * `weight`: how often, compared with other pages
    * `size`: of the answer, in bytes; some answers are longer by up to an eighth
    * `status`: of the answer, if nothing goes wrong
    """

    verb: str
    target: str
    weight: int
    size: int
    status: int = 200
    drawn: Callable[[Random], object] | None = None


_PAGES: Final = (
    _Page("GET", "/", 10, 14_200),
    _Page("GET", "/products?page={}", 12, 22_800, drawn=_draw_page),
    _Page("GET", "/products/{}", 28, 9_400, drawn=_draw_number),
    _Page("GET", "/search?q={}", 14, 11_900, drawn=_draw_word),
    _Page("GET", "/api/users/{}/cart", 12, 830, drawn=_draw_number),
    _Page("POST", "/api/users/{}/cart", 6, 410, 201, drawn=_draw_number),
    _Page("POST", "/checkout", 11, 520, 303),
    _Page("GET", "/orders/{}", 5, 3_300, drawn=_draw_uuid),
    _Page("GET", "/static/app.4f1d2c.js", 2, 88_104),
)
_CRAWLED: Final = (
    _Page("GET", "/robots.txt", 10, 68),
    _Page("GET", "/sitemap.xml", 5, 41_870),
    _Page("GET", "/products/{}", 70, 9_400, drawn=_draw_number),
    _Page("GET", "/products?page={}", 15, 22_800, drawn=_draw_page),
)
_PROBED: Final = tuple(
    _Page("GET", target, 1, 153, 404)
    for target in ("/wp-login.php", "/.env", "/.git/config", "/phpmyadmin/", "/xmlrpc.php")
)

_BROWSERS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "okhttp/4.12.0",
)
_CRAWLERS: Final = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
)
_PROBES: Final = ("Mozilla/5.0 zgrab/0.x", "python-requests/2.32.3")
_CLIENTS: Final = ((_PAGES, _BROWSERS), (_CRAWLED, _CRAWLERS), (_PROBED, _PROBES))
_CLIENT_WEIGHTS: Final = (960, 36, 4)

_BALANCERS: Final = ("10.0.1.11", "10.0.1.12")
_CHECKER: Final = "ELB-HealthChecker/2.0"

# Each host rotates its log when it is large, not at the same time as the other one.
_ROTATIONS: Final = {
    "web-1": (_at(14, 30, 5), _at(19, 2, 41)),
    "web-2": (_at(14, 33, 52), _at(18, 55, 17)),
}


@dataclass(frozen=True, slots=True)
class _Request:
    """A request with its answer. Of a health check, the client is the load balancer."""

    second: int
    client: str
    line: str
    status: int
    size: int
    agent: str
    referer: str = "-"


def _make_logs(random: Random, faults: tuple[Fault, ...]) -> dict[str, bytes]:
    requests = [(second, None) for second in _draw_seconds(random)]
    checks = [
        (second, host)
        for offset, host in enumerate(_ROTATIONS)
        for second in range(7 * offset + 2, _SECONDS, _HEALTH_CHECK_EVERY)
    ]
    parts: dict[str, list[list[str]]] = {host: [[], [], []] for host in _ROTATIONS}
    restarts = 0
    for second, checked in sorted([*requests, *checks], key=lambda one: one[0]):
        host = checked or random.choice(tuple(_ROTATIONS))
        if checked:
            request = _check(random, second)
        else:
            request = _draw_request(random, second, faults)
            if second // _RESTART_EVERY > restarts:
                restarts = second // _RESTART_EVERY
                request = replace(request, status=502, size=_ERROR_SIZES[502])
        part = sum(second >= rotation for rotation in _ROTATIONS[host])
        parts[host][part].append(_FORMATS[host](random, request))
    files: dict[str, bytes] = {}
    for host, (oldest, older, newest) in parts.items():
        files[f"{host}/access.log"] = "".join(newest).encode()
        files[f"{host}/access.log.1"] = "".join(older).encode()
        # Without a time in the header, the same bytes come out at any time.
        packed = gzip.compress("".join(oldest).encode(), compresslevel=6, mtime=0)
        files[f"{host}/access.log.2.gz"] = packed
    return files


def _draw_seconds(random: Random) -> Iterator[int]:
    """The times of requests: few at four in the night, many in the afternoon."""
    for minute in range(_SECONDS // 60):
        load = 1 - 0.8 * cos((minute / 60 - 4) / 24 * tau)
        expected = load * _REQUESTS / (_SECONDS // 60)
        count = max(0, round(random.gauss(expected, expected**0.5)))
        yield from (60 * minute + random.randrange(60) for _ in range(count))


def _check(random: Random, second: int) -> _Request:
    line = "GET /healthz HTTP/1.1"
    return _Request(second, random.choice(_BALANCERS), line, 200, 2, _CHECKER)


def _draw_request(random: Random, second: int, faults: tuple[Fault, ...]) -> _Request:
    ((pages, agents),) = random.choices(_CLIENTS, _CLIENT_WEIGHTS)
    (page,) = random.choices(pages, [page.weight for page in pages])
    target = page.target
    if page.drawn:
        target = target.format(page.drawn(random))
    status = _draw_status(random, page, second, faults)
    size = _ERROR_SIZES.get(status)
    return _Request(
        second,
        _draw_client(random),
        f"{page.verb} {target} HTTP/{'2.0' if random.random() < 0.7 else '1.1'}",
        status,
        int(page.size * (1 + random.random() / 8)) if size is None else size,
        random.choice(agents),
        "https://shop.example.com/" if pages is _PAGES and random.random() < 0.6 else "-",
    )


def _draw_client(random: Random) -> str:
    """An address of 198.18.0.0/15, the network of benchmarks (RFC 2544): nobody has it."""
    drawn = random.getrandbits(17)
    return f"198.{18 + (drawn >> 16)}.{drawn >> 8 & 255}.{drawn & 255}"


def _draw_status(random: Random, page: _Page, second: int, faults: tuple[Fault, ...]) -> int:
    endpoint = f"{page.verb} {page.target.partition('?')[0]}"
    now = int(_DAY.timestamp()) + second
    for fault in faults:
        if fault.endpoint == endpoint and fault.start <= now < fault.end:
            return fault.status if random.random() < fault.share else page.status
    chance = random.random()
    if chance < _NOT_FOUND and page.drawn and "?" not in page.target:
        return 404
    if chance > 1 - _UNCHANGED and page.verb == "GET" and page.status == 200:
        return 304
    return page.status


def _show_combined(_: Random, request: _Request) -> str:
    """The format combined. nginx takes the client from X-Forwarded-For (its module realip)."""
    return f"{request.client} - - {_show_rest(request)}\n"


def _show_forwarded(random: Random, request: _Request) -> str:
    """nginx's format main: the load balancer is the client, whom it forwards comes last."""
    if request.client in _BALANCERS:
        return f'{request.client} - - {_show_rest(request)} "-"\n'
    balancer = random.choice(_BALANCERS)
    return f'{balancer} - - {_show_rest(request)} "{request.client}"\n'


def _show_rest(request: _Request) -> str:
    date = _DAY + timedelta(seconds=request.second)
    return (
        f'[{date:%d/%b/%Y:%H:%M:%S} +0000] "{request.line}" {request.status} {request.size} '
        f'"{request.referer}" "{request.agent}"'
    )


_FORMATS: Final = {"web-1": _show_combined, "web-2": _show_forwarded}

"""
Writes access logs of simulated requests, with their endpoints and deploys. Lines are joined from
tables of ready texts, which writes some millions of lines per second.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, TypeAlias

# Ignored if types are checked without the packages that only benchmarks need.
import numpy as np  # type: ignore[import-not-found, unused-ignore]
from numpy.typing import NDArray  # type: ignore[import-not-found, unused-ignore]

from peers.traffic import PER_SECOND, Fleet, Integers, Requests, simulate

Table: TypeAlias = NDArray[np.uint8]
Column: TypeAlias = tuple[Table, Integers]
"""Texts, a row of bytes each, and for each line the number of its text."""

_FIRST_SECOND: Final = 1_543_443_091
_SUCCESSES: Final = ("200", "200", "200", "200", "200", "200", "201", "204", "304", "404")
_FAILURES: Final = ("500", "502", "503")
_PAGES: Final = ("", "account", "cart?step=2", "orders/history", "search?q=tricalcium")
_AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605",
)


class Format(Protocol):
    def columns(self, requests: Requests) -> Iterator[Column]:
        """The columns of the lines, from left to right."""


class Plain:
    """`<timestamp> <verb> <resource> <status>`, with four decimals."""

    def __init__(self, fleet: Fleet, random: np.random.Generator) -> None:
        self._random = random
        self._fractions = _table(f".{number:04} " for number in range(PER_SECOND))
        self._targets = _table("{verb} {resource} ".format(**entry) for entry in fleet.entries)
        self._statuses = _table(f"{status}\n" for status in _SUCCESSES + _FAILURES)

    def columns(self, requests: Requests) -> Iterator[Column]:
        seconds, fractions = np.divmod(requests.stamps, PER_SECOND)
        yield _format_seconds(seconds, str)
        yield self._fractions, fractions
        yield self._targets, requests.keys
        yield self._statuses, _statuses(requests, self._random)


class Combined:
    """The combined format of Apache and nginx, in whole seconds, some 200 bytes per line."""

    def __init__(self, fleet: Fleet, random: np.random.Generator) -> None:
        self._random = random
        self._clients = _table(f"203.0.{n // 250}.{n % 250 + 1} - - [" for n in range(5_000))
        self._targets = _table(
            ' "{verb} {resource} HTTP/1.1" '.format(**entry) for entry in fleet.entries
        )
        self._statuses = _table(f"{status} " for status in _SUCCESSES + _FAILURES)
        self._sizes = _table(f"{size} " for size in range(2, 20_000, 7))
        self._rest = _table(
            f'"https://www.example.com/{page}" "{agent}"\n' for page in _PAGES for agent in _AGENTS
        )

    def columns(self, requests: Requests) -> Iterator[Column]:
        yield self._any(self._clients, requests)
        yield _format_seconds(requests.stamps // PER_SECOND, _calendar)
        yield self._targets, requests.keys
        yield self._statuses, _statuses(requests, self._random)
        yield self._any(self._sizes, requests)
        yield self._any(self._rest, requests)

    def _any(self, table: Table, requests: Requests) -> Column:
        return table, self._random.integers(0, len(table), len(requests.keys))


class Json:
    """JSON as nginx writes it with `escape=json`, in whole seconds, some 350 bytes per line."""

    def __init__(self, fleet: Fleet, random: np.random.Generator) -> None:
        self._random = random
        self._clients = _table(
            f'"remote_addr":"203.0.{n // 250}.{n % 250 + 1}",' for n in range(5_000)
        )
        self._targets = _table(
            '"request_method":"{verb}","request_uri":"{resource}",'.format(**entry)
            for entry in fleet.entries
        )
        self._statuses = _table(f'"status":"{status}",' for status in _SUCCESSES + _FAILURES)
        self._sizes = _table(f'"body_bytes_sent":"{size}",' for size in range(2, 20_000, 7))
        self._durations = _table(f'"request_time":"0.{n:03}",' for n in range(1_000))
        self._rest = _table(
            f'"http_referer":"https://www.example.com/{page}","http_user_agent":"{agent}"}}\n'
            for page in _PAGES
            for agent in _AGENTS
        )

    def columns(self, requests: Requests) -> Iterator[Column]:
        yield _format_seconds(requests.stamps // PER_SECOND, _json_time)
        yield self._any(self._clients, requests)
        yield self._targets, requests.keys
        yield self._statuses, _statuses(requests, self._random)
        yield self._any(self._sizes, requests)
        yield self._any(self._durations, requests)
        yield self._any(self._rest, requests)

    def _any(self, table: Table, requests: Requests) -> Column:
        return table, self._random.integers(0, len(table), len(requests.keys))


FORMATS: Final[dict[str, Callable[[Fleet, np.random.Generator], Format]]] = {
    "plain": Plain,
    "combined": Combined,
    "json": Json,
}


def write_log(
    folder: Path,
    form: str,
    *,
    lines: int,
    endpoints: int,
    slo: float | None,
    zipf: bool,
    changes: bool,
    seed: int,
) -> None:
    """
    Write `access.log`, `endpoints.json` (as `get_info()` returns them) and, with `changes`,
    `changes.jsonl` to a new `folder`, which gets its name when all files are written.
    """
    random = np.random.default_rng(seed)
    fleet = Fleet(endpoints, slo, random)
    temporary = folder.with_name(f"{folder.name}.tmp")
    temporary.mkdir(parents=True, exist_ok=True)
    log_format = FORMATS[form](fleet, random)
    until = 0
    with (temporary / "access.log").open("wb") as file:
        for requests in simulate(fleet, lines, random, zipf=zipf):
            file.write(_join(list(log_format.columns(requests))))
            until = int(requests.stamps[-1])
    entries = ",\n".join(map(json.dumps, fleet.entries))
    (temporary / "endpoints.json").write_text(f"[\n{entries}\n]\n")
    if changes:
        with (temporary / "changes.jsonl").open("w") as file:
            file.writelines(f"{json.dumps(change)}\n" for change in _changes(fleet, until))
    temporary.rename(folder)


def _changes(fleet: Fleet, until: int) -> Iterator[dict[str, object]]:
    for stamp, key in fleet.deploys(until):
        entry = fleet.entries[key]
        yield {
            "time": _FIRST_SECOND + stamp / PER_SECOND,
            "commit": hashlib.sha256(f"{stamp} {key}".encode()).hexdigest()[:40],
            "author": entry["email"],
            "service": entry["name"],
        }


def _table(texts: Iterable[str]) -> Table:
    """A row per text, padded with zeros."""
    rows = np.array([text.encode() for text in texts])
    return rows.view(np.uint8).reshape(len(rows), -1)


def _join(columns: list[Column]) -> bytes:
    """The lines, without the padding."""
    padded = np.concatenate([table[numbers] for table, numbers in columns], axis=1)
    lines: bytes = padded[padded != 0].tobytes()
    return lines


def _format_seconds(seconds: Integers, write: Callable[[int], str]) -> Column:
    """A column of seconds. A chunk has few consecutive seconds, so each is formatted once."""
    first, last = int(seconds[0]), int(seconds[-1])
    return _table(write(_FIRST_SECOND + n) for n in range(first, last + 1)), seconds - first


def _calendar(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000]")


def _json_time(second: int) -> str:
    return f'{{"time_iso8601":"{datetime.fromtimestamp(second, UTC).isoformat()}",'


def _statuses(requests: Requests, random: np.random.Generator) -> Integers:
    succeeded = random.integers(0, len(_SUCCESSES), len(requests.keys))
    failed = random.integers(0, len(_FAILURES), len(requests.keys)) + len(_SUCCESSES)
    return np.where(requests.failed, failed, succeeded)

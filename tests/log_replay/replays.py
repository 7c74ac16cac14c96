"""Whole replays of logs that are given as text, and all that they say."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, astuple, dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anyio

from slomon.compiled.backend import CompiledBackend
from slomon.core.events import RejectedLine, ReplayAccounting
from slomon.core.service_monitor import ServiceMonitor
from slomon.core.statuses import server_errors_fail
from slomon.formats.format import Format
from slomon.formats.registry import known_formats
from slomon.log_replay.backend import Backend, PythonBackend
from slomon.log_replay.direct import DirectReplay
from slomon.log_replay.plan import Plan
from slomon.log_replay.run import Replay
from tests.compiled import kernels
from tests.formats.lines import PREFIXES, random_lines

FORMATS = {form.name: form for form in known_formats(server_errors_fail)}
SECOND = 1_000_000_000
BEGIN = 1_700_000_000


@contextmanager
def python_backend() -> Iterator[Backend]:
    """The speed without the extra."""
    yield PythonBackend()


@contextmanager
def compiled_backend() -> Iterator[Backend]:
    """The compiled one."""
    yield CompiledBackend(kernels.compiled())


@contextmanager
def uncompiled_backend() -> Iterator[Backend]:
    """The hosts of the compiled kernels, over plain Python."""
    with kernels.uncompiled_kernels() as library:
        yield CompiledBackend(library)


Opened = Callable[[], AbstractContextManager[Backend]]
BACKENDS: list[Opened] = [python_backend, compiled_backend, uncompiled_backend]


@dataclass(frozen=True)
class RawEvent:
    """
    A replay's monitor, the lines it rejected (number of the log, line, text, reason), and how many
    logs were not read.
    """

    monitor: ServiceMonitor
    rejected: list[tuple[int, int, str, str]]
    problems: int

    @property
    def accounting(self) -> ReplayAccounting:
        counts = self.monitor.accounting
        assert isinstance(counts, ReplayAccounting)
        return counts

    def report(self) -> str:
        """All of it, to the last byte."""
        incidents = [asdict(incident) for incident in self.monitor.incidents]
        records = [asdict(record) for record in self.monitor.records()]
        # Keys are given as endpoints are met: which ones that are must be the same alone.
        for incident in incidents:
            del incident["key"]
        totals = self.monitor.totals
        columns = map(str, totals.endpoints), totals.requests, totals.failures
        counted = sorted(row for row in zip(*columns, strict=True) if row[1])
        summary = self.monitor.summary()
        sli_series = sorted(
            [str(summary.endpoints[one.endpoint]), *astuple(one)[1:]] for one in summary.sli_series
        )
        answers = self.monitor.mttr(), self.monitor.api_histogram(), incidents
        whole: list[Any] = [*answers, asdict(self.accounting), self.rejected, records, counted]
        whole += self.problems, repr(totals.deploys), asdict(totals.span)
        return json.dumps([*whole, summary.series_step, sli_series])


def make_plan(logs: Sequence[object], **options: Any) -> Plan:
    """
    To replay logs in any known format in small blocks: what a replay leaves behind is not at once
    collected.
    """
    paths = [str(path) for path in logs]
    given = {"block_bytes": 1 << 16, "max_line": 10_000} | options
    return Plan(logs=paths, formats=given.pop("formats", list(FORMATS.values())), **given)


def replay(
    backend: Backend,
    logs: Sequence[bytes],
    formats: Sequence[Format],
    *,
    directly: bool = False,
    **options: Any,
) -> RawEvent:
    """Replay logs, which are given as text, on an event loop or directly."""
    rejected: list[RejectedLine] = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, f"{number}.log")) for number in range(len(logs))]
        for path, log in zip(paths, logs, strict=True):
            Path(path).write_bytes(log)
        options = {"sli_series": True} | options
        plan = make_plan(paths, formats=formats, **options)
        engine: DirectReplay | Replay
        if directly:
            engine = DirectReplay(plan, backend, on_rejected=rejected.append)
            monitor = engine.run()
        else:
            engine = Replay(plan, backend, on_rejected=rejected.append)
            monitor = anyio.run(engine.run)
    told = [(paths.index(bad.file), bad.line, bad.text, bad.reason) for bad in rejected]
    return RawEvent(monitor, sorted(told), sum(log.problem is not None for log in engine.logs))


def told(backend: Any, logs: Sequence[bytes], name: str, **options: Any) -> RawEvent:
    """Replay logs in one format at a speed, and check that every line was counted."""
    with backend() as chosen:
        found = replay(chosen, logs, [FORMATS[name]], **options)
    bad, excluded = options.get("rejected_records", 0), options.get("excluded_records", {})
    check_accounts(found, logs, options.get("changes", ()), bad, excluded)
    return found


def check_accounts(
    found: RawEvent,
    logs: Sequence[bytes],
    changes: Sequence[object],
    bad_records: int,
    excluded: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Nothing is lost: every line and record is something, and one thing."""
    count = found.accounting
    assert count.lines == sum(map(count_lines, logs))
    assert count.records == len(changes) + bad_records + sum(excluded.values())
    assert excluded.items() <= count.excluded_by_reason.items()
    counted = count.accesses + count.changes + count.unmatched + count.rejected + count.excluded
    assert count.events == counted
    assert count.lines + count.records == counted + count.blank
    assert count.rejected == len(found.rejected) + bad_records
    assert count.excluded == sum(count.excluded_by_reason.values())
    assert count.late <= count.accesses
    assert count.capped <= count.unmatched
    assert count.disordered <= count.lines


def count_lines(log: bytes) -> int:
    """How many lines a log has, of which the last may have no end."""
    return log.count(b"\n") + (not log.endswith(b"\n") and log != b"")


def cut(rng: random.Random, log: bytes, parts: int) -> list[bytes]:
    """A log cut at the ends of lines into so many, of which some may be empty."""
    lines = log.split(b"\n")
    ends = sorted(rng.choices(range(len(lines)), k=parts - 1))
    stretches = [lines[a:b] for a, b in pairwise([0, *ends, len(lines)])]
    return [b"\n".join([*stretch, b""]) for stretch in stretches[:-1]] + [b"\n".join(stretches[-1])]


def write_access(name: str, tick: int, request: str, status: int) -> bytes:
    """A plain line of a format, without its end; for CLF the tick is cut down to its second."""
    seconds, rest = divmod(tick, SECOND)
    if name == "combined":
        day, time = divmod(seconds - BEGIN + 22 * 3600 + 13 * 60 + 20, 24 * 3600)
        hour, minute, second = time // 3600, time // 60 % 60, time % 60
        date = f"{14 + day:02}/Nov/2023:{hour:02}:{minute:02}:{second:02} +0000"
        return f'192.0.2.1 - - [{date}] "{request} HTTP/1.1" {status} 5'.encode()
    value = f"{seconds}.{rest:09} {request} {status}".encode()
    return value if name == "plain" else PREFIXES[0] + value + b'"}'


def write_change(number: int, service: str) -> bytes:
    value = f"commit: c{number}\nAuthor: <a@x.org>\nDate: today\nService: {service}\n"
    return json.dumps({"type": "change", "value": value}).encode()


def traffic(rng: random.Random, name: str, count: int, noise: float = 0.05) -> bytes:
    """
    A log of so many lines, nearly in order, of endpoints that fail by turns, with other lines
    among them; recorded streams have changes too. The time of each endpoint's turns is its own.
    """
    milliseconds, lines = BEGIN * 1000, []
    for number in range(count):
        milliseconds += rng.choice((0, 1, 30, 100, 400))
        if rng.random() < noise:
            lines += random_lines(rng, name, 1)
        elif name == "events" and rng.random() < 0.05:
            lines.append(write_change(number, rng.choice(("shop", "cart", "nobody"))))
        else:
            late = rng.choice((0, 0, 0, 0, 700, 3000, 20_000))
            lines.append(_write_request(rng, name, milliseconds - late))
    return b"".join(line + rng.choice((b"\n", b"\n", b"\r\n")) for line in lines)


def _write_request(rng: random.Random, name: str, milliseconds: int) -> bytes:
    endpoint = rng.randrange(4)
    failing = (milliseconds // 5000 + endpoint) % 3 == 0
    status = rng.choice((500, 503, 200) if failing else (200, 200, 404, 301, 500))
    path = ("/a", "/", "/users/{}", "/abcdefghijk")[endpoint].format(rng.randrange(9))
    query = rng.choice(("", "", "?x=1"))
    return write_access(name, milliseconds * 1_000_000, f"GET {path}{query}", status)

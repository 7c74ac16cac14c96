"""
How far a replay is, told while it runs.

A whole replay: the same report however it was cut, and nothing lost.
"""

from __future__ import annotations

import gc
import random
import weakref
from itertools import product
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomon.core.endpoints import Catalogue, Endpoint
from slomon.core.events import Change
from slomon.core.incident import State
from slomon.errors import ConfigurationError
from slomon.log_replay.backend import PythonBackend
from slomon.log_replay.progress import Progress
from slomon.log_replay.run import Replay, run_watched
from tests.formats.lines import SCANNED, random_lines
from tests.histories import broken
from tests.log_replay.replays import (
    BACKENDS,
    BEGIN,
    FORMATS,
    SECOND,
    Opened,
    check_accounts,
    compiled_backend,
    cut,
    make_plan,
    python_backend,
    replay,
    told,
    traffic,
    uncompiled_backend,
)
from tests.strategies import portion


def test_progress_is_reported_again_and_again(tmp_path: Path) -> None:
    plan = make_plan([broken(tmp_path)])
    told: list[Progress] = []

    async def run() -> None:
        await run_watched(Replay(plan, PythonBackend()), None, told.append, interval=0)

    anyio.run(run)

    assert len(told) > 2
    assert [one.lines for one in told] == sorted(one.lines for one in told)
    assert told[-1] == Progress(Path(plan.logs[0]).stat().st_size, None, 3)


def test_it_ends_with_whoever_runs_it(tmp_path: Path) -> None:
    plan = make_plan([broken(tmp_path)])

    async def run() -> None:
        with anyio.CancelScope() as scope:
            await run_watched(Replay(plan, PythonBackend()), None, lambda _: scope.cancel())
            pytest.fail("it went on")  # pragma: no cover

    anyio.run(run)


SAMPLES = sorted((Path(__file__).parent.parent / "data" / "samples").iterdir())
MAX_LINE = 150  # some lines are longer, which must not depend on the blocks either


def catalogue(*more: tuple[str, str]) -> Catalogue:
    """Services and their resources: some given, and more of them."""
    given = ("shop", "/a"), ("shop", "/"), ("cart", "/users/7"), ("cart", "/abcdefghijk")
    fields = {"email": "-", "verb": "GET", "slo": 0.7, "window": 3}
    return Catalogue(fields | {"name": n, "resource": r} for n, r in (*given, *more))


TEMPLATES = catalogue(("cart", "/users/{id}"), ("idle", "/never/{rest:path}"))
EXACT = catalogue(("cart", "/a?x=1"), ("idle", "/never"))
LIKE = Endpoint("", "-", "", "", 0.7, 3 * SECOND)
CHANGES = [
    (BEGIN * SECOND + number * 1_500_000_000, Change(f"d{number}", "-", "-", service))
    for number, service in enumerate(("shop", "", "cart", "nobody", "shop", "GET /a") * 5)
]
CASES = [
    pytest.param("events", 1, {"endpoints": EXACT}, id="events"),
    pytest.param("events", 2, {"endpoints": EXACT, "lateness": SECOND}, id="events, merged"),
    pytest.param("events", 1, {"defaults": LIKE, "max_endpoints": 9}, id="events, found"),
    pytest.param("plain", 1, {"endpoints": TEMPLATES}, id="templates"),
    pytest.param("plain", 1, {"endpoints": EXACT, "match_exactly": True}, id="exact"),
    pytest.param("plain", 3, {"endpoints": TEMPLATES, "lateness": 0}, id="logs, no lateness"),
    pytest.param("plain", 2, {"defaults": LIKE, "changes": CHANGES}, id="found, with changes"),
    pytest.param("combined", 1, {"endpoints": TEMPLATES, "changes": CHANGES}, id="combined"),
    pytest.param(
        "combined",
        1,
        {"defaults": LIKE, "max_endpoints": 3, "lateness": 5 * SECOND},
        id="found up to a cap",
    ),
    pytest.param(
        "plain",
        3,
        {"defaults": LIKE, "max_endpoints": 4, "lateness": 5 * SECOND},
        id="logs, found up to a cap",
    ),
    pytest.param(
        "combined",
        2,
        {"defaults": LIKE, "min_requests": 4, "lateness": 9 * SECOND},
        id="min_requests",
    ),
    pytest.param(
        "plain", 2, {"endpoints": TEMPLATES, "resolution": SECOND // 2}, id="with a resolution"
    ),
    pytest.param("events", 2, {"endpoints": EXACT, "no_traffic": 0}, id="no_traffic"),
    pytest.param(
        "plain",
        2,
        {"defaults": LIKE, "no_traffic": 5 * SECOND, "min_requests": 2},
        id="long no traffic",
    ),
    pytest.param(
        "plain",
        1,
        {
            "defaults": LIKE,
            "rejected_records": 3,
            "excluded_records": {"environment is qa": 4, "status is failed": 1},
            "changes": CHANGES,
        },
        id="bad records",
    ),
]


# At which speed, with how many workers, in blocks of how many bytes for each log.
WAYS = [
    (python_backend, 3, MAX_LINE + 1),
    (python_backend, 2, 5000),
    (compiled_backend, 1, 1 << 17),
    (compiled_backend, 3, MAX_LINE + 1),
    (compiled_backend, 2, 5000),
    (uncompiled_backend, 2, 1000),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count", "options"), CASES[::2])
def test_the_report_is_the_same_without_an_event_loop(
    name: str, count: int, options: dict[str, Any]
) -> None:
    rng = random.Random(f"{name} {count}")
    logs = [traffic(rng, name, 300 // count) for _ in range(count)]
    options = {"max_line": MAX_LINE, **options}
    whole = told(python_backend, logs, name, **options)
    assert whole.monitor.incidents
    for block_bytes in (1 << 16, 500):
        found = told(
            *(python_backend, logs, name),
            **options,
            directly=True,
            workers=2,
            block_bytes=block_bytes,
        )
        assert found.report() == whole.report(), block_bytes


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count", "options"), CASES)
def test_the_report_is_the_same_however_the_work_was_cut(
    name: str, count: int, options: dict[str, Any]
) -> None:
    rng = random.Random(f"{name} {count}")
    lines = 600 if "no_traffic" in options else 400
    logs = [traffic(rng, name, lines // count) for _ in range(count)]
    whole = told(python_backend, logs, name, max_line=MAX_LINE, **options)
    assert len(whole.monitor.incidents) > 3
    expired = [one for one in whole.monitor.incidents if one.state == State.EXPIRED]
    assert len(expired) >= 3 * ("no_traffic" in options)
    for backend, workers, bytes_each in WAYS:
        found = told(
            *(backend, logs, name),
            **options,
            max_line=MAX_LINE,
            workers=workers,
            block_bytes=count * bytes_each,
        )
        assert found.report() == whole.report(), (backend, workers, bytes_each)


def test_the_endpoints_that_are_found_up_to_a_cap_are_the_first_ones_of_all_logs() -> None:
    #   A: 10 /a, 100 /z        B: 20 /b        at most two: /a and /b
    logs = [b"10 GET /a 500\n100 GET /z 500\n", b"20 GET /b 500\n"]
    for backend, block_bytes in product(BACKENDS, (60, 10_000)):
        sizes = {"block_bytes": block_bytes, "max_line": 20}
        found = told(backend, logs, "plain", defaults=LIKE, max_endpoints=2, **sizes)
        assert found.monitor.api_histogram() == {"GET /a": 1, "GET /b": 1}
        assert (found.accounting.capped, found.accounting.endpoints) == (1, 2)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCANNED)
def test_blank_lines_are_counted_and_nothing_else(backend: Opened, name: str) -> None:
    line = {
        "plain": b"5 GET /a 200",
        "events": b'{"type": "access", "value": "5 GET /a 200"}',
        "combined": b'- - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2',
    }[name]
    lines = random.Random(name).choices([line, b"", b"\r", b" \t", b"\r\r"], k=300)
    log = b"\n".join([*lines, *[b""] * 5000])
    found = told(backend, [log], name, defaults=LIKE, block_bytes=1000, max_line=400)
    assert (found.accounting.accesses, found.accounting.rejected) == (lines.count(line), 0)


@pytest.mark.slow
@pytest.mark.parametrize("backend", [python_backend, compiled_backend])
def test_a_replay_that_is_done_is_gone_with_its_blocks(backend: Opened, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"5 GET /a 200\n")
    plan = make_plan([tmp_path / "a.log"], formats=[FORMATS["plain"]])
    gc.collect()
    gc.disable()  # so that what is in a cycle stays
    try:
        with backend() as chosen:
            replay = Replay(plan, chosen)
            anyio.run(replay.run)
        kept = weakref.ref(replay.logs[0])
        del replay
        assert kept() is None
    finally:
        gc.enable()


def test_a_plain_log_that_quotes_a_recorded_event_is_read_as_a_plain_log() -> None:
    logs = [b"5 GET /a 200\n", b'5 GET /a 200\n{"type": "access", "value": "6 GET /a 500\n' * 3]
    found = [
        told(backend, logs, "plain", endpoints=EXACT, match_exactly=True) for backend in BACKENDS
    ]
    assert [one.accounting.rejected for one in found] == [3, 3, 3]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCANNED)
@settings(max_examples=portion(20))
@given(st.binary(max_size=400), st.integers(0, 2**32))
def test_nothing_is_lost_of_any_bytes(backend: Opened, name: str, data: bytes, seed: int) -> None:
    rng = random.Random(seed)
    drawn = [*data.split(b"\n"), *random_lines(rng, name, 5)]
    rng.shuffle(drawn)
    options: dict[str, Any] = rng.choice(
        ({"endpoints": EXACT, "match_exactly": True}, {"max_endpoints": 2})
    )
    logs = [start_with_text(log) for log in (b"\n".join(drawn), data)]
    told(backend, logs, name, max_line=MAX_LINE, block_bytes=500, **options)


def start_with_text(log: bytes) -> bytes:
    """
    A log that begins as text does: else it is no log. It doesn't begin as JSON of several lines
    does: there, an object counts as a line.
    """
    return (b"\n-\n" if log.lstrip().startswith((b"[", b"{")) else b"\n") + log


def damage(rng: random.Random, text: bytes) -> bytes:
    """A text with some of its bytes changed, some left out, and some lines moved."""
    damaged = bytearray(text)
    for _ in range(rng.randrange(20)):
        damaged[rng.randrange(len(damaged))] = rng.choice(b'\x00\n\r "\\[]{}:09\xff')
    for _ in range(rng.randrange(5)):
        del damaged[rng.randrange(len(damaged))]
    lines = bytes(damaged).split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


def say(backend: Opened, logs: list[bytes]) -> str:
    """What a replay of logs in any format says, or why it takes none."""
    try:
        with backend() as chosen:
            found = replay(chosen, logs, list(FORMATS.values()))
    except ConfigurationError as error:
        return str(error).partition(": ")[2]
    if not found.problems:  # a log in no known format is left out
        check_accounts(found, logs, (), 0)
    return found.report()


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_nothing_is_lost_of_real_lines_however_they_are_damaged(sample: Path) -> None:
    rng = random.Random(sample.name)
    text = sample.read_bytes()
    for number in range(4):
        log = damage(rng, text) if number else text
        other = damage(rng, text)
        logs = [log, *cut(rng, other, 2)]
        assert say(compiled_backend, logs) == say(python_backend, logs)

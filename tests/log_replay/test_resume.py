"""A replay that is interrupted anywhere and goes on gives the answer of one that never was."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio
import pytest

from slomon.compiled.backend import CompiledBackend
from slomon.compiled.library import load
from slomon.core.endpoints import Catalogue, Endpoint
from slomon.core.events import Change
from slomon.core.ticks import TICKS_PER_SECOND
from slomon.log_replay.backend import Backend, PythonBackend
from slomon.log_replay.checkpoint import Checkpoint, SavedState
from slomon.log_replay.plan import Plan
from slomon.log_replay.run import Replay
from slomon.state.file import Section
from tests.log_replay.replays import FORMATS, make_plan

SECOND = TICKS_PER_SECOND
ENTRIES = [
    {"name": name, "email": "-", "verb": "GET", "resource": f"/{name}", "slo": 0.8, "window": 3}
    for name in ("a", "b", "c")
]


def backends() -> list[Backend]:
    library = load()
    assert library is not None, "the tests need the extra: pip install -e '.[dev]'"
    return [PythonBackend(), CompiledBackend(library)]


class Killed(Exception):  # noqa: N818 (no error: an end)
    """Stands for a process that is gone from one moment to the next."""


class Fragile(Checkpoint):
    """Is due at every block, and kills the replay when it has saved so many times."""

    def __init__(self, path: Path, saves: int) -> None:
        super().__init__(path, 1, {"what": "a test"}, lambda: 0)
        self._left = saves

    def is_due(self) -> bool:
        return True

    def save(self, sections: Iterator[tuple[str, Section]]) -> None:
        super().save(sections)
        self._left -= 1
        if self._left == 0:
            raise Killed


def write_logs(folder: Path, seed: int) -> list[str]:
    """Two logs of one host and one of another: plain lines, nearly in order, some of them bad."""
    paths = []
    for host, files in enumerate((2, 1)):
        draw = random.Random(10 * seed + host)
        tick = 1_700_000_000_000 + host
        for number in range(files):
            path = folder / f"{host}.{number}.log"
            with path.open("w", encoding="utf-8") as log:
                for _ in range(400):
                    tick += draw.randrange(400)
                    log.write(line(draw, tick - draw.choice((0, 0, 0, 3000))))
            paths.append(str(path))
    return paths


def line(draw: random.Random, milliseconds: int) -> str:
    if draw.random() < 0.03:
        return draw.choice(("\n", "what?\n", "1 GET /a 99\n"))
    status = draw.choice((200, 200, 500))
    path = draw.choice(("a", "b", "c", "d", f"item/{draw.randrange(3)}"))
    return f"{milliseconds / 1000:.3f} GET /{path} {status}\n"


def changes(seed: int) -> list[tuple[int, Change]]:
    draw = random.Random(seed)
    ticks = sorted(draw.randrange(1_700_000_000, 1_700_000_200) * SECOND for _ in range(20))
    services = ("a", "b", "", "nobody")
    return [(t, Change(f"c{n}", "-", "-", draw.choice(services))) for n, t in enumerate(ticks)]


def report(
    plan: Plan,
    backend: Backend,
    checkpoint: Checkpoint | None = None,
    saved: SavedState | None = None,
) -> str:
    """All that a replay says, to the last byte."""
    rejected = list(saved["rejections"]) if saved else []
    replay = Replay(
        plan,
        backend,
        on_rejected=lambda bad: rejected.append(list(asdict(bad).values())),
        checkpoint=checkpoint,
        save_rejections=lambda: list(rejected),
        saved=saved,
    )
    monitor = anyio.run(replay.run)
    incidents = [asdict(incident) for incident in monitor.incidents]
    sli_series = [asdict(sli_series) for sli_series in monitor.summary().sli_series]
    assert sli_series
    return json.dumps([monitor.mttr(), incidents, asdict(monitor.accounting), rejected, sli_series])


def plan_logs(folder: Path, seed: int, **options: Any) -> Plan:
    return make_plan(
        write_logs(folder, seed),
        changes=changes(seed),
        workers=2,
        lateness=SECOND,
        block_bytes=2000,
        max_line=1000,
        sli_series=True,
        **options,
    )


GIVEN = {"endpoints": Catalogue(ENTRIES)}
EXPIRED = GIVEN | {"no_traffic": 0}
LIMITED = GIVEN | {"first": 1_700_000_020 * SECOND, "last": 1_700_000_080 * SECOND}
FOUND = {"defaults": Endpoint("", "-", "", "", 0.8, 3 * SECOND), "max_endpoints": 4}


@pytest.mark.slow
@pytest.mark.parametrize("backend", backends(), ids=["interpreted", "compiled"])
@pytest.mark.parametrize(
    "endpoints",
    [GIVEN, FOUND, EXPIRED, LIMITED],
    ids=["given", "found", "no_traffic", "time range"],
)
@pytest.mark.parametrize("saves", [1, 4])
def test_a_replay_that_is_killed_again_and_again_ends_with_the_same_report(
    tmp_path: Path, endpoints: dict[str, Any], backend: Backend, saves: int
) -> None:
    plan = plan_logs(tmp_path, saves, **endpoints)
    whole = report(plan, backend)
    path = tmp_path / "state"
    deaths = 0
    while True:
        checkpoint = Fragile(path, saves)
        try:
            resumed = report(plan, backend, checkpoint, checkpoint.load())
            break
        except Killed:
            deaths += 1

    assert deaths >= 2
    assert resumed == whole


def test_a_state_may_pass_from_one_speed_to_the_other(tmp_path: Path) -> None:
    plan = plan_logs(tmp_path, 7, **GIVEN)
    interpreted, compiled = backends()
    whole = report(plan, interpreted)
    checkpoint = Fragile(tmp_path / "state", 3)
    with pytest.raises(Killed):
        report(plan, compiled, checkpoint)
    again = Fragile(tmp_path / "state", 3)
    with pytest.raises(Killed):
        report(plan, interpreted, again, again.load())

    assert report(plan, compiled, saved=checkpoint.load()) == whole


@pytest.mark.parametrize("backend", backends(), ids=["interpreted", "compiled"])
def test_until_when_a_log_was_watched_and_what_it_lacks_is_known_after_it_was_read(
    tmp_path: Path, backend: Backend
) -> None:
    #   log 0    1 GET /a 500, watched until 300        log 1    0.1 GET /b 200 ... 200
    access = '{"type": "access", "value": "%s"}\n'
    texts = [
        access % "1 GET /a 500"
        + '{"type": "gap", "value": "12 1 2"}\n{"type": "end-of-stream", "value": "300"}\n',
        "".join(access % f"{tenths / 10} GET /b 200" for tenths in range(1, 2000)),
    ]
    paths = [tmp_path / name for name in ("0.log", "1.log")]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    plan = make_plan(
        paths,
        formats=[FORMATS["events"]],
        endpoints=Catalogue(ENTRIES),
        sli_series=True,
        no_traffic=299 * SECOND,
        block_bytes=4000,
        max_line=1000,
    )
    whole = report(plan, backend)
    assert json.loads(whole)[1][0]["end"] == 300 * SECOND
    assert json.loads(whole)[2]["missing"] == 12
    checkpoint = Fragile(tmp_path / "state", 5)
    with pytest.raises(Killed):
        report(plan, backend, checkpoint)
    assert report(plan, backend, saved=checkpoint.load()) == whole


def test_logs_that_have_ended_are_not_read_again_and_keep_their_problems(tmp_path: Path) -> None:
    plan = plan_logs(tmp_path, 8, **GIVEN)
    cut_off = Path(plan.logs[1])
    cut_off.write_bytes(gzip.compress(cut_off.read_bytes())[:-1])
    checkpoint = Fragile(tmp_path / "state", 10**9)
    whole = Replay(plan, PythonBackend(), checkpoint=checkpoint)
    found = anyio.run(whole.run)
    again = Replay(plan, PythonBackend(), saved=checkpoint.load())

    assert anyio.run(again.run).accounting == found.accounting
    assert all(log.ended for log in again.logs)
    problems = [log.problem for log in whole.logs]
    assert [log.problem for log in again.logs] == problems
    assert sum(problem is not None for problem in problems) == 1

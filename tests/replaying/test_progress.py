"""How far a replay is, told while it runs."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from slomon.core.events import server_errors_fail
from slomon.formats.registry import known_formats
from slomon.log_replay.backend import Interpreted
from slomon.log_replay.plan import Plan
from slomon.log_replay.run import Progress, Replay, run_watched
from tests.histories import broken


def test_it_is_told_again_and_again(tmp_path: Path) -> None:
    plan = Plan(hosts=[[broken(tmp_path)]], formats=known_formats(server_errors_fail))
    told: list[Progress] = []

    async def run() -> None:
        await run_watched(Replay(plan, Interpreted()), None, told.append, interval=0)

    anyio.run(run)

    assert len(told) > 2
    assert [one.lines for one in told] == sorted(one.lines for one in told)
    assert told[-1] == Progress(Path(plan.hosts[0][0]).stat().st_size, None, 3)


def test_it_ends_with_whoever_runs_it(tmp_path: Path) -> None:
    plan = Plan(hosts=[[broken(tmp_path)]], formats=known_formats(server_errors_fail))

    async def run() -> None:
        with anyio.CancelScope() as scope:
            await run_watched(Replay(plan, Interpreted()), None, lambda _: scope.cancel())
            pytest.fail("it went on")  # pragma: no cover

    anyio.run(run)

"""Groups of real processes, which are killed and leave at any moment."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import anyio
import pytest

import slomon
from tests.live_monitor.services import ENTRIES, answers, recorded
from tests.live_monitor.workers import Worker, workers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets"),
]


def leader_of(group: list[Worker]) -> Worker:
    (leader,) = [worker for worker in group if worker.ask("leads")]
    return leader


def saved(folder: Path) -> slomon.Snapshot:
    """What the state of a group that has ended says."""

    async def read() -> slomon.Snapshot:
        async with slomon.live(ENTRIES, state=folder / "state") as monitor:
            return monitor.snapshot()

    return anyio.run(read)


def test_a_deploy_and_requests_of_any_worker_count_for_all(tmp_path: Path) -> None:
    with workers(tmp_path, 3) as group:
        leader = leader_of(group)
        first, second = (worker for worker in group if worker is not leader)
        first.ask("change 191b6ce")
        first.ask("flush")
        second.ask("access users 500 3")
        leader.ask("access orders 200 4")
        for worker in group:
            worker.ask("flush")
        read = [worker.ask("read") for worker in group]
        assert read[0] == read[1] == read[2]
        accounting, incidents = read[0]
        assert accounting["events"] == 8
        assert [one["break"] for one in incidents["users"]] == ["191b6ce"]


def test_another_worker_leads_when_the_leader_is_killed(tmp_path: Path) -> None:
    with workers(tmp_path, 3) as group:
        leader = leader_of(group)
        leader.ask("access users 500 3")
        leader.ask("flush")
        group.remove(leader)
        leader.kill()
        while not any(worker.ask("leads") for worker in group):
            pass
        for worker in group:
            accounting, incidents = worker.ask("read")
            assert accounting["events"] == 3
            assert [one["end"] for one in incidents["users"]] == [-1]


def test_a_child_that_the_leader_forked_does_not_keep_others_from_leading(tmp_path: Path) -> None:
    with workers(tmp_path, 2) as group:
        leader = leader_of(group)
        child = leader.ask("fork")
        group.remove(leader)
        leader.kill()
        group[0].ask("leading")
        os.kill(child, signal.SIGKILL)  # raises an error if it has ended


def test_all_is_counted_when_workers_leave_one_after_the_other(tmp_path: Path) -> None:
    with workers(tmp_path, 3) as group:
        sent = sum(worker.ask("access users 200 1000") for worker in group)
        for worker in group:
            worker.tell("leave")
        for worker in group:
            assert worker.answer() is False
            worker.end()
    assert saved(tmp_path).accounting.accesses == sent == 3000


def test_a_kill_under_load_loses_no_event_of_the_others(tmp_path: Path) -> None:
    draw = random.Random(3)
    sent = 0
    with workers(tmp_path, 3) as group:
        for worker in group:
            worker.ask("load")
        for turn in range(3):
            time.sleep(draw.uniform(0.1, 0.3))
            victim = leader_of(group) if turn % 2 else draw.choice(group)
            draw.choice([one for one in group if one is not victim]).ask(f"change c{turn}")
            sent += victim.ask("rest")
            victim.ask("flush")  # what is in its own buffer is lost with it
            group.remove(victim)
            victim.kill()
            newcomer = Worker(tmp_path)
            assert newcomer.answer() is True
            newcomer.ask("load")
            group.append(newcomer)
        sent += sum(worker.ask("rest") for worker in group)
        for worker in group:
            worker.leave()
    snapshot = saved(tmp_path)
    accounting = snapshot.accounting
    assert accounting.events + sum(accounting.dropped.values()) == sent
    assert accounting.changes == 3
    assert accounting.late <= accounting.events / 5  # a busy machine delays some batches
    replayed = slomon.get_service_monitor(recorded(tmp_path / "events"))
    assert answers(replayed) == answers(snapshot)
    assert replayed.accounting.events == accounting.events

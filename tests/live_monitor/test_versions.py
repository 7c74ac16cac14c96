"""The commit that a process runs is a deploy when it starts, unless it ran already."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from structlog.typing import EventDict

import slomon
from slomon.errors import ConfigurationError
from tests.live_monitor.clock import ManualClock
from tests.live_monitor.services import ENTRIES, answers, recorded


def live(folder: Path | None = None, **options: Any) -> slomon.LiveMonitor:
    state = None if folder is None else folder / "state"
    return slomon.live(ENTRIES, state=state, **{"clock": ManualClock(), **options})


def commits(monitor: slomon.LiveMonitor) -> list[tuple[str, str]]:
    """The service and the commit of each deploy."""
    deploys = monitor.snapshot().totals.deploys
    return [(one.change.service, one.change.commit) for one in deploys]


async def test_the_commit_is_a_deploy_of_each_service_when_the_monitor_starts() -> None:
    async with live(commit="c1") as monitor:
        monitor.access("GET", "/orders", 500)
        await monitor.flush()
        assert commits(monitor) == [("users", "c1"), ("orders", "c1")]
        assert monitor.incident_details()["orders"][0]["break"] == "c1"


async def test_the_service_of_the_commit_can_be_named() -> None:
    async with live(commit="c1", service="orders") as monitor:
        await monitor.flush()
        assert commits(monitor) == [("orders", "c1")]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"commit": ""}, "option 'commit' is ''; allowed: text that is not empty"),
        ({"commit": "c1", "service": "user"}, "'service' is 'user'; allowed: users, orders"),
        ({"service": "users"}, "'service' is given without 'commit'; allowed: both"),
    ],
)
def test_a_wrong_version_is_named(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        live(**options)


async def test_the_same_commit_again_is_no_deploy_but_another_one_is(tmp_path: Path) -> None:
    events = tmp_path / "events"
    for commit in ("c1", "c1", "c2", "c1"):
        async with live(tmp_path, commit=commit, service="users", event_log=events) as monitor:
            monitor.access("GET", "/users", 200)
    assert [commit for _, commit in commits(monitor)] == ["c1", "c2", "c1"]
    assert monitor.snapshot().accounting.events == 7
    assert answers(slomon.get_service_monitor(recorded(events))) == answers(monitor.snapshot())


async def test_a_deploy_that_was_reported_otherwise_is_known() -> None:
    async with live(commit="c1", service="users") as monitor:
        monitor.change(service="users", commit="c2")
        monitor.change(service="users", commit="c2", if_new=True)
        await monitor.flush()
        monitor.change(service="users", commit="c2", if_new=True)
        monitor.change(service="orders", commit="c2", if_new=True)
        monitor.change(service="users", commit="c2")
        await monitor.flush()
        assert commits(monitor) == [
            *(("users", "c1"), ("users", "c2"), ("orders", "c2"), ("users", "c2"))
        ]


async def test_a_killed_process_that_starts_again_is_no_deploy(tmp_path: Path) -> None:
    script = f"""
import os, slomon
monitor = slomon.live_in_thread({ENTRIES!r}, state={str(tmp_path / "state")!r}, commit="c1")
monitor.start()
monitor.flush()
os._exit(0)
"""
    await anyio.run_process([sys.executable, "-c", script])
    async with live(tmp_path, commit="c1") as monitor:
        await monitor.flush()
        assert commits(monitor) == [("users", "c1"), ("orders", "c1")]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")
async def test_a_group_of_workers_deploys_once(tmp_path: Path) -> None:
    async with (
        live(tmp_path, commit="c1", service="users") as first,
        live(tmp_path, commit="c1", service="users") as second,
    ):
        second.access("GET", "/users", 200)
        await second.flush()
        assert first.snapshot().accounting.accesses == 1
        assert commits(first) == [("users", "c1")]


async def test_a_deploy_of_a_service_that_is_not_watched_is_logged_once(
    logs: list[EventDict],
) -> None:
    service: Any
    async with live() as monitor:
        for service in ("user", "user", "cart", None, "users"):
            monitor.change(service=service, commit="c1")
    found = [one for one in logs if one["event"] == "change.unmatched"]
    assert [one["service"] for one in found] == ["user", "cart"]
    assert found[0]["watched"] == "users, orders"

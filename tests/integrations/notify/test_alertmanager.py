"""Alerts, to a real Alertmanager, and to servers that count what they get."""

from __future__ import annotations

import socket
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from anyio import create_task_group, to_thread
from structlog.typing import EventDict

import slomon
from slomon import ConfigurationError
from slomon.core.ticks import to_seconds
from slomon.integrations.notify import Alertmanager
from tests.integrations.notify.clock import WatchedClock
from tests.integrations.notify.receiver import HANG, Receiver, answer, serving
from tests.integrations.notify.service import ENTRIES, break_it, live, mend_it
from tests.live_monitor.services import in_own_task
from tests.live_monitor.worlds import Machine
from tests.servers import Server, Servers, poll


async def see(server: Server, **expected: str | None) -> list[dict[str, Any]]:
    """The active alerts, as soon as they are of these services, broken by these commits."""

    def ask() -> list[dict[str, Any]] | None:
        alerts: list[dict[str, Any]] = server.get("/api/v2/alerts")
        found = {one["labels"]["service"]: one["annotations"].get("broken_by") for one in alerts}
        return alerts if found == expected else None

    return await to_thread.run_sync(poll, ask, f"alerts of {expected}")


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def next_alerts(receiver: Receiver) -> list[tuple[str, float]]:
    """The services of the alerts that come next, and when each ends."""
    request = await receiver.next()
    assert request.line == "POST /api/v2/alerts HTTP/1.1"
    return [(one["labels"]["service"], seconds(one["endsAt"])) for one in request.json]


async def test_an_incident_fires_and_its_end_resolves_it(alertmanager: Server) -> None:
    clock = WatchedClock()
    now = to_seconds(clock.now())
    async with (
        live(clock) as monitor,
        Alertmanager(
            monitor,
            alertmanager.url,
            labels={"severity": "page"},
            generator_url="https://slomon.example.com/?a=b",
        ) as notifier,
    ):
        monitor.access("GET", "/shop", 200, at=now - 200)
        await break_it(monitor, at=now - 100)
        [alert] = await see(alertmanager, users="c1")
        monitor.access("GET", "/users", 200, at=now - 50)
        await monitor.flush()
        await see(alertmanager)

    assert alert["labels"] == {
        "alertname": "SloBreached",
        "instance": socket.gethostname(),
        "service": "users",
        "method": "GET",
        "route": "/users",
        "severity": "page",
    }
    annotations = alert["annotations"]
    assert annotations.pop("incident")
    probability = annotations.pop("probability")
    assert 0.5 <= float(probability) < 1
    assert float(annotations.pop("unexplained")) == pytest.approx(1 - float(probability))
    assert annotations.pop("summary") == (
        "GET /users of users: SLI 0, below its SLO 0.9, broken by c1 "
        f"(likely, {float(probability):.2g})"
    )
    assert annotations == {
        "sli": "0",
        "slo": "0.9",
        "broken_by": "c1",
        "author": "<ana@example.com>",
        "verdict": "likely",
        "suspect": "c1",
        "state": "open",
    }
    assert alert["generatorURL"] == "https://slomon.example.com/?a=b"
    assert seconds(alert["startsAt"]) == pytest.approx(now - 100, abs=0.001)
    assert seconds(alert["endsAt"]) == pytest.approx(now + 240, abs=0.001)
    assert (notifier.delivered, notifier.failed, notifier.dropped) == (2, 0, 0)


async def test_an_alertmanager_that_was_killed_learns_of_it_again(alertmanager: Server) -> None:
    clock = WatchedClock()
    async with live(clock) as monitor, Alertmanager(monitor, alertmanager.url):
        await break_it(monitor)
        await see(alertmanager, users="c1")
        await to_thread.run_sync(alertmanager.kill)
        await break_it(monitor, "shop", "c2")  # which it can't be told
        await clock.see_sleeper(1)
        await to_thread.run_sync(alertmanager.start)
        await see(alertmanager)
        await clock.pass_over(60)
        await see(alertmanager, users="c1", shop="c2")


async def test_each_of_a_cluster_is_notified_though_others_are_dead(
    servers: Servers, logs: list[EventDict]
) -> None:
    clock = WatchedClock()
    first, second, *dead = (servers.alertmanager() for _ in range(4))
    for server in dead:
        server.stop()
    async with (
        create_task_group() as tasks,
        live(clock) as monitor,
        Alertmanager(
            monitor, *(server.url for server in dead), first.url, f"{second.url}/", linger="3s"
        ) as notifier,
    ):
        await break_it(monitor)
        await see(first, users="c1")
        await see(second, users="c1")
        await clock.see_sleeper(1, count=len(dead))
        tasks.start_soon(clock.pass_exactly, 3)

    assert notifier.delivered == 2
    failures = [entry["to"] for entry in logs if entry["event"] == "notification.failed"]
    assert sorted(failures) == sorted(server.url for server in dead)


async def test_what_is_open_fires_again_on_entering_though_events_are_long_past(
    alertmanager: Server, tmp_path: Path
) -> None:
    clock, state = WatchedClock(), tmp_path / "state"
    async with live(clock, state=state) as monitor:
        await break_it(monitor)
    async with live(clock, state=state) as monitor, Alertmanager(monitor, alertmanager.url):
        await see(alertmanager, users="c1")


async def test_on_entering_what_ended_lately_is_reported_and_what_ended_long_ago_is_not() -> None:
    clock = WatchedClock()
    async with serving() as receiver, live(clock) as monitor:
        await break_it(monitor, "users")
        await mend_it(monitor, clock, "users")
        clock.advance(280)
        await break_it(monitor, "shop")
        await mend_it(monitor, clock, "shop")
        async with Alertmanager(monitor, receiver.url):
            assert [service for service, _ in await next_alerts(receiver)] == ["shop"]


async def test_names_as_bad_as_they_get_are_taken(alertmanager: Server) -> None:
    clock = WatchedClock()
    name = '\x1b[31m"<b>\u202e\ud800' + "x" * 5000
    entries = [{**ENTRIES[0], "name": name, "resource": "/{id}/" + "y" * 5000}]
    async with slomon.live(entries, clock=clock) as monitor:
        async with Alertmanager(monitor, alertmanager.url) as notifier:
            monitor.change(service=name, commit="\x1b]0;title\x07", author="\u202eana")
            monitor.access("GET", "/{id}/" + "y" * 5000, 500)
            await monitor.flush()
        assert notifier.delivered == 1
    [alert] = alertmanager.get("/api/v2/alerts")

    assert alert["labels"]["service"] == name[:1000].replace("\ud800", "\ufffd")
    assert len(alert["labels"]["route"]) == 1000
    assert alert["annotations"]["summary"].isprintable()


async def test_it_is_sent_again_each_minute_while_it_fires_and_for_five_after_its_end() -> None:
    clock = WatchedClock()
    async with serving() as receiver, live(clock) as monitor, Alertmanager(monitor, receiver.url):
        began = clock.now()
        await break_it(monitor)
        for minute in range(3):
            [(_, end)] = await next_alerts(receiver)
            assert end == pytest.approx(to_seconds(began) + 60 * minute + 240, abs=0.001)
            await clock.pass_exactly(60)
        await next_alerts(receiver)
        await mend_it(monitor, clock)
        ended = to_seconds(clock.now())
        for _ in range(5):
            [(_, end)] = await next_alerts(receiver)
            assert end == pytest.approx(ended, abs=0.001)
            await clock.pass_exactly(60)
        await break_it(monitor, "shop")
        assert [service for service, _ in await next_alerts(receiver)] == ["shop"]


async def test_a_request_holds_so_many_alerts_at_most() -> None:
    clock = WatchedClock()
    names = [f"service-{number}" for number in range(300)]
    entries = [{**ENTRIES[0], "name": name, "resource": f"/{name}"} for name in names]
    async with (
        serving() as receiver,
        slomon.live(entries, clock=clock) as monitor,
        Alertmanager(monitor, receiver.url, queue_bound=1) as notifier,
    ):
        for name in names:
            monitor.access("GET", f"/{name}", 500)
        await monitor.flush()
        told = [await next_alerts(receiver) for _ in range(2)]

    assert [len(alerts) for alerts in told] == [256, 44]
    assert {service for alerts in told for service, _ in alerts} == set(names)
    assert (notifier.delivered, notifier.dropped) == (2, 0)


async def test_an_end_that_was_missed_is_reported_however_old_it_is() -> None:
    clock = WatchedClock()
    now = to_seconds(clock.now())
    async with (
        serving() as receiver,
        live(clock) as monitor,
        Alertmanager(monitor, receiver.url, queue_bound=1),
    ):
        await break_it(monitor, "users", at=now - 2000)
        await next_alerts(receiver)
        monitor.access("GET", "/users", 200, at=now - 1900)
        monitor.access("GET", "/shop", 500)
        await monitor.flush()
        ends = dict(await next_alerts(receiver))

    assert ends == {
        "users": pytest.approx(now - 1900, abs=0.001),
        "shop": pytest.approx(now + 240, abs=0.001),
    }


async def test_a_refusal_is_no_reason_to_ask_again_at_once() -> None:
    clock = WatchedClock()
    async with (
        serving(answer(400)) as receiver,
        live(clock) as monitor,
        Alertmanager(monitor, receiver.url) as notifier,
    ):
        await break_it(monitor)
        await next_alerts(receiver)
        await clock.pass_exactly(60)
        await next_alerts(receiver)

    assert (notifier.delivered, notifier.failed) == (1, 1)


async def test_an_end_that_could_not_be_sent_for_long_is_dropped() -> None:
    clock = WatchedClock()
    async with serving(HANG) as receiver, live(clock) as monitor:
        async with Alertmanager(monitor, receiver.url) as notifier:
            await break_it(monitor)
            await next_alerts(receiver)
            await mend_it(monitor, clock)  # which ends the waiting for the answer as well
            clock.advance(300)
            await clock.pass_over(1)
        assert receiver.rest() == []
    assert (notifier.delivered, notifier.failed) == (0, 1)


@pytest.mark.parametrize(
    ("urls", "options", "fault"),
    [
        ([], {}, "there is no URL; allowed: one, or several of a cluster"),
        (["http://a", "alertmanager:9093"], {}, "'urls' is no address"),
        (["http://a"], {"labels": {"service": "x"}}, "'labels' has 'service'; allowed: names of"),
        (["http://a"], {"labels": {"a-b": "x"}}, "'labels' has 'a-b'"),
        (["http://a"], {"resend_every": 0}, "'resend_every' is 0; allowed: a duration greater"),
        (["http://a"], {"generator_url": "javascript:x"}, "'generator_url' is no address"),
    ],
)
def test_a_wrong_option_is_refused(urls: list[str], options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Alertmanager(live(WatchedClock()), *urls, **options)
    assert fault in str(caught.value)


async def test_entered_again_it_tells_everything_again() -> None:
    clock = WatchedClock()
    async with serving() as receiver, live(clock) as monitor:
        notifier = Alertmanager(monitor, receiver.url)
        for _ in range(2):
            async with notifier:
                await break_it(monitor)
                assert [service for service, _ in await next_alerts(receiver)] == ["users"]
    assert notifier.delivered == 2


async def test_of_a_group_only_the_leader_notifies(tmp_path: Path) -> None:
    clock = WatchedClock()
    state = tmp_path / "state"
    async with (
        serving() as receiver,
        in_own_task(live(clock, state=state)) as leave,
        live(clock, state=state) as second,
        Alertmanager(second, receiver.url),
    ):
        await break_it(second)
        assert receiver.rest() == []
        await leave()
        await second.leading()
        assert [service for service, _ in await next_alerts(receiver)] == ["users"]


async def test_a_notifier_that_never_leads_leaves_at_once(tmp_path: Path) -> None:
    clock = WatchedClock()
    state = tmp_path / "state"
    async with serving() as receiver, live(clock, state=state), live(clock, state=state) as second:
        async with Alertmanager(second, receiver.url) as notifier:
            await break_it(second)
        assert notifier.delivered == 0


@pytest.mark.parametrize("step", [3600, -3600])
async def test_after_a_step_of_the_clock_an_alert_fires_and_is_resolved_by_the_wall_clock(
    step: int,
) -> None:
    machine = Machine()
    machine.step(step)
    machine.clock.follow()
    async with (
        serving() as receiver,
        slomon.live(ENTRIES, clock=machine.clock) as monitor,
        Alertmanager(monitor, receiver.url),
    ):
        monitor.access("GET", "/users", 500)
        await monitor.flush()
        [(_, fires_until)] = await next_alerts(receiver)
        assert fires_until > machine.wall / 10**9
        machine.advance(70)  # a window, at half the speed
        monitor.access("GET", "/users", 200)
        await monitor.flush()
        [(_, resolved_at)] = await next_alerts(receiver)
        assert resolved_at <= machine.wall / 10**9

"""Recordings of worlds: what slomon sees is what the simulator says."""

from __future__ import annotations

import pytest

from slomon import get_service_monitor
from tests.worlds.recording import BACKGROUND, Recording, to_step
from tests.worlds.world import Deploy, Endpoint, Fault, Kind, World

ENDPOINT = Endpoint("shop", "/", slo=0.9, window=60, rate=10)
OTHER = Endpoint("mail", "/mail", slo=0.9, window=60, rate=1, background=0.1)


def fault(*periods: tuple[float, float], severity: float = 0.5, ramp: float = 0) -> Fault:
    return Fault(Kind.OUTAGE, frozenset({"/"}), periods, severity, ramp)


def test_equal_worlds_give_equal_events() -> None:
    world = World(300, (ENDPOINT, OTHER), (), (fault((100, 200)),), seed="recorded")

    assert Recording(world).events == Recording(world).events


def test_slomon_counts_each_request_and_each_deploy() -> None:
    deploys = (Deploy(5, "shop", "one"), Deploy(50, "mail", "two"))
    recording = Recording(World(600, (ENDPOINT, OTHER), deploys, (fault((100, 200)),)))
    monitor = get_service_monitor(recording)

    requests = [len(one.requests) for one in recording.traffic.values()]
    assert list(monitor.totals.requests) == requests
    assert monitor.accounting.accesses == sum(requests)
    assert monitor.accounting.changes == 2
    assert monitor.accounting.late == 0


def test_a_deploy_stands_before_all_accesses_of_its_time_or_later() -> None:
    recording = Recording(World(10, (ENDPOINT,), (Deploy(5, "shop", "one"),)))
    place = [event["type"] for event in recording.events].index("change")
    before = sum(step < to_step(5) for step in recording.traffic["/"].requests)

    assert place == before


@pytest.mark.slow
def test_requests_fail_inside_the_periods_of_a_fault_at_its_rate() -> None:
    periods = (1000, 2000), (3000, 4000)
    traffic = Recording(World(5000, (ENDPOINT,), (), (fault(*periods),))).traffic["/"]

    inside = sum(
        traffic.count_requests(to_step(begin) - 1, to_step(end) - 1) for begin, end in periods
    )
    assert all(
        any(to_step(begin) <= step <= to_step(end) for begin, end in periods)
        for step in traffic.failures
    )
    assert len(traffic.failures) / inside == pytest.approx(0.5, abs=0.02)
    assert set(traffic.sources) == {0}


def test_a_ramp_grows_to_its_severity() -> None:
    world = World(4000, (ENDPOINT,), (), (fault((0, 4000), ramp=2000),))
    traffic = Recording(world).traffic["/"]

    def measure(begin: float, end: float) -> float:
        failures = traffic.list_sources(to_step(begin), to_step(end))
        return len(failures) / traffic.count_requests(to_step(begin), to_step(end))

    assert measure(0, 500) == pytest.approx(0.0625, abs=0.02)
    assert measure(1500, 2000) == pytest.approx(0.4375, abs=0.03)
    assert measure(2000, 4000) == pytest.approx(0.5, abs=0.02)


def test_background_failures_and_strays_have_no_fault_as_their_source() -> None:
    world = World(10_000, (ENDPOINT, OTHER), strays=(("/", 50), ("/", 60), ("/", 20_000)))
    traffic = Recording(world).traffic

    assert len(traffic["/mail"].failures) / 10_000 == pytest.approx(0.1, abs=0.01)
    assert traffic["/"].sources == [BACKGROUND] * 2
    assert [step // 10_000 for step in traffic["/"].failures] == [50, 60]
    assert set(traffic["/mail"].sources) == {BACKGROUND}


def test_a_stray_at_a_failed_request_changes_nothing() -> None:
    failing = fault((0, 100), severity=1)
    traffic = Recording(World(100, (ENDPOINT,), (), (failing,), (("/", 50),))).traffic["/"]

    assert traffic.failures == traffic.requests
    assert set(traffic.sources) == {0}

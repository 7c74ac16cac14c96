"""The worlds that are drawn: they are reproducible, consistent and broad."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise

import pytest

from tests.worlds.drawing import draw_world
from tests.worlds.world import Kind, World

SEEDS = [f"test/{number}" for number in range(200)]


@cache
def worlds() -> list[World]:
    return [draw_world(seed) for seed in SEEDS]


def test_equal_seeds_give_equal_worlds_and_others_do_not() -> None:
    assert draw_world("a") == draw_world("a")
    assert draw_world("a") != draw_world("b")


def test_a_guilty_commit_is_deployed_to_a_service_that_breaks_before_it_breaks() -> None:
    for world in worlds():
        services = {one.resource: one.service for one in world.endpoints}
        for fault in world.faults:
            broken = {services[one] for one in fault.resources}
            guilty = [
                deploy.time
                for deploy in world.deploys
                if deploy.commit == fault.cause and deploy.service in broken
            ]
            assert bool(guilty) == (fault.kind is not Kind.OUTAGE)
            assert all(time <= fault.begin for time in guilty)


def test_a_fix_is_deployed_while_its_fault_is_active() -> None:
    for world in worlds():
        for fault in world.faults:
            if fault.fix and fault.end < world.length:
                times = [one.time for one in world.deploys if one.commit == fault.fix]
                assert any(fault.begin < time <= fault.end for time in times)


def test_the_faults_of_an_endpoint_do_not_overlap() -> None:
    for world in worlds():
        for endpoint in world.endpoints:
            own = sorted(
                (fault.begin, fault.end)
                for fault in world.faults
                if endpoint.resource in fault.resources
            )
            assert all(end <= begin for (_, end), (begin, _) in pairwise(own))


@pytest.mark.parametrize("kind", Kind)
def test_there_are_faults_of_each_kind(kind: Kind) -> None:
    assert sum(fault.kind is kind for world in worlds() for fault in world.faults) > 20


def test_there_are_quiet_and_busy_endpoints_and_all_failure_rates() -> None:
    rates = [endpoint.rate for world in worlds() for endpoint in world.endpoints]
    severities = [fault.severity for world in worlds() for fault in world.faults]

    assert min(rates) == 0.05
    assert max(rates) > 25
    assert min(severities) < 0.04
    assert max(one for one in severities if one < 1) > 0.6


def test_there_are_flapping_faults() -> None:
    assert any(len(fault.periods) > 1 for world in worlds() for fault in world.faults)


def test_there_are_rollbacks_and_releases_of_several_services() -> None:
    rollbacks = releases = 0
    for world in worlds():
        deploys = Counter((one.service, one.commit) for one in world.deploys)
        services = Counter(commit for _, commit in deploys)
        rollbacks += sum(count > 1 for count in deploys.values())
        releases += sum(count > 1 for count in services.values())

    assert rollbacks > 20
    assert releases > 20

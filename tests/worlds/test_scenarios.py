"""The worlds that were worked out by hand show what their names say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slomon import get_service_monitor
from tests.worlds.scenarios import SCENARIOS, Scenario
from tests.worlds.statements import read_blame, read_credit
from tests.worlds.truth import NOTHING
from tests.worlds.world import EPOCH

scenarios = pytest.mark.parametrize("build", SCENARIOS, ids=lambda build: build.__name__)


@scenarios
def test_each_failing_endpoint_breaks_and_recovers_and_no_other(
    build: Callable[[], Scenario],
) -> None:
    scenario = build()
    records = get_service_monitor(scenario.play()).records()

    failing = {one.resource for one, periods in scenario.failing.items() if periods}
    assert {one.resource for one in records} == failing
    assert all(one.end is not None for one in records)


@scenarios
def test_the_cause_was_deployed_before_the_failures_and_the_fix_before_their_end(
    build: Callable[[], Scenario],
) -> None:
    scenario = build()
    records = get_service_monitor(scenario.play()).records()
    times = {one.commit: EPOCH + one.time for one in scenario.deploys}

    if scenario.cause != NOTHING:
        assert times[scenario.cause] < min(one.onset for one in records)
    if scenario.fix != NOTHING:
        last = records[-1]
        assert last.onset < times[scenario.fix] < last.end  # type: ignore[operator]


@scenarios
def test_slomon_finds_the_cause_and_the_fix(build: Callable[[], Scenario]) -> None:
    scenario = build()
    records = get_service_monitor(scenario.play()).records()

    for record in records:
        stated = read_blame(record).probabilities
        assert max(stated, key=lambda commit: stated[commit]) == scenario.cause
        assert stated[scenario.cause] > 0.8
    stated = read_credit(records[-1]).probabilities
    assert stated[scenario.fix] > 0.9

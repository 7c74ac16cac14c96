"""What a long run is cut down to is the same for whoever cuts it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slomon.core import summary as summary_module
from slomon.core.incident import State
from slomon.core.summary import choose_incidents, rank_endpoints
from slomon.kernels.series import SHORTEST
from slomon.report.selection import ENDPOINTS, INCIDENTS, select
from tests.core.test_tracer import Row, endpoint, summarise
from tests.reporting.summaries import Maker


def test_open_incidents_come_first_and_then_those_that_lasted_longest() -> None:
    made = Maker(incidents=5).make().incidents
    durations = [3.0, 9.0, 5.0, 7.0]
    closed = [
        replace(one, state=State.CLOSED, duration=duration)
        for one, duration in zip(made, durations, strict=False)
    ]
    incidents = [*closed, replace(made[4], state=State.OPEN, end=None, duration=None)]

    assert choose_incidents(incidents, 3) == [incidents[1], incidents[3], incidents[4]]
    assert choose_incidents(incidents, 5) == incidents


def test_endpoints_rank_by_incidents_then_by_requests_then_by_place() -> None:
    made = Maker(services=1, endpoints=5, incidents=1).make()
    requests = [7, 9, 9, 1, 2]
    endpoints = [
        replace(one, requests=count) for one, count in zip(made.endpoints, requests, strict=True)
    ]
    [incident] = made.incidents
    third, fourth = (
        replace(incident, service=one.service, verb=one.verb, resource=one.resource)
        for one in endpoints[3:]
    )

    assert rank_endpoints(endpoints, [third, fourth, fourth], 5) == [4, 3, 1, 2, 0]
    assert rank_endpoints(endpoints, [], 2) == [1, 2]


def test_each_endpoint_that_a_page_shows_of_a_long_run_has_its_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    #   Of 20 endpoints each fails and recovers again and again, the higher their number the more
    #   often, while the lower ones have more requests, or as many.
    monkeypatch.setattr(summary_module, "MOST_TRACES", 8)
    monkeypatch.setattr(summary_module, "MOST_INCIDENTS", 8)
    rows: list[Row] = []
    for tick in range(400):
        rows += [
            (number, tick * SHORTEST, tick % (60 - number) < 3)
            for number in range(20)
            if number < 10 or tick % 3
        ]
    summary = summarise(rows, [endpoint(number) for number in range(20)])
    shown, _ = select(summary, 8 / INCIDENTS)

    assert INCIDENTS == ENDPOINTS
    assert len(summary.incidents) > 20
    assert len(shown.endpoints) == 8
    assert [summary.endpoints[trace.endpoint] for trace in summary.traces] == shown.endpoints

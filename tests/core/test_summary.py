"""The summary of a run and of its services, and what is chosen from a long run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slomon.core import summary as summary_module
from slomon.core.incident import State
from slomon.core.metrics import Deploy, RankingEntry
from slomon.core.summary import Summary, choose_incidents, rank_endpoints
from slomon.core.totals import EndpointTotal
from slomon.kernels.sli_series import SHORTEST
from slomon.report.selection import ENDPOINTS, INCIDENTS, select
from tests.core.runs import SLO, WINDOW, ask, run
from tests.core.test_sli_series import Row, endpoint, summarise
from tests.report.summaries import Maker


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


@pytest.mark.slow
def test_each_endpoint_that_a_page_shows_of_a_long_run_has_its_series(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    #   Of 20 endpoints each fails and recovers again and again, the higher their number the more
    #   often, while the lower ones have more requests, or as many.
    monkeypatch.setattr(summary_module, "MOST_SERIES", 8)
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
    assert [
        summary.endpoints[sli_series.endpoint] for sli_series in summary.sli_series
    ] == shown.endpoints


def test_the_metrics_of_a_run() -> None:
    #   /a breaks with c10: at 13, 4 of 10 failed. It closes at 20, as the failure of 10 leaves the
    #   window (10, 20]. /b succeeds once; nothing is asked of /c. The run lasts from 0 to 25.
    events = [
        *ask("/a", "o" * 10),
        "shop",  # position 10
        *ask("/a", "xxxx", 10),
        "shop",  # position 15
        *ask("/a", "o" * 11, 14),
        *ask("/b", "o", 25),
        "nobody",
    ]
    summary = run(events).summary()
    [incident] = summary.incidents
    assert (incident.start, incident.end) == (13, 20)
    assert (summary.began, summary.ended) == (0, 25)
    assert (summary.accounting.accesses, summary.accounting.changes) == (26, 2)
    assert summary.endpoints == [
        EndpointTotal("shop", "GET", "/a", SLO, WINDOW, 25, 4),
        EndpointTotal("shop", "GET", "/b", SLO, WINDOW, 1, 0),
    ]
    assert summary.deploys == [
        Deploy("shop", "c10", "author 10", "date 10", 9),
        Deploy("shop", "c15", "author 15", "date 15", 13),
    ]
    [shop] = summary.services
    for metrics, service in ((summary.overall, None), (shop, "shop")):
        assert (metrics.service, metrics.incidents) == (service, 1)
        assert (metrics.repair.mean, metrics.repair.p90, metrics.repair.open) == (7, 7, 0)
        assert metrics.detection == 13 - 9
        assert (metrics.budget.requests, metrics.budget.failures) == (26, 4)
        assert metrics.budget.allowed == pytest.approx(26 * 0.3)
        assert (metrics.delivery.deployments, metrics.delivery.failed) == (2, 1)
        assert metrics.delivery.frequency is None
    assert summary.ranking.by_endpoint == [RankingEntry("GET /a", 1, 7)]
    assert summary.ranking.by_author == [RankingEntry("author 10", 1, 7)]
    assert summary.ranking.by_commit == [RankingEntry("c10", 1, 7)]


def test_of_nothing_there_is_a_summary_too() -> None:
    summary = run([]).summary()
    assert isinstance(summary, Summary)
    assert (summary.began, summary.ended, summary.endpoints, summary.services) == (0, 0, [], [])
    assert summary.overall.budget.left is None


def test_a_stale_change_is_not_blamed() -> None:
    events = [*ask("/b", "o"), "shop", *ask("/a", "x", 100)]
    assert run(events).summary(stale_after=99).ranking.by_commit == []
    assert run(events).summary(stale_after=100).ranking.by_commit == [RankingEntry("c1", 1, 0)]

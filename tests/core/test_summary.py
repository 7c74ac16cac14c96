"""A summary says all of a run, and of each of its services."""

from __future__ import annotations

import pytest

from slomon.core.metrics import Deploy, EndpointTotal, Share
from slomon.core.summary import Summary
from tests.core.runs import SLO, WINDOW, ask, run


def test_a_run_in_figures() -> None:
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
    for figures, service in ((summary.whole, None), (shop, "shop")):
        assert (figures.service, figures.incidents) == (service, 1)
        assert (figures.repair.mean, figures.repair.p90, figures.repair.open) == (7, 7, 0)
        assert figures.detection == 13 - 9
        assert (figures.budget.requests, figures.budget.failures) == (26, 4)
        assert figures.budget.allowed == pytest.approx(26 * 0.3)
        assert (figures.delivery.deployments, figures.delivery.failed) == (2, 1)
        assert figures.delivery.frequency is None
    assert summary.shares.by_endpoint == [Share("GET /a", 1, 7)]
    assert summary.shares.by_author == [Share("author 10", 1, 7)]
    assert summary.shares.by_commit == [Share("c10", 1, 7)]


def test_of_nothing_there_is_a_summary_too() -> None:
    summary = run([]).summary()
    assert isinstance(summary, Summary)
    assert (summary.began, summary.ended, summary.endpoints, summary.services) == (0, 0, [], [])
    assert summary.whole.budget.left is None


def test_only_a_change_that_is_young_enough_is_blamed() -> None:
    events = [*ask("/b", "o"), "shop", *ask("/a", "x", 100)]
    assert run(events).summary(stale_after=99).shares.by_commit == []
    assert run(events).summary(stale_after=100).shares.by_commit == [Share("c1", 1, 0)]

"""Metrics of a run and of its services; comments compute each expected value by hand."""

from __future__ import annotations

from collections import UserList
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import localcontext
from statistics import median, quantiles
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.aggregation import aggregate, find_attributed, rank_by_owner
from slomon.core.attribution import Attribution, Candidate, Verdict
from slomon.core.events import EVERY_SERVICE
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.metrics import (
    Budget,
    Deploy,
    DoraMetrics,
    Metrics,
    RankingEntry,
    Repair,
)
from slomon.core.totals import EndpointTotal

T = TypeVar("T")

DAY = 86_400.0
OPEN, CLOSED, EXPIRED = State.OPEN, State.CLOSED, State.EXPIRED


def deploy(commit: str, at: float, service: str = "shop") -> Deploy:
    return Deploy(service, commit, f"{commit}@example.com", "2018-11-28 14:11:31", at)


def candidate(commit: str, age: float = 1.0, author: str | None = None) -> Candidate:
    author = f"{commit}@example.com" if author is None else author
    return Candidate(commit, author, "2018-11-28 14:11:31", age, age, 0.3)


def incident(
    start: float,
    lasted: float | None = None,
    *changes: Candidate,
    service: str = "shop",
    verb: str = "GET",
    resource: str = "/cart",
    expired: bool = False,
    verdict: Verdict | None = None,
) -> IncidentRecord:
    """An incident that lasted some seconds, or is open; attributed to the last of the changes."""
    verdict = verdict or (Verdict.CLEAR if changes else Verdict.NONE)
    closed = EXPIRED if expired else CLOSED
    return IncidentRecord(
        id=f"{service} {verb} {resource} {start}",
        service=service,
        verb=verb,
        resource=resource,
        slo=0.9,
        window=60.0,
        state=OPEN if lasted is None else closed,
        start=start,
        end=None if lasted is None else start + lasted,
        duration=lasted,
        onset=start,
        last_failure=start,
        requests=10,
        failures=2,
        min_sli=0.8,
        min_sli_at=start,
        burn_rate=2.0,
        error_budget_consumed=0.1,
        broken_by=Attribution(verdict, changes),
        fixed_by=None,
    )


def total(
    resource: str,
    slo: float,
    requests: int,
    failures: int,
    service: str = "shop",
) -> EndpointTotal:
    return EndpointTotal(service, "GET", resource, slo, 60.0, requests, failures)


def figure(
    service: str | None,
    incidents: Sequence[IncidentRecord],
    endpoints: Sequence[EndpointTotal],
    deploys: Sequence[Deploy],
    run: tuple[float, float],
) -> Metrics:
    """The metrics of the run, or of one service: the metrics of a run of that service alone."""
    if service is not None:
        incidents = [incident for incident in incidents if incident.service == service]
        endpoints = [endpoint for endpoint in endpoints if endpoint.service == service]
        deploys = [deploy for deploy in deploys if deploy.service in {service, EVERY_SERVICE}]
    overall, _ = aggregate(incidents, endpoints, deploys, run)
    return replace(overall, service=service)


def repair(*lasted: float | None) -> Repair:
    incidents = [incident(float(start), seconds) for start, seconds in enumerate(lasted)]
    return figure(None, incidents, [], [], (0.0, DAY)).repair


def budget(*endpoints: EndpointTotal) -> Budget:
    return figure(None, [], endpoints, [], (0.0, DAY)).budget


def delivery(
    incidents: Sequence[IncidentRecord], deploys: Sequence[Deploy], seconds: float = DAY
) -> DoraMetrics:
    return figure(None, incidents, [], deploys, (0.0, seconds)).delivery


# A history of two days:
#
#   shop   a1 .. GET /cart 60 s      b2             POST /cart ........... still open
#                                                   GET /cart 120 s, unexplained
#   every service                          c3
#   cart                                   GET /b 300 s      d4 .. GET /b 50 s, and then no traffic
#   mail   (no traffic)

HISTORY = [
    incident(160.0, 60.0, candidate("a1", 60.0)),
    incident(
        5030.0,
        300.0,
        candidate("x9", 4000.0),
        candidate("c3", 30.0),
        service="cart",
        resource="/b",
        verdict=Verdict.LIKELY,
    ),
    incident(5040.0, None, candidate("c3", 40.0), verb="POST"),
    incident(90_000.0, 120.0, candidate("c3", 85_000.0), verdict=Verdict.UNEXPLAINED),
    incident(
        100_000.0, 50.0, candidate("d4", 94_000.0), service="cart", resource="/b", expired=True
    ),
]
ENDPOINTS = [
    total("/m", 0.5, 0, 0, service="mail"),
    total("/b", 0.999, 2000, 4, service="cart"),
    total("/cart", 0.99, 1000, 12),
    total("/cart", 0.9, 100, 3),
]
DEPLOYS = [
    deploy("a1", 100.0),
    deploy("b2", 1000.0),
    deploy("c3", 5000.0, EVERY_SERVICE),
    deploy("d4", 6000.0, "cart"),
]
WHOLE = Metrics(
    None,
    incidents=5,
    # Closed are 60, 120 and 300 s: their mean is 160, the middle one 120. The 90th percentile is
    # at 0.9 of the way from the first to the third, so at 1.8: 120 + 0.8 * (300 - 120) = 264.
    repair=Repair(closed=3, open=1, expired=1, mean=160.0, median=120.0, p90=264.0, longest=300.0),
    # Not stale are 30, 40, 60 and 94,000 s: (40 + 60) / 2
    detection=50.0,
    # 2000 * 0.001 + 1000 * 0.01 + 100 * 0.1 = 22 are allowed, 22 - 19 are left: 3 / 22
    budget=Budget(requests=3100, failures=19, allowed=22.0, left=3 / 22),
    # Four in two days, all but b2 failed. Repaired are a1's in 60 s and c3's of cart in 300 s:
    # c3's other one is open, the stale one has no deployment and d4's wasn't repaired.
    delivery=DoraMetrics(4, frequency=2.0, failed=3, change_failure_rate=0.75, recovery_time=180.0),
)
SHOP = Metrics(
    "shop",
    incidents=3,
    # 60 and 120 s: the 90th percentile is at 0.9 of the way, 60 + 0.9 * 60 = 114
    repair=Repair(closed=2, open=1, expired=0, mean=90.0, median=90.0, p90=114.0, longest=120.0),
    detection=50.0,  # (40 + 60) / 2
    budget=Budget(requests=1100, failures=15, allowed=20.0, left=0.25),  # 10 + 10; 5 / 20
    # a1, b2 and c3; a1 and c3 failed, and c3's incident is open here
    delivery=DoraMetrics(3, frequency=1.5, failed=2, change_failure_rate=2 / 3, recovery_time=60.0),
)
CART = Metrics(
    "cart",
    incidents=2,
    repair=Repair(closed=1, open=0, expired=1, mean=300.0, median=300.0, p90=300.0, longest=300.0),
    detection=47_015.0,  # (30 + 94,000) / 2
    budget=Budget(requests=2000, failures=4, allowed=2.0, left=-1.0),  # twice what is allowed
    # c3 and d4, both failed; d4's incident is an expired one
    delivery=DoraMetrics(2, frequency=1.0, failed=2, change_failure_rate=1.0, recovery_time=300.0),
)
MAIL = Metrics(
    "mail",
    incidents=0,
    repair=Repair(0, 0, 0, None, None, None, None),
    detection=None,
    budget=Budget(0, 0, 0.0, None),
    # c3 was a change to every service, and didn't break this one
    delivery=DoraMetrics(1, frequency=0.5, failed=0, change_failure_rate=0.0, recovery_time=None),
)


def test_the_metrics_of_a_history_are_those_computed_by_hand() -> None:
    overall, services = aggregate(HISTORY, ENDPOINTS, DEPLOYS, (0.0, 2 * DAY))
    assert overall == WHOLE
    assert services == [SHOP, CART, MAIL]


@pytest.mark.parametrize("expected", [SHOP, CART, MAIL])
def test_the_metrics_of_one_service_are_those_of_its_own_history(expected: Metrics) -> None:
    assert figure(expected.service, HISTORY, ENDPOINTS, DEPLOYS, (0.0, 2 * DAY)) == expected


def test_an_empty_run_has_no_metrics() -> None:
    overall, services = aggregate([], [], [], (0.0, 0.0))
    assert overall == Metrics(
        None,
        0,
        Repair(0, 0, 0, None, None, None, None),
        None,
        Budget(0, 0, 0.0, None),
        DoraMetrics(0, None, 0, None, None),
    )
    assert services == []


def test_services_are_in_the_order_in_which_they_broke_and_then_in_that_of_endpoints() -> None:
    incidents = [incident(1.0, service="d"), incident(2.0, service="b"), incident(3.0, service="d")]
    endpoints = [total("/", 0.9, 1, 0, service=name) for name in ["c", "d", "a", "c", "b"]]
    _, services = aggregate(incidents, endpoints, [], (0.0, DAY))
    assert [metrics.service for metrics in services] == ["d", "b", "c", "a"]


def test_an_incident_counts_for_its_service_though_no_endpoint_is_listed() -> None:
    _, [lost] = aggregate([incident(1.0, 2.0, service="lost")], [], [], (0.0, DAY))
    assert (lost.service, lost.incidents, lost.budget) == ("lost", 1, Budget(0, 0, 0.0, None))


# Repair


@pytest.mark.parametrize(
    ("lasted", "expected"),
    [
        ([], Repair(0, 0, 0, None, None, None, None)),
        ([None, None], Repair(0, 2, 0, None, None, None, None)),
        ([7.0], Repair(1, 0, 0, 7.0, 7.0, 7.0, 7.0)),
        ([0.0, None], Repair(1, 1, 0, 0.0, 0.0, 0.0, 0.0)),  # none at all is a time, too
        # At 0.9 * 10 is the tenth of eleven, with nothing to add
        ([float(n * n) for n in range(11)], Repair(11, 0, 0, 35.0, 25.0, 81.0, 100.0)),
        # (1 + 3 + 5 + 31) / 4 = 10; (3 + 5) / 2 = 4; 0.9 * 3 = 2.7: 5 + 0.7 * 26 = 23.2
        ([31.0, 1.0, 5.0, 3.0], Repair(4, 0, 0, 10.0, 4.0, 23.2, 31.0)),
    ],
)
def test_repair_counts_closed_incidents_only(lasted: list[float | None], expected: Repair) -> None:
    assert repair(*lasted) == expected


def test_expired_incidents_are_in_no_time() -> None:
    incidents = [incident(1.0, 10.0), incident(2.0, 99.0, expired=True)]
    assert figure(None, incidents, [], [], (0.0, DAY)).repair == Repair(
        1, 0, 1, 10.0, 10.0, 10.0, 10.0
    )


@given(st.lists(st.floats(0, 1e9), min_size=2))
def test_percentiles_are_those_of_the_standard_library(lasted: list[float]) -> None:
    found = repair(*lasted)
    inclusive = quantiles(lasted, n=10, method="inclusive")
    assert found.median == pytest.approx(median(lasted))
    assert found.p90 == pytest.approx(inclusive[-1])


@given(st.lists(st.floats(0, 1e9), min_size=1))
def test_times_to_repair_are_in_order_and_whatever_order_they_came_in(lasted: list[float]) -> None:
    found = repair(*lasted)
    assert found.median is not None
    assert found.p90 is not None
    assert min(lasted) <= found.median <= found.p90 <= max(lasted)
    assert repair(*reversed(lasted)) == found


# Detection


@pytest.mark.parametrize(
    ("verdict", "detection"),
    [(Verdict.CLEAR, 5.0), (Verdict.LIKELY, 5.0), (Verdict.AMBIGUOUS, None)],
)
def test_detection_is_measured_from_a_clear_or_likely_cause(
    verdict: Verdict, detection: float | None
) -> None:
    changes = candidate("a1", 70.0), candidate("b2", 5.0)
    incidents = [incident(100.0, None, *changes, verdict=verdict), incident(101.0)]
    assert figure(None, incidents, [], [], (0.0, DAY)).detection == detection


def test_detection_counts_the_first_incident_of_each_deployment_and_endpoint() -> None:
    # a1 . x . x ....... x ..... a1 .... x      GET /cart flaps, and breaks again as a1 comes again
    #  0   5   7         90      100     120    GET /pay breaks later than GET /cart
    broken = [
        incident(5.0, 1.0, candidate("a1", 5.0)),
        incident(7.0, 1.0, candidate("a1", 7.0)),
        incident(11.0, 1.0, candidate("a1", 11.0), resource="/pay"),
        incident(90.0, 1.0, candidate("a1", 90.0)),
        incident(120.0, 1.0, candidate("a1", 20.0)),
    ]
    deploys = [deploy("a1", 0.0), deploy("a1", 100.0)]
    assert figure(None, broken, [], deploys, (0.0, DAY)).detection == 11.0  # of 5, 11 and 20
    assert figure(None, broken, [], [], (0.0, DAY)).detection == 8.0  # of 5 and 11


# Budget


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [
        # An SLO is what it is written as: 1 - 0.999 as floats would allow 1.0000000000000009
        ([total("/a", 0.999, 1000, 1)], Budget(1000, 1, 1.0, 0.0)),
        ([total("/a", 0.9, 100, 9)], Budget(100, 9, 10.0, 0.1)),
        ([total("/a", 0.9999999999999999, 10**16, 0)], Budget(10**16, 0, 1.0, 1.0)),
        ([total("/a", 1.0, 1000, 0)], Budget(1000, 0, 0.0, None)),
        ([total("/a", 1.0, 1000, 3)], Budget(1000, 3, 0.0, None)),
        # 100 * 0.1 = 10 are allowed, and 3 of the other endpoint count against them: 2 / 10
        ([total("/a", 1.0, 50, 3), total("/b", 0.9, 100, 5)], Budget(150, 8, 10.0, 0.2)),
        ([total("/a", 0.99, 100, 4)], Budget(100, 4, 1.0, -3.0)),
        ([total("/a", 0.99, 0, 0)], Budget(0, 0, 0.0, None)),
        # SLOs of 0.99 (100 requests), and of 0.5 (10 requests) twice: 1 + 5 + 5
        (
            [total("/a", 0.5, 10, 0), total("/b", 0.99, 100, 0), total("/c", 0.5, 10, 0)],
            Budget(120, 0, 11.0, 1.0),
        ),
    ],
)
def test_the_budget_is_what_the_slos_allow_less_what_failed(
    endpoints: list[EndpointTotal], expected: Budget
) -> None:
    assert budget(*endpoints) == expected


def test_the_budget_does_not_depend_on_how_its_caller_reckons_with_decimals() -> None:
    endpoints = [total("/a", 0.9995, 1_234_567, 600), total("/b", 0.99, 7_654_321, 8)]
    expected = budget(*endpoints)
    with localcontext(prec=2):
        assert budget(*endpoints) == expected


# Delivery


def test_a_deployment_that_broke_several_endpoints_failed_once() -> None:
    incidents = [
        incident(20.0, 10.0, candidate("a1")),
        incident(21.0, 40.0, candidate("a1"), resource="/pay"),
        incident(25.0, None, candidate("a1"), resource="/login"),
    ]
    found = delivery(incidents, [deploy("a1", 10.0), deploy("b2", 90.0)])
    # One of two; of its three incidents two are closed: (10 + 40) / 2
    assert found == DoraMetrics(2, 2.0, failed=1, change_failure_rate=0.5, recovery_time=25.0)


def failed(incidents: Sequence[IncidentRecord], deploys: Sequence[Deploy]) -> int:
    return delivery(incidents, deploys).failed


def test_of_a_commit_deployed_several_times_the_deployment_at_the_candidates_time_failed() -> None:
    # a1 ............ a1 .. x .. x ............ a1 .. x
    #  10             20   25   29              30   35
    deploys = [deploy("a1", 10.0), deploy("a1", 20.0), deploy("a1", 30.0)]
    first, again, last = (
        incident(start, 1.0, candidate("a1", age))
        for start, age in ((25.0, 5.0), (29.0, 9.0), (35.0, 5.0))
    )
    assert failed([first], deploys) == 1
    assert failed([first, again], deploys) == 1
    assert failed([first, last], deploys) == 2
    # The one at 10 did nothing: without it the same deployments failed.
    assert failed([first, again, last], deploys[1:]) == 2


def test_a_deployment_that_came_earlier_may_be_to_blame_though_a_later_one_is_nearer() -> None:
    # The clock of /pay is behind, so it breaks at 22 under the first, and /cart under the second.
    deploys = [deploy("a1", 10.0), deploy("a1", 20.0)]
    broken = [
        incident(22.0, 4.0, candidate("a1", 12.0), resource="/pay"),
        incident(25.0, 4.0, candidate("a1", 5.0)),
    ]
    assert failed(broken, deploys) == 2
    assert failed(broken[:1] * 2, deploys) == 1


def test_what_was_deployed_before_or_after_the_run_is_none_of_its_deployments() -> None:
    # before | first access ... last access | after
    deploys = [
        *(deploy("old", 9.9), deploy("a1", 10.0), deploy("b2", 3610.0), deploy("new", 3610.1)),
        *(deploy("c3", 5.0, EVERY_SERVICE), deploy("c4", 50.0, EVERY_SERVICE)),
    ]
    broken = [
        incident(12.0, 30.0, candidate("old", 2.1)),
        incident(13.0, 50.0, candidate("a1", 3.0), resource="/pay"),
        incident(14.0, 70.0, candidate("c3", 9.0), service="mail"),
    ]
    run = 10.0, 3610.0
    overall, [shop, mail] = aggregate(broken, [], deploys, run)
    assert overall.delivery == DoraMetrics(3, 72.0, 1, 1 / 3, 50.0)  # a1, b2 and c4 in an hour
    assert shop.delivery == overall.delivery
    assert mail.delivery == DoraMetrics(1, 24.0, 0, 0.0, None)
    assert [shop, mail] == [figure(name, broken, [], deploys, run) for name in ("shop", "mail")]
    # They did break something, all the same.
    assert (overall.detection, mail.detection) == (3.0, 9.0)


def test_it_is_the_commit_of_the_same_service_that_is_blamed_or_one_of_every_service() -> None:
    broken = [incident(50.0, 1.0, candidate("a1"))]
    assert failed(broken, [deploy("a1", 10.0, "cart")]) == 0
    assert failed(broken, [deploy("a1", 10.0, EVERY_SERVICE)]) == 1


@pytest.mark.parametrize(
    ("own", "common", "later"),
    [(10.0, 20.0, EVERY_SERVICE), (20.0, 10.0, "shop"), (60.0, 10.0, EVERY_SERVICE)],
)
def test_of_a_commit_deployed_alone_and_to_every_service_the_later_one_before_it_is_blamed(
    own: float, common: float, later: str
) -> None:
    deploys = [deploy("a1", own), deploy("a1", common, EVERY_SERVICE)]
    # Cart is broken by the one of every service; if shop is by the same, one failed, else two.
    broken = [
        incident(30.0, 1.0, candidate("a1"), service="cart"),
        incident(30.0, 1.0, candidate("a1")),
    ]
    assert failed(broken, deploys) == (1 if later == EVERY_SERVICE else 2)


def test_a_deployment_that_stands_first_in_the_stream_may_be_later_by_its_time() -> None:
    # x .. a1 .. x .. a1: both incidents are of the first, as no other is nearer to the one at 5.
    # 5    6     7    9
    deploys = [deploy("a1", 6.0), deploy("a1", 9.0)]
    broken = [incident(5.0, 3.0, candidate("a1")), incident(7.0, 3.0, candidate("a1"))]
    assert failed(broken[:1], deploys) == 1
    assert failed(broken, deploys) == 1


def test_deployments_are_found_by_their_times_though_the_stream_has_them_in_another_order() -> None:
    broken = [incident(15.0, 1.0, candidate("a1")), incident(25.0, 1.0, candidate("a1"))]
    assert failed(broken, [deploy("a1", 20.0), deploy("a1", 10.0)]) == 2


def test_a_commit_that_is_no_deployment_of_the_run_makes_none_fail() -> None:
    found = delivery([incident(20.0, 10.0, candidate("gone"))], [deploy("a1", 10.0)])
    assert found == DoraMetrics(1, 1.0, failed=0, change_failure_rate=0.0, recovery_time=None)


def test_only_the_most_probable_candidate_failed() -> None:
    changes = candidate("a1", 10.0)._replace(probability=0.6), candidate("b2", 5.0)
    broken = incident(20.0, 1.0, *changes, verdict=Verdict.LIKELY)
    deploys = [deploy("a1", 10.0), deploy("b2", 15.0)]
    assert failed([broken], deploys) == 1
    assert failed([broken], deploys[1:]) == 0
    assert [share.name for share in rank_by_owner([broken], 30.0).by_commit] == ["a1"]
    assert figure(None, [broken], [], [], (0.0, DAY)).detection == 10.0


@pytest.mark.parametrize("verdict", [Verdict.AMBIGUOUS, Verdict.UNEXPLAINED, Verdict.NONE])
def test_a_deployment_is_not_blamed_if_it_is_no_clear_or_likely_cause(verdict: Verdict) -> None:
    broken = incident(20.0, 1.0, candidate("a1"), verdict=verdict)
    assert find_attributed(broken) is None
    assert failed([broken], [deploy("a1", 10.0)]) == 0


def test_an_expired_incident_makes_its_deployment_fail_and_has_no_recovery() -> None:
    found = delivery([incident(20.0, 10.0, candidate("a1"), expired=True)], [deploy("a1", 10.0)])
    assert found == DoraMetrics(1, 1.0, failed=1, change_failure_rate=1.0, recovery_time=None)


def test_a_run_of_less_than_an_hour_has_no_frequency() -> None:
    assert delivery([], [deploy("a1", 10.0)], seconds=0.0).frequency is None
    assert delivery([], [deploy("a1", 10.0)], seconds=3599.9).frequency is None
    assert delivery([], [], seconds=DAY).frequency == 0.0
    assert delivery([], [deploy("a1", 10.0)], seconds=3600.0).frequency == 24.0


# Ranking


def test_incidents_are_ranked_by_endpoint_author_and_commit() -> None:
    ranking = rank_by_owner(HISTORY, ended=2 * DAY)
    # POST /cart has been open for 172,800 - 5,040 s
    assert ranking.by_endpoint == [
        RankingEntry("GET /b", 2, 350.0),
        RankingEntry("GET /cart", 2, 180.0),
        RankingEntry("POST /cart", 1, 167_760.0),
    ]
    # c3 has the ambiguous one and the open one: 300 + 167,760; the stale one is nobody's
    assert ranking.by_commit == [
        RankingEntry("c3", 2, 168_060.0),
        RankingEntry("a1", 1, 60.0),
        RankingEntry("d4", 1, 50.0),
    ]
    assert ranking.by_author == [
        RankingEntry("c3@example.com", 2, 168_060.0),
        RankingEntry("a1@example.com", 1, 60.0),
        RankingEntry("d4@example.com", 1, 50.0),
    ]


def test_without_incidents_the_rankings_are_empty() -> None:
    ranking = rank_by_owner([], ended=0.0)
    assert (ranking.by_endpoint, ranking.by_author, ranking.by_commit) == ([], [], [])


def test_rankings_descend_by_incidents_then_by_seconds_and_ascend_by_name() -> None:
    incidents = [
        incident(1.0, 5.0, resource="/c"),
        incident(2.0, 5.0, resource="/b"),
        incident(3.0, 9.0, resource="/z"),
        incident(4.0, 1.0, resource="/y"),
        incident(9.0, 1.0, resource="/y"),
    ]
    names = [share.name for share in rank_by_owner(incidents, ended=10.0).by_endpoint]
    assert names == ["GET /y", "GET /z", "GET /b", "GET /c"]


def test_an_endpoint_is_named_with_its_service_if_another_service_has_the_same() -> None:
    incidents = [
        incident(1.0, 3.0, service="shop"),
        incident(2.0, 2.0, service="cart"),
        incident(3.0, 1.0, service="cart", verb="POST"),
    ]
    names = [share.name for share in rank_by_owner(incidents, ended=10.0).by_endpoint]
    assert names == ["GET /cart (shop)", "GET /cart (cart)", "POST /cart"]


def test_one_author_has_several_commits_and_one_commit_several_services() -> None:
    incidents = [
        incident(1.0, 1.0, candidate("a1", author="ana"), service="shop"),
        incident(2.0, 2.0, candidate("a1", author="ana"), service="cart"),
        incident(3.0, 4.0, candidate("b2", author="ana")),
    ]
    ranking = rank_by_owner(incidents, ended=10.0)
    assert ranking.by_author == [RankingEntry("ana", 3, 7.0)]
    assert ranking.by_commit == [RankingEntry("a1", 2, 3.0), RankingEntry("b2", 1, 4.0)]


def test_an_open_incident_never_lasts_less_than_nothing() -> None:
    # Its own access was late, and the run's last one is earlier by its time.
    [share] = rank_by_owner([incident(9.0)], ended=5.0).by_endpoint
    assert share.seconds == 0.0


# Any history

commits = st.sampled_from(["a1", "b2", "c3"])
services = st.sampled_from(["shop", "cart", "mail"])
times = st.integers(0, 50).map(float)
histories = st.tuples(
    st.lists(
        st.builds(
            incident,
            times,
            st.none() | times,
            st.builds(candidate, commits, times),
            service=services,
            resource=st.sampled_from(["/", "/pay"]),
            expired=st.booleans(),
            verdict=st.sampled_from(Verdict),
        )
    ),
    st.lists(
        st.builds(
            total,
            st.sampled_from(["/", "/pay"]),
            st.sampled_from([0.9, 0.999, 1.0]),
            st.integers(0, 10**6),
            st.integers(0, 10**3),
            service=services,
        )
    ),
    st.lists(st.builds(deploy, commits, times, services | st.just(EVERY_SERVICE))),
)
History = tuple[list[IncidentRecord], list[EndpointTotal], list[Deploy]]


@given(histories)
def test_services_together_and_one_by_one_give_the_same_metrics(history: History) -> None:
    _, parts = aggregate(*history, (0.0, 50.0))
    assert parts == [figure(part.service, *history, (0.0, 50.0)) for part in parts]


@given(histories)
def test_the_services_add_up_to_the_whole(history: History) -> None:
    incidents, _, deploys = history
    overall, parts = aggregate(*history, (0.0, 50.0))
    assert overall.incidents == sum(part.incidents for part in parts) == len(incidents)
    assert overall.budget.requests == sum(part.budget.requests for part in parts)
    assert overall.budget.failures == sum(part.budget.failures for part in parts)
    assert overall.budget.allowed == pytest.approx(sum(part.budget.allowed for part in parts))
    assert overall.delivery.deployments == len(deploys)
    for found in [overall, *parts]:
        assert found.repair.closed + found.repair.open + found.repair.expired == found.incidents
        assert found.delivery.failed <= found.delivery.deployments


@given(histories)
def test_each_incident_is_one_of_an_endpoint_and_of_a_commit_if_one_is_blamed(
    history: History,
) -> None:
    incidents = history[0]
    ranking = rank_by_owner(incidents, ended=50.0)
    attributed = [each for each in incidents if find_attributed(each)]
    assert sum(share.incidents for share in ranking.by_endpoint) == len(incidents)
    assert sum(share.incidents for share in ranking.by_author) == len(attributed)
    assert sum(share.incidents for share in ranking.by_commit) == len(attributed)


class Counted(UserList[T]):
    """A list that counts how often it is iterated."""

    times = 0

    def __iter__(self) -> Iterator[T]:
        self.times += 1
        return iter(self.data)


@pytest.mark.parametrize("services", [1, 300])
def test_inputs_are_iterated_no_more_often_for_many_services(services: int) -> None:
    incidents = Counted([incident(1.0, service=str(number)) for number in range(services)])
    endpoints = Counted([total("/", 0.9, 1, 0, service=str(number)) for number in range(services)])
    deploys = Counted([deploy("a1", float(number), EVERY_SERVICE) for number in range(services)])
    aggregate(incidents, endpoints, deploys, (0.0, DAY))
    assert (incidents.times, endpoints.times, deploys.times) == (1, 2, 2)

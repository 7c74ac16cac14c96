"""A page shows what matters most of a long run, and counts what it omits."""

from __future__ import annotations

from dataclasses import replace

from slomon.core.events import EVERY_SERVICE
from slomon.core.incident import State
from slomon.core.metrics import Deploy
from slomon.report.selection import BUCKETS, DEPLOYS, ENDPOINTS, INCIDENTS, Omitted, select
from tests.report.summaries import BEGAN, Maker


def test_a_run_that_is_not_long_is_shown_whole() -> None:
    summary = Maker().make()

    assert select(summary) == (summary, Omitted(0, 0, 0, 0, 0))


def test_no_incident_is_shown_without_its_endpoint() -> None:
    assert ENDPOINTS >= INCIDENTS
    for share in (0.001, 0.002, 0.01):
        shown, _ = select(Maker(endpoints=40).make(), share)
        endpoints = {(one.service, one.verb, one.resource) for one in shown.endpoints}
        assert {(one.service, one.verb, one.resource) for one in shown.incidents} <= endpoints


def test_open_incidents_are_shown_and_then_the_longest_in_their_order() -> None:
    summary = Maker(incidents=200).make()
    share = 50 / INCIDENTS
    shown, omitted = select(summary, share)
    places = [summary.incidents.index(one) for one in shown.incidents]
    hidden = [one for one in summary.incidents if one not in shown.incidents]
    lasted = [one.duration for one in shown.incidents if one.duration is not None]

    assert (len(places), omitted.incidents) == (50, 150)
    assert places == sorted(places)
    assert all(one.state is not State.OPEN for one in hidden)
    assert min(lasted) >= max(one.duration or 0 for one in hidden)


def test_the_metrics_stay_those_of_the_whole_run() -> None:
    summary = Maker().make()
    shown, omitted = select(summary, 5 / ENDPOINTS)

    assert shown.overall == summary.overall
    assert shown.ranking == summary.ranking
    assert len(shown.services) + omitted.services == len(summary.services)
    assert all(metrics in summary.services for metrics in shown.services)


def test_sli_series_stay_with_their_endpoints_while_there_is_room() -> None:
    summary = Maker(endpoints=40).make()
    share = 10.5 * 256 / BUCKETS  # so ten series are shown, or some more that have gaps
    shown, omitted = select(summary, share)

    assert 10 <= len(shown.sli_series) == 40 - omitted.series < 14
    for sli_series in shown.sli_series:
        endpoint = shown.endpoints[sli_series.endpoint]
        known = summary.sli_series[summary.endpoints.index(endpoint)]
        assert replace(known, endpoint=sli_series.endpoint) == sli_series


def test_candidates_are_shown_before_newer_ones() -> None:
    made = Maker(services=1, endpoints=1, incidents=1).make()
    (one,) = made.incidents
    changes = [
        Deploy("users", "old", "ana", "", BEGAN),
        Deploy(EVERY_SERVICE, one.broken_by.commit, "ana", "", BEGAN + 1),
        Deploy("another", one.broken_by.commit, "ana", "", BEGAN + 2),
        Deploy(one.service, "new", "ana", "", BEGAN + 3),
        Deploy(one.service, "newest", "ana", "", BEGAN + 4),
    ]
    shown, omitted = select(replace(made, deploys=changes), 2 / DEPLOYS)

    assert one.broken_by.commit
    assert shown.deploys == [changes[1], changes[4]]
    assert omitted.changes == 3

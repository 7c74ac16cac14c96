"""
The data of a page: packed numbers come back, and the browser reads the summary to the millisecond.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from slomon.core.attribution import Attribution
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.summary import Summary
from slomon.report.page import PACKAGE
from slomon.report.payload import DIGITS, make_payload, pack, pack_rising, pack_signed
from tests.report.summaries import Maker


def unpack(text: str) -> list[int]:
    numbers, number, shift = [], 0, 0
    for sign in text:
        digit = DIGITS.index(sign)
        number |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            numbers.append(number)
            number = shift = 0
    return numbers


@given(st.lists(st.integers(0, 1 << 53)))
def test_numbers_come_back(numbers: list[int]) -> None:
    assert unpack(pack(numbers)) == numbers


@given(st.lists(st.integers(-(1 << 52), 1 << 52)))
def test_negative_numbers_carry_their_sign_in_the_lowest_bit(numbers: list[int]) -> None:
    signed = [
        number >> 1 if number % 2 == 0 else -(number >> 1)
        for number in unpack(pack_signed(numbers))
    ]
    assert signed == numbers


def test_rising_numbers_are_packed_as_differences() -> None:
    assert pack_rising([1000, 1003, 1002]) == pack_signed([1000, 3, -1])


def test_small_numbers_take_one_character() -> None:
    assert len(pack(range(32))) == 32
    assert pack([]) == ""


READ = """(raw) => {
    %s
    const data = new Data(raw);
    return {
        began: data.began, ended: data.ended, services: data.services, endpoints: data.endpoints,
        deploys: data.deploys, incidents: data.incidents,
        series: data.endpoints.map((endpoint) => data.series(endpoint)),
    };
}"""


@pytest.fixture
def read(browser: Browser) -> Any:
    script = (PACKAGE / "browser" / "data.js").read_text(encoding="utf-8")
    page = browser.new_page()
    yield lambda summary: page.evaluate(READ % script, make_payload(summary))
    page.close()


def test_incidents_are_read_as_they_were(read: Any) -> None:
    summary = Maker(incidents=200).make()
    shown = read(summary)

    assert len(shown["incidents"]) == 200
    for one, known in zip(shown["incidents"], summary.incidents, strict=True):
        check_incident(one, known, shown["services"])


def check_incident(one: Any, known: IncidentRecord, services: list[str]) -> None:
    endpoint = one["endpoint"]
    moments = (one["start"], one["onset"], one["lastFailure"], one["minSliAt"])
    expected = (known.start, known.onset, known.last_failure, known.min_sli_at)

    assert (one["id"], one["state"]) == (known.id, known.state)
    assert (endpoint["verb"], endpoint["resource"]) == (known.verb, known.resource)
    assert (services[endpoint["service"]], endpoint["slo"]) == (known.service, known.slo)
    assert (one["requests"], one["failures"]) == (known.requests, known.failures)
    assert moments == pytest.approx(expected, abs=0.002)
    assert (one["end"] is None) == (known.state is State.OPEN)
    assert one["duration"] == (known.duration and pytest.approx(known.duration, abs=0.001))
    assert one["minSli"] == pytest.approx(known.min_sli, abs=(1 - known.slo) / 1000)
    assert one["burnRate"] == pytest.approx(known.burn_rate, rel=0.005)
    assert [services[number] for number in one["coOccurring"]] == list(known.co_occurring)
    check_attribution(one["brokenBy"], known.broken_by)
    check_attribution(one["fixedBy"], known.fixed_by)


def check_attribution(one: Any, known: Attribution | None) -> None:
    assert (one is None) == (known is None)
    if known is None:
        return
    assert (one["verdict"], one["omitted"]) == (known.verdict, known.omitted)
    assert [(c["commit"], c["author"], c["date"]) for c in one["candidates"]] == [
        (c.commit, c.author, c.date) for c in known.candidates
    ]
    assert [c["age"] for c in one["candidates"]] == pytest.approx(
        [c.age for c in known.candidates], abs=0.001
    )
    assert [c["delay"] for c in one["candidates"]] == pytest.approx(
        [c.delay for c in known.candidates], abs=0.001
    )
    assert [c["probability"] for c in one["candidates"]] == pytest.approx(
        [c.probability for c in known.candidates], abs=1e-4
    )
    assert one["unexplained"] == pytest.approx(known.unexplained, abs=1e-4)
    assert (one["suspect"] and one["suspect"]["commit"]) == (known.suspect and known.suspect.commit)
    assert (one["evidence"] is None) == (known.evidence is None)
    if known.evidence:
        evidence, before = one["evidence"], known.evidence.before
        assert evidence["before"] == {"requests": before.requests, "failures": before.failures}
        assert [evidence[name] for name in ("difference", "low", "high")] == pytest.approx(
            [known.evidence.difference, known.evidence.low, known.evidence.high], abs=1e-5
        )


def test_deploys_are_read_as_they_were(read: Any) -> None:
    summary = Maker().make()
    shown = read(summary)

    assert [
        (shown["services"][one["service"]], one["commit"], one["author"], one["date"])
        for one in shown["deploys"]
    ] == [(one.service, one.commit, one.author, one.date) for one in summary.deploys]
    assert [one["at"] for one in shown["deploys"]] == pytest.approx(
        [one.at for one in summary.deploys], abs=0.001
    )


def test_sli_series_are_read_with_gaps_where_there_were_no_requests(read: Any) -> None:
    summary = Maker().make()

    for shown, known in zip(read(summary)["series"], summary.sli_series, strict=True):
        slo = summary.endpoints[known.endpoint].slo
        full = [place for place, count in enumerate(shown["requests"]) if count is not None]
        assert [shown["requests"][place] for place in full] == known.requests
        assert [shown["failures"][place] for place in full] == known.failures
        assert [shown["at"][place] for place in full] == pytest.approx(known.at, abs=0.002)
        assert [shown["sli"][place] for place in full] == pytest.approx(
            known.min_sli, abs=(1 - slo) / 1000
        )
        for place in full:
            low = known.min_sli[full.index(place)]
            assert (shown["sli"][place] < slo) == (low < slo)


def test_an_slo_that_allows_nothing_has_an_sli_too(read: Any) -> None:
    made = Maker(endpoints=1, services=1).make()
    strict = replace(
        made,
        endpoints=[replace(one, slo=1.0) for one in made.endpoints],
        incidents=[
            replace(one, slo=1.0, burn_rate=None, error_budget_consumed=None)
            for one in made.incidents
        ],
    )
    shown = read(strict)["incidents"]

    assert all(one["burnRate"] is None and one["budgetConsumed"] is None for one in shown)
    assert [one["minSli"] for one in shown] == pytest.approx(
        [one.min_sli for one in made.incidents], abs=1e-6
    )


def test_a_service_that_only_a_deploy_names_has_a_lane(read: Any) -> None:
    made: Summary = Maker().make()
    other = replace(made, deploys=[replace(made.deploys[0], service="elsewhere")])
    shown = read(other)

    assert shown["services"][shown["deploys"][0]["service"]] == "elsewhere"

"""The page as text: the same for the same run, and no text of a log can end where it stands."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape
from random import Random
from time import perf_counter
from typing import Any
from zlib import decompress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.metrics import EndpointTotal
from slomon.core.records import IncidentRecord
from slomon.errors import ConfigurationError
from slomon.report.page import PACKAGE, render_page
from tests.reporting.records import records
from tests.reporting.summaries import BEGAN, HOSTILE, Maker, hostile, large, quiet, summarise


def elements(page: str, name: str) -> list[str]:
    return re.findall(rf"<{name}[^>]*>(.*?)</{name}>", page, re.DOTALL)


def data(page: str) -> Any:
    return json.loads(decompress(b64decode(elements(page, "script")[0])))


def test_the_same_run_is_the_same_page() -> None:
    assert render_page(Maker().make()) == render_page(Maker().make())


def test_the_policy_names_what_stands_in_the_page() -> None:
    page = render_page(Maker().make())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)

    assert policy
    scripts, styles = elements(page, "script"), elements(page, "style")
    assert (len(scripts), len(styles)) == (3, 2)
    for text in scripts[1:] + styles:
        assert f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy[1]


def test_uplot_has_its_licence_with_it() -> None:
    page = render_page(quiet())
    (licence,) = re.findall(r"<!-- uPlot.*?:\n(.*?)-->", page, re.DOTALL)

    assert licence == (PACKAGE / "uplot" / "LICENSE").read_text(encoding="utf-8")
    assert "Permission is hereby granted" in licence


def test_hostile_text_stays_in_its_element() -> None:
    page = render_page(hostile(), title=HOSTILE[0])
    text = elements(page, "script")[0]

    assert page.count("<script") == 3
    assert re.fullmatch("[A-Za-z0-9+/=]+", text)
    assert set(HOSTILE) <= set(data(page)["texts"] + data(page)["services"])


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_is_text(title: str) -> None:
    page = render_page(quiet(), title=title)
    shown = elements(page, "title")[0]

    page.encode()
    assert "<" not in shown
    assert unescape(shown).strip("\ufffd") in {title, title[1:]}


def test_what_the_run_is_called_is_no_template() -> None:
    assert "<title>$data ${page}</title>" in render_page(quiet(), title="$data ${page}")


def test_a_wrong_address_of_commits_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="commit_url"):
        render_page(quiet(), commit_url="javascript:{commit}")


@given(st.lists(records, max_size=5))
def test_whatever_incidents_there_are_make_a_page(incidents: list[IncidentRecord]) -> None:
    endpoints = {
        (one.service, one.verb, one.resource): EndpointTotal(
            *(one.service, one.verb, one.resource, one.slo, one.window, one.requests, one.failures)
        )
        for one in incidents
    }
    summary = summarise(list(endpoints.values()), [], [], BEGAN, [])
    page = render_page(replace(summary, incidents=incidents))

    page.encode()
    assert data(page)["incidents"]["id"] == [shown(one.id) for one in incidents]


def shown(text: str) -> str:
    return json.loads(json.dumps(text))  # type: ignore[no-any-return] # of a pair, both halves


def test_a_run_of_ten_thousand_incidents_is_small_and_soon_there() -> None:
    summary = large()
    began = perf_counter()
    page = render_page(summary)

    assert perf_counter() - began < 5
    assert len(page.encode()) < 3_000_000


def test_a_run_of_any_length_is_a_page_of_less_than_three_megabytes() -> None:
    page = render_page(
        Maker(services=2000, endpoints=15_000, incidents=30_000, between=1, buckets=20).make()
    )
    shown = data(page)

    assert len(page.encode()) < 3_000_000
    assert shown["leftOut"]["incidents"] == 30_000 - len(shown["incidents"]["id"]) > 0
    assert all(shown["leftOut"][name] > 0 for name in ("endpoints", "changes", "traces"))


def test_names_that_are_long_and_like_no_other_are_cut_and_make_no_large_page() -> None:
    chance = Random(1)
    made = Maker(incidents=200, endpoints=200).make()
    long = [
        replace(one, resource="".join(map(chr, chance.choices(range(0x4E00, 0x9FFF), k=10_000))))
        for one in made.endpoints
    ]
    page = render_page(replace(made, endpoints=long, incidents=[], traces=[]))
    shown = data(page)

    assert len(page.encode()) < 3_000_000
    assert shown["cut"]
    assert max(map(len, shown["texts"])) == shown["longest"] + 1 < 10_000


def test_buckets_that_are_empty_take_no_room() -> None:
    sparse = Maker(endpoints=4).make()  # the fourth has quiet stretches
    runs = data(render_page(sparse))["traces"]["places"]
    none = replace(
        sparse,
        traces=[
            replace(one, at=[], requests=[], failures=[], lowest_sli=[]) for one in sparse.traces
        ],
    )

    assert len(runs[0]) < 5 < len(runs[3])
    assert data(render_page(none))["traces"]["places"] == ["", "", "", ""]

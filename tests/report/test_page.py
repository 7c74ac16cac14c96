"""
The page as text: its parts ship with the package, it is the same for the same run, it is small, and
no text of a log becomes markup.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape
from random import Random
from typing import Any
from zlib import decompress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomon.core.incident_records import IncidentRecord
from slomon.core.totals import EndpointTotal
from slomon.core.trust import ResultWarning
from slomon.errors import ConfigurationError
from slomon.report.page import (
    PACKAGE,
    SCRIPTS,
    check_commit_url,
    policy,
    read_scripts,
    read_styles,
    read_template,
    render_page,
)
from tests.report.records import records
from tests.report.summaries import BEGAN, HOSTILE, Maker, hostile, large, quiet, summarise


def test_uplot_is_as_it_was_published() -> None:
    folder = PACKAGE / "uplot"
    origin = (folder / "ORIGIN.md").read_text(encoding="utf-8")
    sums = dict(re.findall(r"\| `([\w.]+)` \| `(\w{64})` \|", origin))

    assert set(sums) | {"ORIGIN.md"} == {file.name for file in folder.iterdir()}
    for name, known in sums.items():
        assert sha256((folder / name).read_bytes()).hexdigest() == known, name


def test_every_script_of_ours_is_in_the_page() -> None:
    written = {file.name for file in (PACKAGE / "browser").iterdir() if file.name.endswith(".js")}
    assert set(SCRIPTS) == written


def test_no_part_ends_its_element_or_fetches_anything() -> None:
    for text in (*read_scripts(), *read_styles()):
        assert "\r" not in text
        assert not re.search(r"</(script|style)|<!--|@import|url\(|\bfetch\(|XMLHttp", text)


def test_our_scripts_make_no_markup_of_text() -> None:
    ours = read_scripts()[1]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|\beval\b|new Function"
        r"|setTimeout|setAttribute\(\"style",
        ours,
    )


def test_the_policy_lets_nothing_run_but_these() -> None:
    assert "unsafe" not in policy()
    assert policy().startswith("default-src 'none'; script-src 'sha256-")
    for text in (*read_scripts(), *read_styles()):
        assert b64encode(sha256(text.encode()).digest()).decode() in policy()


def test_the_template_has_a_name_for_each_part_and_no_style_of_its_own() -> None:
    template = read_template()
    assert set(re.findall(r"\$(\w+)", template)) == {
        *(
            "licence",
            "policy",
            "problems",
            "title",
            "chart_style",
            "page_style",
            "data",
            "chart",
            "page",
            "cost",
            "outages",
        ),
    }
    assert not re.search(r"style=|\son\w+=|src=", template)


@pytest.mark.parametrize(
    "template",
    [
        "https://git.example.com/{commit}",
        "http://localhost:8080/browse?rev={commit}#diff",
        "https://[::1]/{commit}/{commit}",
        None,
    ],
)
def test_an_address_with_a_place_for_the_commit_is_taken(template: str | None) -> None:
    assert check_commit_url(template) == template


@pytest.mark.parametrize(
    "template",
    [
        "javascript:alert({commit})",
        "data:text/html,{commit}",
        "file:///{commit}",
        "//git.example.com/{commit}",
        "https://git.example.com/",
        "https://{commit}.example.com/",
        "https://{commit}@git.example.com/{commit}",
        "https://git.example.com\\@evil.example/{commit}",
        "https:///{commit}",
        "https://[no address/{commit}",
        "https://git.example.com/a b/{commit}",
        "https://git.example.com/\n{commit}",
        "",
        7,
    ],
)
def test_anything_else_is_rejected_by_its_name_and_value(template: object) -> None:
    with pytest.raises(ConfigurationError, match=r"'commit_url' is .*; allowed: an http or https"):
        check_commit_url(template)


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


def test_a_title_is_no_template() -> None:
    assert "<title>$data ${page}</title>" in render_page(quiet(), title="$data ${page}")


def test_a_wrong_commit_url_is_rejected() -> None:
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


@pytest.mark.slow
def test_a_run_of_ten_thousand_incidents_is_a_page_of_less_than_three_megabytes() -> None:
    page = render_page(large())

    assert len(page.encode()) < 3_000_000


@pytest.mark.slow
def test_a_run_of_any_length_is_a_page_of_less_than_three_megabytes() -> None:
    page = render_page(
        Maker(services=2000, endpoints=10_500, incidents=11_000, between=1, buckets=12).make()
    )
    shown = data(page)

    assert len(page.encode()) < 3_000_000
    assert shown["omitted"]["incidents"] == 11_000 - len(shown["incidents"]["id"]) > 0
    assert all(shown["omitted"][name] > 0 for name in ("endpoints", "changes", "series"))


@pytest.mark.slow
def test_names_that_are_long_and_like_no_other_are_cut_and_make_no_large_page() -> None:
    chance = Random(1)
    made = Maker(incidents=200, endpoints=200).make()
    pool = [chr(code) for code in range(0x4E00, 0x9FFF)]
    long = [replace(one, resource="".join(chance.choices(pool, k=8000))) for one in made.endpoints]
    page = render_page(replace(made, endpoints=long, incidents=[], sli_series=[]))
    shown = data(page)

    assert len(page.encode()) < 3_000_000
    assert shown["cut"]
    assert max(map(len, shown["texts"])) == shown["maxLength"] + 1 < 8000


def test_buckets_that_are_empty_take_no_room() -> None:
    sparse = Maker(endpoints=4).make()  # the fourth has quiet stretches
    runs = data(render_page(sparse))["series"]["runs"]
    none = replace(
        sparse,
        sli_series=[
            replace(one, at=[], requests=[], failures=[], min_sli=[]) for one in sparse.sli_series
        ],
    )

    assert len(runs[0]) < 5 < len(runs[3])
    assert data(render_page(none))["series"]["runs"] == ["", "", "", ""]


def test_warnings_stand_at_the_top_of_the_page_before_the_problems() -> None:
    warnings = [ResultWarning("newest_first", "the lines of <b> run from new to old", certain=True)]
    page = render_page(replace(quiet(), warnings=warnings), problems=["a.gz: cut off"])
    shown = "<li>the lines of &lt;b&gt; run from new to old</li><li>a.gz: cut off</li>"
    assert f'<ul id="problems" aria-label="problems">{shown}</ul>' in page

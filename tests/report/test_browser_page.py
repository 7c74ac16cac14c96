"""The page in a browser: its content, hostile texts, and screens of any size."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from slomon.core.attribution import Attribution, Candidate, Verdict
from slomon.core.events import Accounting
from slomon.core.summary import Summary
from slomon.report import selection
from slomon.report.outages import describe_cost, rank_outages
from slomon.report.page import render_page
from tests.report.conftest import Open
from tests.report.summaries import HOSTILE, Maker, hostile, quiet

OVERFLOWING = """[...document.querySelectorAll('.wide')]
    .filter((one) => one.scrollWidth > one.clientWidth)
    .map((one) => one.ariaLabel || one.textContent.slice(0, 30))"""


def blame(candidate: Candidate) -> Attribution:
    return Attribution(Verdict.CLEAR, (candidate,))


def measure(page: Page, expression: str) -> Any:
    return page.evaluate(expression)


def test_the_metrics_and_the_accounting_stand_on_top(open_page: Open) -> None:
    summary = Maker().make()
    page = open_page(summary)

    expect(page.locator("#metrics > div").first).to_contain_text(
        f"incidents{len(summary.incidents)}"
    )
    expect(page.locator("#accounting")).to_contain_text("unmatched120")
    expect(page.locator("#extent")).to_contain_text(
        "2018-11-28 22:11:31 to 2018-11-29 22:11:31 UTC"
    )
    expect(page.locator("#extent time").first).to_have_attribute("title", re.compile("here$"))


def test_a_run_without_requests_says_so(open_page: Open) -> None:
    page = open_page(quiet())

    expect(page.locator("#extent")).to_have_text("No request was counted. 0 services, 0 endpoints.")
    expect(page.locator("#timeline")).to_be_hidden()
    expect(page.locator("#metrics")).not_to_contain_text("within")
    expect(page.locator("#chart-section")).to_be_hidden()
    page.locator("#lanes").focus()
    for key in ("ArrowRight", "ArrowDown", "Enter", "End"):
        page.keyboard.press(key)


def test_hostile_text_is_shown_and_never_run(open_page: Open) -> None:
    page = open_page(hostile())
    for toggle in page.locator("#incidents .toggle").all()[:12]:
        toggle.click()
    page.locator("#incidents tbody a[href^='#incident']").first.click()
    page.locator("#lanes").hover(position={"x": 300, "y": 60})

    assert measure(page, "window.ran") is None
    assert measure(page, "document.querySelectorAll('script').length") == 3
    assert (
        measure(page, "document.querySelectorAll('img, iframe, object, [onmouseover]').length") == 0
    )
    expect(page.get_by_text(HOSTILE[0]).first).to_be_attached()
    expect(page.get_by_text("\\u202egnp.txt\\u2066").first).to_be_attached()


def test_a_text_of_ten_thousand_characters_is_clipped_and_can_be_read(open_page: Open) -> None:
    page = open_page(hostile())
    long = "x" * 10_000
    assert (
        measure(page, "Math.max(...[...document.querySelectorAll('tr')].map(r => r.offsetHeight))")
        < 120
    )

    page.get_by_role("searchbox").first.fill("xxxxxx")
    for toggle in page.locator("#incidents .toggle").all():
        toggle.click()
    whole = page.locator(".whole").filter(has_text=long).first
    expect(whole).to_be_visible()
    assert whole.evaluate("box => box.clientHeight < box.scrollHeight && box.clientHeight < 200")


@pytest.mark.parametrize("make", [Maker().make, hostile], ids=["plain", "hostile"])
def test_the_page_never_scrolls_sideways(open_page: Open, make: Callable[[], Summary]) -> None:
    page = open_page(make(), width=320)
    page.locator("#incidents .toggle").first.click()
    page.locator("#incidents tbody a[href^='#incident']").nth(1).click()

    for width in (320, 400, 1200, 400, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert measure(page, "document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("opened", [320, 1200])
def test_the_table_of_incidents_fits_any_screen(open_page: Open, opened: int) -> None:
    page = open_page(Maker().make(), width=opened)
    for toggle in page.locator("#incidents .toggle").all()[:6]:
        toggle.click()

    for width in (opened, 320, 360, 680, 1030, 1100, 1200):
        page.set_viewport_size({"width": width, "height": 900})
        inside = measure(page, OVERFLOWING.replace("'.wide'", "'#incidents .wide'"))
        assert inside == [], width
    assert measure(page, "document.querySelectorAll('#incidents .incident .cards').length") > 6


def test_the_page_is_light_or_dark_as_the_browser_prefers(open_page: Open) -> None:
    page = open_page(quiet(), dark=True)
    dark = measure(page, "getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="light")

    assert measure(page, "getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert dark != "rgb(255, 255, 255)"


def test_paper_is_white_and_its_drawings_fit(open_page: Open, tmp_path: Path) -> None:
    page = open_page(Maker(services=40, endpoints=40).make(), dark=True)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")

    assert measure(page, "getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert measure(page, "document.getElementById('drawing').offsetWidth") <= 690
    assert (
        measure(
            page, "Math.max(...[...document.querySelectorAll('.uplot')].map(p => p.offsetWidth))"
        )
        <= 690
    )
    page.set_viewport_size({"width": 690, "height": 900})
    assert measure(page, OVERFLOWING) == []
    page.set_viewport_size({"width": 1200, "height": 900})
    expect(page.locator("#unprinted")).to_have_text("19 of 40 services.")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.get_by_text("hover over a time for local time")).to_be_hidden()

    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert measure(page, "document.getElementById('drawing').offsetWidth") > 1000
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert (tmp_path / "page.pdf").read_bytes().count(b"/Type /Page\n") < 12


def test_the_first_tab_leads_past_everything_to_the_incidents(open_page: Open) -> None:
    page = open_page(Maker().make())
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the incidents")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#incidents-heading")).to_be_focused()


def test_every_control_has_a_name_and_every_id_is_one(open_page: Open) -> None:
    page = open_page(Maker().make())
    names = """[...document.querySelectorAll('button, input, select, [tabindex="0"]')].filter(one =>
        !(one.ariaLabel || one.textContent.trim() || one.getAttribute('aria-labelledby')
            || one.labels?.length))"""

    assert measure(page, f"{names}.length") == 0
    assert measure(page, "document.querySelectorAll('[id]').length") == measure(
        page, "new Set([...document.querySelectorAll('[id]')].map(one => one.id)).size"
    )
    for level in ("h1", "main", "header", "footer"):
        assert page.locator(level).first.is_visible()


def test_an_attribution_shows_its_verdict_candidates_and_evidence(open_page: Open) -> None:
    summary = Maker().make()
    one = next(
        one
        for one in summary.incidents
        if len(one.broken_by.candidates) > 1 and one.broken_by.evidence
    )
    number = summary.incidents.index(one)
    summary = replace(
        summary,
        incidents=[
            replace(one, co_occurring=("users",), broken_by=replace(one.broken_by, omitted=2))
            if place == number
            else other
            for place, other in enumerate(summary.incidents)
        ],
    )
    page = open_page(summary, place=f"#incident-{one.id}")
    shown = page.locator("#chosen .attribution").first
    evidence = one.broken_by.evidence

    assert evidence
    expect(shown.locator(".badge")).to_have_text("ambiguous")
    expect(shown.locator("tbody tr")).to_have_count(len(one.broken_by.candidates) + 1)
    expect(shown.locator("tbody tr").last).to_contain_text("no known change0.60")
    expect(shown.locator("tr.suspect")).to_contain_text("0.40")
    expect(page.locator("#chosen .rates line.suspect")).to_have_count(1)
    expect(page.locator("#chosen .rates line.onset")).to_have_count(1)
    assert page.locator("#chosen .rates rect").count() > 1
    expect(shown.locator("tbody tr").first).to_contain_text(one.broken_by.commit[:40])
    expect(shown).to_contain_text("and 2 earlier candidates")
    expect(shown.locator(".evidence")).to_contain_text(
        f"{evidence.before.failures} of {evidence.before.requests} failed"
    )
    expect(shown.locator(".evidence")).to_contain_text("with 95 % confidence")
    expect(page.locator("#chosen .co-occurring")).to_contain_text("users")


def test_a_commit_links_to_its_address(open_page: Open) -> None:
    page = open_page(hostile())
    hrefs = page.locator("a.commit").evaluate_all("links => links.map(link => link.href)")

    assert hrefs
    assert all(href.startswith("https://git.example.com/commit/") for href in hrefs)
    assert any("%3Cscript%3E" in href for href in hrefs)


def test_an_slo_is_shown_exactly_and_a_duration_in_its_units(open_page: Open) -> None:
    made = Maker(endpoints=1, services=1, incidents=1).make()
    near = replace(made, endpoints=[replace(made.endpoints[0], slo=0.99999)])
    page = open_page(near)

    expect(page.locator("#chart-note")).to_contain_text("SLO 99.999 % over 5m")


@pytest.mark.parametrize(
    ("left", "allowed", "shown", "remark"),
    [
        (-826.59, 0.0145, "\u221282,659 %", "0.015 allowed"),
        (0.003, 1234.56, "0.3 %", "1,234.6 allowed"),
        (-0.0031, 12.0, "\u22120.31 %", "12 allowed"),
        (0.0, 0.0, "0 %", "0 allowed"),
    ],
)
def test_a_budget_has_as_many_digits_as_it_needs(
    open_page: Open, left: float, allowed: float, shown: str, remark: str
) -> None:
    made = Maker(services=1, endpoints=1, incidents=1).make()
    budget = replace(made.overall.budget, left=left, allowed=allowed)
    page = open_page(replace(made, overall=replace(made.overall, budget=budget)))

    tile = page.locator("#metrics dd").filter(has_text="allowed")
    expect(tile).to_contain_text(remark)
    assert tile.inner_text().splitlines()[0] == shown


@pytest.mark.parametrize(
    ("slo", "lowest", "shown_slo", "shown"),
    [
        (0.9, 0.8996, "90 %", "89.9 %"),
        (0.8505, 0.8504, "85.05 %", "85 %"),
        (0.99999, 0.999989, "99.999 %", "99.9989 %"),
        (0.9, 0.57, "90 %", "57 %"),
    ],
)
def test_an_sli_below_its_slo_never_reads_as_the_slo(
    open_page: Open, slo: float, lowest: float, shown_slo: str, shown: str
) -> None:
    made = Maker(services=1, endpoints=1, incidents=1).make()
    endpoints = [replace(made.endpoints[0], slo=slo)]
    incidents = [replace(made.incidents[0], slo=slo, min_sli=lowest)]
    page = open_page(replace(made, endpoints=endpoints, incidents=incidents))

    expect(page.locator("#incidents td").get_by_text(shown, exact=True)).to_have_count(1)
    expect(page.locator("#endpoints td").get_by_text(shown_slo, exact=True)).to_have_count(1)
    expect(page.locator("#chart-note")).to_contain_text(f"SLO {shown_slo} over 5m")


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page has a hundred endpoints and incidents at most."""
    monkeypatch.setattr(selection, "INCIDENTS", 100)
    monkeypatch.setattr(selection, "ENDPOINTS", 100)


@pytest.mark.usefixtures("small_pages")
def test_what_is_omitted_of_a_long_run_is_stated_on_top_and_below_the_tables(
    open_page: Open,
) -> None:
    page = open_page(Maker(services=1050, endpoints=1120, incidents=150, buckets=1).make())

    expect(page.locator("#omitted")).to_contain_text("Omitted to keep this page small: 50 incid")
    expect(page.locator("#omitted")).to_contain_text("1,020 endpoints (those with the fewest inc")
    expect(page.locator("#incidents [role=status]")).to_have_text(
        "1 to 25 of 100 incidents; 50 more are not in this page"
    )
    expect(page.locator("#extent")).to_contain_text("1,050 services, 1,120 endpoints")


@pytest.mark.usefixtures("small_pages")
def test_an_omitted_service_is_counted_once_even_if_it_is_named(open_page: Open) -> None:
    made = Maker(services=1010, endpoints=1010, incidents=2, buckets=1).make()
    named = [one.service for one in made.endpoints]
    incidents = [replace(one, co_occurring=tuple(named)) for one in made.incidents]
    page = open_page(replace(made, incidents=incidents))

    expect(page.locator("#extent")).to_contain_text("1,010 services, 1,010 endpoints")


def test_a_short_run_is_shown_whole(open_page: Open) -> None:
    page = open_page(Maker().make())
    expect(page.locator("#omitted")).to_be_hidden()
    expect(page.locator("#problems")).to_be_hidden()


def test_without_sli_series_there_is_no_chart_and_no_link_to_it(open_page: Open) -> None:
    summary = replace(Maker().make(), sli_series=[], series_step=0.0)
    page = open_page(summary, place=f"#incident-{summary.incidents[0].id}")

    expect(page.locator("#chosen")).to_be_visible()
    expect(page.locator("#chart-section")).to_be_hidden()
    expect(page.locator("#endpoints tbody button")).to_have_count(0)


def test_an_endpoint_without_an_sli_series_says_so(open_page: Open) -> None:
    summary = Maker().make()
    some = replace(summary, sli_series=[one for one in summary.sli_series if one.endpoint == 0])
    page = open_page(some)
    page.locator("#endpoint-search").fill("users put")
    page.locator("#endpoints tbody button").first.click()

    expect(page.locator("#chart-note")).to_contain_text("Its SLI over time is not in this page.")
    expect(page.locator("#chart canvas")).to_have_count(0)


def test_the_accounting_has_units(open_page: Open) -> None:
    page = open_page(Maker().make())
    expect(page.locator("#accounting")).to_contain_text("largest lateness2.5 s")


def test_dropped_events_are_counted_by_reason(open_page: Open) -> None:
    @dataclass
    class Dropping(Accounting):
        dropped: dict[str, int] = field(default_factory=lambda: {"full": 7, "closed": 0})

    page = open_page(replace(Maker().make(), accounting=Dropping()))
    expect(page.locator("#accounting")).to_contain_text("dropped: full7dropped: closed0")


def test_a_commit_that_is_cut_has_no_link(open_page: Open) -> None:
    made = Maker(services=1, endpoints=1, incidents=1).make()
    (one,) = made.incidents
    long = one.broken_by.candidates[-1]._replace(commit="c" * 100_000)
    page = open_page(replace(made, incidents=[replace(one, broken_by=blame(long))]))

    row = page.locator("#incidents tbody tr").first
    expect(row.locator("td:nth-child(8)")).to_contain_text("ccc")
    expect(row.locator("td:nth-child(8) a")).to_have_count(0)
    expect(page.locator("#omitted")).to_contain_text("the text beyond 16,384 characters")


def test_an_old_browser_gets_a_message(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(render_page(quiet()), encoding="utf-8")
    page = browser.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(path.as_uri())

    expect(page.locator("#extent")).to_contain_text("This browser is too old for this page")
    page.close()


def test_without_scripts_the_page_still_says_what_the_outages_cost(
    browser: Browser, tmp_path: Path
) -> None:
    summary = Maker().make()
    path = tmp_path / "page.html"
    path.write_text(render_page(summary), encoding="utf-8")
    page = browser.new_page(java_script_enabled=False)
    page.goto(path.as_uri())

    (costliest, *_) = rank_outages(summary)
    expect(page.locator("#cost")).to_have_text(f"{describe_cost(costliest)}.")
    expect(page.locator("#outages tbody tr")).to_have_count(10)
    page.close()

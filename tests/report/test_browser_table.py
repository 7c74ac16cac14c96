"""Tables sort, filter and turn pages, with a mouse and without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.report.conftest import Open
from tests.report.summaries import Maker, large

ROWS = "#incidents tbody tr[data-row]"


def column(page: Page, number: int) -> list[str]:
    return page.locator(f"{ROWS} td:nth-child({number})").all_inner_texts()


def test_a_heading_sorts_and_says_so(open_page: Open) -> None:
    summary = Maker(incidents=20).make()
    page = open_page(summary)
    heading = page.locator("#incidents th", has_text="lowest SLI")

    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    first = float(column(page, 6)[0].removesuffix(" %"))
    assert first == pytest.approx(100 * max(one.min_sli for one in summary.incidents), abs=0.1)

    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    assert float(column(page, 6)[0].removesuffix(" %")) < first
    expect(page.locator("#incidents th[aria-sort]")).to_have_count(1)


def test_texts_sort_as_people_read_them(open_page: Open) -> None:
    page = open_page(Maker(incidents=20).make())
    page.locator("#incidents").get_by_role("button", name="service").click()
    services = column(page, 3)

    assert services == sorted(services)


def test_open_incidents_last_longest(open_page: Open) -> None:
    page = open_page(Maker(incidents=200).make())
    page.locator("#incidents").get_by_role("button", name="lasted").click()

    expect(page.locator(f"{ROWS} td:nth-child(5)").first).to_have_text("open")


def test_the_search_takes_words_of_any_field(open_page: Open) -> None:
    summary = Maker().make()
    page = open_page(summary)
    one = next(one for one in summary.incidents if one.broken_by.candidates)
    commit = one.broken_by.commit[:12]

    page.locator("#search").fill(f"{commit} {one.verb.lower()}")
    expect(page.locator(ROWS).first).to_contain_text(commit[:8])
    expect(page.locator("#incidents [role=status]")).to_contain_text("(of 60)")

    page.locator("#search").fill("nothing has this")
    expect(page.locator("#incidents [role=status]")).to_have_text("0 incidents (of 60)")
    page.locator("#search").fill("")
    expect(page.locator("#incidents [role=status]")).to_have_text("1 to 25 of 60 incidents")


def test_states_and_verdicts_are_chosen_from(open_page: Open) -> None:
    summary = Maker(incidents=200).make()
    page = open_page(summary)
    page.locator("#state").select_option("open")
    page.locator("#verdict").select_option("ambiguous")
    count = sum(
        (one.state, one.broken_by.verdict) == ("open", "ambiguous") for one in summary.incidents
    )

    expect(page.locator("#incidents [role=status]")).to_contain_text("(of 200)")
    expect(page.locator(ROWS)).to_have_count(count)


def test_endpoints_have_a_search_of_their_own(open_page: Open) -> None:
    page = open_page(Maker().make())
    page.locator("#endpoint-search").fill("users get")

    expect(page.locator("#endpoints tbody tr")).to_have_count(1)
    page.locator("#endpoints tbody button").click()
    expect(page.locator("#chart-endpoint")).to_have_text("GET /api/v1/users")


def test_pages_are_turned(open_page: Open) -> None:
    page = open_page(Maker().make())
    back, forth = (
        page.locator("#incidents").get_by_role("button", name=name) for name in ("Previous", "Next")
    )

    expect(back).to_be_disabled()
    forth.click()
    forth.click()
    expect(page.locator("#incidents [role=status]")).to_have_text("51 to 60 of 60 incidents")
    expect(forth).to_be_disabled()
    back.click()
    expect(page.locator(ROWS)).to_have_count(25)


def test_details_open_and_close_by_keyboard(open_page: Open) -> None:
    page = open_page(Maker().make())
    toggle = page.locator("#incidents .toggle").first
    toggle.focus()
    page.keyboard.press("Enter")

    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(toggle).to_be_focused()
    expect(page.locator("#incidents tr.details")).to_contain_text("last failure")
    page.keyboard.press("Space")
    expect(page.locator("#incidents tr.details")).to_have_count(0)


def test_a_table_of_ten_thousand_incidents_has_few_elements(open_page: Open) -> None:
    page = open_page(large())
    for words in ("user", ""):
        page.locator("#search").fill(words)
        assert page.evaluate("document.querySelectorAll('*').length") < 5000

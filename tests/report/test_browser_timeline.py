"""The timeline: zoom, keyboard, pointer, links to and from it; and the charts, which follow it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from slomon.core.events import EVERY_SERVICE
from slomon.core.incident_records import IncidentRecord
from slomon.core.metrics import Deploy
from slomon.core.sli_series import SliSeries
from slomon.core.summary import Summary
from tests.report.conftest import Open
from tests.report.summaries import BEGAN, Maker


def time_range(page: Page) -> tuple[float, float]:
    """The time range of the view, in seconds since the epoch."""
    first, last = page.locator("#shown").inner_text().split(" to ")
    return seconds(first), seconds(last)


def seconds(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()


def painted(page: Page) -> str:
    """The drawing after the next frame."""
    drawing: str = page.evaluate("""() => new Promise((resolve) => requestAnimationFrame(() =>
        requestAnimationFrame(() => resolve(document.getElementById("drawing").toDataURL()))))""")
    return drawing


def one_incident() -> tuple[Summary, IncidentRecord]:
    summary = Maker(services=1, endpoints=1, incidents=1).make()
    return summary, summary.incidents[0]


def at(page: Page, moment: float) -> float:
    """Where a moment is in the drawing, in pixels from its left."""
    first, last = time_range(page)
    width: float = page.locator("#drawing").evaluate("canvas => canvas.offsetWidth")
    return (moment - first) / (last - first) * width


def test_buttons_zoom_and_move(open_page: Open) -> None:
    page = open_page(Maker().make())
    first, last = time_range(page)
    run = painted(page)
    page.get_by_role("button", name="zoom in").click()
    zoomed = time_range(page)

    assert zoomed[1] - zoomed[0] == pytest.approx((last - first) / 2, abs=2)
    assert painted(page) != run
    page.get_by_role("button", name="later").click()
    assert time_range(page)[0] > zoomed[0]
    page.get_by_role("button", name="Whole run").click()
    assert time_range(page) == (first, last)
    assert painted(page) == run
    expect(page.get_by_role("button", name="Whole run")).to_be_disabled()


def test_a_drag_zooms_in_and_a_double_click_zooms_out(open_page: Open) -> None:
    page = open_page(Maker().make())
    run = time_range(page)
    box = page.locator("#drawing").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 200, steps=4)
    expect(page.locator("#band")).to_be_visible()
    page.mouse.up()
    expect(page.locator("#band")).to_be_hidden()

    first, last = time_range(page)
    assert last - first == pytest.approx((run[1] - run[0]) / 4, abs=120)
    page.locator("#lanes").dblclick(position={"x": 5, "y": 40})
    assert time_range(page) == run


def test_the_wheel_zooms_only_with_control(open_page: Open) -> None:
    page = open_page(Maker().make())
    run = time_range(page)
    shown = page.locator("#shown").inner_text()
    page.locator("#lanes").hover()
    page.mouse.wheel(0, -100)
    assert time_range(page) == run
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    expect(page.locator("#shown")).not_to_have_text(shown)
    page.keyboard.up("Control")

    assert time_range(page)[1] - time_range(page)[0] < run[1] - run[0]


def test_hovering_shows_a_hint_and_a_click_opens_the_incident(open_page: Open) -> None:
    summary, one = one_incident()
    page = open_page(summary)
    x = at(page, one.start + (one.duration or 0) / 2)
    lanes = page.locator("#lanes")
    lanes.hover(position={"x": x, "y": 22 + 21 + 8})

    expect(page.locator("#hint")).to_contain_text(f"{one.state} incident {one.verb} {one.resource}")
    lanes.click(position={"x": x, "y": 22 + 21 + 8})
    expect(page.locator("#chosen")).to_be_visible()
    assert page.evaluate("location.hash") == f"#incident-{one.id}"
    lanes.hover(position={"x": 3, "y": 22 + 21 + 8})
    expect(page.locator("#hint")).to_be_hidden()


def test_hovering_over_a_change_shows_a_hint(open_page: Open) -> None:
    summary, _one = one_incident()
    page = open_page(summary)
    deploy = summary.deploys[-1]
    page.locator("#lanes").hover(position={"x": at(page, deploy.at), "y": 22 + 21 + 8})

    expect(page.locator("#hint")).to_contain_text(deploy.author)


def test_a_change_of_every_service_stands_in_every_lane(open_page: Open) -> None:
    made = Maker(services=3, endpoints=3, incidents=3).make()
    common = Deploy(EVERY_SERVICE, "everywhere", "ana", "", BEGAN + 43_200)
    without = open_page(replace(made, deploys=[]))
    page = open_page(replace(made, deploys=[common]))
    hint = page.locator("#hint")

    assert painted(page) != painted(without)
    expect(page.locator("#changes")).to_have_text("1 change of every service: a tick on each lane.")
    for lane in range(3):
        page.locator("#lanes").hover(position={"x": 5, "y": 22 + 46 * lane + 40})
        page.locator("#lanes").hover(position={"x": at(page, common.at), "y": 22 + 46 * lane + 29})
        expect(hint).to_contain_text("change everywhere")
        expect(hint).to_contain_text("of every service by ana")
    page.locator("#lanes").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#current")).to_contain_text("UTC")


def test_changes_that_come_out_of_order_are_drawn_and_walked_by_time(open_page: Open) -> None:
    summary, one = one_incident()
    changes = [Deploy(one.service, f"c{n}", "ana", "", BEGAN + n * 3600) for n in (9, 1, 5)]
    page = open_page(replace(summary, deploys=changes, incidents=[]))
    page.locator("#lanes").focus()
    walked = []
    for _ in changes:
        page.keyboard.press("ArrowRight")
        walked.append(
            page.locator("#current strong").evaluate("one => one.nextSibling.textContent")
        )

    assert walked == ["c1", "c5", "c9"]
    for change in changes:
        page.locator("#lanes").hover(position={"x": at(page, change.at), "y": 22 + 29})
        expect(page.locator("#hint")).to_contain_text(f"change {change.commit}")


def test_arrows_walk_through_a_lane_and_from_lane_to_lane(open_page: Open) -> None:
    summary = Maker().make()
    page = open_page(summary)
    page.locator("#lanes").focus()
    current = page.locator("#current")

    page.keyboard.press("ArrowRight")
    expect(current).to_contain_text("UTC")
    first = current.inner_text()
    page.keyboard.press("ArrowRight")
    expect(current).not_to_have_text(first)
    page.keyboard.press("Home")
    assert current.inner_text() == first
    page.keyboard.press("ArrowDown")
    second = current.inner_text()
    assert second != first
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    assert current.inner_text() not in {first, second}


def test_keys_zoom_and_enter_chooses(open_page: Open) -> None:
    summary, one = one_incident()
    page = open_page(summary)
    run = time_range(page)
    page.locator("#lanes").focus()
    page.keyboard.press("+")
    assert time_range(page) != run
    page.keyboard.press("0")
    assert time_range(page) == run
    for _ in range(len(summary.deploys) + 1):
        page.keyboard.press("ArrowRight")
        if "incident" in page.locator("#current").inner_text():
            break
    page.keyboard.press("Enter")

    expect(page.locator("#chosen")).to_contain_text(one.resource)


def test_a_row_leads_to_its_place_on_the_timeline_and_back(open_page: Open) -> None:
    summary = Maker().make()
    page = open_page(summary)
    page.locator("#incidents").get_by_role("button", name="Next").click()
    one = summary.incidents[30]
    page.locator("#incidents tr[data-row='30'] a").first.click()

    first, last = time_range(page)
    assert first < one.start < last
    expect(page.locator("#lanes")).to_be_focused()
    expect(page.locator("#drawing")).to_be_in_viewport()
    expect(page.locator("#chart-endpoint")).to_have_text(f"{one.verb} {one.resource}")

    page.locator("#search").fill("hides all of them")
    page.locator("#to-table").click()
    toggle = page.locator("#incidents tr[data-row='30'] .toggle")
    expect(toggle).to_be_focused()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#search")).to_have_value("")


def test_an_address_with_an_incident_opens_there(open_page: Open) -> None:
    summary = Maker(services=60, endpoints=60).make()
    one = summary.incidents[-1]
    page = open_page(summary, place=f"#incident-{one.id}")

    expect(page.locator("#chosen")).to_contain_text(one.resource)
    first, last = time_range(page)
    assert first < one.start < last
    expect(page.locator(".lane-name").filter(has_text=one.service).first).to_be_in_viewport()


def test_an_address_of_nothing_is_the_whole_run(open_page: Open) -> None:
    page = open_page(Maker().make(), place="#incident-%E0%A4")
    expect(page.locator("#chosen")).to_be_hidden()
    assert time_range(page)[0] < BEGAN


def test_only_lanes_that_can_be_seen_have_names_in_the_page(open_page: Open) -> None:
    summary = Maker(services=400, endpoints=400).make()
    page = open_page(summary)
    assert page.locator(".lane-name").count() < 40
    page.locator("#lanes").evaluate("box => { box.scrollTop = box.scrollHeight; }")

    last = page.locator(".lane-name").last
    expect(last).to_contain_text(summary.services[-1].service or "")
    assert page.locator("#drawing").evaluate("canvas => canvas.height") < 4000


def test_the_chart_shows_the_bucket_under_the_pointer_and_zooms_by_dragging(
    open_page: Open,
) -> None:
    page = open_page(Maker().make())
    run = time_range(page)
    over = page.locator("#chart .u-over").first
    over.scroll_into_view_if_needed()
    over.hover(position={"x": 300, "y": 50})
    expect(page.locator("#readout")).to_contain_text("lowest SLI")
    expect(page.locator("#readout")).to_contain_text("requests")

    box = over.bounding_box()
    assert box
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 60, steps=4)
    page.mouse.up()
    assert time_range(page)[1] - time_range(page)[0] < (run[1] - run[0]) / 2
    over.dblclick(position={"x": 10, "y": 10})
    assert time_range(page) == run


LINE = """() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
    const box = document.querySelector("#chart .u-over").getBoundingClientRect();
    const canvas = document.querySelector("#chart canvas");
    const { width, height, data } = {
        width: canvas.width,
        height: canvas.height,
        data: canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data,
    };
    const left = box.left - canvas.getBoundingClientRect().left;
    const drawn = [];
    for (let x = 0; x < width; x += 1)
        for (let y = 0; y < height; y += 1) {
            const place = 4 * (y * width + x);
            const [red, , blue, alpha] = data.slice(place, place + 4);
            if (alpha > 100 && blue > 150 && red < 60) { drawn.push(x - left); break; }
        }
    resolve([drawn, box.width]);
})))"""


def test_each_bucket_of_the_sli_is_drawn_from_its_start_to_its_end(open_page: Open) -> None:
    made, _ = one_incident()
    step = made.series_step
    places = [0, 10, 11, 14, 255]
    sli_series = SliSeries(
        0, [BEGAN + place * step for place in places], [9] * 5, [1] * 5, [0.5] * 5
    )
    page = open_page(replace(made, sli_series=[sli_series]))
    drawn: list[float]
    width: float
    drawn, width = page.evaluate(LINE)
    first, last = time_range(page)

    def x(place: float) -> float:
        return (BEGAN + place * step - first) / (last - first) * width

    runs = [(0, 1), (10, 12), (14, 15), (255, 256)]
    for start, end in runs:
        inside = [pixel for pixel in drawn if x(start) - 3 < pixel < x(end) + 3]
        assert len(inside) == pytest.approx(x(end) - x(start), abs=2)
    assert len(drawn) == pytest.approx(x(5) - x(0), abs=2 * len(runs))

    over = page.locator("#chart .u-over").first
    over.scroll_into_view_if_needed()
    over.hover(position={"x": x(14.8), "y": 50})
    expect(page.locator("#readout")).to_contain_text("9 requests, 1 failed")
    over.hover(position={"x": x(15.4), "y": 50})
    expect(page.locator("#readout")).to_have_text("")

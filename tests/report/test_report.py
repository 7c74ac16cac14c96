"""The report of a monitor: its page, its frame, and itself in a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

import slomon
from slomon.core.events import Accounting
from tests.histories import broken, deploys, early, write

URL = "https://git.example.com/{commit}"


@pytest.fixture
def monitor(tmp_path: Path) -> slomon.ReplayMonitor:
    return slomon.replay(broken(tmp_path), changes=deploys(tmp_path))


def test_a_report_is_a_page_a_frame_and_a_file(
    monitor: slomon.ReplayMonitor, tmp_path: Path
) -> None:
    report = slomon.Report(monitor, title="A run", commit_url=URL)
    report.save(tmp_path / "out.html")

    assert (tmp_path / "out.html").read_bytes() == report.to_html().encode()
    assert "<title>A run</title>" in report.to_html()
    assert report.to_frame("polars")["break"].to_list() == ["c1"]
    assert report.summary == monitor.summary()


def test_what_is_stale_is_said_in_seconds_or_as_text(tmp_path: Path) -> None:
    monitor = slomon.replay(broken(tmp_path), changes=early(tmp_path))
    for stale_after in ("59s", 59, 59.5):
        (record,) = slomon.Report(monitor, stale_after=stale_after).summary.incidents
        assert record.broken_by.unexplained == 1
    (record,) = slomon.Report(monitor, stale_after=60.5).summary.incidents
    assert record.broken_by.unexplained < 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"title": 5}, "option 'title' is 5; allowed: text that is not empty"),
        ({"commit_url": "x"}, "option 'commit_url' is 'x'; allowed: an http or https address"),
        ({"stale_after": None}, "option 'stale_after' is None; allowed: text such as '5m'"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(slomon.ConfigurationError) as caught:
        slomon.Report(slomon.ServiceMonitor((), Accounting()), **options)
    assert str(caught.value).startswith(message)


def test_a_report_is_of_a_monitor() -> None:
    with pytest.raises(slomon.ConfigurationError, match="the monitor of a report is 5; allowed: "):
        slomon.Report(5)  # type: ignore[arg-type]


def test_a_page_that_can_not_be_written_is_named(
    monitor: slomon.ReplayMonitor, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone/out\.html"):
        slomon.Report(monitor).save(tmp_path / "gone" / "out.html")


def test_a_notebook_shows_the_page_in_a_frame_that_reaches_nothing_around_it(
    monitor: slomon.ReplayMonitor, browser: Browser, tmp_path: Path
) -> None:
    report = slomon.Report(monitor, title='"><script>window.ran = 1</script>', commit_url=URL)
    notebook = tmp_path / "notebook.html"
    notebook.write_text(
        f"<!DOCTYPE html><meta charset='utf-8'><h1>Cell</h1>{report._repr_html_()}",
        encoding="utf-8",
    )
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(notebook.as_uri())
    frame = page.frame_locator("iframe")

    expect(frame.locator("#metrics > div").first).to_contain_text("incidents1")
    frame.locator("#incidents tbody a[href^='#incident']").click()
    expect(frame.locator("#chosen")).to_be_visible()
    expect(frame.locator("#chosen")).to_contain_text("c1")
    expect(frame.locator("#lanes")).to_be_focused()
    frame.locator("#search").fill("nothing has this")
    frame.locator("#to-table").click()
    expect(frame.locator("#incidents .toggle")).to_be_focused()
    frame.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(frame.locator("#incidents-heading")).to_be_focused()
    expect(frame.locator("a.commit").first).to_have_attribute("target", "_blank")
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None
    assert complaints == []
    page.close()


def test_a_notebook_shows_a_monitor_as_a_table_whatever_its_names(tmp_path: Path) -> None:
    log = write(
        tmp_path, "a.log", "".join(f"{n} GET /<b>\u202e{n}{'x' * n} 500\n" for n in range(99))
    )
    shown = slomon.replay(log, group_paths="off")._repr_html_()

    assert "<p>MTTR 0.0 s, incidents 99, events 99</p>" in shown
    assert "<td>GET /&lt;b&gt;\\u202e9xxxxxxxxx</td><td>1</td>" in shown
    assert shown.endswith("<p>and 49 more</p>")
    assert not set("\u202e") & set(shown)
    assert shown.count("<tr>") == 51
    assert slomon.ServiceMonitor((), Accounting())._repr_html_().count("<tr>") == 1

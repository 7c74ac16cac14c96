"""A real browser, in which pages must open without errors and without network requests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from slomon.core.summary import Summary
from slomon.report.page import render_page
from tests.servers import GUARD_SECONDS

Open = Callable[..., Page]
COMMIT_URL = "https://git.example.com/commit/{commit}"


def find_chromium() -> str:
    """The path of Chromium. If it is missing, tests are skipped; in CI, they fail."""
    found = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if found:
        return found
    reason = "no Chromium: scripts/browser installs it on Debian, CHROMIUM names another one"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="package")  # no wider: its event loop occupies the thread
def browser() -> Iterator[Browser]:
    path = find_chromium()
    expect.set_options(timeout=1000 * GUARD_SECONDS)
    with sync_playwright() as playwright:
        # Root, as in a container, has no sandbox. It opens only what the tests wrote.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def offline(browser: Browser) -> Iterator[BrowserContext]:
    """A profile without a network. A new one for each page would start processes of its own."""
    context = browser.new_context(offline=True)
    context.set_default_timeout(1000 * GUARD_SECONDS)
    context.new_page()  # it stays: a process that shows nothing ends
    yield context
    context.close()


@pytest.fixture
def open_page(offline: BrowserContext, tmp_path: Path) -> Iterator[Open]:
    """
    Opens the page of a summary as a file, offline, `width` pixels wide. At the end of the test it
    checks that no page logged to the console and that each requested only itself.
    """
    complaints: list[str] = []
    requests: list[str] = []
    pages: list[Page] = []
    paths: list[str] = []

    def open_page(
        summary: Summary, *, width: int = 1200, dark: bool = False, place: str = ""
    ) -> Page:
        path = tmp_path / f"{len(pages)}.html"
        path.write_text(
            render_page(summary, title="A run", commit_url=COMMIT_URL), encoding="utf-8"
        )
        paths.append(path.as_uri())
        page = offline.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{path.as_uri()}{place}")
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []
    assert [url.split("#")[0] for url in requests] == paths

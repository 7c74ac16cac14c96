"""
Draws the picture of the report for the README and the docs, from generated data. Needs playwright
and Chromium:

    python scripts/picture.py [FILE]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from slomon.report.page import render_page  # noqa: E402 (found in the checkout)
from tests.report.summaries import Maker  # noqa: E402

PICTURE = ROOT / "docs" / "images" / "report.png"


def main() -> None:
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    summary = Maker(seed=7, services=6, endpoints=18, incidents=40).make()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "report.html"
        file.write_text(render_page(summary, title="Incidents of 28 November"), encoding="utf-8")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1120, "height": 788})
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        picture.parent.mkdir(exist_ok=True)
        page.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()

"""A run as one HTML file that opens offline, by itself: what happened, when, and who can tell."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from string import Template
from typing import Final
from zlib import compress

from slomon.core.summary import Summary
from slomon.reporting.assets import policy, read_frame, read_licence, read_scripts, read_styles
from slomon.reporting.link import check_commit_url
from slomon.reporting.payload import make_payload
from slomon.text import excerpt

TITLE: Final = "Incidents"
MOST: Final = 2_800_000
"""Of what a page shows, in characters. What shows it takes some 120,000 more."""


def render_page(
    summary: Summary,
    *,
    title: str = TITLE,
    commit_url: str | None = None,
    problems: Sequence[str] = (),
) -> str:
    """
    The page of a run, which is UTF-8 when written to a file, and less than 3 MB. It says what of a
    long run it doesn't show.

    `commit_url` is where a commit can be looked at, such as
    `https://git.example.com/commit/{commit}`; `problems` are what kept the run from all there is to
    know. Raises ConfigurationError where it is anything else.
    """
    checked = check_commit_url(commit_url)
    chart, page = read_scripts()
    chart_style, page_style = read_styles()
    return Template(read_frame()).substitute(
        policy=policy(),
        title=_as_text(title),
        chart_style=chart_style,
        page_style=page_style,
        problems="".join(f"<li>{_as_text(excerpt(text, 500))}</li>" for text in problems[:20]),
        data=_fit(summary, checked),
        licence=read_licence(),
        chart=chart,
        page=page,
    )


def _as_text(text: str) -> str:
    # What is no character, such as half of a pair, becomes the one that stands for it.
    return escape(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _fit(summary: Summary, commit_url: str | None) -> str:
    """The data of a page that is small enough, however long the run: with less of it if need be."""
    share = 1.0
    while len(data := _compress(make_payload(summary, commit_url, share))) > MOST:
        share *= 0.7
    return data


def _compress(payload: object) -> str:
    """In base64, of which nothing can end its element or be taken for markup."""
    text = json.dumps(payload, separators=(",", ":"), allow_nan=False)
    return b64encode(compress(text.encode())).decode()

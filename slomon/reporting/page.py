"""A run as one HTML file that opens offline, by itself: what happened, when, and who can tell."""

from __future__ import annotations

import json
from html import escape
from string import Template
from typing import Final

from slomon.core.summary import Summary
from slomon.reporting.assets import policy, read_frame, read_scripts, read_styles
from slomon.reporting.link import check_commit_url
from slomon.reporting.payload import make_payload

TITLE: Final = "Incidents"


def render_page(summary: Summary, *, title: str = TITLE, commit_url: str | None = None) -> str:
    """
    The page of a run: the same text for the same values, and UTF-8 when written to a file.

    `commit_url` is where a commit can be looked at, such as
    `https://git.example.com/commit/{commit}`. Raises ConfigurationError where it is anything else.
    """
    checked = check_commit_url(commit_url)
    chart, page = read_scripts()
    chart_style, page_style = read_styles()
    return Template(read_frame()).substitute(
        policy=policy(),
        title=_as_text(title),
        chart_style=chart_style,
        page_style=page_style,
        data=_as_data(make_payload(summary, checked)),
        chart=chart,
        page=page,
    )


def _as_text(text: str) -> str:
    # What is no character, such as half of a pair, becomes the one that stands for it.
    return escape(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _as_data(payload: object) -> str:
    """JSON that holds no text which could end its element or be taken for markup, in ASCII."""
    return json.dumps(payload, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)


_ESCAPES: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}
"""U+2028 and U+2029 are escaped already, as all that isn't ASCII."""

"""
The files that a page is made of: its frame, our scripts and style, and uPlot, as published.

Where a commit can be looked at: a template, checked before it stands in a page.

A run as one HTML file that opens offline, by itself: what happened, when, and who can tell.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Final
from urllib.parse import urlsplit
from zlib import compress

from slomon.core.summary import Summary
from slomon.options import option_error
from slomon.report.payload import make_payload
from slomon.text import excerpt

PACKAGE: Final = files("slomon.report")
SCRIPTS: Final = (
    *("data.js", "text.js", "elements.js", "view.js", "canvas.js", "overview.js", "incident.js"),
    *("timeline.js", "chart.js", "table.js", "page.js"),
)
"""Ours, in the order in which they need each other; they share one scope."""


@cache
def read_frame() -> str:
    """The page's HTML, with a `$name` for each part that is put in."""
    return _read("browser/page.html")


@cache
def read_licence() -> str:
    """That of uPlot, which every copy of it has to have with it."""
    return _read("uplot/LICENSE")


@cache
def read_scripts() -> tuple[str, str]:
    """uPlot, and all of ours as one."""
    ours = "\n".join(_read(f"browser/{name}") for name in SCRIPTS)
    return _read("uplot/uPlot.iife.min.js"), f'"use strict";\n(async () => {{\n{ours}\n}})();\n'


@cache
def read_styles() -> tuple[str, str]:
    """uPlot's, and ours."""
    return _read("uplot/uPlot.min.css"), _read("browser/page.css")


@cache
def policy() -> str:
    """
    The page's Content-Security-Policy: these scripts and styles run, by what they say, and nothing
    else does; nothing is loaded, from anywhere. An empty icon as `data:` keeps a browser from
    asking a server for one.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, read_scripts()))}",
            f"style-src {' '.join(map(_digest, read_styles()))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (PACKAGE / name).read_text(encoding="utf-8")


PLACE: Final = "{commit}"


def check_commit_url(template: object) -> str | None:
    """
    The template, or None for None. Raises ConfigurationError where it is no http or https address,
    or has no place for the commit behind its host: no commit may choose the host.
    """
    if template is None or (isinstance(template, str) and _leads_to_commits(template)):
        return template
    raise option_error("commit_url", template, _ALLOWED)


def _leads_to_commits(template: str) -> bool:
    try:
        parts = urlsplit(template)
    except ValueError:  # a host in brackets that is no address
        return False
    behind_host = "".join((parts.path, parts.query, parts.fragment))
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and not set("{}\\") & set(parts.netloc)
        and PLACE in behind_host
        and template.isprintable()
        and " " not in template
    )


_ALLOWED: Final = (
    "an http or https address with {commit} behind its host, such as "
    "'https://git.example.com/commit/{commit}'"
)


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

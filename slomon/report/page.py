"""
The HTML report of a run: one file that opens offline and loads nothing.

The page consists of a template (`browser/page.html`), our scripts and styles, uPlot as it was
published, and the data of the run (`slomon.report.payload`), compressed. A Content-Security-Policy
allows exactly these scripts and styles.

Text from outside is never markup: the title and the problems are escaped here, and all other text
is data, from which `browser/elements.js` makes text nodes.
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
from slomon.dates import show_seconds, show_stamp
from slomon.options import option_error
from slomon.report.outages import (
    NO_CHANGE,
    Cost,
    describe_cost,
    name_commit,
    rank_outages,
    show_budget,
    show_probability,
)
from slomon.report.payload import make_payload
from slomon.text import excerpt

TITLE: Final = "Incidents"
MAX_DATA: Final = 2_800_000
"""The limit of a page's data, in characters. The rest of the page takes about 120,000 more."""

PACKAGE: Final = files("slomon.report")
SCRIPTS: Final = (
    *("data.js", "text.js", "elements.js", "view.js", "canvas.js", "overview.js", "incident.js"),
    *("timeline.js", "chart.js", "table.js", "page.js"),
)
"""Our scripts. They share one scope, so a script follows those that it needs."""

_OUTAGES: Final = 10
_NAMES: Final = 3  # of services and endpoints of an outage
_OUTAGE_TEXTS: Final = (
    "caused by",
    "services",
    "endpoints",
    "first onset (UTC)",
    "last recovery (UTC)",
)
_OUTAGE_NUMBERS: Final = ("lasted", "failed", "budget")
_OUTAGE_NOTE: Final = (
    "Incidents with one cause, the costliest first. The budget is the failures that the SLOs allow "
    "among all requests of these services in the run."
)
_PLACEHOLDER: Final = "{commit}"
_ALLOWED: Final = (
    "an http or https address with {commit} behind its host, such as "
    "'https://git.example.com/commit/{commit}'"
)


def render_page(
    summary: Summary,
    *,
    title: str = TITLE,
    commit_url: str | None = None,
    problems: Sequence[str] = (),
) -> str:
    """
    The page of a run, to be written as UTF-8. It is smaller than 3 MB, and states what it omits of
    a long run.

    `commit_url` is the address of a commit, such as `https://git.example.com/commit/{commit}`;
    `problems` are the reasons why the run is incomplete, which follow its warnings. Raises
    ConfigurationError if `commit_url` is anything else.
    """
    commit_url = check_commit_url(commit_url)
    doubts = [*(warning.text for warning in summary.warnings), *problems]
    costs = rank_outages(summary)
    chart, page = read_scripts()
    chart_style, page_style = read_styles()
    return Template(read_template()).substitute(
        policy=policy(),
        title=_as_text(title),
        chart_style=chart_style,
        page_style=page_style,
        problems="".join(f"<li>{_as_text(excerpt(text, 500))}</li>" for text in doubts[:20]),
        cost=_show_costliest(costs),
        outages=_show_outages(costs),
        data=_fit_data(summary, commit_url),
        licence=read_licence(),
        chart=chart,
        page=page,
    )


def check_commit_url(template: object) -> str | None:
    """
    Return the template; None stays None. Raises ConfigurationError if it is not an http or https
    address with `{commit}` behind the host. A commit comes from outside, so it must not choose the
    host.
    """
    if template is None or (isinstance(template, str) and _is_commit_url(template)):
        return template
    raise option_error("commit_url", template, _ALLOWED)


@cache
def read_template() -> str:
    """The HTML of the page, with a `$name` for each part that `render_page` inserts."""
    return _read("browser/page.html")


@cache
def read_licence() -> str:
    """The licence of uPlot, which every copy must contain."""
    return _read("uplot/LICENSE")


@cache
def read_scripts() -> tuple[str, str]:
    """The script of uPlot, and our scripts as one."""
    ours = "\n".join(_read(f"browser/{name}") for name in SCRIPTS)
    return _read("uplot/uPlot.iife.min.js"), f'"use strict";\n(async () => {{\n{ours}\n}})();\n'


@cache
def read_styles() -> tuple[str, str]:
    """The style sheet of uPlot, and ours."""
    return _read("uplot/uPlot.min.css"), _read("browser/page.css")


@cache
def policy() -> str:
    """
    The Content-Security-Policy of the page. It allows the scripts and styles of the page by their
    hashes, and nothing may be loaded. `data:` images are allowed for an empty icon, which keeps
    browsers from requesting one.
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


def _show_costliest(costs: Sequence[Cost]) -> str:
    return f"<strong>{_quote(describe_cost(costs[0]), 400)}.</strong>" if costs else ""


def _show_outages(costs: Sequence[Cost]) -> str:
    """The costliest outages as a table. It is markup, so it is there without scripts, too."""
    if not costs:
        return ""
    heads = "".join(f'<th scope="col">{name}</th>' for name in _OUTAGE_TEXTS)
    heads += "".join(f'<th scope="col" class="number">{name}</th>' for name in _OUTAGE_NUMBERS)
    rows = "".join(map(_show_outage, costs[:_OUTAGES]))
    more = len(costs) - _OUTAGES
    rest = f'<p class="note">and {more:,} more</p>' if more > 0 else ""
    return (
        '<section aria-labelledby="outages-heading" id="outages">'
        f'<h2 id="outages-heading">Outages</h2><p class="note">{_OUTAGE_NOTE}</p>'
        '<div class="wide" tabindex="0" role="region" aria-labelledby="outages-heading">'
        f'<table class="lines"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"{rest}</section>"
    )


def _show_outage(cost: Cost) -> str:
    outage, cause = cost.outage, cost.cause
    name = _quote(name_commit(cost.commit), 40) if cost.commit else NO_CHANGE
    endpoints = [f"{verb} {resource}" for _, verb, resource in outage.endpoints]
    cells = (
        f'{name} {show_probability(cause)} <span class="badge {cause.verdict}">{cause.verdict}'
        "</span>",
        _list(outage.services),
        _list(endpoints),
        show_stamp(outage.start),
        "still open" if outage.end is None else show_stamp(outage.end),
    )
    numbers = "".join(
        f'<td class="number">{number}</td>'
        for number in (show_seconds(cost.seconds), f"{outage.failures:,}", show_budget(outage))
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}{numbers}</tr>"


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    return ", ".join(_quote(name, 60) for name in names[:_NAMES]) + more


def _quote(text: str, limit: int) -> str:
    return f'<bdi class="foreign">{_as_text(excerpt(text, limit))}</bdi>'


def _as_text(text: str) -> str:
    # A lone surrogate, which UTF-8 can't encode, becomes the replacement character.
    return escape(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _fit_data(summary: Summary, commit_url: str | None) -> str:
    """The data of the page: less and less of a long run, until it is within `MAX_DATA`."""
    share = 1.0
    while len(data := _compress(make_payload(summary, commit_url, share))) > MAX_DATA:
        share *= 0.7
    return data


def _compress(payload: object) -> str:
    """Compressed JSON in base64, which contains no character that HTML takes for markup."""
    text = json.dumps(payload, separators=(",", ":"), allow_nan=False)
    return b64encode(compress(text.encode())).decode()


def _is_commit_url(template: str) -> bool:
    try:
        parts = urlsplit(template)
    except ValueError:  # the host is in brackets and no IPv6 address
        return False
    behind_host = "".join((parts.path, parts.query, parts.fragment))
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and not set("{}\\") & set(parts.netloc)
        and _PLACEHOLDER in behind_host
        and template.isprintable()
        and " " not in template
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (PACKAGE / name).read_text(encoding="utf-8")

"""The files that a page is made of: its frame, our scripts and style, and uPlot, as published."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

PACKAGE: Final = files("slomon.reporting")
SCRIPTS: Final = (
    *("data.js", "text.js", "elements.js", "view.js", "canvas.js", "figures.js", "incident.js"),
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

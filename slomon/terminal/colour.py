"""May what is shown have colours?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO


def has_colours(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """
    A terminal has them, unless NO_COLOR is set to anything (https://no-color.org) or TERM is
    "dumb".
    """
    plain = environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    return stream.isatty() and not plain

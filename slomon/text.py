"""Text that came from outside, made fit to be shown: printable and bounded."""

from __future__ import annotations

import reprlib
from typing import Final

_REPR: Final = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 1000
_REPR.maxdict = _REPR.maxlist = _REPR.maxtuple = 50


def excerpt(value: object, limit: int = 80) -> str:
    """At most `limit` characters of `value`, with control and other unprintable ones escaped."""
    text = value if isinstance(value, str) else _represent(value)
    shown = text[:limit]
    if not shown.isprintable():
        shown = ascii(shown)[1:-1]
    return shown if len(text) <= limit else f"{shown}... ({len(text)} characters)"


def quote(value: object) -> str:
    """An `excerpt` in quotes where it is text, as it is where it is anything else."""
    return f"'{excerpt(value)}'" if isinstance(value, str) else excerpt(value)


def escape_surrogates(text: str) -> str:
    """Text without what no UTF-8 can hold: half a surrogate pair, which JSON can bring in."""
    return text.encode("utf-8", "backslashreplace").decode()


def _represent(value: object) -> str:
    try:
        return _REPR.repr(value)
    except ValueError:  # an integer of more digits than Python agrees to print
        return f"<{type(value).__name__}>"

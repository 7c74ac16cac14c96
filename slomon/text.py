"""Text from outside, made safe to show: printable and of bounded length."""

from __future__ import annotations

import reprlib
from typing import Final

_REPR: Final = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 1000
_REPR.maxdict = _REPR.maxlist = _REPR.maxtuple = 50


def excerpt(value: object, limit: int = 80) -> str:
    """At most `limit` characters of `value`; unprintable characters are escaped."""
    text = value if isinstance(value, str) else _represent(value)
    shown = text[:limit]
    if not shown.isprintable():
        shown = ascii(shown)[1:-1]
    return shown if len(text) <= limit else f"{shown}... ({len(text)} characters)"


def quote(value: object) -> str:
    """The `excerpt` of a value, in quotes if the value is text."""
    return f"'{excerpt(value)}'" if isinstance(value, str) else excerpt(value)


def escape_surrogates(text: str) -> str:
    """The text with lone surrogates escaped. JSON can contain them, UTF-8 can't."""
    return text.encode("utf-8", "backslashreplace").decode()


def _represent(value: object) -> str:
    try:
        return _REPR.repr(value)
    except ValueError:  # an integer has more digits than Python converts
        return f"<{type(value).__name__}>"

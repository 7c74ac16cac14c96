"""
The screen that lines of text are written for: its width, its characters and its colours.

`Screen.clean` escapes text from outside, and `Screen.line` assembles every line. So no line is
wider than the screen, and none contains a control character other than those of our own colours.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Final, TextIO, TypeAlias
from unicodedata import category, east_asian_width

from slomon.text import excerpt

_WIDTH: Final = 80  # columns, if the stream is no terminal
_MAX_LENGTH: Final = 200  # characters of a name: more than any screen shows


class Colour(StrEnum):
    """
    The SGR parameters (ECMA-48) of the colours in use. `tables.py`, `terminal.py` and `timeline.py`
    say what has which: an open incident is red.
    """

    RED = "31"
    YELLOW = "33"
    DIM = "2"


Span: TypeAlias = tuple[str, Colour | None]
"""A run of text, and its colour."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of charts. Each is one column wide, except for the ellipsis."""

    ellipsis: str = "…"
    quiet: str = "─"
    broken: str = "█"
    expired: str = "▒"
    still_open: str = "▶"
    deploy: str = "╵"
    blamed: str = "▲"
    axis: str = "─"
    tick: str = "┬"


_UNICODE: Final = Glyphs()
_ASCII: Final = Glyphs("...", ".", "#", "=", ">", "'", "^", "-", "+")
_ALL_GLYPHS: Final = "".join(astuple(_UNICODE))
_EMOJI_SELECTOR: Final = "\ufe0f"  # turns the character before it into an emoji, two columns wide


@dataclass(frozen=True, slots=True)
class Screen:
    """`width` is in columns; `encoding` is that of the stream the text is written to."""

    width: int = _WIDTH
    encoding: str = "utf-8"
    colour: bool = False

    @property
    def glyphs(self) -> Glyphs:
        """The Unicode glyphs if the encoding has all of them, else the ASCII ones."""
        try:
            _ALL_GLYPHS.encode(self.encoding)
        except UnicodeEncodeError:
            return _ASCII
        return _UNICODE

    def clean(self, text: str, limit: int = _MAX_LENGTH) -> str:
        """Text from outside, clipped; control and unencodable characters are escaped."""
        escaped = excerpt(text, limit)
        return escaped.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def cut(self, text: str, columns: int) -> str:
        """Text in at most this many columns; text that is longer ends with an ellipsis."""
        if measure(text) <= columns:
            return text
        ellipsis = self.glyphs.ellipsis[:columns]
        return _take(text, columns - len(ellipsis)) + ellipsis

    def fit(self, text: str, columns: int, *, right: bool = False) -> str:
        """Text in exactly this many columns, cut or padded with spaces."""
        fitted = self.cut(text, columns)
        space = " " * (columns - measure(fitted))
        return space + fitted if right else fitted + space

    def line(self, *spans: Span) -> str:
        """The spans side by side, cut to the width, without trailing spaces."""
        left, shown = self.width, []
        for text, colour in _strip(spans):
            shown.append((self.cut(text, left), colour))
            left -= measure(shown[-1][0])
        return "".join(self._paint(text, colour) for text, colour in _strip(shown))

    def wrap(self, words: Iterable[str], indent: int = 0, gap: str = " ") -> Iterator[str]:
        """Clean words, wrapped into lines. All lines but the first are indented."""
        line = ""
        for word in words:
            longer = f"{line}{gap}{word}" if line else word
            if line.strip() and measure(longer) > self.width:
                yield self.line((line, None))
                longer = " " * indent + word
            line = longer
        yield self.line((line, None))

    def _paint(self, text: str, colour: Colour | None) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour and colour and text else text


def open_screen(stream: TextIO, environment: Mapping[str, str]) -> Screen:
    """The screen of a stream: the terminal, or 80 columns without colours."""
    encoding = stream.encoding or "ascii"
    if not stream.isatty():
        return Screen(_WIDTH, encoding)
    width = os.get_terminal_size(stream.fileno()).columns or _WIDTH
    return Screen(width, encoding, has_colours(stream, environment))


def has_colours(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """
    Whether output to a stream is coloured: a terminal is, unless NO_COLOR is set and not
    empty (https://no-color.org), or TERM is "dumb".
    """
    plain = environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    return stream.isatty() and not plain


def measure(text: str) -> int:
    """
    The columns that printable text takes at most. Terminals differ on joined and modified emoji,
    and may take fewer.
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if character == _EMOJI_SELECTOR:
        return 1
    if category(character) in {"Mn", "Me"}:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _take(text: str, columns: int) -> str:
    """The longest beginning that fits. A character is never parted from its combining marks."""
    return text[: sum(end <= columns for end in accumulate(map(_columns, text)))]


def _strip(spans: Sequence[Span]) -> list[Span]:
    kept = list(spans)
    while kept:
        text, colour = kept.pop()
        if text := text.rstrip(" "):
            return [*kept, (text, colour)]
    return kept

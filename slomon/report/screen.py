"""
May what is shown have colours?

What lines are written for: how wide it is, which characters and colours it can show.

Text from outside is made harmless by `clean` and every line is put together by `line`: so none is
wider than the screen, and none holds a control character but those of our own colours.
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


def has_colours(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """
    A terminal has them, unless NO_COLOR is set to anything (https://no-color.org) or TERM is
    "dumb".
    """
    plain = environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    return stream.isatty() and not plain


_WIDTH: Final = 80  # of what has none, as a file
_LONGEST: Final = 200  # characters of a name: more than any screen shows


class Colour(StrEnum):
    """Restrained: how a terminal is told (SGR, ECMA-48)."""

    RED = "31"
    YELLOW = "33"
    DIM = "2"


Span: TypeAlias = tuple[str, Colour | None]
"""A part of a line, and its colour."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What charts are drawn with, each a column wide but for the ellipsis."""

    ellipsis: str = "…"
    quiet: str = "─"
    broken: str = "█"
    expired: str = "▒"
    still_open: str = "▶"
    deploy: str = "╵"
    blamed: str = "▲"
    axis: str = "─"
    tick: str = "┬"


_ASCII: Final = Glyphs("...", ".", "#", "=", ">", "'", "^", "-", "+")
_UNICODE: Final = Glyphs()
_DRAWN: Final = "".join(astuple(_UNICODE))


@dataclass(frozen=True, slots=True)
class Screen:
    """`width` in columns; `encoding` is what text will be written in."""

    width: int = _WIDTH
    encoding: str = "utf-8"
    colour: bool = False

    @property
    def glyphs(self) -> Glyphs:
        """Those of Unicode where the encoding has them, else of ASCII."""
        try:
            _DRAWN.encode(self.encoding)
        except UnicodeEncodeError:
            return _ASCII
        return _UNICODE

    def clean(self, text: str) -> str:
        """Text from outside, with all that can't be shown, or would do something, escaped."""
        shown = excerpt(text, _LONGEST)
        return shown.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def cut(self, text: str, columns: int) -> str:
        """Text in so many columns at most, an ellipsis in place of what is too much."""
        if measure(text) <= columns:
            return text
        ellipsis = self.glyphs.ellipsis[:columns]
        return _begin(text, columns - len(ellipsis)) + ellipsis

    def place(self, text: str, columns: int, *, right: bool = False) -> str:
        """Text in exactly so many columns."""
        fitting = self.cut(text, columns)
        space = " " * (columns - measure(fitting))
        return space + fitting if right else fitting + space

    def line(self, *pieces: Span) -> str:
        """The pieces side by side, cut to the width, without spaces at the end."""
        left, shown = self.width, []
        for text, colour in _strip(pieces):
            shown.append((self.cut(text, left), colour))
            left -= measure(shown[-1][0])
        return "".join(self._paint(text, colour) for text, colour in _strip(shown))

    def wrap(self, words: Iterable[str], indent: int = 0, gap: str = " ") -> Iterator[str]:
        """Clean words in lines that are cut between them, all lines but the first indented."""
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
    """The screen behind a stream."""
    encoding = stream.encoding or "ascii"
    if not stream.isatty():
        return Screen(_WIDTH, encoding)
    width = os.get_terminal_size(stream.fileno()).columns or _WIDTH
    return Screen(width, encoding, has_colours(stream, environment))


def measure(text: str) -> int:
    """
    The columns that printable text takes at most: terminals differ on emoji that are joined or
    modified, and take less than is said here.
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if character == _WIDENER:
        return 1
    if category(character) in {"Mn", "Me"}:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


_WIDENER: Final = "\ufe0f"  # makes an emoji, two columns wide, of the character before it


def _begin(text: str, columns: int) -> str:
    """As much as fits, never a mark without what it stands on or a character without its marks."""
    return text[: sum(end <= columns for end in accumulate(map(_columns, text)))]


def _strip(pieces: Sequence[Span]) -> list[Span]:
    kept = list(pieces)
    while kept:
        text, colour = kept.pop()
        if text := text.rstrip(" "):
            return [*kept, (text, colour)]
    return kept

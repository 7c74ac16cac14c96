"""Rows of text in columns that fit a screen, whatever stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from slomon.terminal.screen import Colour, Piece, Screen, measure

_GAP: Final = 2
_NARROWEST: Final = 20  # of a column that gives way


@dataclass(frozen=True, slots=True)
class Heading:
    """
    Of a column. Where a screen is too narrow, those of the greatest `rank` are left out first, of
    0 none; then those that are `flexible` give way.
    """

    title: str
    right: bool = False
    rank: int = 0
    flexible: bool = False


def lay_out(
    headings: Sequence[Heading], rows: Sequence[Sequence[Piece]], screen: Screen
) -> Iterator[str]:
    """A line of titles, then one a row. Cells are text from anywhere: they are made harmless."""
    cells = [[(screen.clean(text), colour) for text, colour in row] for row in rows]
    titles: list[Piece] = [(heading.title, Colour.DIM) for heading in headings]
    table = [titles, *cells]
    natural = [max(measure(text) for text, _ in column) for column in zip(*table, strict=True)]
    widths = _measure(headings, natural, screen.width)
    for line in table:
        yield screen.line(*_join(line, headings, widths, screen))


def _measure(headings: Sequence[Heading], natural: Sequence[int], width: int) -> dict[int, int]:
    """The columns that are shown, by their places, and how wide each is."""
    least = [
        min(_NARROWEST, wide) if heading.flexible else wide
        for heading, wide in zip(headings, natural, strict=True)
    ]
    shown = list(range(len(headings)))
    while _total(least, shown) > width and any(headings[place].rank for place in shown):
        shown.remove(max(shown, key=lambda place: headings[place].rank))
    left = width - _total(least, shown)
    widths = {place: least[place] for place in shown}
    for place in shown:
        more = min(natural[place] - least[place], max(0, left))
        widths[place] += more
        left -= more
    return widths


def _total(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[place] for place in shown) + _GAP * (len(shown) - 1)


def _join(
    line: Sequence[Piece], headings: Sequence[Heading], widths: dict[int, int], screen: Screen
) -> Iterator[Piece]:
    for place, wide in widths.items():
        text, colour = line[place]
        gap = " " * (_GAP if place != min(widths) else 0)
        yield gap + screen.place(text, wide, right=headings[place].right), colour

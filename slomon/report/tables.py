"""
Rows of text in columns that fit a screen, whatever stands in them.

The incidents, worst first, with the commits that broke and fixed each, and how sure that is.

Endpoints and commits by the names that people know them by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

from slomon.core.attribution import Attribution, Verdict
from slomon.core.incident import State
from slomon.core.records import IncidentRecord
from slomon.core.summary import Summary
from slomon.dates import show_seconds, show_stamp
from slomon.report.screen import Colour, Screen, Span, measure

_GAP: Final = 2
_NARROWEST: Final = 20  # of a column that gives way


@dataclass(frozen=True, slots=True)
class Column:
    """
    Of a column. Where a screen is too narrow, those of the greatest `rank` are left out first, of
    0 none; then those that are `flexible` give way.
    """

    title: str
    right: bool = False
    rank: int = 0
    flexible: bool = False


def format_table(
    headings: Sequence[Column], rows: Sequence[Sequence[Span]], screen: Screen
) -> Iterator[str]:
    """A line of titles, then one a row. Cells are text from anywhere: they are made harmless."""
    cells = [[(screen.clean(text), colour) for text, colour in row] for row in rows]
    titles: list[Span] = [(heading.title, Colour.DIM) for heading in headings]
    table = [titles, *cells]
    natural = [max(measure(text) for text, _ in column) for column in zip(*table, strict=True)]
    widths = _measure(headings, natural, screen.width)
    for line in table:
        yield screen.line(*_join(line, headings, widths, screen))


def _measure(headings: Sequence[Column], natural: Sequence[int], width: int) -> dict[int, int]:
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
    line: Sequence[Span], headings: Sequence[Column], widths: dict[int, int], screen: Screen
) -> Iterator[Span]:
    for place, wide in widths.items():
        text, colour = line[place]
        gap = " " * (_GAP if place != min(widths) else 0)
        yield gap + screen.place(text, wide, right=headings[place].right), colour


_ROWS: Final = 15
_COMMIT: Final = 16  # columns
_HEADINGS: Final = (
    Column("endpoint", flexible=True),
    Column("failed", right=True, rank=3),
    Column("lasted", right=True, rank=1),
    Column("lowest SLI", right=True, rank=5),
    Column("started (UTC)", rank=4),
    Column("broken by"),
    Column("fixed by", rank=2),
)
_DOUBTS: Final = {
    Verdict.AMBIGUOUS: "several deploys may have done it, or the failure rate before and after it "
    "can't be told apart",
    Verdict.STALE: "the deploy is older than one that does such a thing usually is",
    Verdict.NONE: "no deploy came that could have done it",
}


def show_incidents(summary: Summary, screen: Screen) -> Iterator[str]:
    """
    The incidents in which the most requests failed first, then those that lasted longest: fifteen,
    and how many more there are. No line at all where there was none.
    """
    found = sorted(summary.incidents, key=lambda one: _rank(one, summary.ended))
    if not found:
        return
    shown = found[:_ROWS]
    yield from format_table(
        _HEADINGS, [_cells(one, summary.ended, screen) for one in shown], screen
    )
    if len(found) > _ROWS:
        more = f"{len(found) - _ROWS:,} more; --incidents FILE has them all"
        yield screen.line((f"{screen.glyphs.ellipsis} and {more}", None))
    verdicts = {one.verdict for record in shown for one in _attributions(record)}
    for verdict, meaning in _DOUBTS.items():
        if verdict in verdicts:
            yield from screen.wrap(f"{verdict}: {meaning}".split(" "), indent=2)
    if shared := sum(bool(one.co_occurring) for one in found):
        text = f"{shared:,} of {len(found):,} began within a minute of another service's: one "
        yield from screen.wrap(f"{text}cause upstream is likelier than many".split(" "), indent=2)


def worst_first(record: IncidentRecord) -> int:
    """What sorts incidents, and adds up to what sorts services: the requests that failed."""
    return -record.failures


def _rank(record: IncidentRecord, ended: float) -> tuple[int, float]:
    return worst_first(record), -_lasted(record, ended)


def _cells(record: IncidentRecord, ended: float, screen: Screen) -> list[Span]:
    is_open = record.state is State.OPEN
    lasted = show_seconds(_lasted(record, ended))
    return [
        (name_endpoint(*record.endpoint), None),
        (f"{record.failures:,}", None),
        (f">{lasted}" if is_open else lasted, Colour.RED if is_open else None),
        (f"{floor(round(record.min_sli * 1e4, 6)) / 100:.2f}%", None),  # never up to the SLO
        (show_stamp(record.start), None),
        _show_attribution(record.broken_by, screen),
        _show_fix(record, screen),
    ]


def _lasted(record: IncidentRecord, ended: float) -> float:
    """Seconds: of an open one, so far."""
    return max(0.0, ended - record.start) if record.duration is None else record.duration


def _attributions(record: IncidentRecord) -> Iterator[Attribution]:
    yield record.broken_by
    if record.fixed_by:
        yield record.fixed_by


def _show_fix(record: IncidentRecord, screen: Screen) -> Span:
    if record.fixed_by:
        return _show_attribution(record.fixed_by, screen)
    return ("still open", Colour.RED) if record.state is State.OPEN else ("expired", None)


def _show_attribution(attribution: Attribution, screen: Screen) -> Span:
    commit = screen.cut(screen.clean(name_commit(attribution.commit)), _COMMIT)
    colour = None if attribution.verdict is Verdict.CLEAR else Colour.YELLOW
    return f"{commit} {attribution.verdict}".lstrip(), colour


_HASH: Final = re.compile("[0-9a-f]{40,}")
_SHORT: Final = 8  # characters: enough of a hash to find it by


def name_endpoint(service: str, verb: str, resource: str) -> str:
    """An endpoint, after its service where that has a name of its own."""
    request = f"{verb} {resource}"
    return request if service == request else f"{service}: {request}"


def name_commit(commit: str) -> str:
    """The beginning of a hash; a tag or a version is what it is."""
    return commit[:_SHORT] if _HASH.fullmatch(commit) else commit

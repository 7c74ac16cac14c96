"""
Tables of the terminal report: any rows fitted to the width of a screen, and the incidents.

The table of incidents has the worst first, with the commits that broke and fixed each one and the
verdict on both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

from slomon.core.attribution import Attribution, Verdict
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.summary import Summary
from slomon.dates import show_seconds, show_stamp
from slomon.report.screen import Colour, Screen, Span, measure


@dataclass(frozen=True, slots=True)
class TableColumn:
    """
    A column's title and layout. If the screen is too narrow, the columns of the greatest `rank` are
    omitted first; a column of rank 0 is always shown. Then the `flexible` columns are cut.
    """

    title: str
    right: bool = False
    rank: int = 0
    flexible: bool = False


_GAP: Final = 2
_MIN_WIDTH: Final = 20  # of a flexible column

_ROWS: Final = 15
_COMMIT: Final = 16  # columns
_COLUMNS: Final = (
    TableColumn("endpoint", flexible=True),
    TableColumn("failed", right=True, rank=3),
    TableColumn("lasted", right=True, rank=1),
    TableColumn("lowest SLI", right=True, rank=5),
    TableColumn("started (UTC)", rank=4),
    TableColumn("broken by"),
    TableColumn("fixed by", rank=2),
)
_VERDICTS: Final = {
    Verdict.LIKELY: "the most probable deploy is the cause with a probability from 0.5 to 0.9",
    Verdict.AMBIGUOUS: "several deploys may be the cause, each with a probability below 0.5",
    Verdict.UNEXPLAINED: "most probably no known deploy is the cause",
    Verdict.NONE: "no deploy is known",
}

_HASH: Final = re.compile("[0-9a-f]{40,}")
_SHORT_HASH: Final = 8  # characters


def show_incidents(summary: Summary, screen: Screen) -> Iterator[str]:
    """
    A table of the fifteen worst incidents and the number of further ones, as lines. The incidents
    with the most failed requests come first, and of those the ones that lasted longest. Without
    incidents there is no line.
    """
    found = sorted(summary.incidents, key=lambda one: _rank(one, summary.ended))
    if not found:
        return
    shown = found[:_ROWS]
    yield from format_table(_COLUMNS, [_cells(one, summary.ended, screen) for one in shown], screen)
    if len(found) > _ROWS:
        more = f"{len(found) - _ROWS:,} more; --incidents FILE has them all"
        yield screen.line((f"{screen.glyphs.ellipsis} and {more}", None))
    verdicts = {one.verdict for record in shown for one in _attributions(record)}
    for verdict, meaning in _VERDICTS.items():
        if verdict in verdicts:
            yield from screen.wrap(f"{verdict}: {meaning}".split(" "), indent=2)
    if co_occurring := sum(bool(one.co_occurring) for one in found):
        text = (
            f"{co_occurring:,} of {len(found):,} began within a minute of an incident of another "
        )
        yield from screen.wrap(f"{text}service: a common upstream cause is likely".split(" "), 2)


def worst_first(record: IncidentRecord) -> int:
    """The sort key of an incident by failed requests. Its sum over a service sorts services."""
    return -record.failures


def format_table(
    columns: Sequence[TableColumn], rows: Sequence[Sequence[Span]], screen: Screen
) -> Iterator[str]:
    """A line of titles, then a line for each row. Cells may hold any text: it is escaped here."""
    cells = [[(screen.clean(text), colour) for text, colour in row] for row in rows]
    titles: list[Span] = [(column.title, Colour.DIM) for column in columns]
    table = [titles, *cells]
    natural = [max(measure(text) for text, _ in cells) for cells in zip(*table, strict=True)]
    widths = _fit_widths(columns, natural, screen.width)
    for row in table:
        yield screen.line(*_join(row, columns, widths, screen))


def name_endpoint(service: str, verb: str, resource: str) -> str:
    """The endpoint's request, after the service's name if that is another text."""
    request = f"{verb} {resource}"
    return request if service == request else f"{service}: {request}"


def name_commit(commit: str) -> str:
    """The first characters of a hash; a tag or a version is shown as it is."""
    return commit[:_SHORT_HASH] if _HASH.fullmatch(commit) else commit


def _fit_widths(
    columns: Sequence[TableColumn], natural: Sequence[int], available: int
) -> dict[int, int]:
    """The width of each column that is shown, by its index."""
    least = [
        min(_MIN_WIDTH, width) if column.flexible else width
        for column, width in zip(columns, natural, strict=True)
    ]
    shown = list(range(len(columns)))
    while _total(least, shown) > available and any(columns[index].rank for index in shown):
        shown.remove(max(shown, key=lambda index: columns[index].rank))
    left = available - _total(least, shown)
    widths = {index: least[index] for index in shown}
    for index in shown:
        more = min(natural[index] - least[index], max(0, left))
        widths[index] += more
        left -= more
    return widths


def _total(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[index] for index in shown) + _GAP * (len(shown) - 1)


def _join(
    row: Sequence[Span], columns: Sequence[TableColumn], widths: dict[int, int], screen: Screen
) -> Iterator[Span]:
    for index, width in widths.items():
        text, colour = row[index]
        gap = " " * (_GAP if index != min(widths) else 0)
        yield gap + screen.fit(text, width, right=columns[index].right), colour


def _rank(record: IncidentRecord, ended: float) -> tuple[int, float]:
    return worst_first(record), -_lasted(record, ended)


def _cells(record: IncidentRecord, ended: float, screen: Screen) -> list[Span]:
    is_open = record.state is State.OPEN
    lasted = show_seconds(_lasted(record, ended))
    return [
        (name_endpoint(*record.endpoint), None),
        (f"{record.failures:,}", None),
        (f">{lasted}" if is_open else lasted, Colour.RED if is_open else None),
        (
            f"{floor(round(record.min_sli * 1e4, 6)) / 100:.2f}%",
            None,
        ),  # never rounded up to the SLO
        (show_stamp(record.start), None),
        _show_attribution(record.broken_by, screen),
        _show_fix(record, screen),
    ]


def _lasted(record: IncidentRecord, ended: float) -> float:
    """Seconds; for an open incident, up to the end of the run."""
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

"""
Tables of the terminal report: any rows fitted to the width of a screen, outages and incidents.

The worst come first, with the most probable cause, the verdict on it and its probability.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

from slomon.core.attribution import Attribution, Verdict
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.summary import Summary
from slomon.dates import show_seconds, show_stamp
from slomon.report.outages import (
    BY_ITSELF,
    NO_CHANGE,
    name_commit,
    name_endpoint,
    name_suspect,
    rank_outages,
    show_budget,
    show_probability,
)
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
_OUTAGES: Final = 10
_COMMIT: Final = 16  # columns
_OUTAGE_COLUMNS: Final = (
    TableColumn("outage caused by"),
    TableColumn("services", flexible=True),
    TableColumn("endpoints", right=True, rank=3),
    TableColumn("failed", right=True, rank=1),
    TableColumn("budget", right=True, rank=2),
    TableColumn("first onset (UTC)", rank=5),
    TableColumn("last recovery (UTC)", rank=4),
)
_COLUMNS: Final = (
    TableColumn("endpoint", flexible=True),
    TableColumn("failed", right=True, rank=3),
    TableColumn("lasted", right=True, rank=1),
    TableColumn("lowest SLI", right=True, rank=6),
    TableColumn("started (UTC)", rank=4),
    TableColumn("broken by"),
    TableColumn("after", right=True, rank=5),
    TableColumn("fixed by", rank=2),
)
_VERDICTS: Final = {
    Verdict.LIKELY: "the deploy shown is the cause with a probability from 0.5 to 0.9",
    Verdict.AMBIGUOUS: "the deploy shown is the most probable cause, with a probability below 0.5",
    Verdict.UNEXPLAINED: "most probably no known deploy is the cause",
    Verdict.NONE: "no deploy is known",
}


def show_outages(summary: Summary, screen: Screen) -> Iterator[str]:
    """
    A table of the ten costliest outages and the number of further ones, as lines. If there is one
    outage with one incident, the table of incidents shows all of it, so there is no line.
    """
    found = rank_outages(summary)
    if not found or len(summary.incidents) < 2:
        return
    rows: list[list[Span]] = []
    for cost in found[:_OUTAGES]:
        outage = cost.outage
        is_open = outage.end is None
        end = "still open" if outage.end is None else show_stamp(outage.end)
        rows.append(
            [
                _show_attribution(cost.cause, NO_CHANGE, screen),
                (", ".join(outage.services), None),
                (f"{len(outage.endpoints):,}", None),
                (f"{outage.failures:,}", None),
                (show_budget(outage), None),
                (show_stamp(outage.start), None),
                (end, Colour.RED if is_open else None),
            ]
        )
    yield from format_table(_OUTAGE_COLUMNS, rows, screen)
    if len(found) > _OUTAGES:
        yield screen.line((f"{screen.glyphs.ellipsis} and {len(found) - _OUTAGES:,} more", None))


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
        _show_attribution(record.broken_by, NO_CHANGE, screen),
        (_show_delay(record.broken_by), None),
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
        return _show_attribution(record.fixed_by, BY_ITSELF, screen)
    return ("still open", Colour.RED) if record.state is State.OPEN else ("expired", None)


def _show_attribution(attribution: Attribution, otherwise: str, screen: Screen) -> Span:
    """The suspect, its verdict and probability; `otherwise` if it is no known change."""
    commit = name_suspect(attribution)
    colour = None if attribution.verdict is Verdict.CLEAR else Colour.YELLOW
    shown = screen.cut(screen.clean(name_commit(commit)), _COMMIT) if commit else otherwise
    verdict = f" {attribution.verdict}" if commit else ""
    return f"{shown} {show_probability(attribution)}{verdict}", colour


def _show_delay(attribution: Attribution) -> str:
    """The time from the suspect to the onset."""
    suspect = attribution.suspect
    if suspect is None or not name_suspect(attribution):
        return "-"
    return show_seconds(max(0.0, suspect.delay))

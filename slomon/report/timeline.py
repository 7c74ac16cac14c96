"""
The timeline of the terminal report: each service has a lane, with its incidents as bars and its
deploys as marks below.

    shop     ──────████████──────────────█▶
               ╵   ▲      ╵        ▲
             ┬────────┬────────┬────────┬──
             22:10    22:20    22:30
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Final

from slomon.core.aggregation import assign_deploys
from slomon.core.events import EVERY_SERVICE
from slomon.core.incident import State
from slomon.core.incident_records import IncidentRecord
from slomon.core.metrics import Deploy
from slomon.core.summary import Summary
from slomon.dates import show_seconds, show_stamp
from slomon.report.screen import Colour, Glyphs, Screen, Span, measure
from slomon.report.tables import worst_first

_LANES: Final = 10
_GAP: Final = 2
_DAY: Final = 86_400.0
_STEPS: Final = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0),
    *(3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0),
    *(_DAY * days for days in (1, 2, 7, 14, 28, 91, 182, 365, 730, 1825, 3650, 36_500, 365_000)),
)
"""Possible distances of two ticks of the axis, in seconds."""


def show_timeline(summary: Summary, screen: Screen) -> Iterator[str]:
    """
    The lanes of ten services, the number of further ones, the axis and a legend, as lines. Services
    with incidents come first, by the failed requests of their incidents; services with deploys
    only follow. Deploys before the first access and after the last one are not shown. If no service
    has an incident or a deploy of its own, there is no line.
    """
    lanes = _lanes(summary)
    if not lanes:
        return
    shown, glyphs = lanes[:_LANES], screen.glyphs
    names = [screen.clean(lane.service) for lane in shown]
    label = min(max(map(measure, names)), max(8, screen.width // 4))
    margin = " " * (label + _GAP)
    scale = _Scale(summary.began, summary.ended, max(1, screen.width - len(margin)))
    drawn: set[str] = set()
    for name, lane in zip(names, shown, strict=True):
        bars, ticks = _bars(lane, scale, glyphs), _ticks(lane, scale, glyphs)
        drawn.update(bars, ticks)
        title = screen.fit(name, label) + " " * _GAP
        yield screen.line((title, None), *_runs(bars, glyphs))
        if lane.deploys:
            yield screen.line((margin, None), *_runs(ticks, glyphs))
    for text in _axis(scale, glyphs):
        yield screen.line((margin + text, Colour.DIM))
    if len(lanes) > _LANES:
        yield screen.line((f"{glyphs.ellipsis} and {len(lanes) - _LANES:,} more", None))
    yield from screen.wrap(_explain(scale).split(" "))
    yield from screen.wrap(_legend(drawn, glyphs), gap=" " * _GAP)


@dataclass(frozen=True, slots=True)
class _Lane:
    """A service; `deploys` are pairs of a time and whether the deploy is blamed for an incident."""

    service: str
    incidents: Sequence[IncidentRecord]
    deploys: Sequence[tuple[float, bool]]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Converts a time to a column."""

    began: float
    ended: float
    columns: int

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    def column(self, at: float) -> int:
        if self.seconds <= 0:
            return 0
        return min(self.columns - 1, max(0, int((at - self.began) / self.seconds * self.columns)))


def _lanes(summary: Summary) -> list[_Lane]:
    incidents: dict[str, list[IncidentRecord]] = {}
    for one in summary.incidents:
        incidents.setdefault(one.service, []).append(one)
    deploys: dict[str, list[Deploy]] = {}
    for deploy in summary.deploys:
        if summary.began <= deploy.at <= summary.ended:
            deploys.setdefault(deploy.service, []).append(deploy)
    common = deploys.pop(EVERY_SERVICE, [])
    assigned = assign_deploys(summary.incidents, summary.deploys, (summary.began, summary.ended))
    blamed = {(one.incident.service, one.deploy) for one in assigned}
    lanes = [
        _Lane(
            name,
            incidents.get(name, []),
            [(one.at, (name, one) in blamed) for one in [*deploys.get(name, []), *common]],
        )
        for name in dict.fromkeys([*incidents, *deploys])
    ]
    return sorted(lanes, key=lambda lane: sum(map(worst_first, lane.incidents)))


def _bars(lane: _Lane, scale: _Scale, glyphs: Glyphs) -> list[str]:
    """The bars of incidents. A column shows the gravest of its states: open, broken, expired."""
    cells = [glyphs.quiet] * scale.columns
    for one in sorted(lane.incidents, key=lambda one: one.state is not State.EXPIRED):
        glyph = glyphs.expired if one.state is State.EXPIRED else glyphs.broken
        first, last = scale.column(one.start), scale.column(_end(one, scale))
        cells[first : last + 1] = [glyph] * (last + 1 - first)
    if any(one.state is State.OPEN for one in lane.incidents):
        cells[-1] = glyphs.still_open
    return cells


def _end(record: IncidentRecord, scale: _Scale) -> float:
    return max(record.start, scale.ended if record.end is None else record.end)


def _ticks(lane: _Lane, scale: _Scale, glyphs: Glyphs) -> list[str]:
    cells = [" "] * scale.columns
    for at, is_blamed in sorted(lane.deploys, key=lambda deploy: deploy[1]):
        cells[scale.column(at)] = glyphs.blamed if is_blamed else glyphs.deploy
    return cells


def _runs(cells: Sequence[str], glyphs: Glyphs) -> Iterator[Span]:
    """Spans of equal glyphs: red for incidents and the deploys that broke an endpoint."""
    colours = {glyphs.quiet: Colour.DIM, glyphs.deploy: None, " ": None}
    for glyph, run in groupby(cells):
        yield "".join(run), colours.get(glyph, Colour.RED)


def _axis(scale: _Scale, glyphs: Glyphs) -> tuple[str, str]:
    """The line of ticks, and the line of their labels. A label begins at its tick."""
    line, labels = [glyphs.axis] * scale.columns, ""
    for at, text in _marks(scale):
        column = scale.column(at)
        line[column] = glyphs.tick
        if len(labels) <= column <= scale.columns - len(text):
            labels = labels.ljust(column) + text + " "
    return "".join(line), labels


def _marks(scale: _Scale) -> Iterator[tuple[float, str]]:
    if scale.seconds <= 0:
        yield scale.began, show_stamp(scale.began, "%H:%M:%S")
        return
    step = next((step for step in _STEPS if _fits(step, scale)), _STEPS[-1])
    for count in range(ceil(scale.began / step), ceil(scale.ended / step)):
        yield count * step, _label(count * step, step)


def _fits(step: float, scale: _Scale) -> bool:
    return step / scale.seconds * scale.columns >= len(_label(0.0, step)) + _GAP


def _label(at: float, step: float) -> str:
    if step >= _DAY:
        return show_stamp(at, "%Y-%m-%d")
    if step >= 60:
        return show_stamp(at, "%H:%M" if at % _DAY else "%m-%d")
    if step >= 1:
        return show_stamp(at, "%H:%M:%S")
    return show_stamp(at + 0.0005, "%H:%M:%S.%f")[:-3]  # rounds: truncation could lose 1 ms


def _explain(scale: _Scale) -> str:
    time_range = f"{show_stamp(scale.began)} to {show_stamp(scale.ended)} UTC"
    return f"{time_range}; a column is {show_seconds(scale.seconds / scale.columns)}"


def _legend(drawn: set[str], glyphs: Glyphs) -> Iterator[str]:
    meanings = {
        glyphs.broken: "broken",
        glyphs.expired: "expired",
        glyphs.still_open: "still open",
        glyphs.deploy: "deploy",
        glyphs.blamed: "deploy that broke it",
    }
    return (f"{glyph} {meaning}" for glyph, meaning in meanings.items() if glyph in drawn)

"""The endpoints that broke, for people: a table that no name and no number of rows can break."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from slomon.command.span import show_span
from slomon.core.endpoint import Endpoint
from slomon.core.event import Change
from slomon.core.excerpt import excerpt
from slomon.core.incident import Incident

_ROWS: Final = 50
_NARROWEST: Final = 12
_COMMIT: Final = 12  # characters: enough of a hash to find it by
_GAP: Final = "  "

Cells: TypeAlias = tuple[str, ...]
_HEAD: Final = ("endpoint", "incidents", "open", "broken", "MTTR", "last break", "last fix")


def show_table(incidents: Iterable[Incident], width: int) -> Iterator[str]:
    """
    The endpoints, worst first: those that were broken longest, then those that still are, then
    those with the most incidents. Lines of ASCII, at most `width` long, for 50 endpoints.
    """
    rows = sorted(_group(incidents), key=_Row.rank)
    if not rows:
        return
    cells = [_HEAD, *(row.cells() for row in rows[:_ROWS])]
    widths = _measure(cells, width)
    for line in cells:
        yield _GAP.join(map(_place, range(len(line)), line, widths)).rstrip()[:width]
    if len(rows) > _ROWS:
        yield f"... and {len(rows) - _ROWS:,} more; --incidents FILE has them all"[:width]


@dataclass(frozen=True, slots=True)
class _Row:
    """The incidents of one endpoint."""

    incidents: list[Incident]

    def rank(self) -> tuple[int, int, int]:
        return -self._broken, -self._open, -len(self.incidents)

    def cells(self) -> Cells:
        last = self.incidents[-1]
        closed = len(self.incidents) - self._open
        return (
            _name(last.endpoint),
            str(len(self.incidents)),
            str(self._open),
            show_span(self._broken) if closed else "-",
            show_span(self._broken // closed) if closed else "-",
            _commit(last.broken_by),
            _commit(last.fixed_by),
        )

    @property
    def _open(self) -> int:
        return sum(incident.end is None for incident in self.incidents)

    @property
    def _broken(self) -> int:
        """Ticks, of the closed ones: how long an open one has lasted is not known."""
        return sum(incident.duration or 0 for incident in self.incidents)


def _group(incidents: Iterable[Incident]) -> list[_Row]:
    rows: dict[tuple[str, str], _Row] = {}
    for incident in incidents:
        endpoint = incident.endpoint
        row = rows.setdefault((endpoint.verb, endpoint.resource), _Row([]))
        row.incidents.append(incident)
    return list(rows.values())


def _measure(cells: Sequence[Cells], width: int) -> list[int]:
    """How wide each column is: the first takes what the others leave."""
    longest = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = width - sum(longest[1:]) - len(_GAP) * (len(longest) - 1)
    return [min(longest[0], max(_NARROWEST, left)), *longest[1:]]


def _place(column: int, text: str, width: int) -> str:
    fitting = text if len(text) <= width else f"{text[: width - 3]}..."
    return fitting.rjust(width) if 1 <= column <= 4 else fitting.ljust(width)


def _name(endpoint: Endpoint) -> str:
    request = f"{endpoint.verb} {endpoint.resource}"
    return _plain(request if endpoint.name == request else f"{endpoint.name}: {request}")


def _commit(change: Change | None) -> str:
    return _plain(change.commit)[:_COMMIT] if change else "-"


def _plain(text: str) -> str:
    return excerpt(text, 200).encode("ascii", "backslashreplace").decode()

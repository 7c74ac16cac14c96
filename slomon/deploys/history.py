"""
A history of changes: the text of a change file, in any form that is read, as dated changes.

The changes of all change files, in order of time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Final

from slomon.core.events import Change, RejectedLine
from slomon.dates import Undated, read_date
from slomon.deploys.parsers import (
    opens_commit,
    opens_objects,
    opens_table,
    read_log,
    read_objects,
    read_table,
)
from slomon.deploys.records import Record, opens_block, read_blocks
from slomon.errors import ConfigurationError
from slomon.sources.source import MAX_LINE, OversizedLine, open_source
from slomon.text import excerpt, quote


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that is no dated change: the line where it begins (from 1), its text and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChangeFile:
    """
    What a change file holds: its changes with their ticks, in order of time, and the records that
    were rejected.
    """

    changes: list[tuple[int, Change]]
    rejected: list[RejectedRecord]


def read_changes(text: str, *, zone: tzinfo | None = None, service: str = "") -> ChangeFile:
    """
    The changes of a file whose form shows in its text. `zone` is for dates that name none,
    `service` for records that name none.

    Changes of the same time stand in the order in which they were made: the file's, or the
    opposite where it runs from new to old, as `git log` does.

    Raises ConfigurationError where no form is recognised, and where a date has no zone and
    `zone` is None: accesses are in UTC seconds, and no guess could put the two in order.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    form = _find_form(text)
    changes: list[tuple[int, Change]] = []
    rejected: list[RejectedRecord] = []
    for record in _FORMS[form][1](text) if form else ():
        dated = _date_change(record, zone)
        if isinstance(dated, str):
            rejected.append(RejectedRecord(record.line, record.text, dated))
        else:
            tick, change = dated
            changes.append((tick, replace(change, service=change.service or service)))
    return ChangeFile(_order(changes, form), rejected)


def _find_form(text: str) -> str:
    for line in text.split("\n"):
        for form, (opens, _) in _FORMS.items():
            if opens(line):
                return form
    if text.strip():
        raise ConfigurationError(
            f"the changes begin with {quote(text.lstrip())}; allowed: {_ALLOWED_FORMS}"
        )
    return ""


def _date_change(record: Record, zone: tzinfo | None) -> tuple[int, Change] | str:
    change = record.change
    if isinstance(change, str):
        return change
    tick = read_date(change.date, zone)
    if not isinstance(tick, Undated):
        return tick, change
    if zone is None and not isinstance(read_date(change.date, UTC), Undated):
        raise ConfigurationError(
            f"line {record.line}: the change's date {quote(change.date)} carries no zone that "
            "fixes it, while accesses are in UTC seconds, so the two can't be merged by time; "
            "allowed: a date with an offset, or the zone of all without, as --change-zone "
            "(change_zone=)"
        )
    return tick.reason


def _order(changes: list[tuple[int, Change]], form: str) -> list[tuple[int, Change]]:
    ticks = [tick for tick, _ in changes]
    # Commits of one second are usual after a rebase, and all of a short log may be such.
    backwards = ticks[:1] > ticks[-1:] or (ticks[:1] == ticks[-1:] and form == "git log")
    return sorted(reversed(changes) if backwards else changes, key=lambda change: change[0])


_FORMS: Final[dict[str, tuple[Callable[[str], bool], Callable[[str], Iterator[Record]]]]] = {
    "blocks": (opens_block, read_blocks),
    "git log": (opens_commit, read_log),
    "json": (opens_objects, read_objects),
    "csv": (opens_table, read_table),
}
_ALLOWED_FORMS: Final = (
    "blocks of the lines 'commit: ', 'Author: ', 'Date: ' and 'Service: '; what git log prints, "
    "in its default form or with --format=fuller; JSON objects of deploys or CDEvents; CSV of "
    "deploys with a header that names a commit's and a date's column, such as 'commit,deployed_at'"
)


_BUFFER: Final = MAX_LINE + 1


@dataclass(frozen=True, slots=True)
class History:
    """Changes with their ticks, in order of time, and the records that were rejected."""

    changes: list[tuple[int, Change]]
    rejected: list[RejectedLine]

    def find_unmatched_services(self, watched: Collection[str]) -> list[str]:
        """The services, each once, that changes name and that are none of those."""
        named = dict.fromkeys(change.service for _, change in self.changes)
        return [service for service in named if service and service not in watched]


def read_history(paths: Sequence[str], zone: tzinfo | None, service: str) -> History:
    """
    What `read_changes` finds in these files, or standard input for `-`; they may be compressed.

    Raises OSError where one can't be read to its end, ConfigurationError as `read_changes` does.
    """
    changes: list[tuple[int, Change]] = []
    rejected: list[RejectedLine] = []
    for path in paths:
        name, text = _read_text(path)
        try:
            read = read_changes(text, zone=zone, service=service)
        except ConfigurationError as error:
            raise ConfigurationError(f"{excerpt(name, 1000)}: {error}") from None
        changes += read.changes
        rejected += (RejectedLine(name, bad.line, bad.text, bad.reason) for bad in read.rejected)
    changes.sort(key=_tick)
    return History(changes, rejected)


def _read_text(path: str) -> tuple[str, str]:
    buffer = bytearray(_BUFFER)
    parts: list[bytes] = []
    with open_source(path) as source:
        while (filled := source.fill(buffer)) is not None:
            if isinstance(filled, OversizedLine):
                raise OSError(f"{excerpt(source.name, 1000)}: {filled.reason}")
            parts.append(bytes(buffer[:filled]))
        if source.problem is not None:
            raise OSError(f"{excerpt(source.name, 1000)}: {source.problem}")
    return source.name, b"".join(parts).decode("utf-8", "backslashreplace")


def _tick(change: tuple[int, Change]) -> int:
    return change[0]

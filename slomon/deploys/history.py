"""
The deploy history: the changes of all change files, in order of time.

The format of a change file is detected from its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Final

from slomon.core.events import Change, RejectedLine
from slomon.dates import Undated, read_date
from slomon.deploys.parsers import (
    read_blocks,
    read_log,
    read_objects,
    read_table,
    starts_block,
    starts_commit,
    starts_objects,
    starts_table,
)
from slomon.deploys.records import Record
from slomon.errors import ConfigurationError
from slomon.sources.source import MAX_LINE, OversizedLine, open_source
from slomon.text import excerpt, quote


@dataclass(frozen=True, slots=True)
class History:
    """Changes with the ticks of their deploys, in order of time, and the rejected records."""

    changes: list[tuple[int, Change]]
    rejected: list[RejectedLine]

    def find_unmatched_services(self, is_watched: Callable[[str], bool]) -> list[str]:
        """The services, each once, that changes name and that aren't watched."""
        named = dict.fromkeys(change.service for _, change in self.changes)
        return [service for service in named if service and not is_watched(service)]


def read_history(paths: Sequence[str], zone: tzinfo | None, service: str) -> History:
    """
    The changes of all these files, which may be compressed; `-` is standard input. See
    `read_changes` for `zone` and `service`.

    Raises OSError if a file can't be read to its end, ConfigurationError as `read_changes` does.
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


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record without a valid change: the line where it begins (from 1), its text, the reason."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChangeFile:
    """
    The content of a change file: changes with the ticks of their deploys, in order of time, and the
    rejected records.
    """

    changes: list[tuple[int, Change]]
    rejected: list[RejectedRecord]


def read_changes(text: str, *, zone: tzinfo | None = None, service: str = "") -> ChangeFile:
    """
    The changes of a file's text, whose format is detected.

    * `zone`: the zone of dates that don't name one
    * `service`: the service of records that don't name one

    Changes of the same time are in the order in which they were made: in the order of the file, or
    in reverse if the file runs from new to old, as the output of `git log` does.

    Raises ConfigurationError if no format is detected, or if a date has no zone and `zone` is None:
    accesses are in UTC, and without a zone the two can't be put in order.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    name = _detect_format(text)
    changes: list[tuple[int, Change]] = []
    rejected: list[RejectedRecord] = []
    for record in _FORMATS[name][1](text) if name else ():
        dated = _date_change(record, zone)
        if isinstance(dated, str):
            rejected.append(RejectedRecord(record.line, record.text, dated))
        else:
            tick, change = dated
            changes.append((tick, replace(change, service=change.service or service)))
    return ChangeFile(_order(changes, name), rejected)


def _read_text(path: str) -> tuple[str, str]:
    buffer = bytearray(MAX_LINE + 1)
    parts: list[bytes] = []
    with open_source(path) as source:
        while (filled := source.fill(buffer)) is not None:
            if isinstance(filled, OversizedLine):
                raise OSError(f"{excerpt(source.name, 1000)}: {filled.reason}")
            parts.append(bytes(buffer[:filled]))
        if source.problem is not None:
            raise OSError(f"{excerpt(source.name, 1000)}: {source.problem}")
    return source.name, b"".join(parts).decode("utf-8", "backslashreplace")


def _detect_format(text: str) -> str:
    for line in text.split("\n"):
        for name, (starts, _) in _FORMATS.items():
            if starts(line):
                return name
    if text.strip():
        raise ConfigurationError(
            f"the changes begin with {quote(text.lstrip())}; allowed: {_ALLOWED_FORMATS}"
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


def _order(changes: list[tuple[int, Change]], format_name: str) -> list[tuple[int, Change]]:
    ticks = [tick for tick, _ in changes]
    # After a rebase many commits have the same second; in a short log all of them may.
    backwards = ticks[:1] > ticks[-1:] or (ticks[:1] == ticks[-1:] and format_name == "git log")
    return sorted(reversed(changes) if backwards else changes, key=_tick)


def _tick(change: tuple[int, Change]) -> int:
    return change[0]


_FORMATS: Final[dict[str, tuple[Callable[[str], bool], Callable[[str], Iterator[Record]]]]] = {
    "blocks": (starts_block, read_blocks),
    "git log": (starts_commit, read_log),
    "json": (starts_objects, read_objects),
    "csv": (starts_table, read_table),
}
_ALLOWED_FORMATS: Final = (
    "blocks of the lines 'commit: ', 'Author: ', 'Date: ' and 'Service: '; what git log prints, "
    "in its default form or with --format=fuller; JSON objects of deploys or CDEvents; CSV of "
    "deploys with a header that names a commit's and a date's column, such as 'commit,deployed_at'"
)

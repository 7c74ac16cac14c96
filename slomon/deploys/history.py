"""The changes of all change files, in order of time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from slomon.core.accounting import RejectedLine
from slomon.core.event import Change
from slomon.deploys.changes import read_changes
from slomon.errors import ConfigurationError
from slomon.sources.source import MAX_LINE, Fragment, open_source
from slomon.text import excerpt

_BUFFER: Final = MAX_LINE + 1


@dataclass(frozen=True, slots=True)
class History:
    """Changes with their ticks, in order of time, and the records that were rejected."""

    changes: list[tuple[int, Change]]
    rejected: list[RejectedLine]

    def find_strays(self, watched: Collection[str]) -> list[str]:
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
            if isinstance(filled, Fragment):
                raise OSError(f"{excerpt(source.name, 1000)}: {filled.reason}")
            parts.append(bytes(buffer[:filled]))
        if source.problem is not None:
            raise OSError(f"{excerpt(source.name, 1000)}: {source.problem}")
    return source.name, b"".join(parts).decode("utf-8", "backslashreplace")


def _tick(change: tuple[int, Change]) -> int:
    return change[0]

"""
Logs that are copies of other logs. If logrotate is killed while it compresses, `access.log.1` stays
beside `access.log.1.gz`, and each request would count twice.

A log is a copy if its whole text is the beginning of another log's text. Only logs whose first
requests are written alike are compared, so nearly all logs are never read for this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from slomon.sources.source import Source, open_source

_LONG_ENOUGH: Final = 512  # characters that two logs hardly have in common by chance
_BLOCK_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Opening:
    """A log's path, whether it is compressed, and its first lines from the first request on."""

    path: str
    is_compressed: bool
    text: str

    def may_be(self, other: Opening) -> bool:
        """
        May one log be a copy of the other, if they begin alike? The short logs of two hosts may be
        equal by chance, but then both are compressed, or neither is.
        """
        return len(self.text) >= _LONG_ENOUGH or self.is_compressed != other.is_compressed


def find_copies(openings: Sequence[Opening], max_line: int) -> dict[str, str]:
    """The paths of the logs that are copies, each with that of the log that has all its text."""
    copies: dict[str, str] = {}
    alike: dict[str, list[Opening]] = {}
    for opening in openings:
        kept = alike.setdefault(opening.text[:_LONG_ENOUGH], [])
        for other in filter(opening.may_be, list(kept)):
            ended = _compare(other.path, opening.path, max_line)
            if ended == opening.path:
                copies[opening.path] = other.path
                break
            if ended == other.path:
                copies[other.path] = opening.path
                kept.remove(other)
        else:
            kept.append(opening)
    return copies


def _compare(first: str, second: str, max_line: int) -> str | None:
    """Which of the texts of two files is the beginning of the other; None if they differ."""
    block, other_block = bytearray(_BLOCK_BYTES), bytearray(_BLOCK_BYTES)
    try:
        with open_source(first, max_line) as one, open_source(second, max_line) as other:
            size = other_size = _BLOCK_BYTES
            while size == other_size == _BLOCK_BYTES:
                size, other_size = _read_block(one, block), _read_block(other, other_block)
                common = min(size, other_size)
                if block[:common] != other_block[:common]:
                    return None
    except OSError:  # reported when the log is read
        return None
    return second if other_size <= size else first


def _read_block(source: Source, block: bytearray) -> int:
    """Fill the block, or less of it at the end of the text. Returns the number of bytes."""
    size = 0
    while count := source.read(memoryview(block)[size:]):
        size += count
    return size

"""A record of a change file, before its date is read; and the records that are blocks of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile, pairwise
from typing import Final

from slomon.core.event import Change, Malformed, parse_change


@dataclass(frozen=True, slots=True)
class Record:
    """Where a record begins (lines count from 1), its text, and its change or why it has none."""

    line: int
    text: str
    change: Change | str


def opens_block(line: str) -> bool:
    """Does a change of the contract's four lines begin here?"""
    return _OPENING.match(line) is not None


def read_blocks(text: str) -> Iterator[Record]:
    """Changes of four lines each, as a stream's are; blank lines are passed over."""
    for number, lines in split_records(text, _OPENING):
        block = "\n".join(line for line in lines if line.strip())
        change = parse_change(block)
        yield Record(number, block, change.reason if isinstance(change, Malformed) else change)


def split_records(text: str, opening: re.Pattern[str]) -> Iterator[tuple[int, list[str]]]:
    """
    The lines of each record, which begins where `opening` matches, and the number of the first.
    What stands before the first opening is a record too: nothing is passed over without a count.
    """
    lines = text.split("\n")
    openings = [number for number, line in enumerate(lines) if opening.match(line)]
    for start, end in pairwise([0, *openings, len(lines)]):
        record = list(dropwhile(lambda line: not line.strip(), lines[start:end]))
        if record:
            yield end - len(record) + 1, record


_OPENING: Final = re.compile("commit: ")

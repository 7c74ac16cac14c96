"""One log while it is read, and the blocks of its lines on their way to rows."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from typing import Final

from slomon.endpoints.discovery import Requests
from slomon.formats.registry import Format
from slomon.sources.source import Fragment

_PREFIX: Final = re.compile(rb'\{"type": ?"access", ?"value": ?"')


@dataclass(slots=True)
class Log:
    """A log, the format of its lines, and who knows its requests."""

    name: str
    format: Format
    requests: Requests
    exact: bool  # whether targets are compared as they stand, query and all
    prefix: bytes = b""  # of an access, where its format puts one into JSON
    recognised: bool = True  # False while its lines are all blank, or too long
    ended: bool = False  # by an end-of-stream among its lines
    doubt: str | None = None  # why its format may be another one
    beginning: bytes = b""  # of the file, on disk, by which it is known again; none of a pipe


@dataclass(slots=True)
class Place:
    """
    How far a host's logs were read: which of them, how many bytes of text and lines of it, and the
    trail of these bytes.
    """

    file: int = 0
    offset: int = 0
    lines: int = 0
    trail: str = ""


@dataclass(slots=True)
class Block:
    """
    Whole lines of a log, or the fragment of one that is too long, and what became of them part by
    part: a row a line, of tick and code. The part that is made into rows now is that from `at` to
    `stop`. The columns have room for more rows than there are.
    """

    buffer: bytearray
    ticks: array[int] = field(default_factory=lambda: array("q"))
    codes: array[int] = field(default_factory=lambda: array("q"))
    odd: array[int] = field(default_factory=lambda: array("q"))
    rows: int = 0
    odds: int = 0
    length: int = 0
    at: int = 0
    stop: int = 0
    fragment: Fragment | None = None
    log: Log = field(init=False)
    first_line: int = 1
    end: Place = field(default_factory=Place)

    def choose(self, most: int) -> None:
        """Let the part have so many lines, or all there are."""
        self.rows = self.odds = 0
        self.stop = self.length
        if self.buffer.count(b"\n", self.at, self.length) > most:
            self.stop = self.at
            for _ in range(most):
                self.stop = self.buffer.index(b"\n", self.stop) + 1

    def lines(self) -> list[bytes]:
        """The lines of the part, without their ends."""
        return bytes(memoryview(self.buffer)[self.at : self.stop]).split(b"\n")[:-1]

    def go_on(self) -> bool:
        """Leave the part, which was settled, for the one behind it, if there is any."""
        self.first_line += self.rows
        self.at = self.stop
        return self.at < self.length


def find_prefix(lines: bytes) -> bytes:
    """What stands before the first access of a recorded stream, as its writer spaces it."""
    found = _PREFIX.search(lines)
    return found[0] if found else b""

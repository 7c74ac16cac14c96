"""
A log while it is read, the blocks of its lines, and the reference parser, which makes rows of
lines. The reference parser alone decides what a line is, and why a line is malformed.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from slomon.core.events import Access, Change, End, Excluded, Gap, Malformed, RejectedLine
from slomon.core.reorder import Order
from slomon.core.ticks import LAST_TICK
from slomon.endpoints.discovery import Requests
from slomon.formats.format import Format, Switch
from slomon.kernels.codes import BLANK, EXCLUDED, NO_TICK, REJECTED, UNMATCHED, access_code
from slomon.kernels.swar import PADDING
from slomon.sources.source import OversizedLine, Source

CHANGES: Final = 0
"""The number of the source of changes; the logs are the sources after it."""

_PREFIX: Final = re.compile(rb'\{"type": ?"access", ?"value": ?"')


@dataclass(slots=True)
class Log:
    """
    A log that is read: the format of its next line, and what is known of its lines. A line may
    switch the format (`registry.Switch`).
    """

    name: str
    format: Format
    requests: Requests
    match_exactly: bool  # are targets compared unchanged, with their query strings?
    prefix: bytes = b""  # the bytes before an access, in a recorded stream
    recognised: bool = True  # False while all its lines are blank or too long
    ended: bool = False  # by an end-of-stream line
    beginning: bytes = b""  # of the file, to identify it when a run is resumed; b"" for a pipe
    lateness: int = 0  # that its first lines need, in ticks; LAST_TICK: it is sorted as a whole


class SavedLog(NamedTuple):
    """What a checkpoint saves of a log: fields of `Log`, the format by its `spec`."""

    name: str
    format: str
    match_exactly: bool
    prefix: str
    recognised: bool
    ended: bool


@dataclass(slots=True)
class LogPosition:
    """
    How far a log was read: the bytes of its text and the lines that were read, and the fingerprint
    of these bytes, if the replay can be resumed.
    """

    offset: int = 0
    lines: int = 0
    fingerprint: str = ""


@dataclass(slots=True)
class Block:
    """
    Whole lines of a log, or a piece of one line that is too long. Rows are made of it part by part;
    `buffer[at:stop]` is the present part, which was scanned in `format`. Each line becomes one row,
    of a tick and a code. The columns may be longer than `rows`.

    If a line before the part switched the format of the log in the meantime, `format` is not
    `log.format`, and the part is scanned again before it is resolved.
    """

    buffer: bytearray
    ticks: array[int] = field(default_factory=lambda: array("q"))
    codes: array[int] = field(default_factory=lambda: array("q"))
    unresolved: array[int] = field(default_factory=lambda: array("q"))
    requests: bytearray = field(default_factory=lambda: bytearray(1))  # composed by a scanner
    contents: bytearray = field(default_factory=lambda: bytearray(1))  # of wrapped lines
    ends: array[int] = field(default_factory=lambda: array("q"))  # where the wrapped lines end
    is_unwrapped: bool = False  # were the contents scanned?
    rows: int = 0
    unresolved_count: int = 0
    length: int = 0
    at: int = 0
    stop: int = 0
    oversized: OversizedLine | None = None
    log: Log = field(init=False)
    format: Format | None = None
    first_line: int = 1
    end: LogPosition = field(default_factory=LogPosition)

    def fill(self, source: Source, most: int | None, enough: int) -> bool:
        """
        Read the next lines: `enough` bytes, unless the first line is longer, and at most `most`.
        Returns False at the end of the source.
        """
        room = max(enough, source.max_line + 1) + PADDING
        if len(self.buffer) < room:
            self.buffer = bytearray(room)
        filled = source.fill(self.buffer, PADDING, most, enough)
        if filled is None:
            return False
        self.at = self.stop = 0
        self.oversized = filled if isinstance(filled, OversizedLine) else None
        self.length = 0 if isinstance(filled, OversizedLine) else filled
        return True

    def take(self, most: int) -> None:
        """Begin a part at `at`: at most `most` lines, or all that remain."""
        self.rows = self.unresolved_count = 0
        self.stop = self.length
        if self.buffer.count(b"\n", self.at, self.length) > most:
            self.stop = self.at
            for _ in range(most):
                self.stop = self.buffer.index(b"\n", self.stop) + 1

    def lines(self) -> list[bytes]:
        """The lines of the part, without their ends."""
        return bytes(memoryview(self.buffer)[self.at : self.stop]).split(b"\n")[:-1]

    def advance(self) -> bool:
        """Leave the part, which was resolved. Returns whether lines remain."""
        self.first_line += self.rows
        self.at = self.stop
        return self.at < self.length


def find_prefix(lines: bytes) -> bytes:
    """The bytes before the first access of a recorded stream, spaced as its writer spaces them."""
    found = _PREFIX.search(lines)
    return found[0] if found else b""


class Resolver(Protocol):
    """
    Makes rows of blocks, part by part. `scan` chooses the part that begins at `block.at` and may
    prepare it, in any thread; `resolve` makes its rows, in the order of the stream.
    """

    def scan(self, block: Block) -> None: ...
    def resolve(self, block: Block) -> None: ...


_LINES: Final = 1 << 14  # in a part: as objects, rows need much more memory than their text


class ReferenceParser:
    """
    Makes rows of lines one by one, and counts the changes, the malformed lines, the excluded ones
    by reason, and the events that recorded streams lack. Accesses before the tick `first` or after
    `last` are excluded, too, but the reorder buffer counts these: a scanner finds them by itself.
    """

    def __init__(
        self,
        order: Order,
        on_rejected: Callable[[RejectedLine], None],
        *,
        changes: int = 0,
        rejected: int = 0,
        missing: int = 0,
        excluded: Mapping[str, int] | None = None,
        first: int = 0,
        last: int = LAST_TICK,
    ) -> None:
        self.changes = changes
        self.rejected = rejected
        self.missing = missing
        self.excluded = Counter(excluded or {})
        self.first = first
        self.last = last
        self._order = order
        self._on_rejected = on_rejected

    def scan(self, block: Block) -> None:
        """Choose the lines that are resolved next."""
        block.take(_LINES)

    def resolve(self, block: Block) -> None:
        """Make the rows of the present part of a block."""
        if block.oversized is None:
            self.resolve_rest(block, 0)
            return
        oversized = block.oversized
        tick, code = self.reject(block.log, block.first_line, oversized.text, oversized.reason)
        block.ticks, block.codes, block.rows = array("q", [tick]), array("q", [code]), 1

    def resolve_rest(self, block: Block, first: int) -> None:
        """
        Make the rows of a part from line `first` on; those before it are already made. The part
        ends at a line that switches the format to one that a scanner may read.
        """
        log, form = block.log, block.log.format
        lines = block.lines()
        rows: list[tuple[int, int]] = []
        for number, line in enumerate(lines[first:], block.first_line + first):
            rows.append(self.read(log, number, line))
            if log.format is not form and log.format.is_scanned:
                break
        block.ticks[first:] = array("q", [tick for tick, _ in rows])
        block.codes[first:] = array("q", [code for _, code in rows])
        block.rows = first + len(rows)
        block.stop -= sum(len(line) + 1 for line in lines[block.rows :])

    def read(self, log: Log, number: int, line: bytes) -> tuple[int, int]:
        """The tick and the code of a line."""
        text = line.decode("utf-8", "backslashreplace").removesuffix("\r")
        if not text.strip():
            return NO_TICK, BLANK
        if log.ended:
            return self.reject(log, number, line, "it follows the end-of-stream")
        read = log.format.parse(text)
        if isinstance(read, Switch):
            log.format, read = read.format, read.item
        if isinstance(read, Malformed):
            return self.reject(log, number, line, read.reason)
        return self._make_row(log, read)

    def _make_row(
        self, log: Log, read: Access | Change | Excluded | Gap | End | None
    ) -> tuple[int, int]:
        if isinstance(read, Access):
            if not self.first <= read.tick <= self.last:
                return read.tick, EXCLUDED
            key = log.requests.key(read.verb, read.resource, read.host)
            return read.tick, access_code(key, failed=read.failed)
        if isinstance(read, Change):
            return NO_TICK, self._add_change(log, read)
        if isinstance(read, Gap):
            self.missing += read.events
            return NO_TICK, BLANK
        if isinstance(read, Excluded):
            self.excluded[read.reason] += 1
            return NO_TICK, EXCLUDED
        if read is None:
            return NO_TICK, BLANK
        log.ended = True
        self._order.watched_until = max(self._order.watched_until, read.tick or 0)
        return NO_TICK, BLANK

    def reject(self, log: Log, number: int, line: bytes, reason: str) -> tuple[int, int]:
        """Count and report a malformed line, and return its row."""
        self.rejected += 1
        text = line.decode("utf-8", "backslashreplace")
        self._on_rejected(RejectedLine(log.name, number, text, reason))
        return NO_TICK, REJECTED

    def _add_change(self, log: Log, change: Change) -> int:
        if not log.requests.watches(change.service):
            return UNMATCHED
        self.changes += 1
        return self._order.add_change(change)

"""The careful reader: it alone decides what a line is, and says why where one is malformed."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final

from slomon.core.events import Access, Change, Malformed, RejectedLine
from slomon.core.reorder import Order
from slomon.kernels.codes import BLANK, NO_TICK, REJECTED, UNMATCHED, access_code
from slomon.replaying.log import Block, Log

_LINES: Final = 1 << 14  # at once: their rows are objects, which need much more room than they do


class CarefulReader:
    """Makes rows of lines, one by one, and counts what becomes of those that make none."""

    def __init__(self, order: Order, on_rejected: Callable[[RejectedLine], None]) -> None:
        self.changes = 0
        self.rejected = 0
        self._order = order
        self._on_rejected = on_rejected

    def scan(self, block: Block) -> None:
        """Choose the lines that are settled next."""
        block.choose(_LINES)

    def settle(self, block: Block) -> None:
        """Make the rows of a part of a block."""
        if block.fragment is None:
            self.settle_rest(block, 0)
            return
        fragment = block.fragment
        tick, code = self.reject(block.log, block.first_line, fragment.text, fragment.reason)
        block.ticks, block.codes, block.rows = array("q", [tick]), array("q", [code]), 1

    def settle_rest(self, block: Block, first: int) -> None:
        """Make the rows of the lines from the first on."""
        lines = enumerate(block.lines()[first:], block.first_line + first)
        rows = [self.read(block.log, number, line) for number, line in lines]
        block.ticks[first:] = array("q", [tick for tick, _ in rows])
        block.codes[first:] = array("q", [code for _, code in rows])
        block.rows = first + len(rows)

    def read(self, log: Log, number: int, line: bytes) -> tuple[int, int]:
        """The tick and the code of a line."""
        text = line.decode("utf-8", "backslashreplace").removesuffix("\r")
        if not text.strip():
            return NO_TICK, BLANK
        if log.ended:
            return self.reject(log, number, line, "it follows the end-of-stream")
        read = log.format.parse(text)
        if isinstance(read, Access):
            key = log.requests.key(read.verb, read.resource)
            return read.tick, access_code(key, failed=read.failed)
        if isinstance(read, Change):
            return NO_TICK, self._note(log, read)
        if isinstance(read, Malformed):
            return self.reject(log, number, line, read.reason)
        log.ended = True
        self._order.watched_until = max(self._order.watched_until, read.tick or 0)
        return NO_TICK, BLANK

    def reject(self, log: Log, number: int, line: bytes, reason: str) -> tuple[int, int]:
        """The row of a line that can't be read, which is told."""
        self.rejected += 1
        text = line.decode("utf-8", "backslashreplace")
        self._on_rejected(RejectedLine(log.name, number, text, reason))
        return NO_TICK, REJECTED

    def _note(self, log: Log, change: Change) -> int:
        if not log.requests.watches(change.service):
            return UNMATCHED
        self.changes += 1
        return self._order.note(change)

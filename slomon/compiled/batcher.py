"""Batches of a live stream at the compiled speed: its texts are joined into blocks and scanned."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

from slomon.compiled.library import Library, address, lengthen
from slomon.compiled.order import CompiledOrder
from slomon.compiled.requests import Table, judge_statuses
from slomon.core.batching import Batcher, Cut, Item
from slomon.core.endpoints import Sharding
from slomon.core.events import Access, Change, Rejection, StatusRule, parse_access
from slomon.kernels.codes import NO_TICK, REJECTED, UNMATCHED, access_code
from slomon.kernels.line import DATES, PLAIN_LINES
from slomon.kernels.scan import CAREFUL, GROUP, LINE, ODD, PADDING

_TAIL: Final = "\n" + "\0" * PADDING  # the last line's end, and what may be looked at behind it


class CompiledBatcher(Batcher):
    """What `Batcher` does, going on from one."""

    def __init__(
        self, library: Library, before: Batcher, sharding: Sharding, is_failure: StatusRule
    ) -> None:
        super().__init__(sharding, is_failure)
        self.accounting = before.accounting
        self.newest = before.newest
        self._library = library
        self._table = Table(library)
        self._statuses = judge_statuses(is_failure)
        self._order = CompiledOrder(library, 1, len(sharding.members), self._table)
        self._order.position = self.accounting.events
        self._order.clocks[0].newest = before.newest
        self._order.span, self._order.deploys = before.span, before.deploys
        self.span, self.deploys = before.span, before.deploys
        self._order.end(0)  # order is the stream's: no row waits for another
        self._dates = array("q", bytes(8 * DATES))
        self._odds = array("q", [0, 0])
        self._group = array("q", bytes(8 * GROUP * LINE))
        self._ticks, self._codes, self._odd = array("q"), array("q"), array("q")

    def cut(self, items: Sequence[Item]) -> Cut:
        """The batches of the next items of the stream, which follow those of the call before."""
        text = self._scan(items)
        if self._odds[1] != len(text) - len(_TAIL) + 1:  # one of them has several lines
            cut = super().cut(items)
            self._order.position = self.accounting.events
            self._order.clocks[0].newest = self.newest
            return cut
        rejections: list[Rejection] = []
        next_odd, odds = 0, self._odds[0]
        while (next_odd := self._settle(text, next_odd)) < odds:
            self._decide(items, text, next_odd, rejections)
            next_odd += 1
        self._table.publish(odds)
        self._order.enter(0, self._ticks, self._codes, len(items))
        self.newest = self._order.clocks[0].newest
        batches = self._order.take()
        self._account(len(items))
        return Cut(batches, rejections)

    def _scan(self, items: Sequence[Item]) -> bytes:
        # What is no text stands as an empty line, an odd one.
        lines = "\n".join([item if type(item) is str else "" for item in items])
        text = (lines + _TAIL).encode("utf-8", "surrogatepass")
        lengthen(self._ticks, len(items))
        lengthen(self._codes, len(items))
        lengthen(self._odd, ODD * len(items))
        known = self._table.known
        shape = array("q", [PLAIN_LINES, 0, 0, False, False, known.mask])
        self._library.scan(
            *(address(text), 0, len(text) - len(_TAIL) + 1, address(shape), address(text)),
            *map(address, (self._statuses, known.table, known.arena, self._dates)),
            *map(address, (self._ticks, self._codes, self._odd)),
            *(len(items), len(items), address(self._odds), address(self._group)),
        )
        return text

    def _settle(self, text: bytes, first: int) -> int:
        return self._table.settle(text, self._odd, first, self._odds[0], self._codes)

    def _decide(
        self, items: Sequence[Item], text: bytes, number: int, rejections: list[Rejection]
    ) -> None:
        row, _, _, request, request_end = self._odd[number * ODD : (number + 1) * ODD]
        unknown = self._codes[row] != CAREFUL
        item = items[row]
        read = parse_access(item, self._is_failure) if isinstance(item, str) else item
        if isinstance(read, Access):
            key = self._sharding.catalogue.find(read.verb, read.resource)
            code = access_code(UNMATCHED if key is None else key, failed=read.failed)
            self._ticks[row], self._codes[row] = read.tick, code
            if unknown:
                self._table.learn(text[request:request_end], code)
            return
        self._ticks[row] = NO_TICK
        if isinstance(read, Change):
            self._codes[row] = self._note_row(read)
        else:
            self._codes[row] = REJECTED
            position = self.accounting.events + row
            self.accounting.rejected += 1
            rejections.append(Rejection(position, read.text, read.reason))

    def _note_row(self, change: Change) -> int:
        if not self._sharding.owners(change.service):
            return UNMATCHED
        self.accounting.changes += 1
        return self._order.note(change)

    def _account(self, rows: int) -> None:
        order = self._order
        self.accounting.events += rows
        self.accounting.accesses += order.accesses
        self.accounting.unmatched += order.unmatched
        order.accesses = order.unmatched = 0

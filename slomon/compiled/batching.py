"""
Batches of an event stream, with compiled kernels. `core/batching.py` does the same in Python.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final, cast

from slomon.compiled.library import Library, address, lengthen
from slomon.compiled.reorder import CompiledRowBuffer
from slomon.compiled.request_table import CompiledEndpointNames
from slomon.core.batching import AnyBatcher, Batch, BatchResult, Item
from slomon.core.endpoints import Sharding
from slomon.core.events import Access, Change, Rejection, parse_access
from slomon.core.reorder import OPEN_END, SourceClock
from slomon.core.statuses import StatusRule, StatusTable
from slomon.core.ticks import LAST_TICK
from slomon.kernels.codes import NO_TICK, REJECTED, UNMATCHED, access_code, change_code
from slomon.kernels.json_lines import MEMORY
from slomon.kernels.line import PLAIN_LINES
from slomon.kernels.scan import FOR_REFERENCE, GROUP, LINE, MALFORMED, UNRESOLVED
from slomon.kernels.swar import PADDING

_TAIL: Final = "\n" + "\0" * PADDING  # the last line's end, and the bytes that kernels read past it
_NOTHING: Final = array("q", [0])


class CompiledBatcher:
    """
    Makes the same batches as `before`, the batcher that it continues.

    The texts of the items are joined and scanned as one block. If an item has several lines, all
    are left to `before`. Both share the state of the stream.
    """

    def __init__(
        self, library: Library, before: AnyBatcher, sharding: Sharding, is_failure: StatusRule
    ) -> None:
        self.state = before.state
        self._before = before
        self._library = library
        self._sharding = sharding
        self._is_failure = is_failure
        self._statuses = StatusTable.from_rule(is_failure).column(MALFORMED)
        self._table = CompiledEndpointNames(library)
        self._rows = CompiledRowBuffer(library, len(sharding.members), self._table)
        self._changes: dict[int, Change] = {}  # of the items that are cut now, by their codes
        self._rejections: list[Rejection] = []  # of these items, too
        self._memory = array("q", [-1]) * MEMORY
        self._scanned = array("q", [0, 0])  # how many lines are unresolved, and where the text ends
        self._group = array("q", bytes(8 * GROUP * LINE))
        self._ticks, self._codes, self._unresolved = array("q"), array("q"), array("q")

    def cut(self, items: Sequence[Item]) -> BatchResult:
        """Return the batches of the stream's next items."""
        text = self._scan(items)
        unresolved_count, stop = self._scanned
        if stop != len(text) - len(_TAIL) + 1:  # an item has several lines
            return self._before.cut(items)
        next_line = 0
        while (next_line := self._resolve(text, next_line)) < unresolved_count:
            self._parse(items, text, next_line)
            next_line += 1
        self._table.publish(unresolved_count)
        batches = self._release(len(items))
        rejections, self._rejections = self._rejections, []
        return BatchResult(batches, rejections)

    def _scan(self, items: Sequence[Item]) -> bytes:
        try:
            lines = "\n".join(cast(Sequence[str], items))
        except TypeError:  # an item that is no text becomes an empty line, which is left unresolved
            lines = "\n".join([item if isinstance(item, str) else "" for item in items])
        text = (lines + _TAIL).encode("utf-8", "surrogatepass")
        lengthen(self._ticks, len(items))
        lengthen(self._codes, len(items))
        lengthen(self._unresolved, UNRESOLVED * len(items))
        known = self._table.known
        # Plain lines without a prefix or a suffix: of no file, with their queries, without routes.
        # Routes are looked up when requests are resolved.
        shape = array("q", [PLAIN_LINES, 0, 0, False, False, known.mask, 0, LAST_TICK, False])
        self._library.scan(
            *(address(text), 0, len(text) - len(_TAIL) + 1, address(text)),
            *map(address, (shape, _NOTHING, _NOTHING, _NOTHING, self._statuses)),
            *map(address, (known.table, known.arena, self._memory)),
            *map(address, (self._ticks, self._codes, self._unresolved)),
            *(len(items), len(items), address(self._scanned), address(self._group)),
            *(address(text), address(self._table.templates)),
        )
        return text

    def _resolve(self, text: bytes, first: int) -> int:
        """Return the number of the first line, from `first` on, that is to be parsed."""
        return self._table.resolve(
            text, text, self._unresolved, first, self._scanned[0], self._codes
        )

    def _parse(self, items: Sequence[Item], text: bytes, number: int) -> None:
        row, _, _, request, request_end, _ = self._unresolved[
            number * UNRESOLVED : (number + 1) * UNRESOLVED
        ]
        unknown = self._codes[row] != FOR_REFERENCE
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
            self._codes[row] = self._add_change(read)
        else:
            self._codes[row] = REJECTED
            position = self.state.accounting.events + row
            self._rejections.append(Rejection(position, read.text, read.reason))

    def _add_change(self, change: Change) -> int:
        """Return the code of its row."""
        if not self._sharding.owners(change.service):
            return UNMATCHED
        code = change_code(len(self._changes))
        self._changes[code] = change
        return code

    def _release(self, rows: int) -> list[tuple[int, Batch]]:
        """Return the batches of all rows; their order is that of the stream."""
        state, changes = self.state, len(self._changes)
        clock = SourceClock(newest=state.newest)
        self._rows.enter(clock, 0, self._ticks, self._codes, rows)
        released = self._rows.take(OPEN_END, state.accounting.events, self._changes)
        state.newest = clock.newest
        state.span.widen((batch for _, batch in released.batches), released.newest)
        state.deploys += released.changes
        accounting = state.accounting
        accounting.events += rows
        accounting.accesses += released.accesses
        accounting.changes += changes
        accounting.unmatched += released.unmatched
        accounting.rejected += len(self._rejections)
        return released.batches

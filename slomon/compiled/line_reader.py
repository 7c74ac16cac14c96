"""
Batches of a live stream at the compiled speed: its texts are joined into blocks and scanned.

The reader at the compiled speed: scans what is plain, hands the rest to the careful one.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

from slomon.compiled.library import Library, address, lengthen
from slomon.compiled.reorder import CompiledOrder
from slomon.compiled.request_table import CompiledEndpointNames, Known, judge_statuses
from slomon.core.batching import Batcher, BatchResult, Item
from slomon.core.endpoints import Sharding
from slomon.core.events import Access, Change, Rejection, StatusRule, parse_access
from slomon.endpoints.discovery import FoundRequests, Requests
from slomon.kernels.codes import NO_TICK, REJECTED, UNMATCHED, access_code
from slomon.kernels.line import CLF_LINES, DATES, PLAIN_LINES
from slomon.kernels.scan import FOR_REFERENCE, GROUP, LINE, PADDING, UNRESOLVED
from slomon.log_replay.lines import Block, Log, ReferenceParser

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
        self._table = CompiledEndpointNames(library)
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

    def cut(self, items: Sequence[Item]) -> BatchResult:
        """The batches of the next items of the stream, which follow those of the call before."""
        text = self._scan(items)
        if self._odds[1] != len(text) - len(_TAIL) + 1:  # one of them has several lines
            cut = super().cut(items)
            self._order.position = self.accounting.events
            self._order.clocks[0].newest = self.newest
            return cut
        rejections: list[Rejection] = []
        next_odd, unresolved_count = 0, self._odds[0]
        while (next_odd := self._settle(text, next_odd)) < unresolved_count:
            self._decide(items, text, next_odd, rejections)
            next_odd += 1
        self._table.publish(unresolved_count)
        self._order.enter(0, self._ticks, self._codes, len(items))
        self.newest = self._order.clocks[0].newest
        batches = self._order.take()
        self._account(len(items))
        return BatchResult(batches, rejections)

    def _scan(self, items: Sequence[Item]) -> bytes:
        # What is no text stands as an empty line, an odd one.
        lines = "\n".join([item if type(item) is str else "" for item in items])
        text = (lines + _TAIL).encode("utf-8", "surrogatepass")
        lengthen(self._ticks, len(items))
        lengthen(self._codes, len(items))
        lengthen(self._odd, UNRESOLVED * len(items))
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
        return self._table.resolve(text, self._odd, first, self._odds[0], self._codes)

    def _decide(
        self, items: Sequence[Item], text: bytes, number: int, rejections: list[Rejection]
    ) -> None:
        row, _, _, request, request_end = self._odd[number * UNRESOLVED : (number + 1) * UNRESOLVED]
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
        return self._order.add_change(change)

    def _account(self, rows: int) -> None:
        order = self._order
        self.accounting.events += rows
        self.accounting.accesses += order.accesses
        self.accounting.unmatched += order.unmatched
        order.accesses = order.unmatched = 0


_SHORT_LINE: Final = 16  # bytes; where lines are shorter on average, a block is several parts
_KNOWN_AT_ONCE: Final = 10_000  # endpoints
_LINES_AN_ODD_ONE: Final = 8  # at first; where more are odd, the column of them grows
_KINDS: Final = {"plain": PLAIN_LINES, "events": PLAIN_LINES, "combined": CLF_LINES}
_SUFFIXES: Final = {"events": b'"}'}


class CompiledReader:
    """
    Makes the rows that a CarefulReader would. `scan` may run in any thread, for several blocks at
    once; `resolve` follows, block by block in the order of the stream.
    """

    def __init__(
        self, library: Library, reference: ReferenceParser, is_failure: StatusRule
    ) -> None:
        self._library = library
        self._reference = reference
        self._tables: dict[Requests, CompiledEndpointNames] = {}
        self._statuses = judge_statuses(is_failure)

    def scan(self, block: Block) -> None:
        """Look at as many lines of a block as there is room for, with what is known now."""
        log = block.log
        if not _is_plain(block):
            self._reference.scan(block)
            return
        known = self._table(log.requests).known
        suffix = _SUFFIXES.get(log.format.name, b"")
        affixes = bytearray(log.prefix + suffix + b"\0")
        kind, cuts = _KINDS[log.format.name], not log.match_exactly
        shape = array("q", [kind, len(log.prefix), len(suffix), True, cuts, known.mask])
        rows = len(block.buffer) // _SHORT_LINE + 1
        lengthen(block.ticks, rows)
        lengthen(block.codes, rows)
        lengthen(block.unresolved, UNRESOLVED * (rows // _LINES_AN_ODD_ONE + 1))
        while self._scan(block, rows, known, shape, affixes):
            lengthen(block.unresolved, 2 * len(block.unresolved))

    def _scan(
        self, block: Block, room: int, known: Known, shape: array[int], affixes: bytearray
    ) -> bool:
        """Returns whether there were too many odd lines, fewer than there is room for."""
        dates, unresolved_count = array("q", [-1]) * DATES, array("q", [0, 0])
        group = array("q", bytes(8 * GROUP * LINE))
        unresolved_room = min(len(block.unresolved) // UNRESOLVED, room)
        block.rows = self._library.scan(
            *(address(block.buffer), block.at, block.length, address(shape), address(affixes)),
            *map(address, (self._statuses, known.table, known.arena)),
            *map(address, (dates, block.ticks, block.codes, block.unresolved)),
            *(room, unresolved_room, address(unresolved_count), address(group)),
        )
        block.unresolved_count, block.stop = unresolved_count
        return block.unresolved_count == unresolved_room < room and block.stop < block.length

    def resolve(self, block: Block) -> None:
        """Settle what the scanner left open."""
        log = block.log
        if log.ended or not block.rows:
            self._reference.resolve(block)
            return
        table = self._table(log.requests)
        next_odd = 0
        while (next_odd := self._settle(block, table, next_odd)) < block.unresolved_count:
            self._decide(block, log, table, next_odd)
            next_odd += 1
        table.publish(block.unresolved_count)

    def _settle(self, block: Block, table: CompiledEndpointNames, first: int) -> int:
        return table.resolve(
            block.buffer, block.unresolved, first, block.unresolved_count, block.codes
        )

    def _decide(self, block: Block, log: Log, table: CompiledEndpointNames, number: int) -> None:
        row, start, end, request, request_end = block.unresolved[
            number * UNRESOLVED : (number + 1) * UNRESOLVED
        ]
        unknown = block.codes[row] != FOR_REFERENCE
        line = bytes(block.buffer[start:end])
        tick, code = self._reference.read(log, block.first_line + row, line)
        block.ticks[row], block.codes[row] = tick, code
        if log.ended:
            self._reference.resolve_rest(block, row + 1)
            block.unresolved_count = 0
        elif unknown and not isinstance(log.requests, FoundRequests):
            table.learn(bytes(block.buffer[request:request_end]), code)

    def _table(self, requests: Requests) -> CompiledEndpointNames:
        table = self._tables.get(requests)
        if table is None:
            names = requests.names if isinstance(requests, FoundRequests) else None
            table = (
                names if isinstance(names, CompiledEndpointNames) else self._make_table(requests)
            )
            self._tables[requests] = table
        return table

    def _make_table(self, requests: Requests) -> CompiledEndpointNames:
        """Knows the given endpoints from the start, by their own names."""
        table = CompiledEndpointNames(self._library)
        for endpoint in requests.endpoints[:_KNOWN_AT_ONCE]:
            key = requests.key(endpoint.verb, endpoint.resource)
            request = f"{endpoint.verb} {endpoint.resource}".encode(errors="backslashreplace")
            table.learn(request, access_code(key, failed=False))
        table.publish(_KNOWN_AT_ONCE)
        return table


def _is_plain(block: Block) -> bool:
    """Whether the scanner knows lines of its format, and how its stream writes them."""
    log = block.log
    known = block.oversized is None and log.format.name in _KINDS
    return known and bool(log.prefix or not log.format.ordered)

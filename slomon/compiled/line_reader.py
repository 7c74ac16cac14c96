"""
Compiled scanning of lines, for logs (`CompiledReader`) and for live streams (`CompiledBatcher`).

The scanner kernel reads the plain lines of the common formats, and looks up their requests in a
table. It leaves every other line unresolved. A line whose request is merely unknown is resolved by
a second kernel if endpoints are found in the logs; all other unresolved lines go to the reference
parser.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

from slomon.compiled.library import Library, address, lengthen
from slomon.compiled.reorder import CompiledRowBuffer
from slomon.compiled.request_table import CompiledEndpointNames, Known
from slomon.core.batching import AnyBatcher, Batch, BatchResult, Item
from slomon.core.endpoints import Sharding
from slomon.core.events import Access, Change, Rejection, parse_access
from slomon.core.reorder import OPEN_END, SourceClock
from slomon.core.statuses import StatusRule, StatusTable
from slomon.core.ticks import LAST_TICK
from slomon.endpoints.discovery import FoundRequests, Requests
from slomon.kernels.codes import NO_TICK, REJECTED, UNMATCHED, access_code, change_code
from slomon.kernels.line import CLF_LINES, DATES, PLAIN_LINES
from slomon.kernels.scan import FOR_REFERENCE, GROUP, LINE, MALFORMED, PADDING, UNRESOLVED
from slomon.log_replay.lines import Block, Log, ReferenceParser

_SHORT_LINE: Final = 16  # bytes; a block with shorter lines on average is read in several parts
_KNOWN_AT_ONCE: Final = 10_000  # endpoints
_LINES_PER_UNRESOLVED: Final = 8  # at first; the column grows if more lines are unresolved
_KINDS: Final = {"plain": PLAIN_LINES, "events": PLAIN_LINES, "combined": CLF_LINES}
_SUFFIXES: Final = {"events": b'"}'}
_TAIL: Final = "\n" + "\0" * PADDING  # the last line's end, and the bytes that kernels read past it


class CompiledReader:
    """
    Makes the same rows of a log's blocks as a `ReferenceParser`.

    `scan` may run in any thread, for several blocks at once. `resolve` follows block by block, in
    the order of the stream.
    """

    def __init__(
        self, library: Library, reference: ReferenceParser, is_failure: StatusRule
    ) -> None:
        self._library = library
        self._reference = reference
        self._tables: dict[Requests, CompiledEndpointNames] = {}
        self._statuses = StatusTable.from_rule(is_failure).column(MALFORMED)

    def scan(self, block: Block) -> None:
        """Scan as many lines of a block as there is room for, with the requests known now."""
        log = block.log
        block.format = log.format
        if not _can_scan(block):
            self._reference.scan(block)
            return
        known = self._table(log.requests).known
        suffix = _SUFFIXES.get(log.format.name, b"")
        affixes = bytearray(log.prefix + suffix + b"\0")
        kind, cuts = _KINDS[log.format.name], not log.match_exactly
        range_ = self._reference.first, self._reference.last
        shape = array("q", [kind, len(log.prefix), len(suffix), True, cuts, known.mask, *range_])
        rows = len(block.buffer) // _SHORT_LINE + 1
        lengthen(block.ticks, rows)
        lengthen(block.codes, rows)
        lengthen(block.unresolved, UNRESOLVED * (rows // _LINES_PER_UNRESOLVED + 1))
        while self._scan(block, rows, known, shape, affixes):
            lengthen(block.unresolved, 2 * len(block.unresolved))

    def resolve(self, block: Block) -> None:
        """
        Resolve the lines that the scanner left unresolved. If one of them switches the format, the
        part ends there: the lines after it are scanned in the new format.
        """
        log = block.log
        if block.format is not log.format:
            self.scan(block)
        if log.ended or not block.rows:
            self._reference.resolve(block)
            return
        table = self._table(log.requests)
        next_line = 0
        while (next_line := self._resolve(block, table, next_line)) < block.unresolved_count:
            self._parse(block, log, table, next_line)
            next_line += 1
        table.publish(block.unresolved_count)

    def _scan(
        self, block: Block, room: int, known: Known, shape: array[int], affixes: bytearray
    ) -> bool:
        """Return whether the column of unresolved lines was too short for the block."""
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

    def _resolve(self, block: Block, table: CompiledEndpointNames, first: int) -> int:
        """Return the number of the first line, from `first` on, that is to be parsed."""
        return table.resolve(
            block.buffer, block.unresolved, first, block.unresolved_count, block.codes
        )

    def _parse(self, block: Block, log: Log, table: CompiledEndpointNames, number: int) -> None:
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
        elif log.format is not block.format:
            block.rows, block.stop = row + 1, block.buffer.index(b"\n", end) + 1
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
        """Return a table that knows the given endpoints by their own names."""
        table = CompiledEndpointNames(self._library)
        for endpoint in requests.endpoints[:_KNOWN_AT_ONCE]:
            key = requests.key(endpoint.verb, endpoint.resource)
            request = f"{endpoint.verb} {endpoint.resource}".encode(errors="backslashreplace")
            table.learn(request, access_code(key, failed=False))
        table.publish(_KNOWN_AT_ONCE)
        return table


class CompiledBatcher:
    """
    Makes the same batches as `before`, the batcher that it continues.

    The texts of the items are joined and scanned as one block. Items of which one has several lines
    are left to `before`, with which it shares the state of the stream.
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
        self._dates = array("q", bytes(8 * DATES))
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
        # An item that is no text becomes an empty line, which is left unresolved.
        lines = "\n".join([item if type(item) is str else "" for item in items])
        text = (lines + _TAIL).encode("utf-8", "surrogatepass")
        lengthen(self._ticks, len(items))
        lengthen(self._codes, len(items))
        lengthen(self._unresolved, UNRESOLVED * len(items))
        known = self._table.known
        shape = array("q", [PLAIN_LINES, 0, 0, False, False, known.mask, 0, LAST_TICK])
        self._library.scan(
            *(address(text), 0, len(text) - len(_TAIL) + 1, address(shape), address(text)),
            *map(address, (self._statuses, known.table, known.arena, self._dates)),
            *map(address, (self._ticks, self._codes, self._unresolved)),
            *(len(items), len(items), address(self._scanned), address(self._group)),
        )
        return text

    def _resolve(self, text: bytes, first: int) -> int:
        """Return the number of the first line, from `first` on, that is to be parsed."""
        return self._table.resolve(text, self._unresolved, first, self._scanned[0], self._codes)

    def _parse(self, items: Sequence[Item], text: bytes, number: int) -> None:
        row, _, _, request, request_end = self._unresolved[
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


def _can_scan(block: Block) -> bool:
    """Return whether the scanner knows the lines of a block, as their stream writes them."""
    log = block.log
    known = block.oversized is None and log.format.name in _KINDS
    return known and bool(log.prefix or not log.format.ordered)

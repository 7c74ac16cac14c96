"""
Compiled scanning of the lines of logs.

The scanner kernel reads the plain lines of the common formats, and looks up their requests in a
table. It leaves every other line unresolved. A line whose request is merely unknown is resolved by
a second kernel if endpoints are found in the logs; all other unresolved lines go to the reference
parser.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, replace
from typing import Final

from slomon.compiled.json_lines import WrapperProgram, compile_keys, compile_wrapper
from slomon.compiled.layout import Program, compile_layout, compile_table, list_offsets
from slomon.compiled.library import Library, address, lengthen
from slomon.compiled.request_table import CompiledEndpointNames
from slomon.core.statuses import StatusRule, StatusTable
from slomon.endpoints.discovery import FoundRequests, Requests
from slomon.formats.format import AnyLayout, Format
from slomon.formats.json_keys import JsonKeys
from slomon.formats.layout import Layout
from slomon.formats.tables import TableLayout
from slomon.kernels.codes import UNMATCHED, access_code
from slomon.kernels.json_lines import MEMORY
from slomon.kernels.line import PLAIN_LINES
from slomon.kernels.route import SCRATCH
from slomon.kernels.scan import FOR_REFERENCE, GROUP, LINE, MALFORMED, UNRESOLVED
from slomon.log_replay.lines import Block, Log, ReferenceParser

_SHORT_LINE: Final = 16  # bytes; a block with shorter lines on average is read in several parts
_KNOWN_AT_ONCE: Final = 10_000  # endpoints
_LINES_PER_UNRESOLVED: Final = 8  # at first; the column grows if more lines are unresolved
_SUFFIXES: Final = {"plain": b"", "events": b'"}'}


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the lines of a log are scanned: arguments of `kernels.scan`, and the numbers of some."""

    kind: int
    literals: bytearray
    prefix: int = 0
    suffix: int = 0
    program: array[int] = field(default_factory=lambda: array("q", [0]))
    offsets: array[int] = field(default_factory=lambda: array("q", [0]))
    wrapper: WrapperProgram | None = None

    def numbers(
        self,
        mask: int,
        ticks: tuple[int, int],
        *,
        cut_queries: bool,
        of_file: bool,
        has_routes: bool,
    ) -> array[int]:
        """
        The column `shape` of the scanner. `mask` is that of the table; accesses count from the
        first of `ticks` to the last.
        """
        numbers = self.kind, self.prefix, self.suffix, of_file, cut_queries, mask
        return array("q", [*numbers, *ticks, has_routes])


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
        shape = None if block.oversized else _find_shape(log, block.format)
        if shape is None:
            self._reference.scan(block)
            return
        table = self._table(log.requests)
        if shape.kind != PLAIN_LINES and len(block.requests) < len(block.buffer):
            block.requests = bytearray(len(block.buffer))
        rows = len(block.buffer) // _SHORT_LINE + 1
        lengthen(block.ticks, rows)
        lengthen(block.codes, rows)
        lengthen(block.unresolved, UNRESOLVED * (rows // _LINES_PER_UNRESOLVED + 1))
        block.is_unwrapped = shape.wrapper is not None
        if shape.wrapper is not None:
            rows = self._unwrap(block, rows, shape.wrapper)
        while self._scan(block, rows, table, shape):
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

    def _unwrap(self, block: Block, room: int, wrapper: WrapperProgram) -> int:
        """Write the contents of wrapped lines to the block. Return how many lines there are."""
        if len(block.contents) < len(block.buffer):
            block.contents = bytearray(len(block.buffer))
        lengthen(block.ends, room + 1)
        memory = array("q", [-1]) * MEMORY
        return self._library.unwrap(
            *(address(block.buffer), block.at, block.length, wrapper.kind),
            *(address(wrapper.program), address(wrapper.literals), address(memory)),
            *(address(block.contents), address(block.ends), room),
        )

    def _scan(self, block: Block, room: int, table: CompiledEndpointNames, shape: _Shape) -> bool:
        """Return whether the column of unresolved lines was too short for the block."""
        known, memory = table.known, array("q", [-1]) * MEMORY
        unresolved_count, route = array("q", [0, 0]), bytearray(SCRATCH)
        group = array("q", bytes(8 * GROUP * LINE))
        unresolved_room = min(len(block.unresolved) // UNRESOLVED, room)
        ticks = self._reference.first, self._reference.last
        numbers = shape.numbers(
            *(known.mask, ticks),
            cut_queries=not block.log.match_exactly,
            of_file=shape.wrapper is None,
            has_routes=table.has_routes,
        )
        text, at, length = block.buffer, block.at, block.length
        if shape.wrapper is not None:
            text, at, length = block.contents, 0, block.ends[room]
        block.rows = self._library.scan(
            *(address(text), at, length, address(block.requests)),
            *(address(numbers), address(shape.program), address(shape.literals)),
            *map(address, (shape.offsets, self._statuses, known.table, known.arena)),
            *map(address, (memory, block.ticks, block.codes, block.unresolved)),
            *(room, unresolved_room, address(unresolved_count), address(group)),
            *(address(route), address(table.templates)),
        )
        block.unresolved_count, block.stop = unresolved_count
        if shape.wrapper is not None:
            block.stop = block.ends[block.rows - 1] + 1
        return block.unresolved_count == unresolved_room < room and block.stop < block.length

    def _resolve(self, block: Block, table: CompiledEndpointNames, first: int) -> int:
        """Return the number of the first line, from `first` on, that is to be parsed."""
        return table.resolve(
            *(_text(block), block.requests, block.unresolved, first),
            *(block.unresolved_count, block.codes),
        )

    def _parse(self, block: Block, log: Log, table: CompiledEndpointNames, number: int) -> None:
        row, start, end, request, request_end, composed = block.unresolved[
            number * UNRESOLVED : (number + 1) * UNRESOLVED
        ]
        unknown = block.codes[row] != FOR_REFERENCE
        if block.is_unwrapped:
            start, end = block.ends[row - 1] + 1 if row else block.at, block.ends[row]
        line = bytes(block.buffer[start:end])
        tick, code = self._reference.read(log, block.first_line + row, line)
        block.ticks[row], block.codes[row] = tick, code
        if log.ended:
            self._reference.resolve_rest(block, row + 1)
            block.unresolved_count = 0
        elif log.format is not block.format:
            block.rows, block.stop = row + 1, block.buffer.index(b"\n", end) + 1
            block.unresolved_count = 0
        elif unknown and _is_learnt(log.requests, code):
            source = block.requests if composed else _text(block)
            table.learn(bytes(source[request:request_end]), code)

    def _table(self, requests: Requests) -> CompiledEndpointNames:
        table = self._tables.get(requests)
        if table is None:
            table = self._tables[requests] = self._make_table(requests)
        return table

    def _make_table(self, requests: Requests) -> CompiledEndpointNames:
        """
        The table of requests: that of the found endpoints itself, or one that learns requests. It
        knows the given endpoints by their own names.
        """
        if isinstance(requests, FoundRequests):
            names = requests.names
            if isinstance(names, CompiledEndpointNames) and not requests.label:
                return names
            return CompiledEndpointNames(self._library)
        table = CompiledEndpointNames(self._library)
        for endpoint in requests.endpoints[:_KNOWN_AT_ONCE]:
            key = requests.key(endpoint.verb, endpoint.resource)
            request = f"{endpoint.verb} {endpoint.resource}".encode(errors="backslashreplace")
            table.learn(request, access_code(key, failed=False))
        table.publish(_KNOWN_AT_ONCE)
        return table


def _text(block: Block) -> bytearray:
    """The text that was scanned."""
    return block.contents if block.is_unwrapped else block.buffer


def _find_shape(log: Log, form: Format) -> _Shape | None:
    """How the lines of a log in this format are scanned; None if only the reference parser can."""
    if form.inner is not None:
        wrapper, inner = compile_wrapper(form.wrapper), _find_shape(log, form.inner)
        return replace(inner, wrapper=wrapper) if wrapper and inner else None
    if form.layout is not None:
        program = _compile(form.layout, log)
        if program is None:
            return None
        offsets = list_offsets(form.zone)
        return _Shape(program.kind, program.literals, program=program.steps, offsets=offsets)
    if form.name not in _SUFFIXES or (form.ordered and not log.prefix):
        return None
    suffix = _SUFFIXES[form.name]
    affixes = bytearray(log.prefix + suffix + b"\0")
    return _Shape(PLAIN_LINES, affixes, len(log.prefix), len(suffix))


def _compile(layout: AnyLayout, log: Log) -> Program | None:
    if isinstance(layout, Layout):
        return compile_layout(layout, with_host=log.requests.by_host)
    if isinstance(layout, TableLayout):
        return compile_table(layout, with_host=log.requests.by_host, with_query=log.match_exactly)
    if isinstance(layout, JsonKeys):
        return compile_keys(layout, with_host=log.requests.by_host)
    return None


def _is_learnt(requests: Requests, code: int) -> bool:
    """
    Whether a table learns the code of a request. The found endpoints' own table has only names, and
    requests that are unmatched because the maximum was reached are counted each time.
    """
    if isinstance(requests, FoundRequests):
        return bool(requests.label) and code != UNMATCHED
    return True

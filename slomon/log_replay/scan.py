"""
One log that is read alone, in one thread, with its lines in their final order. Several logs that
were read like this, on any machines, are merged by the times at which their rows stand, then by the
numbers of their sources: the order is that of a replay of all of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from slomon.core.events import RejectedLine
from slomon.core.reorder import Order, SourceClock
from slomon.endpoints.discovery import EndpointNames, FoundEndpoints
from slomon.endpoints.templates import Template, compile_templates
from slomon.errors import ConfigurationError
from slomon.log_replay.backend import Backend
from slomon.log_replay.detect import OnFormatDetected
from slomon.log_replay.lines import Block, Log, ReferenceParser
from slomon.log_replay.open_log import OpenLog, recognise_next
from slomon.log_replay.parts import choose_lateness, make_detector
from slomon.log_replay.plan import Plan
from slomon.log_replay.ranges import WHOLE, LogRange, find_newest, open_range
from slomon.log_replay.requests import KnownRequests
from slomon.sources.source import Source, open_source

_UNLIMITED: Final = 1 << 62
"""How many endpoints may be found: which are kept is known once all logs are read."""


class LogScan:
    """
    The reading of one log. `rows` reads it; all other attributes are final when it has ended.

    * `names`: the endpoints that were found, by the keys in the rows
    * `order`: its clock, its changes by their codes, and the number of blank lines
    * `reference`: how many lines were malformed, excluded or are missing
    * `lines`: how many lines it has
    * `problem`: why it was not read, or not completely; `refusal`: the error if no format reads it
    * `newest_before`: the newest tick before the first line, which is a guess for a part of a log
    * `is_stateless`: are further lines read as if these had not been there?
    """

    def __init__(
        self,
        plan: Plan,
        backend: Backend,
        templates: Sequence[Template],
        on_rejected: Callable[[RejectedLine], None],
        on_format_detected: OnFormatDetected,
    ) -> None:
        self.order: Order
        self.names: EndpointNames
        is_found = plan.endpoints is None
        self.order, self.names = backend.order(1, 1, _UNLIMITED if is_found else 0)
        self.names.templates = compile_templates(templates)
        self.reference = ReferenceParser(self.order, on_rejected, first=plan.first, last=plan.last)
        self.lines = 0
        self.problem: str | None = None
        self.refusal: ConfigurationError | None = None
        self.newest_before = 0
        self.is_stateless = False
        self._plan = plan
        self._resolver = backend.reader(self.reference, plan.is_failure)
        found = FoundEndpoints(self.names, plan.defaults, plan.service_from)
        self._detect = make_detector(plan, KnownRequests(plan, found), on_format_detected)

    def rows(self, path: str, first_tick: int, part: LogRange = WHOLE) -> Iterator[array[int]]:
        """
        Read the log at a path, which begins at this tick (0 if that is not known), or a part of it.
        Yields its rows in their order, four numbers each, as `core.reorder.Row` has them.
        """
        self.newest_before = first_tick
        self.order.start([SourceClock(choose_lateness(self._plan, None), first_tick)])
        try:
            with open_source(path, self._plan.max_line) as source:
                yield from self._read_if_recognised(path, part, source)
        except OSError as error:
            self.problem = str(error)
        self.order.end(0)
        yield self.order.remove()

    def _read_if_recognised(
        self, path: str, part: LogRange, source: Source
    ) -> Iterator[array[int]]:
        try:
            if part == WHOLE:
                yield from self._read(source, None)
            else:
                log, _ = recognise_next(source, self._detect)
                yield from self._read_part(path, part, log)
        except ConfigurationError as error:
            self.refusal, self.problem = error, str(error)

    def _read_part(self, path: str, part: LogRange, log: Log) -> Iterator[array[int]]:
        """Read a part of a log as if all lines before it had been read."""
        (clock,) = self.order.clocks
        clock.newest = max(clock.newest, find_newest(path, part, log.format))
        self.newest_before = clock.newest
        with open_range(path, part, self._plan.max_line) as source:
            yield from self._read(source, log)

    def _read(self, source: Source, log: Log | None) -> Iterator[array[int]]:
        """Read a source. `log` is given if its format is known."""
        opened = OpenLog(source, log, self._detect)
        form = None if log is None else log.format
        block = Block(bytearray())
        while opened.fill(block, self._plan.block_bytes):
            if block.log is not log:
                log, form = block.log, block.log.format
            yield from self._resolve(block, log)
            self.lines = block.first_line - 1
        if log is not None:
            self.is_stateless = log.recognised and not log.ended and log.format == form
        self.problem = opened.problem

    def _resolve(self, block: Block, log: Log) -> Iterator[array[int]]:
        (clock,) = self.order.clocks
        if clock.newest == 0 or not clock.rows:
            clock.lateness = choose_lateness(self._plan, log)
        remaining = True
        while remaining:
            self._resolver.scan(block)
            self._resolver.resolve(block)
            self.order.enter(0, block.ticks, block.codes, block.rows)
            yield self.order.remove()
            remaining = block.advance()

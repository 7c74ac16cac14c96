"""
A replay of small logs on the calling thread. To import an event loop takes longer than to read
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from slomon.core.service_monitor import ServiceMonitor
from slomon.errors import ConfigurationError
from slomon.interrupts import interrupts
from slomon.log_replay.lines import Block, Log, LogPosition
from slomon.log_replay.open_log import OpenLog, find_replacement
from slomon.log_replay.parts import ReplayParts, choose_lateness
from slomon.log_replay.progress import Progress
from slomon.log_replay.survey import LogState, Recognise, survey
from slomon.sources.source import Source, open_source


class DirectReplay(ReplayParts):
    """
    A replay that reads one log after the other, as their times say, ready to run once. All logs
    must be files.
    """

    logs: list[DirectLog]

    def run(
        self,
        on_progress: Callable[[Progress], object] | None = None,
        total_bytes: int | None = None,
    ) -> ServiceMonitor:
        """
        Read all logs to their ends. `on_progress` is called at the beginning and after each block.
        Raises ConfigurationError if no log was in a known format.
        """

        def report() -> None:
            if on_progress is not None:
                read_bytes = sum(log.bytes_read for log in self.logs)
                on_progress(Progress(read_bytes, total_bytes, self.lines))

        self._is_stopped = False
        # No KeyboardInterrupt between any two steps: it could break off the writing of an event to
        # stderr, which would be written twice. The reading ends after the present part of a block.
        with interrupts.deferred(), interrupts.cancelling(self._stop):
            self._prepare()
            blocks = [log.read(self._plan.block_bytes) for log in self.logs]
            report()
            while not self._is_stopped and (source := self._order.next_source()) is not None:
                block = next(blocks[source - 1], None)
                if block is None:
                    self._order.end(source)
                    self._count()
                else:
                    self._resolve(source, block)
                report()
        return self._finish()

    def _stop(self) -> None:
        self._is_stopped = True

    def _prepare(self) -> None:
        plan = self._plan
        found = survey(plan.logs, self._detector, plan.max_line)
        self._start_clocks(found)
        self.logs = [
            DirectLog(state, self._detector, self._groups.learn, plan.max_line)
            for _, state in found
        ]
        self._group_paths()
        self._enter_changes()
        self._shards = [self._make_shard(number) for number in range(plan.workers)]

    def _resolve(self, source: int, block: Block) -> None:
        clock = self._order.clocks[source]
        if clock.newest == 0:
            clock.lateness = choose_lateness(self._plan, block.log)
        remaining = True
        while remaining and not self._is_stopped:
            self._resolver.scan(block)
            self._resolver.resolve(block)
            self._order.enter(source, block.ticks, block.codes, block.rows)
            self._count()
            remaining = block.advance()

    def _count(self) -> None:
        for number, batch in self._order.take():
            self._collector.merge(self._shards[number].advance(batch))


class DirectLog:
    """A log that `read` reads as blocks of lines. For the other attributes see `LogReader`."""

    def __init__(
        self,
        state: LogState,
        recognise: Recognise,
        on_recognised: Callable[[Log, Source], object],
        max_line: int,
    ) -> None:
        self.path = state.path
        self.log = state.log
        self.place = LogPosition()
        self.bytes_read = 0
        self.problem = state.problem
        self.refusal = state.refusal
        self.copy_of = state.copy_of
        self._recognise = recognise
        self._on_recognised = on_recognised
        self._max_line = max_line

    def read(self, block_bytes: int) -> Iterator[Block]:
        """The lines. A block must be resolved before the next one is asked for."""
        try:
            source = open_source(self.path, self._max_line)
        except OSError as error:
            self.problem = str(error)
            return
        with source:
            if problem := find_replacement(source, self.log):
                self.problem = problem
                return
            yield from self._read(source, block_bytes)

    def _read(self, source: Source, block_bytes: int) -> Iterator[Block]:
        opened = OpenLog(source, self.log, self._recognise, self._on_recognised)
        enough = min(block_bytes, source.size or 0)
        block = Block(bytearray())
        try:
            while opened.fill(block, enough):
                self.log, self.bytes_read = opened.log, source.progress
                yield block
                self.place.lines = block.first_line - 1
        except ConfigurationError as error:
            self.refusal, self.problem = error, str(error)
        else:
            self.problem = opened.problem

"""
The reader of a replay. A `LogReader` reads one log ahead, as blocks of lines. `BlockReader` opens
the logs, merges them by time and sends batches to the queues of the shards.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, TypeAlias

from anyio import (
    BrokenResourceError,
    CancelScope,
    CapacityLimiter,
    EndOfStream,
    Event,
    create_memory_object_stream,
    from_thread,
    to_thread,
)
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from slomon.core.reorder import Order
from slomon.errors import ConfigurationError
from slomon.log_replay.detect import judge_order, read_head
from slomon.log_replay.lines import Block, Log, LogPosition, Resolver
from slomon.log_replay.survey import LogState, Recognise, compare_beginning, skip_to
from slomon.pipeline.run import Queues
from slomon.sources.source import Source, open_source

_BLOCKS_AHEAD: Final = 4
_MOST_AHEAD: Final = 4  # logs: more would not be faster, as one task takes the blocks of all
_SMALL_BLOCK: Final = 1 << 16  # bytes: for smaller blocks, switching between threads takes longer


class BlockReader:
    """
    Reads the log that is furthest behind, until all logs have ended.

    A log is opened when the merge reaches it. The log after it is opened, too, so that its first
    blocks are ready then; if these logs are compressed, up to `cores` of them, which are
    decompressed at the same time. A log that can't be opened again, such as a pipe, and a log that
    begins at an unknown time are opened at the start.
    """

    def __init__(
        self,
        logs: Sequence[LogReader],
        order: Order,
        resolver: Resolver,
        lateness: Callable[[Log | None], int],
        between: Callable[[Queues], Awaitable[None]],
        *,
        block_bytes: int,
        cores: int,
    ) -> None:
        self._logs = logs
        self._order = order
        self._resolver = resolver
        self._lateness = lateness
        self._between = between
        self._block_bytes = block_bytes
        self._ahead = min(cores, _MOST_AHEAD)
        self._scanners = CapacityLimiter(cores)
        self._reached: set[int] = set()  # the sources that are merged now
        self._spare: list[Block] = []  # of logs that were read

    async def read(self, group: TaskGroup, queues: Queues) -> None:
        """Fill the queues, one per shard, and close them and the logs."""
        try:
            first = {
                source
                for source, log in enumerate(self._logs, 1)
                if not log.ended and not (log.is_file and self._order.clocks[source].newest)
            }
            self._reached |= first
            for source in sorted(first):
                self._start(group, self._logs[source - 1])
            while (behind := self._order.next_source()) is not None:
                if behind not in self._reached:
                    self._reach(group, behind)
                await self._read_from(behind, queues)
                await self._between(queues)
        except BrokenResourceError:
            pass  # a worker failed: its error ends the run
        finally:
            for log in self._logs:
                log.close()
            for queue in queues:
                queue.close()

    def _reach(self, group: TaskGroup, source: int) -> None:
        self._reached.add(source)
        for ahead in range(self._ahead + 1):
            if source + ahead > len(self._logs):
                break
            log = self._logs[source + ahead - 1]
            if ahead <= 1 or log.is_compressed:
                self._start(group, log)

    def _start(self, group: TaskGroup, log: LogReader) -> None:
        if log.is_open or log.ended:
            return
        few = len(self._reached) <= _BLOCKS_AHEAD // 2
        depth = _BLOCKS_AHEAD if few else _BLOCKS_AHEAD // 2
        blocks = [self._spare.pop() if self._spare else Block(bytearray()) for _ in range(depth)]
        log.start(group, self._scanners, blocks, self._measure_block)

    def _measure_block(self) -> int:
        """The bytes of a block: the more logs are merged, the fewer."""
        least = min(self._block_bytes, _SMALL_BLOCK)
        return max(self._block_bytes // max(len(self._reached), 1), least)

    async def _read_from(self, source: int, queues: Queues) -> None:
        log = self._logs[source - 1]
        block = await log.next()
        if block is None:
            self._spare += log.end()[: _BLOCKS_AHEAD - len(self._spare)]
            self._reached.discard(source)
            self._order.end(source)
            await self._send(queues)
            return
        clock = self._order.clocks[source]
        if clock.newest == 0:
            clock.lateness = self._lateness(block.log)
        await self._resolve(source, block, queues)
        while block.advance():
            self._resolver.scan(block)
            await self._resolve(source, block, queues)
        log.release(block)

    async def _resolve(self, source: int, block: Block, queues: Queues) -> None:
        """Resolve a part of a block, and send what is final: so few rows wait in memory."""
        self._resolver.resolve(block)
        self._order.enter(source, block.ticks, block.codes, block.rows)
        await self._send(queues)

    async def _send(self, queues: Queues) -> None:
        for shard, batch in self._order.take():
            await queues[shard].send(batch)


Scan: TypeAlias = Callable[[Block], None]
"""Chooses the first part of a block, and may prepare it."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """The reading of a log: its limits, and its blocks, full ones that wait and free ones."""

    scanners: CapacityLimiter
    measure_block: Callable[[], int]
    reading: CancelScope
    give: MemoryObjectSendStream[Block]
    free: MemoryObjectReceiveStream[Block]
    put: MemoryObjectSendStream[tuple[Block, Event]]
    full: MemoryObjectReceiveStream[tuple[Block, Event]]

    def close(self) -> None:
        self.reading.cancel()
        for end in (self.put, self.full, self.give, self.free):
            end.close()


class LogReader:
    """
    A log as blocks of lines, in order. One thread at a time reads them, and others scan them. A
    block is used again after `release`. `place` is the position up to which lines were resolved.
    `on_recognised` is called in a thread once the format is known, before any line is scanned, and
    may look at the next lines. It is not called if the format was known before.
    """

    def __init__(
        self,
        state: LogState,
        recognise: Recognise,
        scan: Scan,
        *,
        on_recognised: Callable[[Log, Source], object],
        max_line: int,
        resumable: bool = False,
    ) -> None:
        self.path = state.path
        self.is_file = state.is_file
        self.is_compressed = state.is_compressed
        self.size = state.size
        self.log = state.log
        self.place = state.place
        self.ended = state.ended
        self.problem = state.problem
        """Why the log was not read, or not completely."""
        self.refusal = state.refusal
        self.copy_of = state.copy_of
        self.bytes_read = state.size if state.ended and state.log else 0
        self._recognise = recognise
        self._scan = scan
        self._on_recognised = on_recognised
        self._max_line = max_line
        self._resumable = resumable
        self._stage: _Stage | None = None

    def start(
        self,
        group: TaskGroup,
        scanners: CapacityLimiter,
        blocks: Sequence[Block],
        measure_block: Callable[[], int],
    ) -> None:
        """
        Start to read the log from `place` on, in tasks of the group and in threads. At most these
        blocks are read ahead; `measure_block` returns how many bytes the next one is to have.
        """
        depth = len(blocks)
        give, free = create_memory_object_stream[Block](depth)
        put, full = create_memory_object_stream[tuple[Block, Event]](depth)
        for block in blocks:
            give.send_nowait(block)
        self._stage = _Stage(scanners, measure_block, CancelScope(), give, free, put, full)
        group.start_soon(self._run, group, self._stage)

    async def next(self) -> Block | None:
        """The next block, scanned; None at the end of the log, which must have been started."""
        try:
            block, scanned = await self._open_stage.full.receive()
        except EndOfStream:
            return None
        await scanned.wait()
        block.first_line = self.place.lines + 1
        return block

    def release(self, block: Block) -> None:
        """Take back a block that was resolved: the log was read up to its end."""
        block.end.lines = block.first_line - 1
        self.place = block.end
        self.log = block.log
        self._open_stage.give.send_nowait(block)

    def end(self) -> list[Block]:
        """Note that all blocks were resolved. Returns the blocks, for another log."""
        free = self._open_stage.free
        blocks = [free.receive_nowait() for _ in range(free.statistics().current_buffer_used)]
        self.ended = True
        self.close()
        return blocks

    @property
    def is_open(self) -> bool:
        """Was reading started and not ended?"""
        return self._stage is not None

    def close(self) -> None:
        """Stop reading, even while a pipe is waited for, and release all blocks."""
        if self._stage is not None:
            self._stage.close()
            self._stage = None

    @property
    def _open_stage(self) -> _Stage:
        if self._stage is None:
            raise RuntimeError("the log is not being read")
        return self._stage

    async def _run(self, group: TaskGroup, stage: _Stage) -> None:
        with stage.reading, stage.put, ExitStack() as stack:
            source = await to_thread.run_sync(self._open, stack)
            if source is not None:
                await self._read(group, stage, source)

    def _open(self, stack: ExitStack) -> Source | None:
        """Open the log where it is to be read; None if that is a problem. Runs in a thread."""
        check = from_thread.check_cancelled
        try:
            source = open_source(self.path, self._max_line, check, resumable=self._resumable)
        except OSError as error:
            if self.place.offset:
                raise
            self.problem = str(error)
            return None
        stack.enter_context(source)
        if self.place.offset:
            skip_to(source, self.place, self.log)
        elif problem := self.log and compare_beginning(source.beginning, self.log):
            self.problem = f"{source.name} was replaced after the replay had begun: {problem}"
            return None
        self.is_compressed = source.is_compressed
        return source

    async def _read(self, group: TaskGroup, stage: _Stage, source: Source) -> None:
        log, most = self.log, None
        while True:
            if log is None or not log.recognised:
                try:
                    log, most = await self._recognise_log(source)
                except ConfigurationError as error:
                    self.refusal, self.problem = error, str(error)
                    return
            block = await self._fill(stage, source, most)
            if block is None:
                break
            self.bytes_read = source.progress
            block.log = log
            fingerprint = source.fingerprint if self._resumable else ""
            block.end = LogPosition(source.offset, fingerprint=fingerprint)
            scanned = Event()
            group.start_soon(self._scan_in_thread, block, scanned, stage.scanners)
            await stage.put.send((block, scanned))
        if source.size is not None:
            self.size = max(source.size, source.progress)
        if source.problem is not None:
            self.problem = f"{source.name}: {source.problem}"

    async def _recognise_log(self, source: Source) -> tuple[Log, int | None]:
        """
        The log, and after how many bytes its format is to be detected again; None if it needn't be.
        """
        head = await to_thread.run_sync(read_head, source, self._recognise.needed)
        log = self._recognise(source.name, head)
        log.beginning = source.beginning
        await to_thread.run_sync(judge_order, log, head, source, self._recognise.needed)
        if log.recognised:
            await to_thread.run_sync(self._on_recognised, log, source)
        return log, None if log.recognised else len(head) or None

    async def _fill(self, stage: _Stage, source: Source, most: int | None) -> Block | None:
        block = await stage.free.receive()
        if not await to_thread.run_sync(block.fill, source, most, stage.measure_block()):
            await stage.give.send(block)  # there is room, but the log may be closed
            return None
        return block

    async def _scan_in_thread(
        self, block: Block, scanned: Event, scanners: CapacityLimiter
    ) -> None:
        await to_thread.run_sync(self._scan, block, limiter=scanners)
        scanned.set()

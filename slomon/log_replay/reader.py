"""
The reader of a replay. A `LogReader` reads one log ahead, as blocks of lines. `BlockReader` opens
the logs, merges them by time and sends batches to the queues of the shards.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Final, TypeAlias

from anyio import BrokenResourceError

from slomon.core.reorder import Order
from slomon.errors import ConfigurationError
from slomon.log_replay.lines import Block, Log, LogPosition, Resolver
from slomon.log_replay.open_log import OpenLog, find_replacement
from slomon.log_replay.survey import LogState, Recognise, skip_to
from slomon.pipeline.run import Queues
from slomon.sources.source import Source, open_source

_BLOCKS_AHEAD: Final = 4
_MOST_AHEAD: Final = 4  # logs: more would not be faster, as one task takes the blocks of all
_SMALL_BLOCK: Final = 1 << 16  # bytes: for smaller blocks, switching between threads takes longer
_ENOUGH_ROWS: Final = 1 << 16  # to be sent, even if the next block is ready

Between: TypeAlias = Callable[[Callable[[], Awaitable[None]], Queues], Awaitable[None]]
"""Called after each block, with a function that sends what was not sent yet, and the queues."""


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
        between: Between,
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
        # Each pipe has a thread of its own, since it may wait for its writer.
        self._threads = ThreadPoolExecutor(cores + sum(not log.is_file for log in logs))
        self._reached: set[int] = set()  # the sources that are merged now
        self._spare: list[Block] = []  # of logs that were read
        self._unsent = 0  # rows that were resolved since the last batches were sent

    async def read(self, queues: Queues) -> None:
        """Fill the queues, one per shard, and close them and the logs."""
        try:
            first = {
                source
                for source, log in enumerate(self._logs, 1)
                if not log.ended and not (log.is_file and self._order.clocks[source].newest)
            }
            self._reached |= first
            for source in sorted(first):
                self._start(self._logs[source - 1])
            while (behind := self._order.next_source()) is not None:
                if behind not in self._reached:
                    self._reach(behind)
                await self._read_from(behind, queues)
                await self._between(partial(self._send, queues), queues)
        except BrokenResourceError:
            pass  # a worker failed: its error ends the run
        finally:
            for log in self._logs:
                log.stop()
            self._threads.shutdown()
            for log in self._logs:
                log.close()
            for queue in queues:
                queue.close()

    def _reach(self, source: int) -> None:
        self._reached.add(source)
        for ahead in range(self._ahead + 1):
            if source + ahead > len(self._logs):
                break
            log = self._logs[source + ahead - 1]
            if ahead <= 1 or log.is_compressed:
                self._start(log)

    def _start(self, log: LogReader) -> None:
        if log.is_open or log.ended:
            return
        few = len(self._reached) <= _BLOCKS_AHEAD // 2
        depth = _BLOCKS_AHEAD if few else _BLOCKS_AHEAD // 2
        blocks = [self._spare.pop() if self._spare else Block(bytearray()) for _ in range(depth)]
        log.start(self._threads, blocks, self._measure_block)

    def _measure_block(self) -> int:
        """The bytes of a block: the more logs are merged, the fewer."""
        least = min(self._block_bytes, _SMALL_BLOCK)
        return max(self._block_bytes // max(len(self._reached), 1), least)

    async def _read_from(self, source: int, queues: Queues) -> None:
        log = self._logs[source - 1]
        if not log.is_file and not log.is_ready:
            await self._send(queues)  # as its writer may be slow
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
        """Resolve a part of a block, and send what is final if many rows wait in memory."""
        self._resolver.resolve(block)
        self._order.enter(source, block.ticks, block.codes, block.rows)
        self._unsent += block.rows
        if self._unsent >= _ENOUGH_ROWS:
            await self._send(queues)

    async def _send(self, queues: Queues) -> None:
        self._unsent = 0
        for shard, batch in self._order.take():
            await queues[shard].send(batch)


Scan: TypeAlias = Callable[[Block], None]
"""Chooses the first part of a block, and may prepare it."""


async def _wait(job: Future[Block | None]) -> None:
    """Wait for a job. (asyncio's `wrap_future` would leave a cycle, and with it the block.)"""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    job.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
    await ended.wait()


class _ClosedError(Exception):
    """Ends the jobs of a log that is closed."""


@dataclass(slots=True)
class _Stage:
    """
    The reading of a log: a job in a thread fills a free block, starts the next job, and scans its
    block. So blocks are filled one after the other, and scanned at the same time.
    """

    threads: Executor
    measure_block: Callable[[], int]
    free: list[Block]
    jobs: deque[Future[Block | None]] = field(default_factory=deque)  # in the order of the log
    opened: OpenLog | None = None
    closing: ExitStack = field(default_factory=ExitStack)
    lock: Lock = field(default_factory=Lock)  # of the two below, and of `free`
    is_filling: bool = False  # a job is, or the log has ended
    is_closed: bool = False

    def check(self) -> None:
        """Raise if the log was closed."""
        if self.is_closed:
            raise _ClosedError


class LogReader:
    """
    A log as blocks of lines, in order. One thread at a time fills blocks; all scan them. A block
    is used again after `release`. `place` is where the resolved lines end.
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
        self, threads: Executor, blocks: Iterable[Block], measure_block: Callable[[], int]
    ) -> None:
        """
        Start to read the log from `place` on, in these threads. At most these blocks are read
        ahead; `measure_block` returns how many bytes the next one is to have.
        """
        self._stage = _Stage(threads, measure_block, list(blocks))
        self._start_job(self._stage)

    @property
    def is_ready(self) -> bool:
        """Does `next` return at once?"""
        return self._open_stage.jobs[0].done()

    async def next(self) -> Block | None:
        """The next block, scanned; None at the end of the log, which must have been started."""
        jobs = self._open_stage.jobs
        if not jobs[0].done():
            await _wait(jobs[0])
        block = jobs.popleft().result()
        if block is not None:
            block.first_line = self.place.lines + 1
        return block

    def release(self, block: Block) -> None:
        """Take back a block that was resolved: the log was read up to its end."""
        block.end.lines = block.first_line - 1
        self.place = block.end
        self.log = block.log
        stage = self._open_stage
        with stage.lock:
            stage.free.append(block)
        self._start_job(stage)

    def end(self) -> list[Block]:
        """Note that all blocks were resolved. Returns the blocks, for another log."""
        blocks = self._open_stage.free
        self.ended = True
        self.close()
        return blocks

    @property
    def is_open(self) -> bool:
        """Was reading started and not ended?"""
        return self._stage is not None

    def stop(self) -> None:
        """Begin to close the log: what reads it ends soon, even if it waits for a pipe."""
        if self._stage is not None:
            with self._stage.lock:
                self._stage.is_closed = True

    def close(self) -> None:
        """Stop reading, wait until it has ended, and release all blocks."""
        self.stop()
        if self._stage is not None:
            wait(self._stage.jobs)
            self._stage.closing.close()
            self._stage.opened = None  # the `check` of its source refers to the stage
            self._stage = None

    @property
    def _open_stage(self) -> _Stage:
        if self._stage is None:
            raise RuntimeError("the log is not being read")
        return self._stage

    def _start_job(self, stage: _Stage) -> None:
        """Fill a free block in a thread, unless another one is being filled."""
        with stage.lock:
            if stage.free and not stage.is_filling and not stage.is_closed:
                stage.is_filling = True
                stage.jobs.append(stage.threads.submit(self._read, stage, stage.free.pop()))

    def _read(self, stage: _Stage, block: Block) -> Block | None:
        """Fill a block and scan it; None if the log has ended. Runs in a thread."""
        if not self._fill(stage, block):
            stage.free.append(block)
            return None
        with stage.lock:
            stage.is_filling = False
        self._start_job(stage)
        self._scan(block)
        return block

    def _fill(self, stage: _Stage, block: Block) -> bool:
        """Read the next lines. Returns False at the end, or if there is a problem."""
        stage.check()
        opened = stage.opened or self._open(stage)
        if opened is None:
            return False
        source = opened.source
        try:
            filled = opened.fill(block, stage.measure_block())
        except ConfigurationError as error:
            self.refusal, self.problem = error, str(error)
            return False
        if not filled:
            if source.size is not None:
                self.size = max(source.size, source.progress)
            self.problem = opened.problem
            return False
        self.bytes_read = source.progress
        fingerprint = source.fingerprint if self._resumable else ""
        block.end = LogPosition(source.offset, fingerprint=fingerprint)
        return True

    def _open(self, stage: _Stage) -> OpenLog | None:
        """Open the log at `place`. Returns None, and sets `problem`, if it can't be read there."""
        try:
            source = open_source(self.path, self._max_line, stage.check, resumable=self._resumable)
        except OSError as error:
            if self.place.offset:
                raise
            self.problem = str(error)
            return None
        stage.closing.enter_context(source)
        if self.place.offset:
            skip_to(source, self.place, self.log)
        elif problem := find_replacement(source, self.log):
            self.problem = problem
            return None
        self.is_compressed = source.is_compressed
        stage.opened = OpenLog(source, self.log, self._recognise, self._on_recognised)
        return stage.opened

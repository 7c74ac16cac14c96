"""
The reader of a replay: blocks of all hosts in one order, as batches for the shards' queues.

One host's logs, read one after the other ahead of whoever settles them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

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

from slomon.core.reorder import Order
from slomon.errors import ConfigurationError, StateFileError
from slomon.kernels.scan import PADDING
from slomon.log_replay.detect import read_head
from slomon.log_replay.lines import Block, Log, LogPosition, Resolver
from slomon.pipeline.run import Queues
from slomon.sources.source import OversizedLine, Source, open_source

CHANGES: Final = 0
"""The source of the changes; those of the hosts follow it."""


class BlockReader:
    """Reads the host that is furthest behind, as long as there is one."""

    def __init__(
        self,
        hosts: Sequence[Host],
        order: Order,
        settler: Resolver,
        lateness: Callable[[Block], int],
        between: Callable[[Queues], Awaitable[None]],
    ) -> None:
        self._hosts = hosts
        self._order = order
        self._settler = settler
        self._lateness = lateness
        self._between = between

    async def read(self, queues: Queues) -> None:
        """Fill the queues, one a shard, and close them."""
        try:
            while (source := self._order.next_source()) is not None:
                await self._read_from(source, queues)
                await self._between(queues)
        except BrokenResourceError:
            pass  # a worker has failed: its own error ends the run
        finally:
            for host in self._hosts:
                host.close()
            for queue in queues:
                queue.close()

    async def _read_from(self, source: int, queues: Queues) -> None:
        host = self._hosts[source - 1]
        block = await host.next()
        if block is None:
            self._order.end(source)
            await self._send(queues)
            return
        clock = self._order.clocks[source]
        if clock.newest == 0:
            clock.lateness = self._lateness(block)
        await self._settle(source, block, queues)
        while block.advance():
            self._settler.scan(block)
            await self._settle(source, block, queues)
        host.release(block)

    async def _settle(self, source: int, block: Block, queues: Queues) -> None:
        """Settle a part of a block, so that no more waits than may be needed."""
        self._settler.resolve(block)
        self._order.enter(source, block.ticks, block.codes, block.rows)
        await self._send(queues)

    async def _send(self, queues: Queues) -> None:
        for shard, batch in self._order.take():
            await queues[shard].send(batch)


class Recognise(Protocol):
    """Makes a log of its name and its first lines, of which so many are needed at least."""

    needed: int

    def __call__(self, name: str, head: bytes, before: Log | None) -> Log:
        """The log, after another one of the same host. ConfigurationError where it is none."""
        ...


Scan: TypeAlias = Callable[[Block], None]
"""Chooses the first part of a block, and looks at it beforehand."""


@dataclass(frozen=True, slots=True)
class HostState:
    """Where the reading of a host begins: at the first log, or where a checkpoint was saved."""

    place: LogPosition = field(default_factory=LogPosition)
    ended: bool = False
    lines: int = 0
    bytes_before: int = 0
    problems: Mapping[int, str] = field(default_factory=dict)
    log: Log | None = None


class Host:
    """
    Blocks of lines, in order. One thread at a time reads them and others scan them, `depth` blocks
    ahead; a block is for use again once it is given back. `place` says how far they were settled.
    """

    def __init__(
        self,
        paths: Sequence[str],
        recognise: Recognise,
        scan: Scan,
        *,
        block_bytes: int,
        max_line: int,
        depth: int,
        resumable: bool = False,
        state: HostState | None = None,
    ) -> None:
        state = HostState() if state is None else state
        self.place = state.place
        self.log = state.log
        self.known_problems = dict(state.problems)  # by the numbers of the logs
        self.refusal: ConfigurationError | None = None  # of the first log that none could read
        self.ended = state.ended
        self.bytes_before = state.bytes_before  # of the logs before the one that is read
        self.bytes_read = 0
        self.lines = state.lines
        self.paths = paths
        self._recognise = recognise
        self._scan = scan
        self._max_line = max_line
        self._block_bytes = max(block_bytes, max_line + 1) + PADDING
        self._depth = depth
        self._resumable = resumable

    @property
    def problems(self) -> list[str]:
        """What was wrong with logs that were not read, not to their ends, or with doubts."""
        return [self.known_problems[number] for number in sorted(self.known_problems)]

    def start(self, group: TaskGroup, scanners: CapacityLimiter) -> None:
        """Begin to read all logs from `place` on, in tasks of the group and threads of its loop."""
        self._scanners = scanners
        self._reading = CancelScope()
        self._give, self._free = create_memory_object_stream[Block](self._depth)
        self._put, self._read = create_memory_object_stream[tuple[Block, Event]](self._depth)
        for _ in range(self._depth):
            self._give.send_nowait(Block(bytearray(self._block_bytes)))
        group.start_soon(self._run, group)

    async def _run(self, group: TaskGroup) -> None:
        with self._reading, self._put:
            if not self.ended:
                await self._read_logs(group)

    async def next(self) -> Block | None:
        """The next block, scanned; None at the end of the last log."""
        try:
            block, scanned = await self._read.receive()
        except EndOfStream:
            self.ended = True
            return None
        await scanned.wait()
        if block.end.file != self.place.file:
            self.place = LogPosition(block.end.file)
        block.first_line = self.place.lines + 1
        return block

    def release(self, block: Block) -> None:
        """A block was settled: that far, the host is done."""
        self.lines += block.first_line - 1 - self.place.lines
        block.end.lines = block.first_line - 1
        self.place = block.end
        self.log = block.log
        self._give.send_nowait(block)

    def close(self) -> None:
        """Read no more, and wait for no pipe either."""
        self._reading.cancel()
        for end in (self._put, self._read, self._give, self._free):
            end.close()

    async def _read_logs(self, group: TaskGroup) -> None:
        log, place = self.log, self.place
        if place.offset:
            log = await self._read_log(group, place.file, log, place)
        for number in range(place.file + bool(place.offset), len(self.paths)):
            log = await self._read_log(group, number, log)

    async def _read_log(
        self, group: TaskGroup, number: int, before: Log | None, place: LogPosition | None = None
    ) -> Log | None:
        with ExitStack() as stack:

            def open_log() -> Source:
                path, check = self.paths[number], from_thread.check_cancelled
                source = open_source(path, self._max_line, check, resumable=self._resumable)
                stack.enter_context(source)
                if place and before:
                    _go_on(source, place, before.beginning)
                return source

            try:
                source = await to_thread.run_sync(open_log)
            except OSError as error:
                if place:
                    raise
                self.known_problems[number] = str(error)
                return before
            self.bytes_before = max(self.bytes_before, 0 if place else self.bytes_read)
            log = before if place else None
            most = None
            while True:
                if log is None or not log.recognised:
                    try:
                        log, most = await self._recognise_log(source, before)
                    except ConfigurationError as error:
                        self.refusal = self.refusal or error
                        self.known_problems[number] = str(error)
                        return before
                block = await self._fill(source, most)
                if block is None:
                    break
                self.bytes_read = self.bytes_before + source.progress
                block.log, block.end = (
                    log,
                    LogPosition(number, source.offset, fingerprint=source.fingerprint),
                )
                await self._send(group, block)
            if problems := [found for found in (log.doubt, source.problem) if found is not None]:
                self.known_problems[number] = f"{source.name}: {'; '.join(problems)}"
        return log

    async def _recognise_log(self, source: Source, before: Log | None) -> tuple[Log, int | None]:
        """The log, and how many bytes of lines it is to be recognised after; None for no limit."""
        head = await to_thread.run_sync(read_head, source, self._recognise.needed)
        log = self._recognise(source.name, head, before)
        log.beginning = source.beginning
        return log, None if log.recognised else len(head) or None

    async def _fill(self, source: Source, most: int | None) -> Block | None:
        block = await self._free.receive()
        filled = await to_thread.run_sync(source.fill, block.buffer, PADDING, most)
        if filled is None:
            await self._give.send(block)  # there is room; but no more once the host is closed
            return None
        block.at = block.stop = 0
        block.oversized = filled if isinstance(filled, OversizedLine) else None
        block.length = 0 if isinstance(filled, OversizedLine) else filled
        return block

    async def _send(self, group: TaskGroup, block: Block) -> None:
        scanned = Event()
        group.start_soon(self._scan_apart, block, scanned)
        await self._put.send((block, scanned))

    async def _scan_apart(self, block: Block, scanned: Event) -> None:
        await to_thread.run_sync(self._scan, block, limiter=self._scanners)
        scanned.set()


def _go_on(source: Source, place: LogPosition, beginning: bytes) -> None:
    """Skip what was read before, and see that it was that: of a pipe all, of a file both ends."""
    problem: str | None = None
    if bool(beginning) != bool(source.beginning) or not source.beginning.startswith(beginning):
        problem = "it begins otherwise"
    else:
        source.skip(place.offset)
        if source.offset < place.offset:
            problem = source.problem
        elif source.fingerprint != place.fingerprint:
            problem = f"before byte {place.offset} of its text stands something else"
    if problem is not None:
        raise StateFileError(
            f"{source.name} is not the file that was read before: {problem}; remove the "
            "checkpoint to begin anew"
        )

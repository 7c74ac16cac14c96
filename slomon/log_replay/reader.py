"""
The reader of a replay. A `Host` reads the logs of one host ahead, one after the other, as blocks of
lines. `BlockReader` merges the hosts by time and sends batches to the queues of the shards.
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
"""The number of the source of changes; the hosts are the sources after it."""


class BlockReader:
    """Reads the host that is furthest behind, until all hosts have ended."""

    def __init__(
        self,
        hosts: Sequence[Host],
        order: Order,
        resolver: Resolver,
        lateness: Callable[[Block], int],
        between: Callable[[Queues], Awaitable[None]],
    ) -> None:
        self._hosts = hosts
        self._order = order
        self._resolver = resolver
        self._lateness = lateness
        self._between = between

    async def read(self, queues: Queues) -> None:
        """Fill the queues, one per shard, and close them and the hosts."""
        try:
            while (source := self._order.next_source()) is not None:
                await self._read_from(source, queues)
                await self._between(queues)
        except BrokenResourceError:
            pass  # a worker failed: its error ends the run
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
        await self._resolve(source, block, queues)
        while block.advance():
            self._resolver.scan(block)
            await self._resolve(source, block, queues)
        host.release(block)

    async def _resolve(self, source: int, block: Block, queues: Queues) -> None:
        """Resolve a part of a block, and send what is final: so few rows wait in memory."""
        self._resolver.resolve(block)
        self._order.enter(source, block.ticks, block.codes, block.rows)
        await self._send(queues)

    async def _send(self, queues: Queues) -> None:
        for shard, batch in self._order.take():
            await queues[shard].send(batch)


class Recognise(Protocol):
    """Makes a log from its name and its first lines; it needs at least `needed` lines."""

    needed: int

    def __call__(self, name: str, head: bytes, before: Log | None) -> Log:
        """
        The log, after the log `before` of the same host. Raises ConfigurationError if its format is
        unknown.
        """
        ...


Scan: TypeAlias = Callable[[Block], None]
"""Chooses the first part of a block, and may prepare it."""


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
    The logs of one host as blocks of lines, in order. One thread at a time reads them and others
    scan them, `depth` blocks ahead. A block is used again after `release`. `place` is the position
    up to which the lines were resolved.
    """

    def __init__(
        self,
        paths: Sequence[str],
        detect_format: Recognise,
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
        self.known_problems = dict(state.problems)  # by number of the log
        self.refusal: ConfigurationError | None = None  # of the first log that no format reads
        self.ended = state.ended
        self.bytes_before = state.bytes_before  # of the logs before the present one
        self.bytes_read = 0
        self.lines = state.lines
        self.paths = paths
        self._recognise = detect_format
        self._scan = scan
        self._max_line = max_line
        self._block_bytes = max(block_bytes, max_line + 1) + PADDING
        self._depth = depth
        self._resumable = resumable

    @property
    def problems(self) -> list[str]:
        """Why logs were not read, or not completely, or why their formats are in doubt."""
        return [self.known_problems[number] for number in sorted(self.known_problems)]

    def start(self, group: TaskGroup, scanners: CapacityLimiter) -> None:
        """Start to read the logs from `place` on, in tasks of the group and in threads."""
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
        """Take back a block that was resolved: the host was read up to its end."""
        self.lines += block.first_line - 1 - self.place.lines
        block.end.lines = block.first_line - 1
        self.place = block.end
        self.log = block.log
        self._give.send_nowait(block)

    def close(self) -> None:
        """Stop reading, even while a pipe is waited for."""
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
                    _skip_to(source, place, before.beginning)
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
        """
        The log, and after how many bytes its format is to be detected again; None if it needn't be.
        """
        head = await to_thread.run_sync(read_head, source, self._recognise.needed)
        log = self._recognise(source.name, head, before)
        log.beginning = source.beginning
        return log, None if log.recognised else len(head) or None

    async def _fill(self, source: Source, most: int | None) -> Block | None:
        block = await self._free.receive()
        filled = await to_thread.run_sync(source.fill, block.buffer, PADDING, most)
        if filled is None:
            await self._give.send(block)  # there is room, but the host may be closed
            return None
        block.at = block.stop = 0
        block.oversized = filled if isinstance(filled, OversizedLine) else None
        block.length = 0 if isinstance(filled, OversizedLine) else filled
        return block

    async def _send(self, group: TaskGroup, block: Block) -> None:
        scanned = Event()
        group.start_soon(self._scan_in_thread, block, scanned)
        await self._put.send((block, scanned))

    async def _scan_in_thread(self, block: Block, scanned: Event) -> None:
        await to_thread.run_sync(self._scan, block, limiter=self._scanners)
        scanned.set()


def _skip_to(source: Source, place: LogPosition, beginning: bytes) -> None:
    """
    Skip the part that was read before the checkpoint. Raises StateFileError if it is not the same
    text: all of it is compared for a pipe, both its ends for a file.
    """
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

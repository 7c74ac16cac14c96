"""
A group: the processes that share a state file are one service. The process that holds the lock of
the state counts, and is the leader. The others send it their events.

    joins         sends its events to the leader, which answers for all
    leads         gets the lock when the leader has ended, loads the state and its journal, counts
    counts alone  reaches no leader, and the lock is held: it counts what it has, and keeps it

When the leader ends, however that happens, its connections break and its lock is free, so another
process leads at once. The others keep their events until they know that these were counted, so a
takeover loses nothing. Who counted alone sends or counts the events that it has kept once again.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from time import sleep as block
from typing import Final

from anyio import CancelScope, Event, Lock, create_task_group, move_on_after, sleep
from anyio.lowlevel import checkpoint

from slomon.concurrency import Task, run_in_thread, unwrap_first
from slomon.errors import LeaderError, StateFileError
from slomon.live_monitor.batching import MOST_COUNTED, RawEvent
from slomon.live_monitor.buffer import CLOSED, Buffer
from slomon.live_monitor.group_ends import ANSWER_SECONDS, MOST, Leader, Member
from slomon.live_monitor.group_protocol import SNAPSHOT, ask, find_socket, pack
from slomon.live_monitor.inputs import Mark, Marks
from slomon.live_monitor.outgoing import Outgoing, cut_after, find_tick, merge_by_time
from slomon.live_monitor.persistence import StateFile
from slomon.live_monitor.snapshot import SnapshotData
from slomon.live_monitor.snapshot_document import pack_snapshot, unpack_snapshot
from slomon.logging import get_logger
from slomon.text import excerpt

_RETRY: Final = 0.02  # seconds between two attempts to lead or to join
_REJOIN: Final = 0.2  # seconds in which the others join a new leader
_RETRY_ALONE: Final = 0.25
_ALONE_AFTER: Final = 2.0  # seconds; a takeover takes less
_ROUNDS: Final = 100
_LEAVE_SECONDS: Final = 10.0  # the lock may pass through many processes


@dataclass(frozen=True, slots=True)
class Host:
    """
    What a group needs of its monitor.

    * `now`: the time in ticks; `set_clock`: set it; `mark`: what has been counted of a sender
    * `count`: count events, among them the next ones of this process, with the marks of the senders
    * `begin_alone`, `count_alone`: begin anew, and count events that will be counted again
    * `read`: the present state
    * `take_over`: load the state and continue from it; raises OSError or StateFileError
    """

    now: Callable[[], int]
    set_clock: Callable[[int], None]
    mark: Callable[[str], Mark]
    count: Callable[[Sequence[RawEvent], int, Marks], None]
    begin_alone: Callable[[], None]
    count_alone: Callable[[Sequence[RawEvent]], None]
    read: Callable[[], SnapshotData]
    take_over: Callable[[], Awaitable[None]]


class Group:
    """The group of a monitor, and this process's place in it. `sender` is its name."""

    def __init__(self, state: StateFile, buffer: Buffer, outgoing: Outgoing, host: Host) -> None:
        self._state = state
        self._buffer = buffer
        self._outgoing = outgoing
        self._host = host
        self.sender = ""
        self._process = 0
        self.leads = True
        self.leading = Event()
        """Set when this process leads."""
        self._is_alone = False
        self._lock = ExitStack()
        self._counting = Lock()
        self._failure = ""
        self._dropped: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leader = Leader(
            state.path,
            counted=lambda sender: host.mark(sender).number,
            waiting=buffer.note_elsewhere,
            answer=partial(run_in_thread, self._answer),
            now=host.now,
        )

    @property
    def counts(self) -> bool:
        """Does this process count its events, for the group or alone?"""
        return self.leads or self._is_alone

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Lead if no other process does. Raises what StateFile.held does, but for a lock that another
        process holds.
        """
        if self._process != os.getpid():  # a child that was forked is another sender
            self._process, self.sender = os.getpid(), os.urandom(16).hex()
        self._member = Member(
            *(self._state.path, self.sender, self._buffer, self._outgoing, self._host.set_clock)
        )
        self._loop = asyncio.get_running_loop()
        self.leading, self._counting = Event(), Lock()
        self._is_alone, self._failure = False, ""
        with self._lock:
            self.leads = self._take_lock()
            if self.leads:
                self.leading.set()
            yield

    async def run(self, tasks: Sequence[Task]) -> None:
        """Follow until this process leads, and run these tasks then, until cancelled."""
        leads = self.leads
        if not leads:
            await self._follow()
        with unwrap_first():
            async with create_task_group() as group:
                group.start_soon(self._leader.serve)
                if not leads:  # the others have events, too, which may be older
                    await sleep(_REJOIN)
                for task in tasks:
                    group.start_soon(task)

    async def settle(self) -> None:
        """Count what all processes have reported: the next leader finds only newer events."""
        if self.leads and self._leader:
            await self._count_all()

    async def leave(self) -> bool:
        """
        Have the leader count the remaining events. If there is no leader, lead and return True; the
        caller counts them.
        """
        if not self.leads:
            with CancelScope(shield=True):
                self._lock.close()  # a takeover may have been cancelled
                with move_on_after(_LEAVE_SECONDS):
                    while len(self._outgoing) and not await self._take_over():
                        await self._member.run(lambda: None, once=True)
                        await sleep(_RETRY if len(self._outgoing) else 0)
        if not self.leads:
            self._lock.close()
            lost = len(self._outgoing)
            if lost:
                self._buffer.count_dropped(CLOSED, lost - len(self._buffer.items))
                get_logger().error("group.lost", events=lost)
        return self.leads

    async def flush(self) -> bool:
        """
        Count the present events of this process, and what the others have reported. Returns False
        if there is no other process.
        """
        self._buffer.elsewhere = False
        if not self.leads:
            await (self._count_alone() if self._is_alone else self._member.flush())
        elif self._leader:
            end = self._outgoing.number + len(self._outgoing)
            for _ in range(_ROUNDS):
                if not await self._count_all() or self._outgoing.number >= end:
                    break
        else:
            return False
        return True

    def add_mark(self, marks: Marks, number: int) -> Marks:
        """The marks, with this process's own if it has dropped more events."""
        dropped = self._buffer.dropped
        if dropped == self._dropped:
            return marks
        self._dropped = dropped
        return {**marks, self.sender: Mark(number, dropped)}

    def ask(self) -> SnapshotData:
        """The state that the leader has. Blocks. Raises LeaderError if it does not answer."""
        end, place = monotonic() + ANSWER_SECONDS, find_socket(self._state.path)
        while True:
            try:
                return unpack_snapshot(ask(place, max(end - monotonic(), 0.001)))
            except (OSError, ValueError, LookupError, TypeError) as error:
                # During a takeover, nobody listens. On the loop's thread it could wait for itself.
                if monotonic() + _RETRY > end or _runs_here(self._loop):
                    raise LeaderError(
                        f"the process that counts for {self._state.path} does not answer: "
                        f"{excerpt(str(error), 200)}"
                    ) from None
            block(_RETRY)

    def _answer(self) -> bytes:
        return pack([SNAPSHOT, pack_snapshot(self._host.read())])

    def _take_lock(self) -> bool:
        """Lock the state; False if another process holds it. Raises what StateFile.held does."""
        try:
            self._lock.enter_context(self._state.held())
        except BlockingIOError:
            return False
        return True

    async def _follow(self) -> None:
        """Send the events to the leader, or count alone, until this process leads."""
        heard = monotonic()
        while True:
            if await self._member.run(self._join):
                heard = monotonic()
            if await self._take_over():
                return
            if self._is_alone or monotonic() - heard > _ALONE_AFTER:
                await self._count_alone()
            await sleep(_RETRY_ALONE if self._is_alone else _RETRY)

    def _join(self) -> None:
        """The leader has answered."""
        self._is_alone = False

    async def _take_over(self) -> bool:
        """Lead if no other process does."""
        try:
            if not self._take_lock():
                return False
            await self._host.take_over()
        except (OSError, RuntimeError, StateFileError) as error:  # RuntimeError: no thread is left
            self._lock.close()
            if not self._failure:
                self._failure = str(error)
                get_logger().error("group.no_takeover", reason=self._failure)
            return False
        self._outgoing.drop(self._host.mark(self.sender).number)
        self.leads, self._is_alone = True, False
        self.leading.set()
        if len(self._outgoing):
            self._buffer.note_elsewhere(urgent=True)  # they count as any others
        get_logger().info("group.takeover", file=str(self._state.path))
        return True

    async def _count_alone(self) -> None:
        if not self._is_alone:
            self._is_alone = True
            self._host.begin_alone()
            get_logger().warning(
                "group.alone",
                file=str(self._state.path),
                reason=self._member.problem,
                hint="another process holds the state and can't be reached; this one counts for "
                "itself until then, and merges its events when it can",
            )
        while items := self._outgoing.keep_more(MOST_COUNTED):
            self._host.count_alone(items)
            await checkpoint()

    async def _count_all(self) -> int:
        """
        Count what all processes have reported until now, in order of time. Return how many events
        that were, which is not all of them if too many wait.
        """
        async with self._counting:
            until = self._host.now()
            deliveries = await self._leader.collect(until)
            own = self._outgoing.take(MOST, until)
            numbers, batches = [], []
            for one in deliveries:
                known = max(self._host.mark(one.sender).number - one.number, 0)
                numbers.append(one.number + known)
                batches.append(one.events[known:])
            batches.append(own)
            if any(one.more for one in deliveries) or len(self._outgoing) > len(own):
                self._buffer.note_elsewhere(urgent=False)
                # More events wait behind the last one of a full batch: others are not to overtake.
                ends = [find_tick(batch[-1]) for batch in batches if len(batch) >= MOST]
                batches = [cut_after(batch, min(ends, default=until)) for batch in batches]
            merged = merge_by_time(batches)
            for first in range(0, len(merged), MOST_COUNTED):
                part = merged[first : first + MOST_COUNTED]
                counts = Counter(sender for sender, _ in part)
                numbers = [number + counts[sender] for sender, number in enumerate(numbers)]
                marks = {
                    one.sender: Mark(number, one.dropped)
                    for one, number in zip(deliveries, numbers, strict=True)
                }
                self._host.count([event for _, event in part], counts[len(deliveries)], marks)
                await checkpoint()
            senders = (one.sender for one in deliveries)
            await self._leader.acknowledge(dict(zip(senders, numbers, strict=True)))
            return len(merged)


def _runs_here(loop: asyncio.AbstractEventLoop | None) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False

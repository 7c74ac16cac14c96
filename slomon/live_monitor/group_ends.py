"""
The two ends of a group: the leader, which counts, and the other processes, which send it their
events. `group_protocol` has the messages.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from anyio import Event, create_task_group, move_on_after, sleep

from slomon.live_monitor.batching import RawEvent
from slomon.live_monitor.buffer import Buffer
from slomon.live_monitor.group_protocol import (
    COUNTED,
    EVENTS,
    HELLO,
    JOINED,
    SEND,
    SNAPSHOT,
    VERSION,
    WAITING,
    Channel,
    check_peer,
    connect,
    find_socket,
    listen,
    pack_events,
    unpack_events,
)
from slomon.live_monitor.outgoing import Outgoing
from slomon.logging import get_logger
from slomon.state.validation import check_counts
from slomon.text import excerpt

COALESCE_SECONDS: Final = 0.004
"""
Events are collected for this long and then counted together: waking up costs more than counting.
"""
IDLE_SECONDS: Final = 0.1
"""The same for events that can't open or end an incident."""
MOST: Final = 2048
"""Events of a message."""
ANSWER_SECONDS: Final = 1.0
"""The leader answers within this time, or there is no answer."""

_PATIENCE: Final = 0.25  # seconds for which the leader waits for the events of the others
_PAUSE: Final = 0.1  # seconds, if no connection can be accepted
_CONNECT_SECONDS: Final = 0.1
_BROKEN: Final = (OSError, ValueError, LookupError, TypeError, RuntimeError)


class Delivery(NamedTuple):
    """Events of a sender: the number of the first one, and how many it has dropped so far."""

    sender: str
    number: int
    events: list[RawEvent]
    dropped: dict[str, int]
    more: bool
    """Do more events wait there?"""


@dataclass(slots=True)
class _Process:
    """A process that is connected to the leader."""

    channel: Channel
    is_asked: bool = False
    is_slow: bool = False
    delivery: Delivery | None = None


class Leader:
    """
    The leader's end of a group.

    * `state`: the path of the state, whose lock the caller holds
    * `counted`: the number of events of a sender that have been counted
    * `waiting`: called with `urgent=` when events wait in another process
    * `answer`: makes the message that answers what the state is
    * `now`: the time, which the others take over
    """

    def __init__(
        self,
        state: Path,
        *,
        counted: Callable[[str], int],
        waiting: Callable[..., None],
        answer: Callable[[], Awaitable[bytes]],
        now: Callable[[], int],
    ) -> None:
        self._state = state
        self._counted = counted
        self._waiting = waiting
        self._answer = answer
        self._now = now
        self._processes: dict[str, _Process] = {}
        self._arrival = Event()

    def __bool__(self) -> bool:
        """Is any other process connected?"""
        return bool(self._processes)

    async def serve(self) -> None:
        """Accept connections until cancelled. If there can be no socket, this is logged."""
        if sys.platform == "win32":
            return
        place = find_socket(self._state)
        try:
            listener = listen(place, self._state)
        except OSError as error:
            get_logger().warning("group.unavailable", socket=str(place), reason=str(error))
            return
        try:
            async with create_task_group() as tasks:
                while True:
                    connection = await _accept(listener)
                    tasks.start_soon(self._talk, connection)
        finally:
            listener.close()
            with suppress(OSError):
                place.unlink()

    async def collect(self, until: int) -> list[Delivery]:
        """The events that the others reported until a tick. Slow processes are not waited for."""
        with move_on_after(_PATIENCE):
            for process in list(self._processes.values()):
                if not process.is_asked:
                    process.is_asked = True
                    with suppress(OSError):  # it has ended, as the reading task sees as well
                        await process.channel.send(SEND, until)
            while any(one.delivery is None and not one.is_slow for one in self._processes.values()):
                self._arrival = Event()
                await self._arrival.wait()
        deliveries = []
        for process in self._processes.values():
            process.is_slow = process.delivery is None
            if process.delivery is not None:
                deliveries.append(process.delivery)
                process.delivery, process.is_asked = None, False
        return deliveries

    async def acknowledge(self, numbers: Mapping[str, int]) -> None:
        """Let the senders know how many of their events have been counted."""
        with move_on_after(_PATIENCE):
            for sender, number in numbers.items():
                process = self._processes.get(sender)
                if process is not None:
                    with suppress(OSError):
                        await process.channel.send(COUNTED, number)

    async def _talk(self, connection: socket.socket) -> None:
        channel, sender = Channel(connection), ""
        try:
            with _ended():
                check_peer(connection)
                while (message := await channel.receive()) is not None:
                    match message:
                        case [kind, version] if (kind, version) == (SNAPSHOT, VERSION):
                            await channel.send_packed(await self._answer())
                        case [kind, version, str(name)] if (kind, version) == (HELLO, VERSION):
                            sender = name
                            self._processes[sender] = _Process(channel)
                            await channel.send(JOINED, self._now())
                            await channel.send(COUNTED, self._counted(sender))
                        case _ if sender:
                            self._receive(sender, message)
                        case _:
                            raise ValueError("a message is of another version")
        finally:
            process = self._processes.get(sender)
            if process is not None and process.channel is channel:
                del self._processes[sender]
            self._arrival.set()
            channel.close()

    def _receive(self, sender: str, message: list[Any]) -> None:
        match message:
            case [kind, bool(urgent)] if kind == WAITING:
                self._waiting(urgent=urgent)
            case [kind, int(number), events, dict(dropped), bool(more)] if kind == EVENTS:
                check_counts([number, *dropped.values()])
                process = self._processes[sender]
                process.delivery = Delivery(sender, number, unpack_events(events), dropped, more)
                self._arrival.set()
                if process.is_slow:
                    self._waiting(urgent=False)
            case _:
                raise ValueError("a message is not one of the protocol")


class Member:
    """
    The end of a group in a process that does not lead. `sender` is its name in the group, and
    `set_clock` is called with the time of the leader.
    """

    def __init__(
        self,
        state: Path,
        sender: str,
        buffer: Buffer,
        outgoing: Outgoing,
        set_clock: Callable[[int], None],
    ) -> None:
        self._set_clock = set_clock
        self._place = find_socket(state)
        self._sender = sender
        self._buffer = buffer
        self._outgoing = outgoing
        self._channel: Channel | None = None
        self._announced = 0  # 1: events wait; 2: urgent ones
        self._counted = Event()
        self._has_joined = False
        self.problem = ""
        """Why the leader could not be reached."""

    async def run(self, joined: Callable[[], None], *, once: bool = False) -> bool:
        """
        Send the events to the leader for as long as it lives; with `once` until none are left.
        `joined` is called when the leader has answered. Returns False at once if there is none.
        """
        if sys.platform == "win32":
            return False
        try:
            self._channel = Channel(connect(self._place, _CONNECT_SECONDS))
        except OSError as error:
            self.problem = str(error)
            return False
        self._has_joined = False
        try:
            async with create_task_group() as tasks:
                with _ended():
                    await self._channel.send(HELLO, VERSION, self._sender)
                    await self._receive(self._channel, joined, tasks.start_soon, once=once)
                tasks.cancel_scope.cancel()
        finally:
            self._channel.close()
            self._channel = None
        return self._has_joined

    async def flush(self) -> None:
        """Return when the leader has counted the present events, or after a second."""
        end = self._outgoing.number + len(self._outgoing)
        with move_on_after(ANSWER_SECONDS):
            if self._outgoing.number < end:
                await self._announce(2)
            while self._outgoing.number < end:
                if self._counted.is_set():
                    self._counted = Event()
                await self._counted.wait()

    async def _receive(
        self,
        channel: Channel,
        joined: Callable[[], None],
        start: Callable[..., object],
        *,
        once: bool,
    ) -> None:
        outgoing = self._outgoing
        while (message := await channel.receive()) is not None:
            match message:
                case [kind, int(now)] if kind == JOINED:
                    check_counts([now])
                    self._set_clock(now)
                case [kind, int(number)] if kind == COUNTED:
                    outgoing.drop(number)
                    self._counted.set()
                    if not self._has_joined:
                        self._has_joined = True
                        joined()
                        start(self._announce_all)
                    if once and not len(outgoing):
                        return
                case [kind, int(until)] if kind == SEND:
                    self._announced = 0
                    events = outgoing.take(MOST, None if once else until)
                    more = len(outgoing) > len(events)
                    dropped = self._buffer.dropped
                    await channel.send_packed(
                        pack_events(outgoing.number, events, dropped, more=more)
                    )
                case _:
                    raise ValueError("a message is not one of the protocol")

    async def _announce_all(self) -> None:
        """Tell the leader when events wait, until cancelled."""
        self._announced = 0
        if len(self._outgoing):
            await self._announce(2)
        while True:
            await self._buffer.arrival()
            await self._announce(1)
            with move_on_after(IDLE_SECONDS) as waiting:
                await self._buffer.urgency()
            if not waiting.cancelled_caught:
                await self._announce(2)
            await sleep(COALESCE_SECONDS)

    async def _announce(self, level: int) -> None:
        if self._channel is not None and level > self._announced:
            self._announced = level
            with suppress(OSError):  # the leader has ended, as the reading task sees as well
                await self._channel.send(WAITING, level > 1)


@contextmanager
def _ended() -> Iterator[None]:
    """A connection: it ends with the other process, or with a message that is wrong."""
    try:
        yield
    except ConnectionError:
        pass
    except _BROKEN as error:
        get_logger().warning("group.disconnected", reason=excerpt(str(error), 200))


async def _accept(listener: socket.socket) -> socket.socket:
    while True:
        try:
            connection, _ = await asyncio.get_running_loop().sock_accept(listener)
            return connection
        except OSError:  # such as too many open files
            await sleep(_PAUSE)

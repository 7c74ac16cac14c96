"""
How the processes of a group talk: messages over a Unix socket beside the state file.

    process -> leader    ["hello", version, sender]
    leader -> process    ["joined", tick]                the time at the leader
    leader -> process    ["counted", number]             it has that many events of this sender
    process -> leader    ["waiting", urgent]             events wait
    leader -> process    ["send", tick]                  send what was reported until then
    process -> leader    ["events", number, events, dropped, more]
                                                         the events from that number on
    any    -> leader     ["snapshot", version]           answered by ["snapshot", document]

A message is JSON with its length in 4 bytes before it. Only processes of the same user and of root
are answered. Each sender numbers its events and keeps them until they are counted, and the state
has the number of each sender. So after a takeover no event is lost, and none is counted twice.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from errno import EPERM
from hashlib import sha256
from pathlib import Path
from struct import Struct
from time import monotonic
from types import NoneType
from typing import Any, Final

from anyio import Lock

from slomon.core.events import Change, Malformed
from slomon.files import close_in_children
from slomon.live_monitor.batching import Deploy, RawEvent, Version
from slomon.state.validation import check_counts, demand

VERSION: Final = 2
HELLO: Final = "hello"
JOINED: Final = "joined"
COUNTED: Final = "counted"
WAITING: Final = "waiting"
SEND: Final = "send"
EVENTS: Final = "events"
SNAPSHOT: Final = "snapshot"

_LENGTH: Final = Struct("<I")
_LONGEST: Final = 1 << 28  # bytes of a message
_LONGEST_PATH: Final = 100  # bytes; systems allow 103 or more
_CREDENTIALS: Final = Struct("iII")  # process, user, group


def find_socket(state: Path) -> Path:
    """The socket of the group that shares a state file."""
    target = Path(os.path.realpath(state))
    place = target.with_name(f".{target.name}.slomon.socket")
    if len(os.fsencode(place.name)) > _LONGEST_PATH // 2:
        digest = sha256(os.fsencode(target.name)).hexdigest()[:32]
        place = target.with_name(f".{digest}.slomon.socket")
    return place


@contextmanager
def _reaching(path: Path) -> Iterator[str]:
    """An address of a socket's path, which may be longer than an address can be."""
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen(path: Path, rights_of: Path) -> socket.socket:
    """
    A socket that listens at a path, with the permissions of a file. The caller holds the lock of
    the state, so a socket that is there is left over. Raises OSError.
    """
    try:
        status = rights_of.stat()
        mode, owner = stat.S_IMODE(status.st_mode) & 0o666, (status.st_uid, status.st_gid)
    except FileNotFoundError:  # the state could not be saved
        mode, owner = 0o600, (os.geteuid(), os.getegid())
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    try:
        with _reaching(path) as address:
            listener.bind(address)
        # Nobody can connect before `listen`, so the permissions are never wider than these.
        path.chmod(mode)
        if os.geteuid() == 0:
            os.chown(path, *owner)
        listener.listen(1024)
        listener.settimeout(0)
        close_in_children(listener)
    except BaseException:
        listener.close()
        with suppress(OSError):
            path.unlink()
        raise
    return listener


def connect(path: Path, timeout: float | None) -> socket.socket:
    """A socket that is connected to the leader. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        with _reaching(path) as address:
            connection.connect(address)
        check_peer(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def check_peer(connection: socket.socket) -> None:
    """
    Raise PermissionError if the other end is a process of another user than this one and root. On
    systems that don't tell, the permissions of the socket's file decide.
    """
    if hasattr(socket, "SO_PEERCRED"):
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, user, _ = _CREDENTIALS.unpack(found)
        if user not in {os.geteuid(), 0}:
            reason = f"the other process is of user {user}; allowed: {os.geteuid()} and root"
            raise PermissionError(EPERM, reason)


class Channel:
    """Messages over a connected socket, on the running loop. Raises OSError if it breaks."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(0)
        close_in_children(connection)
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._sending = Lock()

    async def send(self, *message: object) -> None:
        """Send a message; `message` may be one that is packed already."""
        await self.send_packed(pack(message))

    async def send_packed(self, data: bytes) -> None:
        """Send a message that `pack` made."""
        async with self._sending:
            await self._loop.sock_sendall(self._connection, data)

    async def receive(self) -> list[Any] | None:
        """The next message; None at the end. Raises ValueError if it is no message."""
        received = self._received
        while (length := message_length(received)) is None or len(received) < length:
            data = await self._loop.sock_recv(self._connection, 1 << 18)
            if not data:
                return None
            received += data
        message = unpack(bytes(received[_LENGTH.size : length]))
        del received[:length]
        return message

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()


def ask(path: Path, seconds: float) -> Any:
    """
    The document of the leader's snapshot. Blocks, for `seconds` at most. Raises OSError or
    ValueError.
    """
    end = monotonic() + seconds
    with connect(path, seconds) as connection:
        connection.sendall(pack([SNAPSHOT, VERSION]))
        received = bytearray()
        while (length := message_length(received)) is None or len(received) < length:
            connection.settimeout(max(end - monotonic(), 0.001))
            data = connection.recv(1 << 18)
            if not data or monotonic() > end:
                raise TimeoutError("the process that counts has not answered")
            received += data
    kind, document = unpack(bytes(received[_LENGTH.size :]))
    demand(kind == SNAPSHOT, "the answer is another message")
    return document


def pack(message: Sequence[object]) -> bytes:
    """A message as bytes."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


def message_length(received: bytes | bytearray) -> int | None:
    """The bytes of the first message; None if not known yet. Raises ValueError if too many."""
    if len(received) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(received)
    demand(length <= _LONGEST, "a message is too long")
    return _LENGTH.size + int(length)


def unpack(body: bytes) -> list[Any]:
    """What `pack` packed. Raises ValueError if it is no message."""
    try:
        message = json.loads(body)
    except RecursionError:
        raise ValueError("a message is nested too deeply") from None
    if not isinstance(message, list) or not message:
        raise ValueError("a message is no list")
    return message


def pack_events(
    number: int, events: Sequence[RawEvent], dropped: Mapping[str, int], *, more: bool
) -> bytes:
    """The message of some events, which begin with the number-th one of their sender."""
    rows: Any = [
        event if type(event) is tuple else (0, _describe(event), None, None, None)
        for event in events
    ]
    kinds: dict[Any, int] = {}
    add = kinds.setdefault
    try:
        places = [add(row[1:4], len(kinds)) for row in rows]
        durations = [row[4] for row in rows]
        packed = [[row[0] for row in rows], places, list(kinds), durations]
        return pack([EVENTS, number, packed, dropped, more])
    except ValueError:  # an integer with more digits than Python converts
        readable = [event if _is_readable(event) else "" for event in events]
        return pack_events(number, readable, dropped, more=more)


def unpack_events(packed: object) -> list[RawEvent]:
    """The events of a message. Raises ValueError, LookupError or TypeError if they are invalid."""
    match packed:
        case [list(ticks), list(places), list(described), list(durations)]:
            check_counts(places)
            demand(set(map(type, ticks)) <= {int}, "a tick is no number")
            demand(set(map(type, durations)) <= {float, NoneType}, "a duration is no number")
            kinds = list(map(_recognise, described))
            found = map(kinds.__getitem__, places)
            return [
                (tick, *kind, duration) if type(kind) is tuple else kind
                for tick, kind, duration in zip(ticks, found, durations, strict=True)
            ]
    raise ValueError("events are no list")


def _is_readable(event: RawEvent) -> bool:
    try:
        json.dumps(event if type(event) is tuple else _describe(event))
    except ValueError:
        return False
    return True


def _describe(event: RawEvent) -> tuple[object, ...]:
    """An event that is no request. The number of its fields tells the kind."""
    match event:
        case Deploy():
            try:
                fields = event.at, *(f"{text}" for text in event[1:])
                return (*fields, True) if isinstance(event, Version) else fields
            except Exception:  # noqa: BLE001 (a caller's object may raise anything)
                return ("",)  # malformed, as it would be here
        case Change(commit, author, date, service):
            return commit, author, date, service
        case Malformed(text, reason):
            return text, reason
        case _:
            return (event,)


def _recognise(described: object) -> tuple[str, str, int] | RawEvent:
    match described:
        case [str(verb), str(resource), int(status)]:
            return verb, resource, int(status)
        case [list(fields), None, None]:
            return _read_fields(fields)
    raise ValueError("an event is not one")


def _read_fields(fields: list[object]) -> RawEvent:
    match fields:
        case [str(text)]:
            return text
        case [str(text), str(reason)]:
            return Malformed(text, reason)
        case [str(commit), str(author), str(date), str(service)]:
            return Change(commit, author, date, service)
        case [int() | str() as at, str(service), str(commit), str(author), str(date)]:
            return Deploy(at, service, commit, author, date)
        case [int() | str() as at, str(service), str(commit), str(author), str(date), True]:
            return Version(at, service, commit, author, date)
    raise ValueError("an event is not one")

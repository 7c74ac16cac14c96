"""The messages of a group, its socket, and who may write to it."""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from slomon.core.events import Change, Malformed
from slomon.live_monitor.batching import Deploy, RawEvent, Version
from slomon.live_monitor.group_protocol import (
    check_peer,
    connect,
    find_socket,
    listen,
    message_length,
    pack,
    pack_events,
    unpack,
    unpack_events,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")


class Hostile:
    def __len__(self) -> int:
        return 1

    def __format__(self, spec: str) -> str:
        raise OSError


def through(*events: Any) -> list[RawEvent]:
    """The events as they arrive."""
    kind, number, packed, dropped, more = unpack(pack_events(7, events, {"full": 2}, more=True)[4:])
    assert (kind, number, dropped, more) == ("events", 7, {"full": 2}, True)
    return unpack_events(packed)


def test_every_kind_of_event_arrives_as_it_was() -> None:
    events = [
        (1, "GET", "/users", 200, 0.25),
        (2, "GET", "/\ud800\n", 500, None),
        "nonsense",
        Malformed("text", "reason"),
        Change("191b6ce", "<ana@example.com>", "today", "users"),
        Deploy(3, "users", "191b6ce", "", ""),
        Deploy("later", "users", "191b6ce", "", ""),
        Version(3, "users", "191b6ce", "", ""),
        (2, "GET", "/users", 200, None),
    ]
    arrived = through(*events)
    assert arrived == events
    assert list(map(type, arrived)) == list(map(type, events))


def test_an_event_that_can_t_be_shown_is_malformed_there_as_here() -> None:
    status = 10**5000  # more digits than Python converts
    good = (1, "GET", "/users", 200, None)
    assert through((1, "GET", "/users", status, None), good) == ["", good]
    assert through(Deploy(1, "users", Hostile(), "", "")) == [""]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "packed",
    [
        [],
        {},
        [[1], [0], [["GET", "/users", 200]]],
        [[1], [0], [["GET", "/users"], 3], [None]],
        [[1], [1], [["GET", "/users", 200]], [None]],
        [[1, 2], [0], [["GET", "/users", 200]], [None]],
        [["1"], [0], [["GET", "/users", 200]], [None]],
        [[1], [0], [["GET", "/users", 200]], ["1"]],
        [[1], [0], [["GET", "/users", 200]], []],
        [[1], [-1], [["GET", "/users", 200]], [None]],
        [[1], [0], [["GET", 7, 200]], [None]],
        [[1], [0], [[[[1], "", "", "", ""], None, None]], [None]],
    ],
)
def test_a_message_of_wrong_events_is_refused(packed: object) -> None:
    with pytest.raises((ValueError, LookupError, TypeError)):
        unpack_events(packed)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"1", b"[", b"[" * 100_000, b"\xff"])
def test_bytes_that_are_no_message_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"message|Expecting|decode"):
        unpack(body)


def test_a_message_has_a_longest_length() -> None:
    assert message_length(b"\x00\x00\x00") is None
    assert message_length(pack(["counted", 1])) == len(pack(["counted", 1]))
    with pytest.raises(ValueError, match="too long"):
        message_length(b"\xff\xff\xff\xff")


class Mode(IntEnum):
    GROUP = 0o660
    USER = 0o600


@pytest.mark.parametrize("mode", Mode)
def test_the_socket_has_the_permissions_of_the_state(tmp_path: Path, mode: Mode) -> None:
    state = tmp_path / "state"
    state.touch()
    state.chmod(mode)
    place = find_socket(state)
    for _ in range(2):  # one that is left over is replaced
        with listen(place, state), connect(place, 1):
            assert stat.S_IMODE(place.stat().st_mode) == mode


def test_without_a_state_only_the_user_may_write_to_it(tmp_path: Path) -> None:
    place = find_socket(tmp_path / "state")
    with listen(place, tmp_path / "state"):
        assert stat.S_IMODE(place.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="long paths are reached by /proc")
def test_a_path_may_be_longer_than_an_address(tmp_path: Path) -> None:
    folder = tmp_path / ("f" * 100)
    folder.mkdir()
    for name in ("state", "s" * 150):
        place = find_socket(folder / name)
        with listen(place, folder / name), connect(place, 1):
            assert place.is_socket()


class Peer:
    """A socket whose other end is of a user."""

    def __init__(self, user: int) -> None:
        self.user = user

    def getsockopt(self, *_: int) -> bytes:
        return struct.pack("iII", 1, self.user, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who is there")
def test_a_process_of_another_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for user in (1000, 0):
        check_peer(Peer(user))  # type: ignore[arg-type]
    with pytest.raises(PermissionError, match="is of user 1001; allowed: 1000 and root"):
        check_peer(Peer(1001))  # type: ignore[arg-type]
    first, second = socket.socketpair()
    with first, second:
        monkeypatch.undo()
        check_peer(first)

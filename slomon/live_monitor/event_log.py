"""The event log of a live monitor: a recorded stream, one event per line, for a replay."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from errno import EINVAL
from pathlib import Path
from typing import Any, BinaryIO, Final

from slomon.core.events import Change, Malformed
from slomon.core.ticks import show_tick
from slomon.errors import StateFileError
from slomon.files import lock_file, naming
from slomon.live_monitor.batching import (
    LONGEST_EVENT,
    Deploy,
    RawEvent,
    read_deploy,
    show_change,
    show_request,
)
from slomon.logging import get_logger

_LONGEST_REASON: Final = 1000
# Bytes of an event at most: a character has up to 12.
_LAST_LINE: Final = 12 * (LONGEST_EVENT + _LONGEST_REASON) + 64
_BEGIN: Final = b'{"type": "'
_END: Final = "end-of-stream"
_KINDS: Final = ("access", "change", "rejected", _END)
_KEYS: Final = {"type", "value", "reason"}


class EventLog:
    """
    A file to which events are appended. If writing fails, that is logged and ends the recording;
    the service is not affected.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def begin(self) -> None:
        """
        Open the file. Raises OSError, which names it, and StateFileError if it is not an event log:
        such a file stays unchanged.
        """
        if self.path.exists() and not self.path.is_file():  # its end could not be removed
            raise OSError(EINVAL, "no file; allowed: one, or a place where none is", str(self.path))
        with naming(self.path), ExitStack() as opened:
            file = opened.enter_context(self.path.open("a+b"))
            lock_file(file, self.path)
            if not _remove_end(file):
                raise StateFileError(
                    f"{self.path} is no recording of a live monitor; allowed: one, or no file"
                )
            self._file = file
            opened.pop_all()

    def write(self, items: Sequence[RawEvent]) -> None:
        """Append the next events, in the order in which they were counted."""
        self._put("".join(map(_show, items)))

    def end(self, now: int) -> None:
        """Append the end of the stream at `now`, the time until which there were no more events."""
        self._put(_line(_END, show_tick(now)))
        if self._file is not None:
            self._file.close()

    def _put(self, lines: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(lines.encode())
            self._file.flush()
        except OSError as error:
            log: Any = get_logger()
            log.error("recording.ended", file=str(self.path), reason=str(error))  # noqa: TRY400 (the reason is logged)
            with suppress(OSError):
                self._file.close()
            self._file = None


def _remove_end(file: BinaryIO) -> bool:
    """
    Remove the end-of-stream and an incomplete last line, so that more events can follow. False if
    the file is not an event log.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 2 * _LAST_LINE, 0))
    tail = file.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    last = whole[whole[:-1].rfind(b"\n") + 1 :]
    if not (_kind(last) if whole else _may_begin(tail)):
        return False
    if _kind(last) == _END:
        whole = whole[: -len(last)]
    file.truncate(size - len(tail) + len(whole))
    return True


def _may_begin(piece: bytes) -> bool:
    """May an event begin like this?"""
    return piece[: len(_BEGIN)] == _BEGIN[: len(piece)]


def _kind(line: bytes) -> str | None:
    """The type of the event in a line; None if the line is not an event."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    kind = event.get("type") if isinstance(event, dict) and event.keys() <= _KEYS else None
    return kind if kind in _KINDS else None


def _show(event: RawEvent) -> str:
    match read_deploy(event) if isinstance(event, Deploy) else event:
        case Change(commit, author, date, service):
            return _line("change", show_change(service, commit, author, date))
        case Malformed(text, reason):
            return _line("rejected", text, reason=reason)
        case str(text):
            return _line("access", text)
        case request:
            return _line("access", show_request(*request))


def _line(kind: str, value: str, **more: str) -> str:
    return json.dumps({"type": kind, "value": value, **more}) + "\n"

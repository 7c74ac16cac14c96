"""The event log of a live monitor: a recorded stream, one event per line, for a replay."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from errno import EINVAL
from io import FileIO
from pathlib import Path
from typing import Final, cast
from zlib import crc32

from slomon.core.events import Change, Gap, Malformed
from slomon.core.ticks import TICKS_PER_SECOND, show_tick, to_seconds
from slomon.errors import StateFileError
from slomon.files import lock_file, naming
from slomon.live_monitor.batching import (
    LONGEST_EVENT,
    MOST_COUNTED,
    Deploy,
    RawEvent,
    read_deploy,
    show_change,
    show_request,
)
from slomon.live_monitor.inputs import NOT_RECORDED, Recorded
from slomon.logging import get_logger

_LONGEST_REASON: Final = 1000
# Bytes of an event at most: a character has up to 12.
_LAST_LINE: Final = 12 * (LONGEST_EVENT + _LONGEST_REASON) + 64
_BEGIN: Final = b'{"type": "'
_END: Final = "end-of-stream"
_KINDS: Final = ("access", "change", "rejected", "gap", _END)
_KEYS: Final = {"type", "value", "reason", "duration"}


_RETRY: Final = TICKS_PER_SECOND
_LONGEST_BATCH: Final = MOST_COUNTED * _LAST_LINE


class EventLog:
    """
    A file to which events are appended, in whole lines.

    If writing fails, or the file could not be opened, the events are only counted; the service is
    not affected. It is tried again with later events, at most once a second. The first line that
    can be written then is a gap: how many events are missing, and since when. The failure is logged
    when it begins and when it ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: FileIO | None = None
        self._gap: Gap | None = None
        self._tried = 0  # the tick of the last attempt to write that failed
        self._whole: int | None = None  # bytes of whole lines, if a part of a line may follow
        self.recorded = NOT_RECORDED
        """How far it is."""

    def begin(self, counted: Recorded = NOT_RECORDED) -> None:
        """
        Open the file. Raises OSError, which names it, and StateFileError if it is not an event log:
        such a file stays unchanged.

        `counted` is how far the log was with the last event that the state has counted. A process
        that was killed may have recorded one more batch: its events are counted later or never, so
        they are removed.
        """
        self.recorded = counted
        if self.path.exists() and not self.path.is_file():  # its end could not be removed
            raise OSError(EINVAL, "no file; allowed: one, or a place where none is", str(self.path))
        with naming(self.path), ExitStack() as opened:
            # Without a buffer: lines that could not be written must not be written later.
            file = opened.enter_context(FileIO(self.path, "a+"))
            lock_file(file, self.path)
            recorded = _remove_end(file, counted)
            if recorded is None:
                raise StateFileError(
                    f"{self.path} is no recording of a live monitor; allowed: one, or no file"
                )
            self._file, self._whole, self.recorded = file, None, recorded
            opened.pop_all()

    def write(self, items: Sequence[RawEvent], now: int) -> None:
        """Append the next events, which were counted at `now`, in this order."""
        if self._gap is not None and 0 <= now - self._tried < _RETRY:
            self._count_missing(len(items), now)
        else:
            self._append("".join(map(_show, items)), len(items), now)

    def end(self, now: int) -> None:
        """Append the end of the stream at `now`, the time until which there were no more events."""
        self._append(_line(_END, show_tick(now)), 0, now)
        if self._gap is not None:
            self._report(get_logger().error, "recording.incomplete", self._gap)
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def _append(self, lines: str, events: int, now: int) -> None:
        """Append the lines of some events, after the gap if there is one; or count the events."""
        gap = self._gap
        before = "" if gap is None else _line("gap", gap.show())
        try:
            self._write((before + lines).encode())
        except (OSError, StateFileError) as error:
            self._tried = now
            self._count_missing(events, now)
            if gap is None:
                get_logger().error("recording.interrupted", file=str(self.path), reason=str(error))
            return
        self._gap = None
        if gap is not None:
            self._report(get_logger().warning, "recording.resumed", gap)

    def _count_missing(self, events: int, now: int) -> None:
        gap = self._gap or Gap(0, now, now)
        self._gap = Gap(gap.events + events, gap.began, now)

    def _write(self, data: bytes) -> None:
        """Append all of the data or nothing. Raises OSError or StateFileError if it can't."""
        if self._file is None:
            self.begin(self.recorded)
        file = cast(FileIO, self._file)
        self._cut(file)
        self._whole = file.seek(0, os.SEEK_END)
        left = data
        try:
            while left:
                left = left[file.write(left) :]
        except OSError:
            with suppress(OSError):  # it is tried again before anything is written
                self._cut(file)
            raise
        if data:
            self.recorded = Recorded(self._whole + len(data), crc32(_find_last_line(data)))
        self._whole = None

    def _cut(self, file: FileIO) -> None:
        """Remove the part of a line that was left when writing failed."""
        if self._whole is not None and file.seek(0, os.SEEK_END) > self._whole:
            file.truncate(self._whole)
        self._whole = None

    def _report(self, log: Callable[..., object], event: str, gap: Gap) -> None:
        began, ended = to_seconds(gap.began), to_seconds(gap.ended)
        log(event, file=str(self.path), missing=gap.events, began=began, ended=ended)


def _remove_end(file: FileIO, counted: Recorded) -> Recorded | None:
    """
    Remove the end-of-stream and an incomplete last line, so that more events can follow; if there
    is no end-of-stream, also a batch that was not counted. Return how far the log is then; None if
    the file is not an event log.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 2 * _LAST_LINE, 0))
    tail = file.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    last = _find_last_line(whole)
    if not (_kind(last) if whole else _may_begin(tail)):
        return None
    if _kind(last) == _END:
        whole = whole[: -len(last)]
    left = Recorded(size - len(tail) + len(whole), crc32(_find_last_line(whole)))
    if _kind(last) != _END and _is_uncounted(file, counted, left.size):
        left = counted
    file.truncate(left.size)
    return left


def _is_uncounted(file: FileIO, counted: Recorded, end: int) -> bool:
    """Are the lines from there to the end one batch, and the line before them the one counted?"""
    first = max(counted.size - _LAST_LINE, 0)
    if not counted.size < end <= counted.size + _LONGEST_BATCH:
        return False
    file.seek(first)
    known = file.read(counted.size - first)
    is_same = known.endswith(b"\n") and crc32(_find_last_line(known)) == counted.check
    return is_same and file.read(end - counted.size).count(b"\n") <= MOST_COUNTED


def _find_last_line(lines: bytes) -> bytes:
    return lines[lines.rfind(b"\n", 0, -1) + 1 :]


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
            text, seconds = show_request(*request[:4]), request[4]
            return _line("access", text, **({} if seconds is None else {"duration": seconds}))


def _line(kind: str, value: str, **more: str | float) -> str:
    return json.dumps({"type": kind, "value": value, **more}) + "\n"

"""The events of a live monitor as a recorded stream, a line each, which can be replayed."""

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
from slomon.live_monitor.ingest import (
    LONGEST_EVENT,
    Deploy,
    RawEvent,
    read_deploy,
    show_change,
    show_request,
)
from slomon.logging import get_logger

_LAST_LINE: Final = 12 * LONGEST_EVENT + 64  # bytes at most of one event: a character has up to 12
_BEGIN: Final = b'{"type": "'
_END: Final = "end-of-stream"
_KINDS: Final = ("access", "change", _END)
_KEYS: Final = {"type", "value"}


class EventLog:
    """
    Goes on with a file where one is. That it can't be written to is logged, and ends the recording:
    the service goes on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def begin(self) -> None:
        """
        Open the file. Raises OSError, which names it, and StateFileError where it is of something
        else: that is left as it is.
        """
        if self.path.exists() and not self.path.is_file():  # nothing could be taken back from it
            raise OSError(EINVAL, "no file; allowed: one, or a place where none is", str(self.path))
        with naming(self.path), ExitStack() as opened:
            file = opened.enter_context(self.path.open("a+b"))
            lock_file(file, self.path)
            if not _take_back_end(file):
                raise StateFileError(
                    f"{self.path} is no recording of a live monitor; allowed: one, or no file"
                )
            self._file = file
            opened.pop_all()

    def write(self, items: Sequence[RawEvent]) -> None:
        """The next events, in the order in which they count."""
        self._put("".join(map(_show, items)))

    def end(self, now: int) -> None:
        """Nothing follows, and until now nothing did."""
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
            log.error("recording.ended", file=str(self.path), reason=str(error))  # noqa: TRY400 (the reason says it)
            with suppress(OSError):
                self._file.close()
            self._file = None


def _take_back_end(file: BinaryIO) -> bool:
    """
    More follows after all: take the end of the stream away, and a line that was cut off. False
    where it is no recording.
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
    """May it be how an event begins?"""
    return piece[: len(_BEGIN)] == _BEGIN[: len(piece)]


def _kind(line: bytes) -> str | None:
    """Of the event of a line; None where it has none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    kind = event.get("type") if isinstance(event, dict) and event.keys() <= _KEYS else None
    return kind if kind in _KINDS else None


def _show(told: RawEvent) -> str:
    match read_deploy(told) if isinstance(told, Deploy) else told:
        case Change(commit, author, date, service):
            return _line("change", show_change(service, commit, author, date))
        case Malformed(text):
            return _line("change", text)
        case str(text):
            return _line("access", text)
        case request:
            return _line("access", show_request(*request))


def _line(kind: str, value: str) -> str:
    return json.dumps({"type": kind, "value": value}) + "\n"

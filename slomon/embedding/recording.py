"""The events of a live monitor as a recorded stream, a line each, which can be replayed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from errno import EINVAL
from pathlib import Path
from typing import Any, BinaryIO, Final

from slomon.core.batch import Item
from slomon.core.event import Change, Malformed
from slomon.core.tick import show_tick
from slomon.embedding.buffer import LONGEST
from slomon.log import get_logger
from slomon.output_file import naming

_LAST_LINE: Final = 12 * LONGEST + 64  # bytes at most of one event: a character has up to 12
_END: Final = b'{"type": "end-of-stream"'


class Recording:
    """
    Goes on with a file where one is. That it can't be written to is logged, and ends the recording:
    the service goes on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def begin(self) -> None:
        """Open the file. Raises OSError, which names it."""
        if self._path.exists() and not self._path.is_file():  # nothing could be taken back from it
            raise OSError(
                EINVAL, "no file; allowed: one, or a place where none is", str(self._path)
            )
        with naming(self._path):
            self._file = self._path.open("a+b")
            _take_back_end(self._file)

    def write(self, items: Sequence[Item]) -> None:
        """The next events, in the order in which they count."""
        self._put("".join(map(_show, items)))

    def end(self, now: int) -> None:
        """Nothing follows, and until now nothing did."""
        self._put(_line("end-of-stream", show_tick(now)))
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
            log.error("recording.ended", file=str(self._path), reason=str(error))  # noqa: TRY400 (the reason says it)
            with suppress(OSError):
                self._file.close()
            self._file = None


def _take_back_end(file: BinaryIO) -> None:
    """More follows after all: take the end of the stream away, and a line that was cut off."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _LAST_LINE, 0))
    tail = file.read(_LAST_LINE)
    whole = tail[: tail.rfind(b"\n") + 1]
    last = whole[whole[:-1].rfind(b"\n") + 1 :]
    if last.startswith(_END):
        whole = whole[: -len(last)]
    file.truncate(size - len(tail) + len(whole))


def show_change(service: str, commit: str, author: str, date: str) -> str:
    """A change as its four lines, the form in which streams have it."""
    return f"commit: {commit}\nAuthor: {author}\nDate: {date}\nService: {service}"


def _show(item: Item) -> str:
    match item:
        case Change():
            text = show_change(item.service, item.commit, item.author, item.date)
            return _line("change", text)
        case Malformed():
            return _line("change", item.text)
    return _line("access", item)


def _line(kind: str, value: str) -> str:
    return json.dumps({"type": kind, "value": value}) + "\n"

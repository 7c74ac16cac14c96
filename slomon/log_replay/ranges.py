"""
A range of a log: a plain file is read in several parts, each by itself, on any machine. A line
belongs to the part that has its first byte, so no line is read twice or left out.

What a part needs to know of the lines before it is the newest tick among them. It is guessed from
the last lines before the part; whoever joins the parts checks the guess.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from slomon.core.events import Access
from slomon.errors import ConfigurationError
from slomon.formats.format import Format, Switch, read_lines
from slomon.log_replay.detect import FormatDetector, read_head
from slomon.sources.source import Source, open_source

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_WINDOW: Final = 64 << 10  # bytes before a part: their newest tick is the guess
_CHUNK: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class LogRange:
    """
    The bytes of a log from `first` to `end`; to its end if that is None. `newest` is the newest
    tick before the range, None if it is not known.
    """

    first: int = 0
    end: int | None = None
    newest: int | None = None


WHOLE: Final = LogRange()


def open_range(path: str, part: LogRange, max_line: int) -> Source:
    """Open a part of a log. Raises OSError."""
    end = None if part.end is None else find_line(path, part.end)
    raw = _FileUntil(path, end)
    try:
        size = os.fstat(raw.fileno()).st_size if end is None else end
        source = Source(raw, path, size, max_line=max_line)
        source.skip(find_line(path, part.first))
    except BaseException:
        raw.close()
        raise
    return source


def find_newest(path: str, part: LogRange, form: Format) -> int:
    """The newest tick before a part of a log in this format: a guess, by the last lines there."""
    if part.newest is not None:
        return part.newest
    with io.FileIO(path) as file:
        end = find_line(path, part.first)
        begin = file.seek(max(end - _WINDOW, 0))
        text = file.read(end - begin)
    lines = _split(text)[1 if begin else 0 :]
    ticks = (one.tick for one in read_lines(form, lines) if isinstance(one, Access))
    return max(ticks, default=0)


def find_line(path: str, offset: int) -> int:
    """Where the first line begins that does not begin before this offset. Raises OSError."""
    with io.FileIO(path) as file:
        at = file.seek(max(offset - 1, 0))
        while offset and (chunk := file.read(_CHUNK)):
            newline = chunk.find(b"\n")
            if newline >= 0:
                return at + newline + 1
            at += len(chunk)
        return at


def is_divisible(path: str, detect: FormatDetector, max_line: int) -> bool:
    """
    May a log be read in parts? Not if it is compressed, or if its lines are read by what stands in
    lines before them, as far as its first lines show that.
    """
    with suppress(OSError, ConfigurationError), open_source(path, max_line) as source:
        head = read_head(source, detect.needed)
        log = detect(path, head)
        is_plain = not source.is_compressed and source.problem is None
        if is_plain and log.recognised and not log.format.ordered:
            return not any(isinstance(log.format.parse(line), Switch) for line in _split(head))
    return False


def _split(text: bytes) -> Sequence[str]:
    lines = text.decode("utf-8", "backslashreplace").split("\n")
    return [line.removesuffix("\r") for line in lines if line.strip()]


class _FileUntil(io.FileIO):
    """A file that ends at an offset; None is its own end."""

    def __init__(self, path: str, end: int | None) -> None:
        super().__init__(path)
        self._end = end

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Read bytes into the buffer. Returns their number, which is 0 at the end."""
        view = memoryview(buffer)
        if self._end is not None:
            view = view[: max(self._end - self.tell(), 0)]
        return super().readinto(view) if view else 0

"""
Where a log comes from: a file or standard input, as blocks of whole lines.

What was handed out of a text, summed up, so that a text is known again as far as it was read.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias

from slomon.errors import ConfigurationError
from slomon.sources.compression import open_decompressed
from slomon.sources.peekable import Check, Feed, open_raw

MAX_LINE: Final = 1024 * 1024
"""Bytes of the longest line that is handed out whole, its newline not counted."""

_EXCERPT: Final = 1000
_BEGINNING: Final = 512  # bytes
_NEWLINE: Final = ord("\n")
_BYTE_ORDER_MARKS: Final = {
    b"\xef\xbb\xbf": "UTF-8",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
}


@dataclass(frozen=True, slots=True)
class OversizedLine:
    """
    A line that can't be handed out whole: how it begins (at most 1000 bytes), how long it is
    without its newline, and the reason.
    """

    text: bytes
    length: int
    reason: str


Filled: TypeAlias = int | OversizedLine | None
"""What `fill` has put into a buffer: so many bytes of lines, a line's fragment, or nothing more."""


def open_source(
    path: Path | str, max_line: int = MAX_LINE, check: Check = int, *, resumable: bool = False
) -> Source:
    """
    The log in a file (or named pipe), or standard input for `-`. Its first bytes are read, which
    for a pipe may take as long as these do to come; `check` is called at every read and several
    times a second of a wait, and may end them.
    What a pipe hands out is summed up only where its reader is `resumable`.

    Raises OSError where it can't be opened, ConfigurationError where the library that reads its
    compression is missing, and what `check` does.
    """
    with ExitStack() as stack:
        raw = stack.enter_context(open_raw(path, check))
        name, size = ("standard input", None) if str(path) == "-" else (str(path), _size(raw))
        try:
            source = Source(raw, name, size, check, max_line=max_line, resumable=resumable)
        except ConfigurationError as error:
            raise ConfigurationError(f"{name}: {error}") from None
        stack.pop_all()
        return source


def _size(raw: io.FileIO) -> int | None:
    found = os.fstat(raw.fileno())
    return found.st_size if stat.S_ISREG(found.st_mode) else None


class Source:
    """
    One log, plain or compressed, from its first line to its last; a context manager that closes
    it. Whatever breaks in the middle costs nothing that was read before: `problem` then says what
    it was. It is final once `fill` has returned None.

    A file is read to its end as first met: what is appended until then is read as well.

    * `name`: as it is shown to people
    * `size`: bytes of the file when it was opened; None for a pipe and for standard input
    * `beginning`: the first bytes on disk, by which a file is known again; none for the others
    """

    def __init__(
        self,
        raw: io.RawIOBase,
        name: str,
        size: int | None = None,
        check: Check = int,
        *,
        max_line: int = MAX_LINE,
        resumable: bool = False,
    ) -> None:
        self.name = name
        self.size = size
        self.problem: str | None = None
        self.max_line = max_line
        self._raw = raw
        self._check = check
        self._trail: Fingerprint = AllBytes() if resumable and size is None else LastBytes()
        self._bytes = self._text = Feed(raw)
        with self._told():
            self._text = open_decompressed(self._bytes)
        self.beginning = b"" if size is None else bytes(self._bytes.peek(0)[:_BEGINNING])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._raw.close()

    @property
    def offset(self) -> int:
        """Bytes of the decompressed text that were handed out, for `skip` to go on from."""
        return self._text.position

    @property
    def fingerprint(self) -> str:
        """A digest of what stands before `offset`: all the text of a pipe, 4 KiB of a file's."""
        return self._trail.sum_up()

    @property
    def progress(self) -> int:
        """Bytes of the file on disk that were read; more than `size` where it has grown."""
        return self._bytes.position

    def skip(self, offset: int) -> None:
        """
        Begin at that byte of the text, before the first `fill`. A text that has fewer is a
        `problem`.
        """
        if self._text is self._bytes and self.size is not None:
            begin = max(min(offset, self.size) - REMEMBERED, 0)
            self._raw.seek(begin)
            self._bytes = self._text = Feed(self._raw, begin)
        scratch = memoryview(bytearray(max(self.max_line, REMEMBERED)))
        while self.offset < offset and (count := self._read(scratch[: offset - self.offset])):
            self._trail.add(scratch[:count])
        if self.offset < offset and self.problem is None:
            self._refuse(f"the text has {self.offset} bytes, {offset} of them were to be skipped")

    def peek(self, least: int) -> bytes:
        """
        The bytes that come next, `least` of them or more, which are handed out later nevertheless;
        fewer where the text ends before, or breaks: then there is a `problem`.
        """
        if self.offset == 0:
            self._read_byte_order_mark()
        with self._told():
            self._text.peek(least)
        return bytes(self._text.peek(0))

    def fill(self, buffer: bytearray, spare: int = 0, most: int | None = None) -> Filled:
        """
        Put whole lines into the buffer and say how many bytes these are; the last one is a
        newline, also where the text's own last line has none. A file fills the buffer as far as
        it can, a pipe hands out what has arrived; neither goes beyond `most` bytes, where a line
        ends. In place of a line that can't be handed out whole there is a Fragment, and at the
        end None.

        The buffer is longer than MAX_LINE and the `spare` bytes at its end, which are left as they
        are, and need not be the same one each time. Works in any thread, by one at a time.
        """
        room = len(buffer) - spare
        if room <= self.max_line:
            raise ValueError(f"the buffer has {room} bytes; allowed: over {self.max_line}")
        if self.offset == 0:
            self._read_byte_order_mark()
        end, filled = self._read_lines(buffer, room if most is None else min(room, most))
        rest = bytes(memoryview(buffer)[end:filled])
        if end:
            self._text.put_back(rest)
            self._trail.add(memoryview(buffer)[:end])
            return end
        return self._end_line(rest, buffer) if rest else None

    def _read_lines(self, buffer: bytearray, size: int) -> tuple[int, int]:
        """Where in the buffer the whole lines end, and where all that was read."""
        end = filled = 0
        view = memoryview(buffer)[:size]
        # Never past the longest line, so that no longer one can hide in the middle.
        while room := view[filled : end + self.max_line + 1]:
            count = self._read(room)
            if not count:
                break
            newline = buffer.rfind(b"\n", filled, filled + count)
            filled += count
            if newline >= 0:
                end = newline + 1
                if self.size is None:
                    break
        return end, filled

    def _end_line(self, line: bytes, buffer: bytearray) -> int | OversizedLine:
        self._trail.add(line)
        if len(line) > self.max_line:
            length = len(line) + self._drop_line(buffer)
            reason = f"the line has {length} bytes; allowed: {self.max_line}"
        elif self.problem is not None:
            length, reason = len(line), f"the line is cut off: {self.problem}"
        else:
            buffer[len(line)] = _NEWLINE
            return len(line) + 1
        return OversizedLine(line[:_EXCERPT], length, reason)

    def _drop_line(self, scratch: bytearray) -> int:
        """Read on to the next newline, and say how many bytes stood before it."""
        dropped = 0
        view = memoryview(scratch)[: self.max_line]
        while count := self._read(view):
            newline = scratch.find(b"\n", 0, count)
            self._trail.add(view[: newline + 1 or count])
            if newline >= 0:
                self._text.put_back(bytes(view[newline + 1 : count]))
                return dropped + newline
            dropped += count
        return dropped

    def _read_byte_order_mark(self) -> None:
        with self._told():
            mark = self._text.find_mark(_BYTE_ORDER_MARKS)
            if mark is None:
                return
            encoding = _BYTE_ORDER_MARKS[mark]
            if encoding == "UTF-8":
                self._text.drop(len(mark))
                self._trail.add(mark)
            else:
                self._refuse(f"it is {encoding}, not UTF-8: iconv -f {encoding} -t UTF-8")

    def _refuse(self, reason: str) -> None:
        self.problem = reason
        self._text.end()

    def _read(self, view: memoryview) -> int:
        self._check()
        with self._told():
            if count := self._text.readinto(view):
                return count
            if self.problem is None and self.size is not None and self.progress < self.size:
                raise EOFError(f"the file had {self.size} bytes and ends after {self.progress}")
        return 0

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError) as error:
            self.problem = f"{error}, after {self._text.reached} bytes of text"


REMEMBERED: Final = 4096
"""Bytes at the end of what was handed out, by which a file is known."""


class Fingerprint(Protocol):
    """Takes all bytes that are handed out, in order."""

    def add(self, data: bytes | memoryview, /) -> None:
        """Some bytes were handed out."""

    def sum_up(self) -> str:
        """A digest of what is remembered of them."""


class LastBytes:
    """Remembers the last ones: those of a file, of which one needn't read more to go on."""

    def __init__(self) -> None:
        self._last = b""

    def add(self, data: bytes | memoryview, /) -> None:
        """Some bytes were handed out."""
        self._last = (self._last + bytes(data[-REMEMBERED:]))[-REMEMBERED:]

    def sum_up(self) -> str:
        """A digest of the last ones."""
        return hashlib.sha256(self._last).hexdigest()


class AllBytes:
    """Remembers all: those of a pipe, which comes again from its beginning."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, data: bytes | memoryview, /) -> None:
        """Some bytes were handed out."""
        self._digest.update(data)

    def sum_up(self) -> str:
        """A digest of all."""
        return self._digest.hexdigest()

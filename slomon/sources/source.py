"""
A source of log lines: a file, a pipe or standard input, plain or compressed, as blocks of whole
lines.

A source has a fingerprint of the text that it has handed out, by which a later run recognises the
text up to there.
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
from slomon.sources.json_values import split_values
from slomon.sources.peekable import Check, PeekableStream, open_raw

MAX_LINE: Final = 1024 * 1024
"""The most bytes of a line, without its newline, that is handed out whole."""

SKIPPED_LINES: Final = 4096
"""A line that is longer than this many lines of the maximum length is not skipped."""

FINGERPRINT_BYTES: Final = 4096
"""The number of bytes before `Source.offset` that the fingerprint of a file covers."""

_EXCERPT_BYTES: Final = 1000
_BEGINNING_BYTES: Final = 512
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
    A line that can't be handed out whole: its first bytes (at most 1000), its length in bytes
    without the newline, and the reason.
    """

    text: bytes
    length: int
    reason: str


FillResult: TypeAlias = int | OversizedLine | None
"""The result of `fill`: the number of bytes of lines, a line that isn't whole, None at the end."""


def open_source(
    path: Path | str, max_line: int = MAX_LINE, check: Check = int, *, resumable: bool = False
) -> Source:
    """
    Open the log in a file or a named pipe, or standard input for `-`. This reads the first bytes,
    so for a pipe it blocks until they arrive.

    * `check`: called at every read, and several times a second while a read waits; if it raises,
      the read ends
    * `resumable`: the fingerprint of a pipe covers the whole text, which only a replay that can be
      resumed needs

    Raises OSError if the file can't be opened, ConfigurationError if the library that reads its
    compression is missing, and any exception of `check`.
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
    status = os.fstat(raw.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


class Source:
    """
    One log, plain or compressed, from its first line to its last. A context manager, which closes
    the log.

    If reading fails, the lines before the failure are handed out, and `problem` says what happened.
    A line that is far too long, as in a device that never ends, is such a failure.
    `problem` is final once `fill` has returned None. A file is read until its end is first reached,
    including bytes that are appended before that.

    * `name`: the name to show to people
    * `size`: the bytes of the file when it was opened; None for a pipe and for standard input
    * `is_compressed`: is its text decompressed, or split into JSON values?
    * `beginning`: the first bytes on disk, by which a file is recognised; b"" if `size` is None
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
        self._fingerprint: Fingerprint = AllBytes() if resumable and size is None else LastBytes()
        self._bytes = self._text = PeekableStream(raw, check=check)
        with self._recording_problem():
            self._text = open_decompressed(self._bytes)
            self._text = split_values(self._text)
        self.is_compressed = self._text is not self._bytes
        self.beginning = b"" if size is None else bytes(self._bytes.peek(0)[:_BEGINNING_BYTES])

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
        """The bytes of decompressed text that were handed out; `skip` resumes from there."""
        return self._text.position

    @property
    def fingerprint(self) -> str:
        """A digest of the text before `offset`: of all of it for a pipe, of 4 KiB for a file."""
        return self._fingerprint.digest()

    @property
    def progress(self) -> int:
        """The bytes of the file on disk that were read; more than `size` if the file has grown."""
        return self._bytes.position

    def skip(self, offset: int) -> None:
        """
        Begin at this byte of the text; call this before the first `fill`. If the text is shorter,
        there is a `problem`.
        """
        if not self.is_compressed and self.size is not None:
            begin = max(min(offset, self.size) - FINGERPRINT_BYTES, 0)
            self._raw.seek(begin)
            self._bytes = self._text = PeekableStream(self._raw, begin, self._check)
        scratch = memoryview(bytearray(max(self.max_line, FINGERPRINT_BYTES)))
        while self.offset < offset and (count := self._read(scratch[: offset - self.offset])):
            self._fingerprint.add(scratch[:count])
        if self.offset < offset and self.problem is None:
            self._fail(f"the text has {self.offset} bytes, {offset} of them were to be skipped")

    def peek(self, least: int) -> bytes:
        """
        The next bytes, at least `least` of them, without handing them out. Fewer if the text ends
        before, or if reading fails; then there is a `problem`.
        """
        if self.offset == 0:
            self._read_byte_order_mark()
        with self._recording_problem():
            self._text.peek(least)
        return bytes(self._text.peek(0))

    def read(self, buffer: bytearray | memoryview) -> int:
        """Put the next bytes into the buffer, however long their lines; 0 bytes at the end."""
        if self.offset == 0:
            self._read_byte_order_mark()
        return self._read(memoryview(buffer))

    def fill(
        self,
        buffer: bytearray,
        spare: int = 0,
        most: int | None = None,
        enough: int | None = None,
    ) -> FillResult:
        """
        Put whole lines into the buffer. Returns their number of bytes, an OversizedLine in place of
        a line that can't be handed out whole, or None at the end.

        The last byte of the lines is always a newline, even if the text ends without one. A file
        fills the buffer with as many lines as fit; a pipe hands out the lines that have arrived.
        Neither reads beyond `most` bytes, and a line must end there. Neither reads beyond `enough`
        bytes, unless the first line is longer.

        The buffer may be another one at each call. The last `spare` bytes of it stay unchanged; the
        rest must be longer than `max_line`, else ValueError is raised. `fill` may run in any
        thread, but not in two at once.
        """
        room = len(buffer) - spare
        if room <= self.max_line:
            raise ValueError(f"the buffer has {room} bytes; allowed: over {self.max_line}")
        if self.offset == 0:
            self._read_byte_order_mark()
        size = room if most is None else min(room, most)
        end, filled = self._read_lines(buffer, size, size if enough is None else min(size, enough))
        rest = bytes(memoryview(buffer)[end:filled])
        if end:
            self._text.put_back(rest)
            self._fingerprint.add(memoryview(buffer)[:end])
            return end
        return self._end_line(rest, buffer) if rest else None

    def _read_lines(self, buffer: bytearray, size: int, enough: int) -> tuple[int, int]:
        """Read into the buffer. Returns where the whole lines end, and where the bytes end."""
        end = filled = 0
        view = memoryview(buffer)[:size]
        while True:
            # One line at most beyond the whole lines: so an oversized line is always the first.
            stop = enough if end or filled < enough else size
            room = view[filled : min(stop, end + self.max_line + 1)]
            if not room:
                break
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
        self._fingerprint.add(line)
        if len(line) > self.max_line:
            length = len(line) + self._drop_line(buffer)
            reason = f"the line has {length} bytes; allowed: {self.max_line}"
        elif self.problem is not None:
            length, reason = len(line), f"the line is cut off: {self.problem}"
        else:
            buffer[len(line)] = _NEWLINE
            return len(line) + 1
        return OversizedLine(line[:_EXCERPT_BYTES], length, reason)

    def _drop_line(self, scratch: bytearray) -> int:
        """Skip the rest of a line. Returns its number of bytes, without the newline."""
        dropped = 0
        view = memoryview(scratch)[: self.max_line]
        while count := self._read(view):
            newline = scratch.find(b"\n", 0, count)
            self._fingerprint.add(view[: newline + 1 or count])
            if newline >= 0:
                self._text.put_back(bytes(view[newline + 1 : count]))
                return dropped + newline
            dropped += count
            if dropped > SKIPPED_LINES * self.max_line:
                self._fail(f"a line has over {dropped} bytes; allowed: {self.max_line}")
        return dropped

    def _read_byte_order_mark(self) -> None:
        with self._recording_problem():
            mark = self._text.find_prefix(_BYTE_ORDER_MARKS)
            if mark is None:
                return
            encoding = _BYTE_ORDER_MARKS[mark]
            if encoding == "UTF-8":
                self._text.drop(len(mark))
                self._fingerprint.add(mark)
            else:
                self._fail(f"it is {encoding}, not UTF-8: iconv -f {encoding} -t UTF-8")

    def _fail(self, reason: str) -> None:
        self.problem = reason
        self._text.end()

    def _read(self, view: memoryview) -> int:
        self._check()
        with self._recording_problem():
            if count := self._text.readinto(view):
                return count
            if self.problem is None and self.size is not None and self.progress < self.size:
                raise EOFError(f"the file had {self.size} bytes and ends after {self.progress}")
        return 0

    @contextmanager
    def _recording_problem(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError) as error:
            self.problem = f"{error}, after {self._text.reached} bytes of text"


class Fingerprint(Protocol):
    """Gets all bytes that are handed out, in order, and digests some of them."""

    def add(self, data: bytes | memoryview, /) -> None:
        """Add bytes that were handed out."""

    def digest(self) -> str:
        """The digest, in hexadecimal."""


class LastBytes:
    """The fingerprint of a file: of its last bytes only, so that a resumed run reads no more."""

    def __init__(self) -> None:
        self._last = b""

    def add(self, data: bytes | memoryview, /) -> None:
        """Add bytes that were handed out."""
        self._last = (self._last + bytes(data[-FINGERPRINT_BYTES:]))[-FINGERPRINT_BYTES:]

    def digest(self) -> str:
        """The digest of the last bytes, in hexadecimal."""
        return hashlib.sha256(self._last).hexdigest()


class AllBytes:
    """The fingerprint of a pipe, which a resumed run must read from the beginning anyway."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, data: bytes | memoryview, /) -> None:
        """Add bytes that were handed out."""
        self._digest.update(data)

    def digest(self) -> str:
        """The digest of all bytes, in hexadecimal."""
        return self._digest.hexdigest()

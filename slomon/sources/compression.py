"""
Decompression of gzip, zstd, bzip2 and xz, which are detected by their first bytes, never by a name.

This module feeds the decompressors itself, because the file objects of their modules lose data or
hide damage. If a file is cut off, igzip's file object loses all that its last read had
decompressed, up to a whole buffer of good lines. Those of bz2 and lzma ignore damage in any member
but the first.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final, Protocol, TypeAlias

from slomon.errors import ConfigurationError
from slomon.sources.peekable import PeekableStream

_Read: TypeAlias = Callable[[PeekableStream], Iterator[bytes]]

LIMIT: Final = 256 * 1024
"""The most bytes that are decompressed at once, and so the most good bytes lost before damage."""

MAX_GZIP_TEXT: Final = 64 * 1024
"""The most bytes of the name or the comment in the header of a gzip member."""

_GZIP: Final = b"\x1f\x8b"
_GZIP_TEXT_STEP: Final = 256  # bytes that are searched at once: few names are longer
# Flags in the header of a gzip member.
_HEADER_CHECKSUM, _EXTRA, _NAME, _COMMENT, _RESERVED = 2, 4, 8, 16, 0xE0


def open_decompressed(stream: PeekableStream) -> PeekableStream:
    """
    The decompressed stream if the stream begins as gzip, zstd, bzip2 or xz data does, else the
    stream itself. The data may have several members, each followed by any number of zeros.

    The decompressed stream raises EOFError if the data is cut off, even within the first bytes by
    which the format is detected, and OSError if the data is damaged or followed by other data.
    Raises ConfigurationError if no library that reads zstd is installed.
    """
    read = _find_reader(stream)
    return stream if read is None else PeekableStream(_Parts(read(stream)))


def _find_reader(stream: PeekableStream) -> _Read | None:
    """The reader of the format that begins here, also if the data ends within its first bytes."""
    prefix = stream.find_prefix(_READERS)
    if prefix is None and (rest := bytes(stream.peek(0))):
        prefix = next((prefix for prefix in _READERS if prefix.startswith(rest)), None)
    return None if prefix is None else _READERS[prefix]


class _Parts:
    """A stream of the bytes that an iterator yields."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._part = memoryview(b"")

    def readinto(self, view: memoryview, /) -> int:
        while not self._part:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._part = memoryview(part)
        count = min(len(self._part), len(view))
        view[:count] = self._part[:count]
        self._part = self._part[count:]
        return count


class _Decompressor(Protocol):
    """A decompressor of one member: the common interface of bz2, lzma, zstd and igzip."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: memoryview | bytes, max_length: int) -> bytes: ...


class _Inflater:
    """The standard library's decompressor of raw deflate, with the interface of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: memoryview | bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


@dataclass(frozen=True, slots=True)
class _Format:
    """
    A format whose members are one run of a decompressor each.

    * `start`: makes the decompressor of a member
    * `error`: the exception that it raises for damaged data
    """

    name: str
    start: Callable[[], _Decompressor]
    error: type[Exception]

    def read_member(self, stream: PeekableStream) -> Iterator[bytes]:
        """The text of one member. The bytes behind the member stay in the stream."""
        member = self.start()
        while not member.eof:
            data = stream.peek()
            if not data:
                raise _cut_off(self.name)
            yield (text := self._decompress(member, data))
            # Not by `needs_input`: before 1.9, igzip's is true although text is left.
            while len(text) == LIMIT and not member.eof:
                yield (text := self._decompress(member, b""))
            stream.drop(len(data) - len(member.unused_data))

    def _decompress(self, member: _Decompressor, data: memoryview | bytes) -> bytes:
        try:
            return member.decompress(data, LIMIT)
        except self.error as error:
            raise _damaged(self.name, str(error)) from error


def _read_members(name: str, stream: PeekableStream, read_member: _Read) -> Iterator[bytes]:
    read = _find_reader(stream)
    yield from read_member(stream)
    while _skip_padding(stream):
        if _find_reader(stream) is not read:
            raise OSError(f"the {name} data is followed by something that is not {name}")
        yield from read_member(stream)


def _skip_padding(stream: PeekableStream) -> bool:
    """Skip the zeros that tapes and block devices leave behind a member. False at the end."""
    while data := stream.peek():
        if data[0]:
            return True
        stream.drop(len(data) - len(bytes(data).lstrip(b"\0")))
    return False


def _read_gzip_member(
    stream: PeekableStream, deflate: _Format, checksum: Callable[[bytes, int], int]
) -> Iterator[bytes]:
    """
    A member by RFC 1952. This function reads the header and the checksum, `deflate` the data
    between them. igzip's own reader fails at a header that is split between two reads, and zlib's
    holds back the last text of a member with a wrong checksum.
    """
    _skip_gzip_header(stream)
    text_checksum = length = 0
    for text in deflate.read_member(stream):
        text_checksum = checksum(text, text_checksum)
        length += len(text)
        yield text
    if _take(stream, 8) != struct.pack("<II", text_checksum, length % 2**32):
        raise _damaged("gzip", "its checksum or length is another than that of its text")


def _skip_gzip_header(stream: PeekableStream) -> None:
    magic, method, flags = struct.unpack("<2sBB6x", _take(stream, 10))
    if (magic, method) != (_GZIP, 8) or flags & _RESERVED:
        raise _damaged("gzip", "what stands where a member begins is no header")
    if flags & _EXTRA:
        _take(stream, int.from_bytes(_take(stream, 2), "little"))
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            _skip_gzip_text(stream)
    if flags & _HEADER_CHECKSUM:
        _take(stream, 2)


def _skip_gzip_text(stream: PeekableStream) -> None:
    """Skip a text that ends with a zero byte."""
    length = 0
    while (end := bytes(text := stream.peek()[:_GZIP_TEXT_STEP]).find(0)) < 0:
        if not text:
            raise _cut_off("gzip")
        length += len(text)
        if length > MAX_GZIP_TEXT:
            allowed = f"at most {MAX_GZIP_TEXT} bytes"
            raise _damaged("gzip", f"its header has a longer name or comment; allowed: {allowed}")
        stream.drop(len(text))
    stream.drop(end + 1)


def _take(stream: PeekableStream, count: int) -> bytes:
    taken = stream.take(count)
    if len(taken) < count:
        raise _cut_off("gzip")
    return taken


def _cut_off(name: str) -> EOFError:
    return EOFError(f"the {name} data is cut off")


def _damaged(name: str, reason: str) -> OSError:
    return OSError(f"the {name} data is damaged: {reason}")


def _read_gzip(stream: PeekableStream) -> Iterator[bytes]:
    deflate, checksum = _Format("gzip", _Inflater, zlib.error), zlib.crc32
    if igzip := _import_one_of("isal.igzip_lib"):
        start = partial(igzip.IgzipDecompressor, flag=igzip.DECOMP_DEFLATE)
        deflate = _Format("gzip", start, igzip.error)
        checksum = import_module("isal.isal_zlib").crc32
    read_member = partial(_read_gzip_member, deflate=deflate, checksum=checksum)
    return _read_members("gzip", stream, read_member)


def _read_zstd(stream: PeekableStream) -> Iterator[bytes]:
    zstd = _import_one_of(
        "compression.zstd", "backports.zstd"
    )  # since Python 3.14 the standard library has it
    if zstd is None:
        raise ConfigurationError("it is compressed by zstd; needed: pip install 'slomon[replay]'")
    read_member = _Format("zstd", zstd.ZstdDecompressor, zstd.ZstdError).read_member
    return _read_members("zstd", stream, read_member)


def _import_one_of(*names: str) -> Any:
    """The first of the modules that is installed; None if there is none."""
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    return None


def _read_bzip2(stream: PeekableStream) -> Iterator[bytes]:
    import bz2  # noqa: PLC0415 (only for such files, as the others)

    read_member = _Format("bzip2", bz2.BZ2Decompressor, OSError).read_member
    return _read_members("bzip2", stream, read_member)


def _read_xz(stream: PeekableStream) -> Iterator[bytes]:
    import lzma  # noqa: PLC0415 (as above)

    read_member = _Format("xz", lzma.LZMADecompressor, lzma.LZMAError).read_member
    return _read_members("xz", stream, read_member)


_READERS: Final[dict[bytes, _Read]] = {
    _GZIP: _read_gzip,
    b"\x28\xb5\x2f\xfd": _read_zstd,
    # A zstd file may begin with a skippable frame, as pzstd writes it.
    **{bytes([0x50 + number]) + b"\x2a\x4d\x18": _read_zstd for number in range(16)},
    # With the level behind "BZh", since a text may begin with these letters.
    **{b"BZh%d" % level: _read_bzip2 for level in range(1, 10)},
    b"\xfd7zXZ\0": _read_xz,
}

"""
Compressed bytes, told by how they begin and never by a name, made the text they hold.

Decompressors are fed by hand, not through the file objects of their modules: igzip's loses, where
a file is cut off, all that its last read had decompressed, up to a whole buffer of good lines, and
those of bz2 and lzma pass over damage in any member but the first.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final, Protocol, TypeAlias

from slomon.errors import ConfigurationError
from slomon.sources.peekable import Feed

_Read: TypeAlias = Callable[[Feed], Iterator[bytes]]

LIMIT: Final = 256 * 1024
"""Bytes that are decompressed in one go: all that damage can cost of the good ones before it."""


def open_decompressed(feed: Feed) -> Feed:
    """
    The text of a feed: the feed itself, or a new one of what it decompresses to where it begins
    as gzip, zstd, bzip2 or xz does. Members in sequence and zeros after any of them are fine.

    The new feed raises EOFError where the data is cut off, be it in the first bytes by which it is
    told, and OSError where it is damaged or something else follows.
    Raises ConfigurationError where what reads zstd is not installed.
    """
    read = _find_reader(feed)
    return feed if read is None else Feed(_Text(read(feed)))


def _find_reader(feed: Feed) -> _Read | None:
    """What reads that which begins here, also where a mark is all there is and it is cut off."""
    mark = feed.find_mark(_READERS)
    if mark is None and (rest := bytes(feed.peek(0))):
        mark = next((mark for mark in _READERS if mark.startswith(rest)), None)
    return None if mark is None else _READERS[mark]


class _Text:
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
    """What reads one member, as bz2, lzma, zstd and igzip have it in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: memoryview | bytes, max_length: int) -> bytes: ...


class _Inflater:
    """The standard library's reader of bare deflate, with the manners of the others."""

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
    """A format of which a member is one stream of its decompressor, `error` what that raises."""

    name: str
    start: Callable[[], _Decompressor]
    error: type[Exception]

    def read_member(self, feed: Feed) -> Iterator[bytes]:
        """The text of one member; what follows it stays in the feed."""
        member = self.start()
        while not member.eof:
            data = feed.peek()
            if not data:
                raise _cut_off(self.name)
            yield (text := self._decompress(member, data))
            # Not by `needs_input`: igzip before 1.9 needs some while text is left.
            while len(text) == LIMIT and not member.eof:
                yield (text := self._decompress(member, b""))
            feed.drop(len(data) - len(member.unused_data))

    def _decompress(self, member: _Decompressor, data: memoryview | bytes) -> bytes:
        try:
            return member.decompress(data, LIMIT)
        except self.error as error:
            raise _damaged(self.name, str(error)) from error


def _read_members(name: str, feed: Feed, read_member: _Read) -> Iterator[bytes]:
    read = _find_reader(feed)
    yield from read_member(feed)
    while _skip_padding(feed):
        if _find_reader(feed) is not read:
            raise OSError(f"the {name} data is followed by something that is not {name}")
        yield from read_member(feed)


def _skip_padding(feed: Feed) -> bool:
    """Does anything follow the zeros that tapes and block devices leave behind a member?"""
    while data := feed.peek():
        if data[0]:
            return True
        feed.drop(len(data) - len(bytes(data).lstrip(b"\0")))
    return False


def _read_gzip_member(
    feed: Feed, deflate: _Format, checksum: Callable[[bytes, int], int]
) -> Iterator[bytes]:
    """
    A member by RFC 1952. Its frame is read here, and igzip reads what is inside: igzip's own
    reader errs at a header that is split between two reads, and zlib's keeps back the last text
    of a member with a wrong checksum.
    """
    _skip_gzip_header(feed)
    sum_of_text = length = 0
    for text in deflate.read_member(feed):
        sum_of_text = checksum(text, sum_of_text)
        length += len(text)
        yield text
    if _take(feed, 8) != struct.pack("<II", sum_of_text, length % 2**32):
        raise _damaged("gzip", "its checksum or length is another than that of its text")


def _skip_gzip_header(feed: Feed) -> None:
    magic, method, flags = struct.unpack("<2sBB6x", _take(feed, 10))
    if (magic, method) != (_GZIP, 8) or flags & _RESERVED:
        raise _damaged("gzip", "what stands where a member begins is no header")
    if flags & _EXTRA:
        _take(feed, int.from_bytes(_take(feed, 2), "little"))
    for flag in (_NAME, _COMMENT):
        while flags & flag and _take(feed, 1) != b"\0":
            pass
    if flags & _HEADER_CHECKSUM:
        _take(feed, 2)


_HEADER_CHECKSUM, _EXTRA, _NAME, _COMMENT, _RESERVED = 2, 4, 8, 16, 0xE0


def _take(feed: Feed, count: int) -> bytes:
    taken = feed.take(count)
    if len(taken) < count:
        raise _cut_off("gzip")
    return taken


def _cut_off(name: str) -> EOFError:
    return EOFError(f"the {name} data is cut off")


def _damaged(name: str, reason: str) -> OSError:
    return OSError(f"the {name} data is damaged: {reason}")


def _read_gzip(feed: Feed) -> Iterator[bytes]:
    deflate, checksum = _Format("gzip", _Inflater, zlib.error), zlib.crc32
    if igzip := _import_one_of("isal.igzip_lib"):
        start = partial(igzip.IgzipDecompressor, flag=igzip.DECOMP_DEFLATE)
        deflate = _Format("gzip", start, igzip.error)
        checksum = import_module("isal.isal_zlib").crc32
    read_member = partial(_read_gzip_member, deflate=deflate, checksum=checksum)
    return _read_members("gzip", feed, read_member)


def _read_zstd(feed: Feed) -> Iterator[bytes]:
    zstd = _import_one_of("compression.zstd", "backports.zstd")  # the first since Python 3.14
    if zstd is None:
        raise ConfigurationError("it is compressed by zstd; needed: pip install 'slomon[replay]'")
    read_member = _Format("zstd", zstd.ZstdDecompressor, zstd.ZstdError).read_member
    return _read_members("zstd", feed, read_member)


def _import_one_of(*names: str) -> Any:
    """The first of the modules that is installed, or None."""
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    return None


def _read_bzip2(feed: Feed) -> Iterator[bytes]:
    read_member = _Format("bzip2", bz2.BZ2Decompressor, OSError).read_member
    return _read_members("bzip2", feed, read_member)


def _read_xz(feed: Feed) -> Iterator[bytes]:
    read_member = _Format("xz", lzma.LZMADecompressor, lzma.LZMAError).read_member
    return _read_members("xz", feed, read_member)


_GZIP: Final = b"\x1f\x8b"

_READERS: Final[dict[bytes, _Read]] = {
    _GZIP: _read_gzip,
    b"\x28\xb5\x2f\xfd": _read_zstd,
    # A zstd file may begin with a frame that is to be skipped: pzstd writes such.
    **{bytes([0x50 + number]) + b"\x2a\x4d\x18": _read_zstd for number in range(16)},
    # With its level, since a text may well begin with these three letters.
    **{b"BZh%d" % level: _read_bzip2 for level in range(1, 10)},
    b"\xfd7zXZ\0": _read_xz,
}

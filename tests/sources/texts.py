"""Compressed texts, raw streams, and the output of a source."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from backports import zstd

from slomon.sources.source import MAX_LINE, OversizedLine, Source

COMPRESS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": gzip.compress,
    "zstd": partial(zstd.compress, options={zstd.CompressionParameter.checksum_flag: 1}),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
TEXT: Final = b"".join(b"%d GET /users/%d %d\n" % (n, n * n % 997, 200 + n % 4) for n in range(500))
SHORT: Final = 8  # the longest line of a small source


def gzip_member(text: bytes, *, flags: int, fields: bytes) -> bytes:
    """A member whose header has these flags and the optional fields of the flags."""
    header = b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + fields
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    trailer = zlib.crc32(text).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    return header + compressor.compress(text) + compressor.flush() + trailer


class Raw(io.RawIOBase):
    """Bytes in reads of at most `step`, then the error, if there is one."""

    def __init__(self, data: bytes, step: int = 2**20, error: OSError | None = None) -> None:
        self._data = io.BytesIO(data)
        self._step = step
        self._error = error
        self.reads = 0

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.reads += 1
        count = self._data.readinto(buffer[: self._step])
        if not count and self._error is not None:
            raise self._error
        return count

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        return self._data.seek(place, whence)


def small(data: bytes, step: int = 2**20, error: OSError | None = None) -> Source:
    return Source(Raw(data, step, error), "small", len(data), max_line=SHORT)


def pieces(source: Source, size: int) -> Iterator[bytes | OversizedLine]:
    buffer = bytearray(size)
    while (piece := source.fill(buffer)) is not None:
        yield piece if isinstance(piece, OversizedLine) else bytes(buffer[:piece])


def drain(source: Source, size: int = 2 * MAX_LINE) -> list[bytes | OversizedLine]:
    return list(pieces(source, size))


def whole(source: Source, size: int = 2 * MAX_LINE) -> bytes:
    """The text that the source hands out; all of it must be whole lines."""
    lines = drain(source, size)
    assert all(isinstance(piece, bytes) and piece.endswith(b"\n") for piece in lines)
    return b"".join(piece for piece in lines if isinstance(piece, bytes))

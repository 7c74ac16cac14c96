"""
JSON arrays and indented objects as lines: each object of the text becomes one line.

`gcloud logging read --format json`, for example, writes one array, indented, and other tools write
the whole array on one line. Line ends inside an object become spaces; text between two objects that
is more than brackets and commas becomes a line of its own, which no format reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from slomon.sources.peekable import CHUNK, PeekableStream

_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+("?)|[{}]', re.DOTALL)
_LARGEST: Final = 1 << 20  # bytes of an object; the lines of a log are shorter
_BETWEEN: Final = b" \t\r\n[],"
_LINE_ENDS: Final = bytes.maketrans(b"\r\n", b"  ")


def split_values(stream: PeekableStream) -> PeekableStream:
    """
    The stream with each object on a line of its own, if it begins with an array of objects or with
    an object whose first line is `{` and whose next line is a key; else the stream itself.
    """
    return PeekableStream(_Lines(stream)) if _is_array(stream) else stream


def _is_array(stream: PeekableStream) -> bool:
    """Stop as soon as the answer is certain: a pipe may be slow."""
    least = 1
    while len(head := bytes(stream.peek(least))) >= least and least <= CHUNK:
        text = head.lstrip()
        if text and text[:1] not in b"[{":
            return False
        rest = text[1:].lstrip(b" \t\r")
        if text[:1] == b"{" and rest[:1] not in (b"", b"\n"):
            return False
        if text[:1] == b"{" and (rest := rest.lstrip()):
            return rest[:1] == b'"'
        if text[:1] == b"[" and (rest := rest.lstrip()):
            return rest[:1] == b"{"
        least = len(head) + 1
    return False


class _Lines:
    """The stream of the lines."""

    def __init__(self, stream: PeekableStream) -> None:
        self._lines = _split(stream)
        self._line = memoryview(b"")

    def readinto(self, view: memoryview, /) -> int:
        while not self._line:
            line = next(self._lines, None)
            if line is None:
                return 0
            self._line = memoryview(line)
        count = min(len(self._line), len(view))
        view[:count] = self._line[:count]
        self._line = self._line[count:]
        return count


def _split(stream: PeekableStream) -> Iterator[bytes]:
    text, chunk = b"", bytearray(CHUNK)
    while count := stream.readinto(memoryview(chunk)):
        lines, text = _take_objects(text + chunk[:count])
        if len(text) > _LARGEST:  # no object; as a line it is too long as well
            lines, text = lines + text.translate(_LINE_ENDS), b""
        if lines:
            yield lines
    if rest := text.strip(_BETWEEN):
        yield rest.translate(_LINE_ENDS) + b"\n"


def _take_objects(text: bytes) -> tuple[bytes, bytes]:
    """The complete objects of a text as lines, and the rest of the text."""
    lines, depth, begin = [], 0, 0
    for token in _TOKENS.finditer(text):
        byte = token[0][:1]
        if byte == b"{":
            if depth == 0:
                if between := text[begin : token.start()].strip(_BETWEEN):
                    lines.append(between)
                begin = token.start()
            depth += 1
        elif byte == b"}" and depth:
            depth -= 1
            if depth == 0:
                lines.append(text[begin : token.end()])
                begin = token.end()
        elif not token[1]:
            break  # a string that goes on in the next chunk
    return b"".join(line.translate(_LINE_ENDS) + b"\n" for line in lines), text[begin:]

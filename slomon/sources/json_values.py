"""
JSON arrays and indented objects as lines: each record of the text becomes one line.

`gcloud logging read --format json`, for example, writes one array, indented, and other tools write
the whole array on one line. `aws logs filter-log-events` writes an object whose first value is the
array, an envelope. Line ends inside a record become spaces; text between two records of an array
that is more than brackets and commas becomes a line of its own, which no format reads. What follows
the array in an envelope is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from slomon.sources.peekable import CHUNK, PeekableStream

_TOKENS: Final = rb'"(?:[^"\\]|\\.)*+("?)|[{}]'
_LARGEST: Final = 1 << 20  # bytes of an object; the lines of a log are shorter
_ENVELOPE: Final = rb'\{\s*"\w+"\s*:\s*\[\s*\{'
_BEGUN_ENVELOPE: Final = rb'\{\s*(?:"\w*(?:"\s*(?::\s*(?:\[\s*)?)?)?)?'
_INDENTED: Final = rb'\{[ \t\r]*\n\s*"'
_BETWEEN: Final = b" \t\r\n[],"
_LINE_ENDS: Final = bytes.maketrans(b"\r\n", b"  ")


def split_values(stream: PeekableStream) -> PeekableStream:
    """
    The stream with each record on a line of its own, if it begins with an array of objects, with
    an envelope, or with an object whose first line is `{` and whose next line is a key; else the
    stream itself.
    """
    outer = _count_outer(stream)
    return stream if outer is None else PeekableStream(_Lines(stream, outer))


def _count_outer(stream: PeekableStream) -> int | None:
    """
    How many objects are around each record; None if the text is already lines. It stops as soon as
    the answer is certain: a pipe may be slow.
    """
    least = 1
    while len(head := bytes(stream.peek(least))) >= least and least <= CHUNK:
        text = head.lstrip()
        rest = text[1:].lstrip()
        if text and text[:1] not in b"[{":
            return None
        if text[:1] == b"[" and rest:
            return 0 if rest[:1] == b"{" else None
        if text[:1] == b"{" and not re.fullmatch(_BEGUN_ENVELOPE, text):
            return 1 if re.match(_ENVELOPE, text) else 0 if re.match(_INDENTED, text) else None
        least = len(head) + 1
    return None


class _Lines:
    """The stream of the lines."""

    def __init__(self, stream: PeekableStream, outer: int) -> None:
        self._lines = _split(stream, outer)
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


def _split(stream: PeekableStream, outer: int) -> Iterator[bytes]:
    text, depth, chunk = b"", 0, bytearray(CHUNK)
    while count := stream.readinto(memoryview(chunk)):
        lines, text, depth = _take_records(text + chunk[:count], depth, outer)
        if len(text) > _LARGEST:  # no object; as a line it is too long as well
            lines, text = lines + text.translate(_LINE_ENDS), b""
        if lines:
            yield lines
    if rest := text.strip(_BETWEEN):
        yield rest.translate(_LINE_ENDS) + b"\n"


def _take_records(text: bytes, depth: int, outer: int) -> tuple[bytes, bytes, int]:
    """
    The complete records of a text that begins inside `depth` objects, as lines; the rest of the
    text, and the number of objects around the rest.
    """
    lines: list[bytes] = []
    begin, around = 0, depth
    for token in re.finditer(_TOKENS, text, re.DOTALL):
        byte = token[0][:1]
        if byte == b"{":
            between = text[begin : token.start()]
            if depth < outer or (depth == outer and not (outer and b"]" in between)):
                if not outer and (between := between.strip(_BETWEEN)):
                    lines.append(between)
                begin, around = (token.end(), 1) if depth < outer else (token.start(), outer)
            depth += 1
        elif byte == b"}" and depth:
            depth -= 1
            is_record = depth == outer and text.startswith(b"{", begin)
            if is_record:
                lines.append(text[begin : token.end()])
            if is_record or depth < outer:
                begin, around = token.end(), depth
        elif not token[1]:
            break  # a string that goes on in the next chunk
    return b"".join(line.translate(_LINE_ENDS) + b"\n" for line in lines), text[begin:], around

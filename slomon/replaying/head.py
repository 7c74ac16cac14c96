"""The head of a log: its first lines, by which it is recognised, however they arrive."""

from __future__ import annotations

from io import BytesIO
from itertools import takewhile
from typing import Final

from slomon.sources.source import Source

HEAD_LINES: Final = 100  # that aren't blank
_BYTES: Final = 64 * 1024


def read_head(source: Source, least: int = HEAD_LINES) -> bytes:
    """
    The lines that come next, which are handed out later nevertheless: the first 100 that aren't
    blank, as far as 64 KiB go, or the first one whatever its length. A pipe is waited for until
    `least` of them are there.

    Where blank lines come first, it is some of those alone. It is empty at the end, and where the
    first line is one that can't be handed out whole.
    """
    text, more = b"", source.peek(1)
    while len(more) > len(text):
        text, head = more, _list_lines(more, source.max_line)
        all_there = len(text) >= (_BYTES if head else source.max_line + 1)
        if all_there or len(head) >= least or (head and _is_blank(head[0])):
            return b"".join(head)
        more = source.peek(len(text) + 1)
    if source.problem is None and text[-1:] not in (b"", b"\n"):
        text += b"\n"  # what stands at the end is a line as well, unless it is cut off
    return b"".join(_list_lines(text, source.max_line))


def _list_lines(text: bytes, max_line: int) -> list[bytes]:
    end = text.rfind(b"\n", 0, _BYTES) + 1 or text.find(b"\n", 0, max_line + 1) + 1
    lines = BytesIO(text[:end]).readlines()
    blank = list(takewhile(_is_blank, lines))
    return blank or [line for line in lines if not _is_blank(line)][:HEAD_LINES]


def _is_blank(line: bytes) -> bool:
    return not line.strip()

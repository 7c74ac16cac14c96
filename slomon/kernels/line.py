"""
The lines that the scanner reads by itself: `plain` finds the tick, the request and the status of a
line of a plain log or of a recorded stream, `layout.read` those of a line in a layout, and
`table.read_row` those of a row. They accept plain lines only. If a line is unusual in any way they
return no tick, and the reference parser reads it.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.codes import NO_TICK
from slomon.kernels.swar import byte_bits, first_bit, range_bits
from slomon.kernels.times import read_seconds

Fields: TypeAlias = tuple[int, int, int, int, int]
"""
The tick of a line (NO_TICK if the line isn't plain), where its request begins and ends, where its
status begins, and whether the request is one that was composed, not a part of the line.
"""

# The kinds of lines
PLAIN_LINES: Final = 0  # `<timestamp> <verb> <resource> <status>`, between a prefix and a suffix
LAYOUT_LINES: Final = 1  # lines in any layout
COMBINED_LINES: Final = 2  # lines that `layout.read_combined` reads
TABLE_LINES: Final = 3  # rows of a table
JSON_LINES: Final = 4  # lines of JSON

NOT_PLAIN: Final = (NO_TICK, 0, 0, 0, 0)
_NEWLINE: Final = 10
_SPACE: Final = 32
_QUOTE: Final = 34
_HASH: Final = 35
_HYPHEN: Final = 45
_POINT: Final = 46
_SLASH: Final = 47
_QUESTION_MARK: Final = 63
_BACKSLASH: Final = 92
_UNDERSCORE: Final = 95
_LAST: Final = 126  # the last printable byte of ASCII
_CHUNK: Final = 63  # bytes that are looked at together


def plain(
    text: Sequence[int],
    start: int,
    stop: int,
    affixes: Sequence[int],
    prefix: int,
    suffix: int,
    memory: MutableSequence[int],
) -> Fields:
    """
    Read `<timestamp> <verb> <resource> <status>` between a prefix and a suffix. `affixes` holds the
    text of both; `prefix` and `suffix` are their lengths. `memory` is that of `read_seconds`.
    """
    at = start + prefix
    end = stop - suffix
    if end - at < 8:  # a digit, a verb, a resource, a status and the spaces between
        return NOT_PLAIN
    for byte in range(prefix):
        if text[start + byte] != affixes[byte]:
            return NOT_PLAIN
    for byte in range(suffix):
        if text[end + byte] != affixes[prefix + byte]:
            return NOT_PLAIN
    tick, request = read_seconds(text, at, memory)
    if tick == NO_TICK or text[request - 1] != _SPACE or request > end - 4:
        return NOT_PLAIN
    if text[end - 4] != _SPACE:
        return NOT_PLAIN
    return tick, request, end - 4, end - 3, 0


def is_plain(text: Sequence[int], at: int, end: int) -> int:
    """
    Whether a text is a verb of letters, a space and a path, in printable ASCII, without characters
    that formats escape or at which routes are cut. Every format reads such a text alike, and it is
    its own name. A host may precede the path, with a newline after it. A verb of 63 letters or more
    is not plain.
    """
    count = min(end - at, _CHUNK)
    letters = range_bits(text, at, count, 65, 90) | range_bits(text, at, count, 97, 122)
    place = at + first_bit(~letters)
    if place == at or place >= at + count or text[place] != _SPACE:
        return False
    place += 1
    begin = place
    while place < end and _is_of_host(text[place]):
        place += 1
    if place > begin:
        if place == end or text[place] != _NEWLINE:
            return False
        place += 1
    if place == end or text[place] != _SLASH:
        return False
    while place < end:
        count = min(end - place, _CHUNK)
        printable = range_bits(text, place, count, _SPACE + 1, _LAST)
        escaped = byte_bits(text, place, count, _QUOTE) | byte_bits(text, place, count, _BACKSLASH)
        cut = byte_bits(text, place, count, _HASH) | byte_bits(text, place, count, _QUESTION_MARK)
        if printable & ~(escaped | cut) != (1 << count) - 1:
            return False
        place += count
    return True


def _is_of_host(byte: int) -> bool:
    return 97 <= byte <= 122 or 48 <= byte <= 57 or byte in (_HYPHEN, _POINT, _UNDERSCORE)

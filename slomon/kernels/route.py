"""
The route of a request: its path with each identifier replaced by `{id}`, because paths are
unbounded and routes are not. A segment of a path is an identifier if it is all digits, a UUID, or
hexadecimal of at least 16 characters with a digit among them.

    GET /users/42/cart   ->   GET /users/{id}/cart

Path parameters (RFC 3986, 3.3) are cut off: `/cart;jsessionid=1F` is `/cart`. A request to a
virtual host names it before the path, with a newline between them, which no line contains.

The names in a log may be unbounded, too. *Templates* say at which positions `{slug}` replaces them
(`endpoints.templates`). They are a tree of segments in one flat column. A node is five numbers:

    [ flags | first child, 0 if none | next sibling, 0 if none | where its segment begins | length ]

Node 0 is the root, the beginning of every request after its verb. `flags` say what becomes of the
segments that follow a node, and of the node itself.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final

from slomon.kernels.request import copy
from slomon.kernels.swar import byte_bits, find_byte, first_bit, range_bits

LONGEST: Final = 2000
"""Bytes of the longest request that may become an endpoint."""

LONGEST_GROUPED: Final = 3 * LONGEST + 4
"""Bytes that suffice for any such request after its identifiers were replaced."""

SCRATCH: Final = LONGEST_GROUPED + 64
"""Bytes of the buffer for a route, with padding for the bytes that are read at once."""

NODE: Final = 5  # how many numbers a node of the templates has
NUMBERED: Final = 1  # segments with a digit, an escape or four hyphens follow, which are slugs
NAMED: Final = 2  # any segments follow, which are slugs
KEPT: Final = 4  # the segment of this node is no slug

_SHORTEST_SLUG: Final = 2  # so a route is at most three times as long as its request
_LONG_TITLE: Final = 4  # hyphens

_SPACE: Final = 32
_PERCENT: Final = 37
_HYPHEN: Final = 45
_SLASH: Final = 47
_SEMICOLON: Final = 59
_UNDERSCORE: Final = 95
_BRACE: Final = 123
_SHORTEST_HASH: Final = 16
_UUID: Final = 36
_UUID_HYPHENS: Final = 1 << 8 | 1 << 13 | 1 << 18 | 1 << 23  # their places
_CHUNK: Final = 63  # bytes that are looked at together
_ID: Final = tuple(b"{id}")
_SLUG: Final = tuple(b"{slug}")


def group(
    text: Sequence[int],
    at: int,
    end: int,
    into: MutableSequence[int],
    place: int,
    templates: Sequence[int],
) -> int:
    """
    Write the route of a request to `into`, from `place` on. Return where the route ends. The caller
    ensures that there is room: a route is at most three times as long as its request, and four
    bytes, because `/1` becomes `/{id}`.
    """
    # where the first segment after the verb begins in the route
    segment = place + find_byte(text, at, end, _SPACE) - at + 1
    node = 0
    while at < end:
        stop = _find_end(text, at, end)
        place = _write(text, at, stop, into, place, node, templates)
        if node >= 0:
            node = _find_child(templates, node, into, segment, place)
        if stop < end and text[stop] == _SEMICOLON:
            stop = find_byte(text, stop, end, _SLASH)  # over the parameters
        if stop < end:
            into[place] = _SLASH
            place += 1
        at = stop + 1
        segment = place
    return place


def _write(
    text: Sequence[int],
    at: int,
    stop: int,
    into: MutableSequence[int],
    place: int,
    node: int,
    templates: Sequence[int],
) -> int:
    """Write a segment or what replaces it. Return where it ends."""
    if is_identifier(text, at, stop):
        for byte in _ID:
            into[place] = byte
            place += 1
    elif node >= 0 and _is_replaced(text, at, stop, node, templates):
        for byte in _SLUG:
            into[place] = byte
            place += 1
    else:
        return copy(text, at, stop, into, place)
    return place


def _find_end(text: Sequence[int], at: int, end: int) -> int:
    """Where a segment ends that begins at `at`: before a slash or its parameters."""
    while at < end:
        count = min(end - at, _CHUNK)
        ends = byte_bits(text, at, count, _SLASH) | byte_bits(text, at, count, _SEMICOLON)
        if ends:
            return at + first_bit(ends)
        at += count
    return at


def is_identifier(text: Sequence[int], at: int, stop: int) -> bool:
    """Whether a segment is an identifier."""
    count = stop - at
    if count > _CHUNK:
        return _is_long_identifier(text, at, stop)
    digits = range_bits(text, at, count, 48, 57)
    if not digits and count != _UUID:
        return False
    letters = range_bits(text, at, count, 65, 70) | range_bits(text, at, count, 97, 102)
    others = ((1 << count) - 1) & ~(digits | letters)
    if count == _UUID and others == _UUID_HYPHENS:
        return byte_bits(text, at, count, _HYPHEN) == others
    return not others and digits != 0 and (not letters or count >= _SHORTEST_HASH)


def _is_long_identifier(text: Sequence[int], at: int, stop: int) -> bool:
    digits = 0
    while at < stop:
        count = min(stop - at, _CHUNK)
        found = range_bits(text, at, count, 48, 57)
        letters = range_bits(text, at, count, 65, 70) | range_bits(text, at, count, 97, 102)
        if found | letters != (1 << count) - 1:
            return False
        digits |= found
        at += count
    return digits != 0


def is_numbered(text: Sequence[int], at: int, stop: int) -> bool:
    """Whether a segment has a digit, an escape or another byte than ASCII, or is a long title."""
    hyphens = 0
    for place in range(at, stop):
        byte = text[place]
        if 48 <= byte <= 57 or byte == _PERCENT or byte > 127:
            return True
        if byte in (_HYPHEN, _UNDERSCORE):
            hyphens += 1
    return hyphens >= _LONG_TITLE


def _is_replaced(
    text: Sequence[int], at: int, stop: int, node: int, templates: Sequence[int]
) -> bool:
    """Whether a segment after a node of the templates is a slug."""
    flags = templates[node] & (NUMBERED | NAMED)
    if flags == 0 or stop - at < _SHORTEST_SLUG or text[at] == _BRACE:
        return False  # a name is its own route, so what was replaced is not replaced again
    if flags & NAMED == 0 and not is_numbered(text, at, stop):
        return False
    child = _find_child(templates, node, text, at, stop)
    return child < 0 or templates[child] & KEPT == 0


def _find_child(
    templates: Sequence[int], node: int, text: Sequence[int], at: int, stop: int
) -> int:
    """The child of a node with this segment; -1 if there is none."""
    child = templates[node + 1]
    while child:
        if templates[child + 4] == stop - at:
            same = True
            begin = templates[child + 3]
            for byte in range(stop - at):
                if templates[begin + byte] != text[at + byte]:
                    same = False
                    break
            if same:
                return child
        child = templates[child + 2]
    return -1

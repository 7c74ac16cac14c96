"""
The route of a request: its path with each identifier replaced by `{id}`, because paths are
unbounded and routes are not. A segment of a path is an identifier if it is all digits, a UUID, or
hexadecimal of at least 16 characters with a digit among them.

    GET /users/42/cart   ->   GET /users/{id}/cart
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final

LONGEST: Final = 2000
"""Bytes of the longest request that may become an endpoint."""

LONGEST_GROUPED: Final = 3 * LONGEST + 4
"""Bytes that suffice for any such request after its identifiers were replaced."""

_SLASH: Final = 47
_HYPHEN: Final = 45
_SHORTEST_HASH: Final = 16
_UUID: Final = 36
_ID: Final = tuple(b"{id}")


def group(text: Sequence[int], at: int, end: int, into: MutableSequence[int], place: int) -> int:
    """
    Write the route of a request to `into`, from `place` on. Return where the route ends. The caller
    ensures that there is room: a route is at most three times as long as its request, and four
    bytes, because `/1` becomes `/{id}`.
    """
    while at < end:
        stop = at
        while stop < end and text[stop] != _SLASH:
            stop += 1
        if _is_identifier(text, at, stop):
            into[place], into[place + 1], into[place + 2], into[place + 3] = _ID
            place += 4
        else:
            for byte in range(at, stop):
                into[place] = text[byte]
                place += 1
        if stop < end:
            into[place] = _SLASH
            place += 1
        at = stop + 1
    return place


def _is_identifier(text: Sequence[int], at: int, stop: int) -> bool:
    digits = letters = hyphens = 0
    for place in range(at, stop):
        byte = text[place]
        if 48 <= byte <= 57:
            digits += 1
        elif 97 <= byte | 32 <= 102:
            letters += 1
        elif byte == _HYPHEN and place - at in (8, 13, 18, 23):
            hyphens += 1
        else:
            return False
    if hyphens:
        return hyphens == 4 and stop - at == _UUID
    if letters:
        return digits > 0 and stop - at >= _SHORTEST_HASH
    return digits > 0

"""
Between the blocks: odd lines whose request no scanner knew are settled, one after the other in the
order of the stream, by the table as it stands now. Found endpoints are added to it here.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.codes import UNMATCHED
from slomon.kernels.hash_table import MISSING, insert, lookup
from slomon.kernels.route import LONGEST, LONGEST_GROUPED, group
from slomon.kernels.scan import CAREFUL, UNKNOWN_FAILED, UNRESOLVED, hash_request

Column: TypeAlias = MutableSequence[int]
Text: TypeAlias = Sequence[int]

# What `header` says of the table, number by number
MASK: Final = 0  # how many buckets it has, less one
ENTRIES: Final = 1  # how many are taken
ROOM: Final = 2  # how many may be
USED: Final = 3  # bytes of the arena that are taken
ARENA: Final = 4  # how many there are
FOUND: Final = 5  # how many endpoints have keys
MOST: Final = 6  # how many may be found; 0 where the endpoints are given
ADMITTED: Final = 7  # how many were found: the first ones, in the order in which accesses go out
CAPPED: Final = 8  # how many accesses were to others
HEADER: Final = 9

_SPACE: Final = 32
_QUOTE: Final = 34
_HASH: Final = 35
_SLASH: Final = 47
_QUESTION_MARK: Final = 63
_BACKSLASH: Final = 92
_LAST: Final = 126

SCRATCH: Final = LONGEST_GROUPED + 64


def resolve(
    text: Text,
    unresolved: Column,
    first: int,
    unresolved_count: int,
    codes: Column,
    table: Column,
    arena: MutableSequence[int],
    places: Column,
    header: Column,
    scratch: MutableSequence[int],
) -> int:
    """
    Resolve the unresolved lines from the first on. Returns the number of the line at which it
    stopped: `unresolved_count`, a line for the reference parser, or one that there is no room for.
    """
    for number in range(first, unresolved_count):
        place = number * UNRESOLVED
        row = unresolved[place]
        code = codes[row]
        if code == CAREFUL:
            return number
        at, end = unresolved[place + 3], unresolved[place + 4]
        hashed, _ = hash_request(text, at, end, 0)
        key = lookup(text, at, end, hashed, table, header[MASK], arena)
        if key == MISSING and header[MOST] and end - at <= LONGEST and is_plain(text, at, end):
            end = group(text, at, end, scratch, 0)
            hashed, _ = hash_request(scratch, 0, end, 0)
            key = _find(scratch, end, hashed, table, arena, places, header)
        if key == MISSING:
            return number
        failed = 1 if code == UNKNOWN_FAILED else 0
        codes[row] = key << 1 | failed if key >= 0 else key
    return unresolved_count


def found(
    request: Text,
    end: int,
    table: Column,
    arena: MutableSequence[int],
    places: Column,
    header: Column,
) -> int:
    """
    The key of a request that was grouped: a new one if need be, UNMATCHED where as many endpoints
    were found as may be, MISSING where there is no room in the columns.
    """
    hashed, _ = hash_request(request, 0, end, 0)
    if not is_plain(request, 0, end):
        hashed = ~hashed  # no scanner takes its text for it: some format may read that otherwise
    return _find(request, end, hashed, table, arena, places, header)


def accept(key: int, admitted: Column, header: Column) -> bool:
    """Whether an access that goes out now is to an endpoint that is found, or was before."""
    if admitted[key]:
        return True
    if header[ADMITTED] == header[MOST]:
        header[CAPPED] += 1
        return False
    admitted[key] = 1
    header[ADMITTED] += 1
    return True


def remember(
    request: Text, end: int, key: int, table: Column, arena: MutableSequence[int], header: Column
) -> int:
    """Put a request and its key into the table, which must have room; returns the key."""
    hashed, _ = hash_request(request, 0, end, 0)
    return _put(request, end, hashed, key, table, arena, header)


def _find(
    request: Text,
    end: int,
    hashed: int,
    table: Column,
    arena: MutableSequence[int],
    places: Column,
    header: Column,
) -> int:
    key = lookup(request, 0, end, hashed, table, header[MASK], arena)
    if key != MISSING:
        return key
    if header[ADMITTED] == header[MOST]:
        header[CAPPED] += 1
        return UNMATCHED
    if header[ENTRIES] == header[ROOM] or header[USED] + end > header[ARENA]:
        return MISSING
    key = header[FOUND]
    places[2 * key] = header[USED]
    places[2 * key + 1] = end
    _put(request, end, hashed, key, table, arena, header)
    header[FOUND] += 1
    return key


def _put(
    request: Text,
    end: int,
    hashed: int,
    key: int,
    table: Column,
    arena: MutableSequence[int],
    header: Column,
) -> int:
    header[USED] = insert(request, 0, end, hashed, key, table, header[MASK], arena, header[USED])
    header[ENTRIES] += 1
    return key


def is_plain(text: Text, at: int, end: int) -> int:
    """
    Whether this is a verb of letters, a space and a path, of printable ASCII without what formats
    escape and routes cut off: then any format reads it, and it is its own name.
    """
    spaces = 0
    for place in range(at, end):
        byte = text[place]
        if byte < _SPACE or byte > _LAST:
            return False
        if byte in (_QUOTE, _HASH, _QUESTION_MARK, _BACKSLASH):
            return False
        if byte == _SPACE:
            spaces += 1
            if place == at or place + 1 == end or text[place + 1] != _SLASH:
                return False
        elif spaces == 0 and not 97 <= byte | 32 <= 122:
            return False  # a letter, whatever its case
    return spaces == 1

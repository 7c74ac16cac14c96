"""
The second step after the scanner: it resolves lines whose request was not in the table when their
block was scanned. One thread resolves block after block, in the order of the stream. New endpoints
are added to the table here, so their keys follow the order of the stream as well.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final, TypeAlias

from slomon.kernels.codes import UNMATCHED
from slomon.kernels.hash_table import MISSING, insert, lookup
from slomon.kernels.line import is_plain
from slomon.kernels.route import LONGEST, group
from slomon.kernels.scan import FOR_REFERENCE, UNKNOWN_FAILED, UNRESOLVED, hash_request

Column: TypeAlias = MutableSequence[int]
Text: TypeAlias = Sequence[int]

# The numbers of `header`: the table, and the endpoints found in the stream
MASK: Final = 0  # how many buckets the table has, less one
ENTRIES: Final = 1  # how many buckets are taken
ROOM: Final = 2  # how many buckets may be taken
USED: Final = 3  # how many bytes of the arena are taken
ARENA: Final = 4  # how many bytes the arena has
FOUND: Final = 5  # how many endpoints have a key
MOST: Final = 6  # how many endpoints may be admitted; 0 if the endpoints are given, not found
ADMITTED: Final = 7  # how many endpoints are admitted, in the order in which rows are released
CAPPED: Final = 8  # how many accesses were to endpoints that were not admitted
HEADER: Final = 9  # how many numbers a header has


def resolve(
    text: Text,
    requests: Text,
    unresolved: Column,
    first: int,
    unresolved_count: int,
    codes: Column,
    table: Column,
    arena: MutableSequence[int],
    places: Column,
    header: Column,
    scratch: MutableSequence[int],
    templates: Column,
) -> int:
    """
    Resolve unresolved lines, from number `first` on, whose requests stand in `text` or were
    composed in `requests`. Return the number of the line at which it stopped:

    * a line for the reference parser, by its code or because its request remains unknown
    * a line with a new request for which the table has no room
    * `unresolved_count`: all lines are resolved
    """
    for number in range(first, unresolved_count):
        place = number * UNRESOLVED
        row = unresolved[place]
        code = codes[row]
        if code == FOR_REFERENCE:
            return number
        at, end = unresolved[place + 3], unresolved[place + 4]
        source = requests if unresolved[place + 5] else text
        hashed, _ = hash_request(source, at, end, 0)
        key = lookup(source, at, end, hashed, table, header[MASK], arena)
        if key == MISSING and header[MOST] and end - at <= LONGEST and is_plain(source, at, end):
            end = group(source, at, end, scratch, 0, templates)
            hashed, _ = hash_request(scratch, 0, end, 0)
            key = _find_or_add(scratch, end, hashed, table, arena, places, header)
        if key == MISSING:
            return number
        failed = 1 if code == UNKNOWN_FAILED else 0
        codes[row] = key << 1 | failed if key >= 0 else key
    return unresolved_count


def find_or_add(
    request: Text,
    end: int,
    table: Column,
    arena: MutableSequence[int],
    places: Column,
    header: Column,
) -> int:
    """
    The key of a request that is a route already. A new route gets a new key. But if no more
    endpoints are admitted, it gets UNMATCHED, and if the table or the arena has no room, MISSING.
    """
    hashed, _ = hash_request(request, 0, end, 0)
    if not is_plain(request, 0, end):
        # Another hash than a scanner computes: formats read such a text in different ways, so a
        # scanner must not find it.
        hashed = ~hashed
    return _find_or_add(request, end, hashed, table, arena, places, header)


def accept(key: int, admitted: Column, header: Column) -> bool:
    """Admit the endpoint of an access that is released now. Return whether it is admitted."""
    if admitted[key]:
        return True
    if header[ADMITTED] == header[MOST]:
        header[CAPPED] += 1
        return False
    admitted[key] = 1
    header[ADMITTED] += 1
    return True


def add_request(
    request: Text, end: int, key: int, table: Column, arena: MutableSequence[int], header: Column
) -> int:
    """Add a request with its key to the table, which must have room. Return the key."""
    hashed, _ = hash_request(request, 0, end, 0)
    return _add(request, end, hashed, key, table, arena, header)


def _find_or_add(
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
    _add(request, end, hashed, key, table, arena, header)
    header[FOUND] += 1
    return key


def _add(
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

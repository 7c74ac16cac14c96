"""
A hash table from a request, `<verb> <resource>`, to the key of its endpoint. Many scanners may read
a table at once; nobody writes to a table while one reads it.

The table is a flat column with open addressing and linear probing. A bucket is four numbers:

    [ hash | where the text begins in the arena | its length, 0 if the bucket is free | key ]

The arena holds the texts of all requests, one after the other. The number of buckets is a power of
two; `mask` is that number less one.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final

from slomon.kernels.swar import FACTOR, WIDEST, equal_texts, wrap

BUCKET: Final = 4
MISSING: Final = -2

_LOW: Final = 0xFFFFFFFF


def hash_step(hashed: int, part: int) -> int:
    """Add the hash of the next part of a text to its hash. Each bit changes the lowest ones."""
    hashed = wrap((hashed ^ part) * FACTOR)
    return hashed ^ (hashed >> 32 & _LOW)


def lookup(
    text: Sequence[int],
    at: int,
    end: int,
    hashed: int,
    table: Sequence[int],
    mask: int,
    arena: Sequence[int],
) -> int:
    """The key of the request in a text from `at` to `end`, or MISSING."""
    bucket = _bucket(text, at, end, hashed, table, mask, arena)
    return table[bucket + 3] if table[bucket + 2] else MISSING


def insert(
    text: Sequence[int],
    at: int,
    end: int,
    hashed: int,
    key: int,
    table: MutableSequence[int],
    mask: int,
    arena: MutableSequence[int],
    used: int,
) -> int:
    """
    Add a request to a table. The caller ensures that the request is not in the table, that a bucket
    is free, and that the arena has room for the text behind its first `used` bytes. Return how many
    bytes of the arena are used then.
    """
    bucket = _bucket(text, at, end, hashed, table, mask, arena)
    table[bucket] = hashed
    table[bucket + 1] = used
    table[bucket + 2] = end - at
    table[bucket + 3] = key
    for byte in range(at, end):
        arena[used] = text[byte]
        used += 1
    return used


def rehash(old: Sequence[int], buckets: int, table: MutableSequence[int], mask: int) -> int:
    """
    Copy the entries of a table, which has `buckets` buckets, to an empty larger table. Return how
    many entries there are.
    """
    entries = 0
    for bucket in range(0, buckets * BUCKET, BUCKET):
        if old[bucket + 2]:
            free = (old[bucket] & mask) * BUCKET
            while table[free + 2]:
                free = (free + BUCKET) & (mask * BUCKET)
            for number in range(BUCKET):
                table[free + number] = old[bucket + number]
            entries += 1
    return entries


def _bucket(
    text: Sequence[int],
    at: int,
    end: int,
    hashed: int,
    table: Sequence[int],
    mask: int,
    arena: Sequence[int],
) -> int:
    """Where the bucket of a request begins in the table, or the free bucket for it."""
    bucket = (hashed & mask) * BUCKET
    while table[bucket + 2]:
        if (
            table[bucket] == hashed
            and table[bucket + 2] == end - at
            and _same(text, at, end, arena, table[bucket + 1])
        ):
            break
        bucket = (bucket + BUCKET) & (mask * BUCKET)
    return bucket


def _same(text: Sequence[int], at: int, end: int, arena: Sequence[int], place: int) -> bool:
    while end - at > WIDEST:
        if not equal_texts(text, at, arena, place, WIDEST):
            return False
        at += WIDEST
        place += WIDEST
    return equal_texts(text, at, arena, place, end - at)

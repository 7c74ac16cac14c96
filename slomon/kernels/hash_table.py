"""
A hash table from a request, `<verb> <resource>`, to the key of its endpoint. Many scanners may read
a table at once; nobody writes to a table while one reads it.

The table is a flat column with open addressing and linear probing. A bucket is two numbers, so that
a cache line has four buckets:

    [ where the text begins in the arena, its length ]   48 and 16 bits; 0 if the bucket is free
    [ the low half of its hash, its key ]                32 and 32 bits

The arena holds the texts of all requests, one after the other. The number of buckets is a power of
two, 2**32 at most; `mask` is that number less one.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final

from slomon.kernels.swar import FACTOR, WIDEST, equal_texts, wrap

BUCKET: Final = 2
MISSING: Final = -2
LENGTH_BITS: Final = 16

_LENGTH: Final = (1 << LENGTH_BITS) - 1
_LOW: Final = 0xFFFFFFFF
_SIGN: Final = 1 << 31


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
    if table[bucket] == 0:
        return MISSING
    return ((table[bucket + 1] & _LOW) ^ _SIGN) - _SIGN


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
    table[bucket] = used << LENGTH_BITS | (end - at)
    table[bucket + 1] = wrap(hashed << 32) | (key & _LOW)
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
        if old[bucket]:
            free = (old[bucket + 1] >> 32 & mask) * BUCKET
            while table[free]:
                free = (free + BUCKET) & (mask * BUCKET)
            table[free] = old[bucket]
            table[free + 1] = old[bucket + 1]
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
    while table[bucket]:
        if (
            table[bucket + 1] >> 32 & _LOW == hashed & _LOW
            and table[bucket] & _LENGTH == end - at
            and _same(text, at, end, arena, table[bucket] >> LENGTH_BITS)
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

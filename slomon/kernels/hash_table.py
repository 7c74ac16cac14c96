"""
The requests seen so far, `<verb> <resource>` -> key: an open hash table over flat columns, read
by many scanners at once and written between their blocks.

A bucket is four numbers: hash, where the text begins in the arena, its length (0: the bucket is
free) and its key.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Final

from slomon.kernels.swar import leading, load, wrap

BUCKET: Final = 4
MISSING: Final = -2

_FACTOR: Final = -0x61C8864680B583EB  # 2**64 over the golden ratio, odd: Fibonacci hashing
_LOW: Final = 0xFFFFFFFF


def hash_step(hashed: int, word: int) -> int:
    """Take the next eight bytes of a text into its hash."""
    hashed = wrap((hashed ^ word) * _FACTOR)
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
    """The key of the request that stands in a text from `at` to `end`, or MISSING."""
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
    Put a request that is not there yet into a table that has room, its text into the arena behind
    what is `used` of it; returns how much is used then.
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
    """Move so many buckets of a table to an empty larger one; returns how many were taken."""
    taken = 0
    for bucket in range(0, buckets * BUCKET, BUCKET):
        if old[bucket + 2]:
            place = (old[bucket] & mask) * BUCKET
            while table[place + 2]:
                place = (place + BUCKET) & (mask * BUCKET)
            for number in range(BUCKET):
                table[place + number] = old[bucket + number]
            taken += 1
    return taken


def _bucket(
    text: Sequence[int],
    at: int,
    end: int,
    hashed: int,
    table: Sequence[int],
    mask: int,
    arena: Sequence[int],
) -> int:
    """Where a request is in the table, or where it would be."""
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
    while end - at >= 8:
        if load(text, at) != load(arena, place):
            return False
        at += 8
        place += 8
    return leading(load(text, at), end - at) == leading(load(arena, place), end - at)

"""
Text eight bytes at a time ("SIMD within a register"): how the scanner looks at bytes. A word is a
signed 64-bit number, little-endian: its lowest byte is the first one of the text.

Some functions are written twice, because Python has no such instructions: here as plain Python,
which says what they do and serves the tests, and in `compiled/build.py`, where each becomes a few
instructions.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from functools import cache
from typing import Final

HIGHS: Final = -0x7F7F7F7F7F7F7F80  # 0x80 in each byte
FACTOR: Final = -0x61C8864680B583EB  # 2**64 over the golden ratio, odd: Fibonacci hashing
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1
_HALF: Final = (1 << 32) - 1
_NEWLINE: Final = 10
KEYS: Final = tuple((pow(FACTOR, power, 1 << 64) + _SIGN & _ALL) - _SIGN for power in range(1, 9))
"""What `hash_bytes` changes the words by: bits without a pattern."""


def load(text: Sequence[int], at: int) -> int:
    """The eight bytes of a text from `at` on. The text must have them all."""
    return wrap(int.from_bytes(bytes(text[at : at + 8]), "little"))


def wrap(number: int) -> int:
    """The lowest 64 bits of a number, as a signed number."""
    return ((number + _SIGN) & _ALL) - _SIGN


def first_bit(word: int) -> int:
    """The place of the lowest bit of a word that is set. The word must not be zero."""
    return (word & -word).bit_length() - 1


def first_byte(word: int) -> int:
    """The place, 0 to 7, of the first byte of a word that isn't zero. The word must not be zero."""
    return first_bit(word) >> 3


def leading_bytes(word: int, count: int) -> int:
    """The first `count` bytes of a word, 0 to 7; the others become zero."""
    return word & ((1 << (count << 3)) - 1)


def shift_up(word: int, count: int) -> int:
    """A word moved `count` bytes up, 0 to 7; its first bytes become zero."""
    return wrap(word << (count << 3))


WIDE: Final = 32
"""The bytes that the following functions look at. The text must have them all."""


def special_bits(text: Sequence[int], at: int) -> int:
    """
    A bit for each of the next bytes that does not belong to the plain part of a JSON string: a
    quote, a backslash, a control character, or a byte that is not ASCII.
    """
    bits = 0
    for count, byte in enumerate(text[at : at + WIDE]):
        bits |= (not 32 <= byte < 128 or byte in (34, 92)) << count
    return bits


def count_plain(text: Sequence[int], at: int) -> int:
    """How many of the next bytes come before the first one that is special in a JSON string."""
    return first_bit(special_bits(text, at) | 1 << WIDE)


def count_same(text: Sequence[int], one: int, other: int) -> int:
    """How many of the next bytes, from the first on, are the same at two places of a text."""
    for count in range(WIDE):
        if text[one + count] != text[other + count]:
            return count
    return WIDE


def copy_wide(text: Sequence[int], at: int, into: MutableSequence[int], place: int) -> None:
    """Copy the next bytes of a text to a place in another."""
    into[place : place + WIDE] = text[at : at + WIDE]


WIDEST: Final = 64
"""The bytes that the following functions look at, or `count` of them. The text must have all 64."""

PADDING: Final = WIDEST
"""Bytes behind a text that must be readable."""


def count_until(text: Sequence[int], at: int, byte: int) -> int:
    """How many of the next bytes come before the first one that is this byte."""
    count = bytes(text[at : at + WIDEST]).find(byte)
    return WIDEST if count < 0 else count


def find_byte(text: Sequence[int], start: int, stop: int, byte: int) -> int:
    """Where a byte occurs first from `start` on, or `stop`."""
    at = start
    while at < stop:
        count = count_until(text, at, byte)
        if count < WIDEST:
            return min(at + count, stop)
        at += WIDEST
    return stop


def find_line_end(text: Sequence[int], at: int) -> int:
    """Where the next newline is, which the text must have."""
    count = count_until(text, at, _NEWLINE)
    while count == WIDEST:
        at += WIDEST
        count = count_until(text, at, _NEWLINE)
    return at + count


def range_bits(text: Sequence[int], at: int, count: int, first: int, last: int) -> int:
    """A bit for each of the next `count` bytes, at most 63, that is from `first` to `last`."""
    digits = bytes(text[at : at + count]).translate(_list_digits(first, last))
    return int(digits[::-1] or b"0", 2)


@cache
def _list_digits(first: int, last: int) -> bytes:
    """For each byte, the digit 1 if it is from `first` to `last`, else 0."""
    return bytes(49 if first <= byte <= last else 48 for byte in range(256))


def byte_bits(text: Sequence[int], at: int, count: int, byte: int) -> int:
    """A bit for each of the next `count` bytes, at most 63, that is this one."""
    return range_bits(text, at, count, byte, byte)


def count_path(text: Sequence[int], at: int, count: int) -> int:
    """How many of the next `count` bytes come before the first question mark."""
    place = bytes(text[at : at + count]).find(63)
    return count if place < 0 else place


def hash_bytes(text: Sequence[int], at: int, count: int) -> int:
    """
    A hash of the next `count` bytes, at most 64, with zeros behind them: each of the eight words is
    changed by its key, and its halves are multiplied. The hash is the sum of the products (J.
    Black et al., "UMAC", CRYPTO 1999: the function NH).
    """
    data = bytes(text[at : at + count]).ljust(WIDEST, b"\0")
    words = (load(data, 8 * place) ^ key for place, key in enumerate(KEYS))
    return wrap(sum((word & _HALF) * (word >> 32 & _HALF) for word in words))


def equal_texts(text: Sequence[int], at: int, other: Sequence[int], place: int, count: int) -> bool:
    """Whether the next `count` bytes of two texts are equal."""
    return bytes(text[at : at + count]) == bytes(other[place : place + count])


def prefetch(column: Sequence[int], at: int) -> None:
    """Ask the processor to fetch a number that will be needed soon. In Python it does nothing."""

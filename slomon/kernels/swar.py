"""
Eight bytes at a time: how the scanner looks at text. Words are signed 64-bit numbers, little
endian. These functions are what they do, in plain Python; when compiled, each is an instruction
or two (`build.py` says which), so that the scanner runs and is tested at either speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ONES: Final = 0x0101010101010101
HIGHS: Final = -0x7F7F7F7F7F7F7F80  # 0x80 in each byte
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1


def load(text: Sequence[int], at: int) -> int:
    """The eight bytes of a text from `at` on; there must be so many."""
    return wrap(int.from_bytes(bytes(text[at : at + 8]), "little"))


def wrap(number: int) -> int:
    """A number as 64 bits hold it."""
    return ((number + _SIGN) & _ALL) - _SIGN


def first_byte(marks: int) -> int:
    """The place of the first byte of a word that isn't zero; the word must not be zero."""
    return ((marks & -marks).bit_length() - 1) >> 3


def leading(word: int, count: int) -> int:
    """The first `count` bytes of a word, 0 to 7, the others zero."""
    return word & ((1 << (count << 3)) - 1)


def shifted(word: int, count: int) -> int:
    """A word moved `count` bytes up, 0 to 7: its first ones are zero then."""
    return wrap(word << (count << 3))


def find(word: int, pattern: int) -> int:
    """
    High bits where the bytes of two words are equal, exact up to the first of them.

    The classic test for a zero byte: Hacker's Delight, 2nd edition, section 6-1.
    """
    different = word ^ pattern
    return wrap(different - ONES) & ~different & HIGHS


def prefetch(column: Sequence[int], at: int) -> None:
    """Ask for the memory of a number that will be needed soon. It changes nothing."""
